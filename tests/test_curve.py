"""`curve`: its points are the models that are there, and its picture is drawn from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer.main

from meprop_nlp import native
from meprop_nlp.cli import make_app
from meprop_nlp.models.file import write_model_file

from .models.models import random_parser, random_tagger

needs_core = pytest.mark.skipif(native.core() is None, reason=native.why_missing())


@pytest.fixture
def folder(script: Any, tmp_path: Path) -> Path:
    """The models of a quick run, of random weights, so that nothing is trained."""
    for seed, (_, name, _) in enumerate(script("curve").QUICK):
        for task, model in (
            ("parser", random_parser(seed, exact=False, hidden=30 - 10 * seed)),
            ("tagger", random_tagger(seed)),
        ):
            path = tmp_path / "models" / f"{task}-{name}.safetensors"
            path.parent.mkdir(exist_ok=True)
            write_model_file(path, model.header | {"neurons": {"layers.0": seed}}, model.arrays)
    return tmp_path / "models"


@needs_core
def test_quick_run_has_a_point_for_each_model(script: Any, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "curve.json"
    script("curve").main(["--quick", "--folder", str(folder), "--output", str(path)])
    points = json.loads(path.read_text(encoding="utf-8"))["points"]
    assert [(p["task"], p["neurons"]) for p in points] == [
        (task, [n]) for task in ("parser", "tagger") for n in range(3)
    ]
    assert all(0 <= p["score"] <= 100 and p["words_per_second"] > 0 for p in points)
    assert [p["bytes"] for p in points[:3]] == [
        (folder / f"parser-{name}.safetensors").stat().st_size
        for name in ("uncut", "default", "small-8")
    ]


def test_picture_is_drawn_and_the_same_each_time(script: Any, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    curve = script("curve")
    points = [
        {
            **{"task": task, "how": how, "name": name, "command": name, "neurons": [64, n]},
            **{"score": 80 + n, "words_per_second": 10_000 * n, "bytes": 1_000_000 * n},
        }
        for task, runs in curve.RUNS.items()
        for n, (how, name, _) in enumerate(runs, start=1)
    ]
    path = tmp_path / "curve.json"
    path.write_text(json.dumps({"points": points}), encoding="utf-8")
    pictures = []
    for _ in range(2):
        curve.main(["--draw", "--output", str(path)])
        pictures.append([path.with_suffix(f".{e}").read_bytes() for e in ("png", "svg")])
    assert pictures[0] == pictures[1]
    assert b"64+2 (default)" in pictures[0][1] or b"<use" in pictures[0][1]  # letters as outlines


def test_every_run_is_a_training_that_the_command_line_knows(script: Any) -> None:
    curve, plot = script("curve"), script("curve_plot")
    commands = typer.main.get_command(make_app()).commands  # type: ignore[attr-defined]
    for task, runs in curve.RUNS.items():
        known = {option for p in commands[f"train-{task}"].params for option in p.opts}
        names = [name for _, name, _ in runs]
        assert len(set(names)) == len(names)
        assert curve.DEFAULT in names
        for how, _, settings in (*runs, *curve.QUICK):
            assert how in plot.STYLES
            assert {word for word in settings.split() if word.startswith("--")} <= known


def test_training_that_was_interrupted_goes_on(
    script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = script("decode_models")
    called: list[tuple[str, ...]] = []
    monkeypatch.setattr(models, "call", lambda *words: called.append(words))
    path = tmp_path / "m.safetensors"
    models.train("train-tagger --k 5", None, path)
    assert called[0][:3] == ("train-tagger", "--k", "5")
    assert "--resume" not in called[0]
    path.touch()
    models.train("train-tagger --k 5", None, path)
    assert len(called) == 1
    (tmp_path / "m.checkpoint.safetensors").touch()
    models.train("train-tagger --k 5", None, path)
    assert called[1][-1] == "--resume"
