"""`raw_text` and `bench_text`: that they run, store what the tables need, and refuse lost text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp import native
from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.sample.treebank import sample_treebank
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.spaces import text_of
from meprop_nlp.data.tokens.boundaries import raw_text
from meprop_nlp.models.file import ModelFile, write_model_file

from .models.models import random_joint, random_tokenizer

needs_core = pytest.mark.skipif(native.core() is None, reason=native.why_missing())


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A joint model of random weights, whose tokenizer ends tokens at white space."""
    joint, tokenizer = random_joint(1), random_tokenizer(1, bias=[99, 0, 0, 0, 0])
    path = tmp_path / "model.safetensors"
    write_model_file(path, joint.header | tokenizer.header, joint.arrays | tokenizer.arrays)
    return path


@pytest.fixture
def without_tokenizer(tmp_path: Path) -> Path:
    file: ModelFile = random_joint(1)
    path = tmp_path / "words.safetensors"
    write_model_file(path, file.header, file.arrays)
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
    # the model predicts no features
    assert found["scores"].keys() == script("tables.published").SCORES_OF_TEXT.keys() - {"ufeats"}
    assert 0 < found["scores"]["tokens"] < 100
    assert found["bytes"] == model.stat().st_size
    assert found["characters"] == len(raw_text(read(sample_treebank("test"))))

    before = results.read_bytes()
    bench.main([*words, f"small={model}"])
    assert "small: test has been scored" in capsys.readouterr().out
    assert results.read_bytes() == before


def test_model_without_a_tokenizer_is_not_scored(
    script: Any, without_tokenizer: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "raw_text.json"
    with pytest.raises(SystemExit) as ended:
        script("raw_text").main([f"words={without_tokenizer}", "--quick", "--output", str(results)])
    assert ended.value.code == 2
    assert "the model has no tokenizer" in capfd.readouterr().err
    assert not results.exists()


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
    readme, texts, published = map(script, ("readme", "tables.texts", "tables.published"))
    ours = {"scores": {"tokens": 99.123, "las": 80}, "bytes": 2_000_000}
    runs = {"ud-english-ewt": {"test": {"ours": ours}}}
    lines = texts.raw_text_table(runs, "ud-english-ewt", "test").splitlines()
    assert lines[2] == "| ours | 99.12 |  |  |  |  |  |  |  | 80.00 | 2.0 MB |"
    assert lines[3].startswith("| UDPipe 1, published |  | 77.4 to 86.9 | 98.9 | 93.3 |")
    assert all(line.count("|") == lines[0].count("|") for line in lines)
    made = readme.tables({file: {} for file in readme.FILES} | {"raw_text": {"runs": runs}})
    assert made["raw-text"].splitlines() == lines
    assert made["raw-text-turkish"] == readme.UNMEASURED
    of_dev = texts.raw_text_table(runs, "ud-turkish-imst", "dev").splitlines()
    assert [line.split(" | ")[0] for line in of_dev[2:]] == [
        "| UDPipe 1, published (test)",
        "| Stanza 1.5.1, published (test)",
    ]
    assert all(
        set(scores) <= set(published.SCORES_OF_TEXT)
        for systems in published.PUBLISHED.values()
        for scores in systems.values()
    )


@needs_core
def test_quick_run_measures_pace_first_tree_and_memory(
    script: Any, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "raw_text.json"
    results.write_text('{"runs": {}}', encoding="utf-8")
    script("bench_text").main([f"small={model}", "--quick", "--output", str(results)])
    assert "spaCy is left out of a quick run" in capsys.readouterr().out
    stored = json.loads(results.read_text(encoding="utf-8"))
    assert stored["runs"] == {}
    pace = stored["pace"]
    once = sum(map(len, [*read(sample_treebank("test")), *read(sample_treebank("dev"))]))
    assert pace["words"] >= 1000
    assert pace["words"] % once == 0
    assert pace["words_per_second"]["small"] > 0
    assert pace["tokenizer"]["words_per_second"]["small"] > 0
    (low, median, high), inside = (pace["first_tree"][n]["small"] for n in ("process", "load"))
    assert 0 < inside[1] < low <= median <= high
    assert pace["peak"]["megabytes"] == 0.1
    assert pace["peak"]["bytes"]["small"] > 10e6
    assert pace["bytes"] == {"small": model.stat().st_size}
    (row,) = script("tables.texts").text_pace_rows(pace)
    assert len(row) == len(script("tables.texts").PACE_OF_TEXT)
    readme = script("readme")
    made = readme.tables({file: {} for file in readme.FILES} | {"raw_text": stored})
    assert "| small |" in made["raw-text-pace"]
    assert "peak memory over 0.1 MB of text" in made["raw-text-pace"]
    assert row[:3] == ["small", f"{pace['words_per_second']['small']:,}", "not measured"]


def test_pace_is_compared_with_spacy_where_it_was_measured(script: Any) -> None:
    pace = {
        "words_per_second": {"ours": 100_000, "spaCy": 20_000},
        "tokenizer": {"words_per_second": {"ours": 900_000}},
        "first_tree": {"process": {"ours": [0.1, 0.25, 0.3]}},
        "peak": {"megabytes": 100, "bytes": {"ours": None}},
        "bytes": {"ours": 5_000_000},
    }
    assert script("tables.texts").text_pace_rows(pace) == [
        ["ours", "100,000", "5.0", "900,000", "0.25 s", "not known", "5.0 MB"],
        ["spaCy", "20,000", "1.0", "", "", "", ""],
    ]


@needs_core
def test_memory_is_measured_with_whole_copies_of_the_text(
    script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, read_from_the_pipe = script("bench_text"), []

    def reading(words: list[Any], status: Path) -> int:
        read_from_the_pipe.append(Path(words[1]).read_bytes())
        return 7

    monkeypatch.setattr(bench, "peak_bytes", reading)
    text = "Où ça ?\n\n".encode()
    assert bench.peak("en", text, (30_000 * len(text) + 1) / 1e6, tmp_path) == 7
    assert read_from_the_pipe == [text * 30_001]
    assert list(tmp_path.iterdir()) == []


@needs_core
def test_model_without_a_tokenizer_is_not_timed(script: Any, without_tokenizer: Path) -> None:
    with pytest.raises(SystemExit, match="the model has no tokenizer"):
        script("bench_text").main([f"words={without_tokenizer}", "--quick"])


def test_spacy_gets_texts_and_keeps_no_documents(script: Any) -> None:
    spacy = pytest.importorskip("spacy", reason="spaCy is not installed: pip install -e .[peers]")
    peer = object.__new__(script("peers").SpacyOfTexts)
    peer._nlp, seen = spacy.blank("en"), []
    peer._nlp.tokenizer = Counting(peer._nlp.tokenizer, seen)
    peer.prepare(["Time flies.", "It rains."])
    assert peer.run() is None
    assert seen == ["Time flies.", "It rains."]


class Counting:
    """A tokenizer of spaCy that notes its texts."""

    def __init__(self, tokenizer: Any, seen: list[str]) -> None:
        self.tokenizer, self.seen = tokenizer, seen

    def __call__(self, text: str) -> Any:
        self.seen.append(text)
        return self.tokenizer(text)
