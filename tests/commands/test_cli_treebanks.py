"""The commands on real treebanks: their output is valid, their scores are the official ones."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.config import ParserConfig, TaggerConfig, TrainingConfig
from meprop_nlp.data.conll.reading import read
from meprop_nlp.scoring.names import SCORE_NAMES
from meprop_nlp.scoring.scores import METRICS
from meprop_nlp.training.parser import DependencyParser
from meprop_nlp.training.tagger import Tagger

udeval = pytest.importorskip("udtools.udeval", reason="udtools is not installed")
pytestmark = pytest.mark.slow
TREEBANKS = {"ud-english-ewt": "en", "ud-turkish-imst": "tr"}


@pytest.fixture(scope="module", params=TREEBANKS)
def parsed(request: Any, run: Any, shared_data: Path, tmp_path_factory: Any) -> tuple[Path, Path]:
    """A test file, and what a tagger and a parser, each hardly trained, make of it."""
    folder = tmp_path_factory.mktemp(request.param)
    train = list(islice(read(shared_data / request.param / "train.conllu", trees=True), 1500))
    loop = TrainingConfig(epochs=3, threads=1)
    Tagger.train(train, config=TaggerConfig(hidden=24), training=loop, output=folder / "tagger")
    DependencyParser.train(
        train, config=ParserConfig(hidden=24), training=loop, output=folder / "parser"
    )
    gold = shared_data / request.param / "test.conllu"
    tagged, result = folder / "tagged.conllu", folder / "parsed.conllu"
    assert run("tag", gold, "-m", folder / "tagger", "-o", tagged).exit_code == 0
    assert run("parse", tagged, "-m", folder / "parser", "-o", result).exit_code == 0
    return gold, result


def test_tag_then_parse_changes_no_byte_outside_their_columns(parsed: tuple[Path, Path]) -> None:
    gold, result = (path.read_text(encoding="utf-8").split("\n") for path in parsed)
    assert len(gold) == len(result)
    empty_nodes = any(line.split("\t")[0].count(".") for line in gold if line[:1].isdigit())
    n_words = 0
    for before, after in zip(gold, result, strict=True):
        old, new = before.split("\t"), after.split("\t")
        if not old[0].isdecimal():
            assert before == after
            continue
        n_words += 1
        assert old[:3] == new[:3]
        assert old[9:] == new[9:]
        # EWT's test file has empty nodes, which are valid only in an enhanced graph
        assert new[8] == (f"{new[6]}:{new[7]}" if empty_nodes else "_")
    assert n_words > 9000


def test_output_passes_the_official_validator_at_level_2(parsed: tuple[Path, Path]) -> None:
    gold, result = parsed
    language = next(code for name, code in TREEBANKS.items() if name in str(gold))

    def errors(path: Path) -> Counter[str]:
        command = [sys.executable, "-m", "udtools.cli", "--lang", language, "--level", "2"]
        done = subprocess.run(
            [*command, "--max-err", "0", str(path)], check=False, capture_output=True, text=True
        )
        found = re.findall(r"\[L\d \S+ (\S+)\]", done.stdout + done.stderr)
        assert found or "PASSED" in done.stderr, done.stderr
        return Counter(found)

    # what the gold file is blamed for outside our columns is not our doing
    assert errors(result) <= errors(gold)


def test_evaluate_agrees_with_the_official_scorer(parsed: tuple[Path, Path], run: Any) -> None:
    gold, result = parsed
    ours = json.loads(run("evaluate", gold, result, "--json").stdout)["metrics"]
    texts = [io.StringIO(path.read_text(encoding="utf-8")) for path in parsed]
    official = udeval.evaluate(*(udeval.load_conllu(text, "file", {}) for text in texts))
    for name in METRICS[: METRICS.index("ucm")]:
        theirs = official[SCORE_NAMES[name]]
        assert round(ours[name]["f1"], 2) == round(100 * theirs.f1, 2), name
    assert 20 < ours["uas"]["f1"] < 99
