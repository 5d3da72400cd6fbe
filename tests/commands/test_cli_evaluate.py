"""`evaluate` prints the official scorer's table; the line after training has what is predicted."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from udtools.udeval import build_evaluation_table, load_conllu
from udtools.udeval import evaluate as official

from meprop_nlp.commands.score_tables import summary
from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.scoring.metrics import evaluate

GOLD = """\
1	The	the	DET	DT	PronType=Art	2	det	_	_
2	dogs	dog	NOUN	NNS	Number=Plur	4	nsubj	_	_
3	will	will	AUX	MD	_	4	aux	_	_
4	run	run	VERB	VB	VerbForm=Inf	0	root	_	_
5	today	today	NOUN	NN	Number=Sing	4	obl:tmod	_	_

1-2	stopit	_	_	_	_	_	_	_	_
1	stop	stop	VERB	VB	VerbForm=Inf	0	root	_	_
2	it	_	PRON	PRP	Case=Acc	1	obj	_	_
3	now	now	ADV	RB	_	1	advmod	_	_

"""
# "dogs" is two tokens, "stopit" one word, and the two sentences are one
SYSTEM = """\
1	The	the	DET	DT	PronType=Art	2	det	_	_
2	dog	dog	NOUN	NN	Number=Sing	5	nsubj	_	_
3	s	s	PART	POS	_	2	case	_	_
4	will	will	AUX	MD	_	5	aux	_	_
5	run	run	VERB	VBP	VerbForm=Inf	0	root	_	_
6	today	Today	NOUN	NN	Number=Sing	5	obl	_	_
7	stopit	stopit	VERB	VB	_	5	conj	_	_
8	now	now	ADV	UH	_	7	advmod	_	_

"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A gold file and a system's file, which has other tokens, sentences, tags and trees."""
    gold, system = tmp_path / "gold.conllu", tmp_path / "system.conllu"
    gold.write_text(GOLD, encoding="utf-8")
    system.write_text(SYSTEM, encoding="utf-8")
    return gold, system


def rows(table: str) -> dict[str, list[str]]:
    """Return the cells of the rows below the table's head, by name, up to BLEX."""
    lines = [line.split() for line in table.replace("|", " ").split("\n")[2:15]]
    return {name: cells for name, *cells in lines}


def test_evaluate_prints_the_table_of_the_official_scorer(
    run: Any, files: tuple[Path, Path]
) -> None:
    gold, system = (load_conllu(io.StringIO(text), "text", {}) for text in (GOLD, SYSTEM))
    expected = rows(build_evaluation_table(official(gold, system)))
    actual = rows(run("evaluate", *files).stdout)
    assert list(actual) == list(expected)
    assert actual == expected
    assert actual["Tokens"] == ["75.00", "85.71", "80.00"]
    assert actual["Sentences"] == ["0.00"] * 3
    assert (actual["MLAS"][2], actual["BLEX"][2]) == ("36.36", "18.18")


def test_json_has_the_numbers_of_the_table(run: Any, files: tuple[Path, Path]) -> None:
    written = json.loads(run("evaluate", *files, "--json").stdout)
    table = rows(run("evaluate", *files).stdout)
    shown = {f"{count['f1']:.2f}" for count in written["metrics"].values()}
    assert shown >= {cells[2] for cells in table.values()}
    assert written["metrics"]["sentence_spans"]["gold"] == written["sentences"] == 2


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [
        (["upos", "xpos"], "UPOS 62.50  XPOS 37.50"),
        (["las", "lemmas"], "Lemmas 50.00  LAS 37.50  BLEX 18.18"),
    ],
)
def test_summary_has_only_what_is_predicted(predicted: list[str], expected: str) -> None:
    scores = evaluate(
        read_text(GOLD, input_format="conllu"), read_text(SYSTEM, input_format="conllu")
    )
    assert summary(scores.only(predicted)) == expected


def test_a_file_of_tags_is_scored_without_trees(run: Any, files: tuple[Path, Path]) -> None:
    gold, system = files
    lines = [line.split("\t") for line in SYSTEM.splitlines()]
    tags = ["\t".join([*f[:6], "_", "_", *f[8:]]) if len(f) > 1 else "" for f in lines]
    system.write_text("\n".join([*tags, ""]), encoding="utf-8")
    refused = run("evaluate", gold, system)
    assert refused.exit_code == 1
    assert "has no heads, and trees are scored; without them: --no-trees" in refused.stderr
    scored = run("evaluate", gold, system, "--no-trees")
    assert scored.exit_code == 0
    assert "UPOS" in scored.stdout
    assert "LAS" not in scored.stdout
    of_model = run("evaluate", gold, "--model", "m.safetensors", "--no-trees")
    assert of_model.exit_code == 2
    assert "--trees goes with SYSTEM" in of_model.stderr


def test_gold_without_annotation_is_said_to_have_none(run: Any, tmp_path: Path) -> None:
    words = tmp_path / "words.conllu"
    words.write_text("1\tGo" + "\t_" * 8 + "\n\n", encoding="utf-8")
    found = run("evaluate", words, words)
    assert found.exit_code == 0
    assert found.stdout.endswith("Gold has no tags, lemmas or trees that could be scored.\n")
