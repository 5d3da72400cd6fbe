"""`ImageClassifier`: the classifier of MNIST as users know it: train, load, save, predict.

Nothing here loads torch but `train`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Self, cast

from meprop_nlp.config import (
    MNIST_TRAINING,
    ClassifierConfig,
    MePropConfig,
    Settings,
    SimplifyConfig,
    TrainingConfig,
)
from meprop_nlp.data.mnist import Images
from meprop_nlp.errors import DataError
from meprop_nlp.models.classifier import FrozenClassifier

if TYPE_CHECKING:
    import torch

    from meprop_nlp.training.hooks import Hooks
    from meprop_nlp.training.task import Task

__all__ = ["ImageClassifier"]


class ImageClassifier(FrozenClassifier):
    """An MLP for 28 x 28 images of ten classes: the papers' third task (meProp, section 4.1).

    >>> train, dev, test = read_mnist("mnist")  # doctest: +SKIP
    >>> classifier = ImageClassifier.train(train, dev, output="mnist.safetensors")
    ... # doctest: +SKIP
    >>> classifier.predict(test.pixels[:3])  # doctest: +SKIP
    array([7, 2, 1], dtype=uint8)
    """

    @classmethod
    def train(
        cls,
        train: Images,
        dev: Images | None = None,
        *,
        config: ClassifierConfig | None = None,
        meprop: MePropConfig | None = None,
        simplify: SimplifyConfig | None = None,
        training: TrainingConfig | None = None,
        output: str | os.PathLike[str] | None = None,
        resume: bool = False,
        hooks: Hooks | None = None,
    ) -> Self:
        """Train a classifier; the one with the best accuracy on dev is returned.

        Args:
            train, dev: images with labels. Without dev the last epoch's model is returned.
            config, meprop, simplify, training: settings; None means the defaults, for `training`
                the papers' on MNIST, for `simplify` that nothing is cut.
            output: where to keep the best model, a log and a checkpoint while training goes on.
            resume: go on from the checkpoint beside `output`.
            hooks: to follow or stop the run.

        Raises:
            ConfigError: settings that are out of range or cannot work together.
            DataError: there are no training images, or `output` cannot be written.
        """

        from meprop_nlp.training.classifier_task import ClassifierTask
        from meprop_nlp.training.hooks import Hooks
        from meprop_nlp.training.run import train_task

        config, meprop = config or ClassifierConfig(), meprop or MePropConfig()
        training, hooks = training or MNIST_TRAINING, hooks or Hooks()
        if not len(train):
            raise DataError("no images to train on")
        if dev is None:
            dev = train[:0]

        def build(device: torch.device) -> Task:
            return ClassifierTask(
                train,
                dev,
                config=config,
                meprop=meprop,
                batch_size=training.batch_size,
                device=device,
            )

        settings = Settings(
            network=cast(Any, config), meprop=meprop, simplify=simplify, training=training
        )
        identity = {
            "classifier": config.to_dict(),
            "data": {"train": train.fingerprint(), "dev": dev.fingerprint()},
        }
        return cls(
            train_task(
                build, settings, identity=identity, output=output, resume=resume, hooks=hooks
            )
        )
