"""`bench_teachers`, the table of the recipe that is made of it, and its picture."""

from __future__ import annotations

import json
from argparse import Namespace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp import native
from meprop_nlp.config import Knowledge, Settings
from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.sample.treebank import sample_treebank
from meprop_nlp.models.model import Model
from meprop_nlp.training.run import train

from .models.models import random_joint

needs_core = pytest.mark.skipif(native.core() is None, reason=native.why_missing())
SMALL = {"hidden": 8, "layers": 1, "word_dim": 6, "spelling_dim": 4, "pretrained_dim": 5}
CONDITIONS = {
    **{"cpu": "a processor", "threads": 2, "kernels": "native", "rounds": 3},
    **{"date": "2026-11-29", "commit": "abc"},
}


def run(las: float, **more: Any) -> dict[str, Any]:
    """A training's result."""
    scores = {"upos": las + 10, "las": las}
    return {"test": scores, "bytes": 13_000_000, "seconds_of_epochs": 1200.0} | more


def results(readme: Any) -> dict[str, dict[str, Any]]:
    """Results of invented figures, with a pace of all but the plain model that was cut."""
    pace = {
        "words": 200_000,
        "slow_words": 5000,
        "words_per_second": {
            **{"MiniLM": 3000, "taught": 40_000, "taught, simplified": 180_000},
            **{"plain": 41_000, "spaCy": 20_000},
        },
        "bytes": {"MiniLM": 14_000_000, "taught, simplified": 4_000_000},
        "transformer_bytes": {"MiniLM": 90_000_000},
        "conditions": CONDITIONS,
    }
    runs = {
        "GloVe": [run(86.7)],
        "MiniLM": [run(89.0), run(89.5)],
        "taught": [run(86.9)],
        "taught, simplified": [run(86.5)],
    }
    joint = {"EWT, meProp": [run(86.2)], "EWT, simplified": [run(86.1)]}
    theirs = {"words_per_second": {"uncut": 90_000, "cut": 360_000, "spaCy": 40_000}}
    return {file: {} for file in readme.FILES} | {
        "teachers": {"runs": runs, "pace": pace},
        "joint": {"runs": joint, "pace": theirs},
    }


@needs_core
def test_pace_stands_beside_the_runs(script: Any, tmp_path: Path, capsys: Any) -> None:
    stored, model = tmp_path / "teachers.json", tmp_path / "model.safetensors"
    stored.write_text('{"runs": {"plain": []}}', encoding="utf-8")
    Model(random_joint(1)).save(model)
    words = [f"plain={model}", f"taught, simplified={model}", "--quick", "--output", str(stored)]
    script("bench_teachers").main(words)
    assert "spaCy is left out" in capsys.readouterr().out
    found = json.loads(stored.read_text(encoding="utf-8"))
    assert found["runs"] == {"plain": []}
    pace = found["pace"]
    size = model.stat().st_size
    assert pace["bytes"] == {"plain": size, "taught, simplified": size}
    assert pace["words_per_second"].keys() == pace["bytes"].keys()
    assert pace["transformer_bytes"] == {}
    assert pace["conditions"]["threads"] == 2
    assert pace["words"] >= 1000 > 2 * pace["slow_words"]


@needs_core
def test_model_that_reads_a_transformer_annotates_fewer_words(
    script: Any, make_encoder: Any, tmp_path: Path
) -> None:
    before, model = tmp_path / "encoder", tmp_path / "model.safetensors"
    make_encoder(before)
    settings = Settings.of("joint", epochs=1, **SMALL)
    sentences = list(islice(read(sample_treebank("train"), trees=True), 20))
    knowledge = Knowledge(pretrained=str(before))
    train("joint", sentences, sentences, settings=settings, knowledge=knowledge, output=model)
    after, stored = before.rename(tmp_path / "moved"), tmp_path / "teachers.json"
    bench = script("bench_teachers")
    words = [f"MiniLM={model}", "--quick", "--threads", "1", "--output", str(stored)]
    bench.main([*words, "--pretrained", str(after)])
    pace = json.loads(stored.read_text(encoding="utf-8"))["pace"]
    assert pace["transformer_bytes"] == {"MiniLM": (after / "model.safetensors").stat().st_size}
    speed, seconds = pace["words_per_second"]["MiniLM"], pace["seconds"]["MiniLM"][1]
    assert speed * seconds == pytest.approx(pace["slow_words"], rel=0.05)
    assert pace["conditions"]["threads"] == 1


@needs_core
def test_slow_system_annotates_the_shorter_file(script: Any, tmp_path: Path) -> None:
    path, short = tmp_path / "long.conllu", tmp_path / "short.conllu"
    path.write_bytes(sample_treebank("test").read_bytes())
    n_words = script("bench_teachers").some_sentences(path, 100, short)
    options = Namespace(quick=True, rounds=1, spacy_model=None, udpipe_model=None)
    systems = {name: [Model(random_joint(1))] for name in ("fast", "slow")}
    measure = script("peers").measure_peers
    pace = measure(path, short, systems, options, 1, {"slow": short})
    written = [len(list(read(p.with_suffix(".out"), input_format="conllu"))) for p in (path, short)]
    assert written == [len(list(read(p))) for p in (path, short)]
    # the seconds of so few words are rounded, so these are only about their numbers
    words = {n: speed * pace["seconds"][n][1] for n, speed in pace["words_per_second"].items()}
    assert words["slow"] == pytest.approx(n_words, rel=0.3)
    assert words["fast"] == pytest.approx(pace["words"], rel=0.3)


@pytest.mark.parametrize("word", ["teacher=m.safetensors", "MiniLM", "spaCy=folder"])
def test_systems_are_called_as_their_runs_are(script: Any, word: str, capsys: Any) -> None:
    with pytest.raises(SystemExit):
        script("bench_teachers").options_of([word])
    assert f"is {word}, expected NAME=FILE with one of these names" in capsys.readouterr().err


def test_some_sentences_are_spread_over_the_file(script: Any, tmp_path: Path) -> None:
    path, target = sample_treebank("dev"), tmp_path / "some.conllu"
    n_words = script("bench_teachers").some_sentences(path, 300, target)
    everything, some = list(read(path)), list(read(target))
    assert n_words == sum(map(len, some)) < 600
    step = len(everything) // len(some)
    assert step > 1
    assert some[-1].to_text() in [sentence.to_text() for sentence in everything[-step:]]


def test_recipe_has_a_row_for_each_system_with_figures(script: Any) -> None:
    readme, tables = script("readme"), script("tables.teachers")
    measured = results(readme)
    made = tables.teachers_recipe(measured).split("\n")
    assert made[0] == "|  | UPOS | LAS | minutes | MB | words/s | times spaCy's |"
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in made[2:8]]
    assert rows == [
        ["spaCy, efficiency", "94.53", "83.18", "22", "8.2", "20,000", "1.0"],
        ["plain", "96.20", "86.20", "20", "13.0", "41,000", "2.0"],
        ["plain, simplified", "96.10", "86.10", "20", "13.0", "360,000 *", "9.0"],
        ["teacher", "99.25", "89.25", "20", "14.0 + 90.0", "3,000", "0.1"],
        ["student", "96.90", "86.90", "20", "13.0", "40,000", "2.0"],
        ["student, simplified", "96.50", "86.50", "20", "4.0", "180,000", "9.0"],
    ]
    assert "with a transformer over 5,000;" in made[9]
    assert "* In another run" in made[9]
    assert tables.recipe(measured)["plain, simplified"]["comparable"] == 180_000


def test_system_without_scores_or_pace_has_no_row(script: Any) -> None:
    readme, tables = script("readme"), script("tables.teachers")
    measured = results(readme)
    del measured["teachers"]["runs"]["taught"]
    del measured["teachers"]["pace"]["words_per_second"]["spaCy"]
    assert list(tables.recipe(measured)) == ["plain", "MiniLM", "taught, simplified"]
    assert "another run" not in tables.teachers_recipe(measured)


def test_recipe_has_no_table_without_a_pace(script: Any) -> None:
    readme = script("readme")
    nothing: dict[str, dict[str, Any]] = {file: {} for file in readme.FILES}
    assert readme.tables(nothing)["teachers-recipe"] == readme.UNMEASURED
    nothing["teachers"] = {"pace": results(readme)["teachers"]["pace"]}
    assert "| spaCy, efficiency |" in readme.tables(nothing)["teachers-recipe"]


def test_plain_model_trained_with_the_teachers_comes_after_the_newest_one(script: Any) -> None:
    readme, tables = script("readme"), script("tables.teachers")
    measured = results(readme)
    measured["teachers"]["runs"]["plain"] = [run(86.4)]
    assert tables.recipe(measured)["plain"]["las"] == 86.2
    del measured["joint"]["runs"]["EWT, meProp"]
    assert tables.recipe(measured)["plain"]["las"] == 86.4


def test_labels_of_points_that_are_near_stand_apart(script: Any) -> None:
    readme, plot = script("readme"), script("teachers_plot")
    systems = script("tables.teachers").recipe(results(readme))
    below = {name for name in systems if plot.stands_below(name, systems)}
    assert below == {"spaCy", "plain", "plain, simplified"}
    systems["taught"] = systems["plain"]
    assert plot.stands_below("plain", systems) != plot.stands_below("taught", systems)


def test_picture_is_drawn_and_the_same_each_time(
    script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    plot = script("teachers_plot")
    measured = results(script("readme"))
    monkeypatch.setattr(plot, "measured", lambda: measured)
    pictures = []
    for _ in range(2):
        plot.main(["--output", str(tmp_path / "teachers.svg")])
        pictures.append((tmp_path / "teachers.svg").read_bytes())
    assert pictures[0] == pictures[1]
    measured["teachers"]["runs"]["taught"] = [run(80)]
    plot.main(["--output", str(tmp_path / "teachers.svg")])
    assert (tmp_path / "teachers.svg").read_bytes() != pictures[0]


def test_nothing_is_drawn_of_nothing(
    script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plot, readme = script("teachers_plot"), script("readme")
    monkeypatch.setattr(plot, "measured", lambda: {file: {} for file in readme.FILES})
    with pytest.raises(SystemExit, match=r"run benchmarks/bench_teachers\.py"):
        plot.main(["--output", str(tmp_path / "teachers.svg")])
    assert not list(tmp_path.iterdir())


def test_picture_that_the_page_shows_is_there(script: Any) -> None:
    folder = script("readme").ROOT / "docs"
    shown = "(teachers.svg)" in (folder / "teachers.md").read_text(encoding="utf-8")
    assert (folder / "teachers.svg").is_file() >= shown
