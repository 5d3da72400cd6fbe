"""Settings that cannot work together are refused, and settings that are stored come back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from meprop_nlp.config import NETWORKS, Settings
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import ConfigError
from meprop_nlp.models.model import Model
from meprop_nlp.training import run
from meprop_nlp.training.checkpoint import checkpoint_path
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.parser import DependencyParser
from meprop_nlp.training.records import Note, log_path


@pytest.mark.parametrize("task", NETWORKS)
def test_cutting_that_would_begin_after_the_last_epoch_is_refused(
    train: Callable[..., Any], task: str
) -> None:
    with pytest.raises(ConfigError, match="`first_cut_epoch` is 2, but training ends after 2"):
        train(task, k=2, simplify={"first_cut_epoch": 2}, training={"epochs": 2})


@pytest.mark.parametrize("task", NETWORKS)
def test_layers_too_narrow_to_be_cut_are_refused(train: Callable[..., Any], task: str) -> None:
    widest = 9 if task == "joint" else 8
    message = f"`min_neurons` is {widest}, but no layer is wider than {widest}"
    with pytest.raises(ConfigError, match=message):
        train(task, k=2, simplify={"min_neurons": widest})


@pytest.mark.parametrize("line", ["dog 1 2 3\n", "zebra 1 2 3\n"])
@pytest.mark.parametrize("task", ["tagger", "parser"])
def test_vectors_of_another_width_are_refused_whether_or_not_a_form_is_known(
    train: Callable[..., Any], task: str, line: str, tmp_path: Path
) -> None:
    path = tmp_path / "vectors.txt"
    path.write_text(line, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"vectors have 3 dimensions.*give `word_dim` 3"):
        train(task, vectors=path)


def test_vectors_that_know_no_form_give_a_warning(
    train: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "vectors.txt"
    path.write_text("zebra 1 2 3 4 5 6\n", encoding="utf-8")
    records: list[Any] = []
    train("tagger", vectors=path, hooks=Hooks(on_record=records.append), training={"epochs": 1})
    notes = [record for record in records if isinstance(record, Note) and record.warning]
    assert [note.text.split(" of ")[0] for note in notes] == ["vectors: 0"]


def test_other_vectors_are_refused_when_a_run_is_resumed(
    train: Callable[..., Any], tmp_path: Path
) -> None:
    path, output = tmp_path / "vectors.txt", tmp_path / "m.safetensors"
    path.write_text("dog 1 2 3 4 5 6\n", encoding="utf-8")
    polls = iter([False, False, True])
    with pytest.raises(KeyboardInterrupt):
        train("tagger", vectors=path, output=output, hooks=Hooks(stop=lambda: next(polls)))
    path.write_text("dog 6 5 4 3 2 1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="vectors was"):
        train("tagger", vectors=path, output=output, resume=True)


def test_stored_parser_reads_its_tag_columns_in_the_order_it_was_trained_with(
    train: Callable[..., Any], treebank: list[Sentence], tmp_path: Path
) -> None:
    featured = [s.with_columns(feats=[f"Last={form[-1]}" for form in s.forms]) for s in treebank]
    output = tmp_path / "m.safetensors"
    columns = {"tag_columns": ("xpos", "feats")}
    in_memory = train("parser", featured, config=columns, training={"epochs": 12})
    train("parser", featured, config=columns, training={"epochs": 12}, output=output)
    stored = DependencyParser.load(output)
    assert list(stored.reads) == ["xpos", "feats"]
    assert [str(s) for s in stored.pipe(featured)] == [str(s) for s in in_memory.pipe(featured)]
    for name, array in in_memory.file.arrays.items():
        np.testing.assert_array_equal(stored.file.arrays[name], array)


def test_runs_whose_outputs_differ_after_a_dot_do_not_share_files() -> None:
    names = [Path("models/en.1"), Path("models/en.2"), Path("models/en.safetensors")]
    assert len({log_path(name) for name in names}) == 3
    assert len({checkpoint_path(name) for name in names}) == 3


def test_task_that_cannot_be_trained_is_refused(treebank: list[Sentence]) -> None:
    with pytest.raises(ConfigError, match="`task` is 'lemmatizer', expected one of tagger, parser"):
        run.train("lemmatizer", treebank)


@pytest.mark.parametrize("task", NETWORKS)
def test_training_returns_a_model_of_the_task(treebank: list[Sentence], task: str) -> None:
    settings = Settings.of(task, hidden=4, epochs=1, device="cpu", threads=1)
    model = run.train(task, treebank, settings=settings)
    assert isinstance(model, Model)
    assert model.task == task
