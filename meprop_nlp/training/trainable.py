"""`TrainableModel`: a Model whose class knows how to train one; loads no torch until it does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self, TypedDict, Unpack

from meprop_nlp.config import (
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

    vectors: str | os.PathLike[str] | None
    output: str | os.PathLike[str] | None
    resume: bool
    input_format: str
    hooks: Hooks | None


class TrainableModel(Model):
    """A model of one task that can be trained; subclasses set `task` and `config_class`."""

    config_class: type[TaggerConfig] | type[ParserConfig]

    @classmethod
    def train(
        cls,
        train: Treebank,
        dev: Treebank | None = None,
        *,
        config: TaggerConfig | ParserConfig | None = None,
        meprop: MePropConfig | None = None,
        simplify: SimplifyConfig | None = None,
        training: TrainingConfig | None = None,
        **options: Unpack[RunOptions],
    ) -> Self:
        """Train on a treebank; return the model with the best score on dev.

        Args:
            train, dev: files, or Sentences. Without dev the last epoch's model is returned.
            config, meprop, simplify, training: settings; None means the defaults, for `simplify`
                that nothing is cut.
            vectors: pretrained word vectors, in the text form of word2vec or GloVe.
            output: where to keep the best model, a log and a checkpoint while training goes on.
            resume: go on from the checkpoint beside `output`.
            input_format: see `data.conll.reading.read`.
            hooks: to follow or stop the run.

        Raises:
            ConfigError: settings that are out of range, cannot work together, or do not fit the
                data or this machine.
            DataError: the training data cannot be used, or `output` cannot be written.
            KeyboardInterrupt: `hooks.stop` returned True; the checkpoint is written.
        """
        from meprop_nlp.training.run import train as run

        settings = Settings(
            network=config or cls.config_class(),
            meprop=meprop or MePropConfig(),
            simplify=simplify,
            training=training or TrainingConfig(),
        )
        return cls(run(cls.task, train, dev, settings=settings, **options).file)
