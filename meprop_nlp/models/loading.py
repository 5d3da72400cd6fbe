"""`load` and `freeze`: a model file of any task, or its content, as the thing that predicts."""

from __future__ import annotations

import os

from meprop_nlp.errors import CheckpointError
from meprop_nlp.models.file import ModelFile, read_header
from meprop_nlp.models.parser import FrozenParser
from meprop_nlp.models.tagger import FrozenTagger

__all__ = ["freeze", "load", "load_predictor"]

_TASKS = (FrozenTagger, FrozenParser)


def load(path: str | os.PathLike[str]) -> FrozenTagger | FrozenParser:
    """Read a model file and return the tagger or parser that is in it.

    Raises:
        CheckpointError: the file is no model, damaged, from a newer version, or for another task.
    """
    header = read_header(path)
    task = header.get("task")
    for kind in _TASKS:
        # a checkpoint has no task; loading it says what it is
        if task == kind.task or header.get("kind") == "checkpoint":
            return kind.load(path)
    if task == "classifier":
        raise CheckpointError(
            f"{os.fspath(path)}: is a classifier, expected a tagger or parser; images are "
            "classified by experiments/mnist (`python -m experiments.mnist`)"
        )
    raise CheckpointError(f"{os.fspath(path)}: is for the task {task!r}, which is not known here")


def load_predictor(path: str | os.PathLike[str]) -> FrozenTagger | FrozenParser:
    """Do what `load` does."""
    return load(path)


def freeze(model: ModelFile) -> FrozenTagger | FrozenParser:
    """Return a model's header and weights as what only predicts, without torch.

    The weights are copied: what is trained on afterwards does not change it.

    Raises:
        CheckpointError: the model is for no task that is known here.
        MePropError: a weight is not finite.
    """
    copies = {name: array.copy() for name, array in model.arrays.items()}
    for kind in _TASKS:
        if model.header.get("task") == kind.task:
            return kind(ModelFile(model.header, copies))
    raise CheckpointError(f"a model for {model.header.get('task')!r}, which is not known here")
