"""`DependencyParser`: the parser as users know it: train, load, save, parse words and streams.

Nothing here loads torch but `train`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

from meprop_nlp.config import (
    MePropConfig,
    ParserConfig,
    SimplifyConfig,
    TrainingConfig,
)
from meprop_nlp.models.model import Model

if TYPE_CHECKING:
    import torch

    from meprop_nlp.training.run import Hooks, Treebank
    from meprop_nlp.training.task import Task

__all__ = ["DependencyParser"]


class DependencyParser(Model):
    """A transition-based parser with one small network (Chen & Manning 2014).

    >>> parser = DependencyParser.train("train.conllu", "dev.conllu", output="parser.safetensors")
    ... # doctest: +SKIP
    >>> parser(tagger(["Time", "flies"])).column("head")  # doctest: +SKIP
    [2, 0]
    """

    task = "parser"

    @classmethod
    def train(
        cls,
        train: Treebank,
        dev: Treebank | None = None,
        *,
        config: ParserConfig | None = None,
        meprop: MePropConfig | None = None,
        simplify: SimplifyConfig | None = None,
        training: TrainingConfig | None = None,
        vectors: str | os.PathLike[str] | None = None,
        output: str | os.PathLike[str] | None = None,
        resume: bool = False,
        input_format: str = "auto",
        hooks: Hooks | None = None,
    ) -> Self:
        """Train a parser on gold trees with the tags in the file; return the best on dev.

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
        from meprop_nlp.training.parser_task import ParserTask
        from meprop_nlp.training.run import Hooks, fingerprint, read_treebanks, train_model

        config, meprop = config or ParserConfig(), meprop or MePropConfig()
        training, hooks = training or TrainingConfig(), hooks or Hooks()
        train, dev = read_treebanks(train, dev, hooks, trees=True, input_format=input_format)
        pretrained = embeddings.read_pretrained(vectors, train, config.embedding_dim, hooks)

        def build(device: torch.device) -> Task:
            return ParserTask(
                train,
                dev,
                config=config,
                meprop=meprop,
                batch_size=training.batch_size,
                seed=training.seed,
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
                    "parser": config.to_dict(),
                    "vectors": embeddings.fingerprint(pretrained),
                },
                output=output,
                resume=resume,
                hooks=hooks,
            )
        )
