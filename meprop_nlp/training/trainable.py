"""`TrainableModel`: a Model whose class knows how to train one; loads no torch until it does."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Self, TypedDict, Unpack

from meprop_nlp.config import (
    JointConfig,
    Knowledge,
    MePropConfig,
    ParserConfig,
    Settings,
    SimplifyConfig,
    TaggerConfig,
    TrainingConfig,
)
from meprop_nlp.models.model import Model

if TYPE_CHECKING:
    from meprop_nlp.training.hooks import Hooks
    from meprop_nlp.training.treebanks import Treebank


class RunOptions(TypedDict, total=False):
    """Where a training reads and writes: the further arguments of `train`, explained there."""

    output: str | os.PathLike[str] | None
    resume: bool
    held_out: bool
    input_format: str
    hooks: Hooks | None


class TrainableModel(Model):
    """A model of one task that can be trained; subclasses set `task` and `config_class`."""

    config_class: type[TaggerConfig] | type[ParserConfig] | type[JointConfig]

    @classmethod
    def train(
        cls,
        train: Treebank,
        dev: Treebank | None = None,
        *,
        config: TaggerConfig | ParserConfig | JointConfig | None = None,
        meprop: MePropConfig | None = None,
        simplify: SimplifyConfig | None = None,
        training: TrainingConfig | None = None,
        vectors: str | os.PathLike[str] | None = None,
        knowledge: Knowledge | None = None,
        **options: Unpack[RunOptions],
    ) -> Self:
        """Train on a treebank; return the model with the best score on dev.

        Args:
            train, dev: files, or Sentences. Without dev the last epoch's model is returned.
            config, meprop, simplify, training: settings; None means the task's defaults, for
                `simplify` that nothing is cut.
            vectors: pretrained word vectors; short for `Knowledge(vectors=...)`.
            knowledge: what to draw on beside the treebank.
            output: where to keep the best model, a log and a checkpoint while training goes on;
                beside it, an encoder that is trained too (`Knowledge.fine_tune`).
            resume: go on from the checkpoint beside `output`.
            held_out: without dev, hold out every tenth training sentence as dev.
            input_format: see `data.conll.reading.read`.
            hooks: to follow or stop the run.

        Raises:
            ConfigError: settings that are out of range, cannot work together, or do not fit the
                data or this machine.
            DataError: the training data cannot be used, or `output` cannot be written.
            KeyboardInterrupt: `hooks.stop` returned True; the checkpoint is written.
        """
        from meprop_nlp.training.run import train as run

        network = config or cls.config_class()
        defaults = Settings.of(cls.task, hidden=network.hidden)
        settings = Settings(
            network=network,
            meprop=meprop or defaults.meprop,
            simplify=simplify,
            training=training or defaults.training,
            given=frozenset({"k"} if meprop else ()),
        )
        knowledge = knowledge or Knowledge()
        if vectors is not None:
            knowledge = replace(knowledge, vectors=os.fspath(vectors))
        model = run(cls.task, train, dev, settings=settings, knowledge=knowledge, **options)
        return cls(model.file)
