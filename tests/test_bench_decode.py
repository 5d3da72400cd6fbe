"""`bench_decode`: that it runs, that it times nothing wrong, and that its input is what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from meprop_nlp import native
from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.sample.treebank import sample_treebank
from meprop_nlp.models.file import write_model_file
from meprop_nlp.models.heads.in_step import Trees
from meprop_nlp.models.model import Model
from meprop_nlp.models.words import SentenceWords

from .models.models import random_parser, random_sentences, random_tagger

needs_core = pytest.mark.skipif(native.core() is None, reason=native.why_missing())


@pytest.fixture
def models(tmp_path: Path) -> list[str]:
    """The options that name models of random weights."""
    made = {
        "tagger": random_tagger(1, units=(5, 4)),
        "parser": random_parser(2, exact=False),
        "default-tagger": random_tagger(3, units=(8, 8)),
        "default-parser": random_parser(4, exact=False, hidden=20),
    }
    options = []
    for name, model in made.items():
        path = tmp_path / f"{name}.safetensors"
        write_model_file(path, model.header, model.arrays)
        options += [f"--{name}", str(path)]
    return options


@needs_core
def test_quick_run_writes_results_of_which_the_readme_makes_its_tables(
    script: Any, models: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "decode.json"
    folder = ["--folder", str(tmp_path / "no models")]
    script("bench_decode").main(["--quick", *models, *folder, "--output", str(path)])
    results = json.loads(path.read_text(encoding="utf-8"))
    assert results["words"] >= 2000
    assert results["small"]["words"] >= 200
    assert set(results["parse"]["words_per_second"]) == {"about 64 neurons", "default", "uncut"}
    assert all(peak > 10e6 for peak in results["peak_bytes"].values())
    assert results["uncut"]["neurons"] == 500
    assert results["uncut"]["weights"].startswith("random")
    assert len(results["table"]["rows"]) == 9
    scores = results["peers"]["dev"]
    assert scores.keys() == {"about 64 neurons", "default"}
    (row,) = [row for row in results["peers_table"]["rows"] if row[0] == "ours, default"]
    assert row[-2:] == [f"{scores['default'][name]:.2f}" for name in ("upos", "las")]
    assert "spaCy is left out" in capsys.readouterr().out
    readme = script("readme")
    measured = {**{file: {} for file in readme.FILES}, "decode": results}
    made = {table for table, text in readme.tables(measured).items() if text != readme.UNMEASURED}
    assert made == {"decode", "decode-peers", "decode-conditions"}


@needs_core
def test_models_that_are_missing_are_asked_for(script: Any, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no model .*tagger.safetensors; give --train"):
        script("bench_decode").main(["--quick", "--folder", str(tmp_path)])


@needs_core
def test_model_that_answers_wrongly_is_not_timed(script: Any, tmp_path: Path) -> None:
    parser = Model(random_parser(1))
    checks = script("decode_checks")
    path = sample_treebank("dev")
    (found,) = checks.check({"parser": parser}, [path])
    assert found["differ"] == 0
    head = parser.heads["tree"]
    head._parser = Shifted(head._parser)
    with pytest.raises(SystemExit, match="differ from NumPy; nothing is timed"):
        checks.check({"parser": parser}, [path])


class Shifted:
    """A parser that takes every label for the next one."""

    def __init__(self, parser: Any) -> None:
        self._parser = parser

    def parse(self, words: Any, *, confidence: bool = False) -> Trees:
        trees = self._parser.parse(words)
        return trees._replace(labels=(trees.labels + 1) % 5)


@pytest.mark.parametrize("heads", [[0, 0], [2, 1], [0, 3], [1, 0]])
def test_heads_that_are_not_a_tree_are_not_timed(script: Any, heads: list[int]) -> None:
    words = SentenceWords(random_sentences(1, [2]))
    with pytest.raises(SystemExit, match="not a tree"):
        script("decode_checks").demand_trees(np.array(heads), words)


def test_repeated_file_has_whole_copies_and_the_small_one_whole_sentences(
    script: Any, tmp_path: Path
) -> None:
    bench, path = script("bench_decode"), sample_treebank("dev")
    once = [len(sentence) for sentence in read(path)]
    words = bench.at_least_words(path, 2 * sum(once) + 1, tmp_path / "big")
    assert [len(s) for s in read(tmp_path / "big")] == 3 * once
    assert words == 3 * sum(once)
    words = bench.first_words(path, once[0] + 1, tmp_path / "small")
    assert [len(s) for s in read(tmp_path / "small")] == once[:2]
    assert words == sum(once[:2])


def test_uncut_parser_has_the_words_and_labels_of_the_other(script: Any) -> None:
    like = Model(random_parser(1, layers=2))
    uncut = script("decode_models").random_parser(like, 50)
    widths = [uncut.file.arrays[f"layers.{n}.bias"].size for n in range(3)]
    assert widths[:2] == [50, 50]
    assert uncut.heads["tree"].labels == like.heads["tree"].labels
    assert len(uncut.annotate(SentenceWords(random_sentences(1, [4]))).heads) == 4
