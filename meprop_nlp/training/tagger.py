"""`Tagger`: the POS tagger as users know it: train, load, save, tag words, files and streams.

Nothing here loads torch but `train`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

from meprop_nlp.config import (
    MePropConfig,
    SimplifyConfig,
    TaggerConfig,
    TrainingConfig,
)
from meprop_nlp.models.model import Model

if TYPE_CHECKING:
    import torch

    from meprop_nlp.training.run import Hooks, Treebank
    from meprop_nlp.training.task import Task

__all__ = ["Tagger"]


class Tagger(Model):
    """A BiLSTM tagger for UPOS, XPOS and FEATS, any of these at once.

    >>> tagger = Tagger.train("train.conllu", "dev.conllu", output="tagger.safetensors")
    ... # doctest: +SKIP
    >>> tagger(["Time", "flies"]).column("upos")  # doctest: +SKIP
    ['NOUN', 'VERB']
    """

    task = "tagger"

    @classmethod
    def train(
        cls,
        train: Treebank,
        dev: Treebank | None = None,
        *,
        config: TaggerConfig | None = None,
        meprop: MePropConfig | None = None,
        simplify: SimplifyConfig | None = None,
        training: TrainingConfig | None = None,
        vectors: str | os.PathLike[str] | None = None,
        output: str | os.PathLike[str] | None = None,
        resume: bool = False,
        input_format: str = "auto",
        hooks: Hooks | None = None,
    ) -> Self:
        """Train a tagger; the one with the best score on dev is returned.

        Args:
            train, dev: files, or Sentences. Without dev the last epoch's model is returned.
            config, meprop, simplify, training: settings; None means the defaults, for `simplify`
                that nothing is cut.
            vectors: pretrained word vectors, word2vec or GloVe text form.
            output: where to keep the best model, a log and a checkpoint while training goes on.
            resume: go on from the checkpoint beside `output`.
            input_format: see `data.conll.reading.read`.
            hooks: to follow or stop the run.

        Raises:
            ConfigError: settings that are out of range or cannot work together.
            DataError: the training data cannot be used.
        """
        from meprop_nlp.training import embeddings
        from meprop_nlp.training.run import Hooks, fingerprint, read_treebanks, train_model
        from meprop_nlp.training.tagger_task import TaggerTask

        config, meprop = config or TaggerConfig(), meprop or MePropConfig()
        training, hooks = training or TrainingConfig(), hooks or Hooks()
        train, dev = read_treebanks(train, dev, hooks, trees=False, input_format=input_format)
        pretrained = embeddings.read_pretrained(vectors, train, config.word_dim, hooks)

        def build(device: torch.device) -> Task:
            return TaggerTask(
                train,
                dev,
                config=config,
                meprop=meprop,
                batch_size=training.batch_size,
                device=device,
                vectors=pretrained,
            )

        return cls(
            train_model(
                build,
                data={"train": fingerprint(train), "dev": fingerprint(dev)},
                training=training,
                meprop=meprop,
                simplify=simplify,
                settings={
                    "tagger": config.to_dict(),
                    "vectors": embeddings.fingerprint(pretrained),
                },
                output=output,
                resume=resume,
                hooks=hooks,
            )
        )
