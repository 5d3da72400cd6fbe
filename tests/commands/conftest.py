"""Fixtures for the tests of the command line: small models, and two ways to run a command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from meprop_nlp.cli import make_app
from meprop_nlp.data.sample.treebank import sample_treebank
from meprop_nlp.models import boxed
from meprop_nlp.training.records import Step

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def _no_boxed_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """No command falls back on the model of the package, unless a test puts one there."""
    monkeypatch.setattr(boxed, "FOLDER", Path("/nowhere"))


@pytest.fixture(scope="session")
def run() -> Run:
    """Run a command in this process; a traceback fails the test."""

    def invoke(*arguments: object, stdin: str | bytes | None = None) -> Any:
        result = CliRunner().invoke(make_app(), [str(a) for a in arguments], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture(scope="session")
def shell() -> Run:
    """Run a shell command line, in which `$MEPROP` is the program, in a process of its own."""

    def invoke(command: str, **options: Any) -> subprocess.CompletedProcess[str]:
        program = f"{sys.executable} -m meprop_nlp.cli"
        settings = {"capture_output": True, "text": True, "timeout": 120} | options
        return subprocess.run(
            ["bash", "-c", command], env=environment() | {"MEPROP": program}, **settings
        )

    return invoke


def environment() -> dict[str, str]:
    """The environment of a subprocess: this package, one thread, buffered as users have it."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONUNBUFFERED", "NO_COLOR")}
    root = str(Path(__file__).parents[2])
    return kept | {"PYTHONPATH": root, "OMP_NUM_THREADS": "1"}


def first_sentences(role: str, n: int) -> str:
    """The first sentences of the sample treebank."""
    blocks = sample_treebank(role).read_text(encoding="utf-8").split("\n\n")
    return "".join(f"{block}\n\n" for block in blocks[:n])


@pytest.fixture(scope="session")
def treebank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A treebank of forty sentences."""
    path = tmp_path_factory.mktemp("treebank") / "train.conllu"
    path.write_text(first_sentences("train", 40), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A treebank of ten other sentences."""
    path = tmp_path_factory.mktemp("treebank") / "dev.conllu"
    path.write_text(first_sentences("dev", 10), encoding="utf-8")
    return path


def _train(run: Run, command: str, treebank: Path, folder: Path) -> Path:
    path = folder / f"{command}.safetensors"
    options = ("--hidden", 16, "--epochs", 2, "-t", 1, "-q")
    result = run(command, "--train", treebank, "-o", path, *options)
    assert result.exit_code == 0, result.stderr
    return path


@pytest.fixture(scope="session")
def tagger(run: Run, treebank: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model file of a tagger that has learnt next to nothing."""
    return _train(run, "train-tagger", treebank, tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def parser(run: Run, treebank: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model file of a parser that has learnt next to nothing."""
    return _train(run, "train-parser", treebank, tmp_path_factory.mktemp("models"))


TINY_JOINT = (
    *("--hidden", 16, "--layers", 1, "--word-dim", 8, "--feature-dim", 4, "--ngram-dim", 8),
    *("--ngram-rows", 500, "--lemma-dim", 8, "--tag-dim", 8, "--arc-dim", 8, "--label-dim", 8),
    *("-t", 1, "--no-progress"),
)


@pytest.fixture(scope="session")
def train_joint(run: Run) -> Run:
    """Train a tiny joint model."""

    def train(*arguments: object) -> Any:
        return run("train", *TINY_JOINT, *arguments)

    return train


@pytest.fixture(scope="session")
def joint(train_joint: Run, treebank: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model file of a joint model that has learnt a little."""
    path = tmp_path_factory.mktemp("models") / "train.safetensors"
    steep = ("--learning-rate", 0.02, "--warmup", 0, "--average", 0)
    result = train_joint(
        "--train", treebank, "--dev", "none", "--epochs", 20, *steep, "-o", path, "-q"
    )
    assert result.exit_code == 0, result.stderr
    return path


@pytest.fixture(scope="session")
def interrupt_after() -> Run:
    """Press Ctrl-C when a display has been shown so many minibatches."""

    def press(patch: pytest.MonkeyPatch, display: type, method: str, *, steps: int) -> None:
        shown, done = getattr(display, method), 0

        def show(self: Any, record: Any) -> None:
            nonlocal done
            shown(self, record)
            done += isinstance(record, Step)
            if isinstance(record, Step) and done == steps:
                signal.raise_signal(signal.SIGINT)

        patch.setattr(display, method, show)

    return press
