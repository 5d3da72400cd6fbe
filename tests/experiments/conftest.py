"""Fixtures for the tests of the experiments: a tiny treebank and plans over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from experiments import training
from experiments.data import find_corpus
from experiments.plan import Plan
from experiments.results import Results
from experiments.table import Table
from meprop_nlp.data.sample.treebank import ROLES, sample_treebank

from . import made
from .mnist.idx_files import write_mnist

SENTENCES = {"train": 40, "dev": 8, "test": 8}


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a treebank of forty sentences, with forty images of MNIST's form in it."""
    folder = tmp_path_factory.mktemp("tiny")
    for role in ROLES:
        blocks = sample_treebank(role).read_text(encoding="utf-8").split("\n\n")
        text = "".join(f"{block}\n\n" for block in blocks[: SENTENCES[role]])
        (folder / f"{role}.conllu").write_text(text, encoding="utf-8")
    (folder / "mnist").mkdir()
    write_mnist(folder / "mnist", 40, 20)
    return folder


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Look for data anew in each test."""
    find_corpus.cache_clear()
    yield
    find_corpus.cache_clear()


@pytest.fixture
def short_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure the pace of decoding for a moment only."""
    monkeypatch.setattr(training, "ROUNDS", 1)
    monkeypatch.setattr(training, "SECONDS", 0.001)


@pytest.fixture
def make_plan(tiny: Path, tmp_path: Path, short_look: None) -> Callable[..., Plan]:
    """Makes a plan over the tiny treebank; results go to `tmp_path`/out."""

    def make(experiments: dict[str, Sequence[Table]], **settings: Any) -> Plan:
        chosen = {"data": tiny, "shrink": made.SHRINK, "threads": 1} | settings
        folder = chosen.pop("folder", tmp_path / "out")
        return Plan(experiments, Results(folder), **chosen)

    return make


@pytest.fixture(scope="session")
def invoke() -> Callable[..., Any]:
    """Runs a command in this process; a traceback fails the test."""

    def run(app: Any, *arguments: object) -> Any:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run
