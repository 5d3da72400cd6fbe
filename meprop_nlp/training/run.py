"""From files and settings to a trained model: what all `train` methods share."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from meprop_nlp.config import MePropConfig, SimplifyConfig, TrainingConfig
from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.report import TreebankReport
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import ConfigError, DataError
from meprop_nlp.files import demand_writable
from meprop_nlp.models.file import ModelFile, read_model_file
from meprop_nlp.nn.backends.choose import announce
from meprop_nlp.threads import usable_threads
from meprop_nlp.training.device import pick_device
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.loop import Trainer
from meprop_nlp.training.records import Note
from meprop_nlp.training.task import Task

__all__ = ["Hooks", "Treebank", "fingerprint", "read_treebanks", "train_model"]

Treebank = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | Iterable[Sentence]


def read_treebanks(
    train: Treebank, dev: Treebank | None, hooks: Hooks, *, trees: bool, input_format: str
) -> tuple[list[Sentence], list[Sentence]]:
    """Return the sentences to train on and those of dev, none where there is no dev.

    Each is one file, several, or sentences that are there already; what was found is said.

    Raises:
        ConlluError, DataError: a file is faulty, or there is no sentence in all of them.
    """
    found = _read(train, "train", hooks, trees=trees, input_format=input_format)
    if dev is None:
        return found, []
    return found, _read(dev, "dev", hooks, trees=trees, input_format=input_format)


def _read(
    source: Treebank, role: str, hooks: Hooks, *, trees: bool, input_format: str
) -> list[Sentence]:
    if isinstance(source, str | os.PathLike):
        source = [source]
    report = TreebankReport()
    sentences: list[Sentence] = []
    names: list[str] = []
    for item in source:
        if isinstance(item, Sentence):
            sentences.append(item)
            report.add(item)
            continue
        names.append(os.fspath(item))
        sentences += read(item, trees=trees, input_format=input_format, report=report)
    sentences = [sentence for sentence in sentences if len(sentence)]
    if not sentences:
        raise DataError(f"no sentences in {', '.join(names) or f'the {role} data'}")
    hooks.on_record(Note(f"{role}: {report}"))
    for warning in report.warnings:
        hooks.on_record(Note(f"{role}: {warning}", warning=True))
    return sentences


def train_model(
    build: Callable[[torch.device], Task],
    *,
    data: Mapping[str, Mapping[str, int]],
    training: TrainingConfig,
    meprop: MePropConfig,
    simplify: SimplifyConfig | None,
    settings: Mapping[str, Any],
    output: str | os.PathLike[str] | None,
    resume: bool,
    hooks: Hooks,
) -> ModelFile:
    """Build a task, train it, and return the best model.

    Args:
        build: makes the task on a device; called with seeded random numbers.
        data: what tells the training and dev data from others, by role, as `fingerprint` gives it.
        settings: the task's own settings, for the model file and to check a resumed run.
        output, resume: see Trainer.

    Raises:
        ConfigError: settings that cannot work together.
        DataError: `output` cannot be written.
        KeyboardInterrupt: `hooks.stop` said so.
    """
    if simplify and simplify.by_hits:
        _demand_hits(meprop)
    before = simplify.epochs_before(training.epochs) if simplify else 0
    if before >= training.epochs:
        raise ConfigError(
            f"--first-cut-epoch is {before}, but training ends after {training.epochs} epochs, so "
            "nothing would be cut; give more --epochs or a smaller --first-cut-epoch"
        )
    device = pick_device(training.device)
    if device.type == "cpu":
        announce(lambda text: hooks.on_record(Note(text, warning=True)))
    torch.set_num_threads(usable_threads(training.threads))
    path = None if output is None else Path(output)
    if path is not None:
        demand_writable(path)  # said now, not after the first epoch
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(training.seed)
        task = build(device)
        for warning in task.warnings:
            hooks.on_record(Note(warning, warning=True))
        trainer = Trainer(
            task,
            training=training,
            simplify=simplify,
            output=path,
            settings={
                "meprop": meprop.to_dict(),
                **settings,
                "data": {role: dict(values) for role, values in data.items()},
            },
            stop=hooks.stop,
        )
        for record in trainer.run(resume=resume):
            hooks.on_record(record)
    if path is not None:
        return read_model_file(path)
    if trainer.best is None:
        raise ConfigError("no epoch was trained; give at least one epoch")
    return trainer.best


def _demand_hits(meprop: MePropConfig) -> None:
    """Raise ConfigError where it would mean nothing which neurons are in the top k."""
    if not meprop.k:
        raise ConfigError(
            "--schedule paper and --criterion hits count which neurons are in the top k, so they "
            "need --k, for instance --k 20"
        )
    if meprop.topk_mode == "random":
        raise ConfigError(
            "--topk-mode random draws neurons by chance, so its counts cannot say which to cut; "
            "use --topk-mode example or unified"
        )


def fingerprint(sentences: Sequence[Sentence]) -> dict[str, int]:
    """Return what tells one treebank from another."""
    checksum = 0
    for sentence in sentences:
        checksum = zlib.crc32(str(sentence).encode(), checksum)
    return {"sentences": len(sentences), "checksum": checksum}
