"""`raw_text`: that it runs, stores what the tables need, and refuses lost text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.sample.treebank import sample_treebank
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.spaces import text_of
from meprop_nlp.data.tokens.boundaries import raw_text
from meprop_nlp.models.file import write_model_file

from .models.models import random_joint, random_tokenizer


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A joint model of random weights, whose tokenizer ends tokens at white space."""
    joint, tokenizer = random_joint(1), random_tokenizer(1, bias=[99, 0, 0, 0, 0])
    path = tmp_path / "model.safetensors"
    write_model_file(path, joint.header | tokenizer.header, joint.arrays | tokenizer.arrays)
    return path


def test_scores_are_stored_under_their_names_and_test_is_scored_once(
    script: Any, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench, results = script("raw_text"), tmp_path / "raw_text.json"
    results.write_text('{"pace": 1}', encoding="utf-8")
    words = ["--quick", "--output", str(results), "--part", "test"]
    bench.main([*words, f"small={model}"])
    assert "| small | " in capsys.readouterr().out
    stored = json.loads(results.read_text(encoding="utf-8"))
    assert stored["pace"] == 1
    found = stored["runs"]["sample"]["test"]["small"]
    assert found["scores"].keys() == script("readme").SCORES_OF_TEXT.keys()
    assert 0 < found["scores"]["tokens"] < 100
    assert found["bytes"] == model.stat().st_size
    assert found["characters"] == len(raw_text(read(sample_treebank("test"))))

    before = results.read_bytes()
    bench.main([*words, f"small={model}"])
    assert "small: test has been scored" in capsys.readouterr().out
    assert results.read_bytes() == before


def test_again_scores_test_once_more_and_dev_is_always_scored(
    script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, results = script("raw_text"), tmp_path / "raw_text.json"
    asked: list[tuple[str, str, str]] = []

    def scored(name: str, model: str, gold: Path) -> dict[str, Any]:
        asked.append((name, model, gold.stem))
        return {"scores": {"las": 50 + len(asked)}, "bytes": 1}

    monkeypatch.setattr(bench, "score", scored)
    words = ["--quick", "--output", str(results), "a=x", "b=y"]
    for more in ([], [], ["--part", "test"], ["--part", "test"], ["--part", "test", "--again"]):
        bench.main([*words, *more])
    both = [("a", "x"), ("b", "y")]
    expected = [(*pair, part) for part in ("dev", "dev", "test", "test") for pair in both]
    assert asked == expected
    runs = json.loads(results.read_text(encoding="utf-8"))["runs"]["sample"]
    assert [runs[part]["b"]["scores"]["las"] for part in ("dev", "test")] == [54, 58]


def test_text_that_does_not_come_back_is_said_with_the_place(script: Any) -> None:
    demand, sentences = script("raw_text").demand_same_text, list(read(sample_treebank("dev")))
    text = raw_text(sentences)
    demand(sentences, text_of(sentences), "small")
    with pytest.raises(SystemExit, match=r"small: .*from character 4 on .* expected 'X"):
        demand(sentences, text[:4] + "X" + text[5:], "small")
    with pytest.raises(SystemExit, match=r"from character 6 on there is '', expected 'm '"):
        demand([Sentence.from_words(["small"])], "small m ", "small")


@pytest.mark.parametrize("words", [["box"], ["=en"], ["box="], ["a=x", "a=y"]])
def test_models_without_a_name_of_their_own_are_refused(script: Any, words: list[str]) -> None:
    with pytest.raises(SystemExit, match="expected NAME=MODEL"):
        script("raw_text").named(words)
    assert script("raw_text").named(["a=x=1", "b=y"]) == {"a": "x=1", "b": "y"}


def test_published_scores_stand_below_ours(script: Any) -> None:
    readme = script("readme")
    ours = {"scores": {"tokens": 99.123, "las": 80}, "bytes": 2_000_000}
    runs = {"ud-english-ewt": {"test": {"ours": ours}}}
    lines = readme.raw_text_table(runs, "ud-english-ewt", "test").splitlines()
    assert lines[2] == "| ours | 99.12 |  |  |  |  |  |  |  | 80.00 | 2.0 MB |"
    assert lines[3].startswith("| UDPipe 1, published |  | 77.4 to 86.9 | 98.9 | 93.3 |")
    assert all(line.count("|") == lines[0].count("|") for line in lines)
    of_dev = readme.raw_text_table(runs, "ud-turkish-imst", "dev").splitlines()
    assert [line.split(" | ")[0] for line in of_dev[2:]] == [
        "| UDPipe 1, published (test)",
        "| Stanza 1.5.1, published (test)",
    ]
    assert all(
        set(scores) <= set(readme.SCORES_OF_TEXT)
        for systems in readme.PUBLISHED.values()
        for scores in systems.values()
    )
