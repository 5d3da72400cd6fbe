"""Fixtures for the tests of the reproduction: a tiny treebank and plans over it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.data.sample.treebank import ROLES, sample_treebank
from meprop_nlp.reproduction import tasks
from meprop_nlp.reproduction.plan import Plan
from meprop_nlp.reproduction.store import Store

from ..idx_files import write_mnist
from . import made

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


@pytest.fixture
def make_plan(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Plan]:
    """Makes a plan over the tiny treebank; results go to `tmp_path`/out."""
    monkeypatch.setattr(tasks, "ROUNDS", 1)
    monkeypatch.setattr(tasks, "SECONDS", 0.001)

    def make(*experiments: Any, **settings: Any) -> Plan:
        chosen = {"data": tiny, "scale": made.TINY, "threads": 1} | settings
        folder = chosen.pop("store", tmp_path / "out")
        return Plan(experiments, Store(folder), **chosen)

    return make
