"""Training the classifier: images as shuffled minibatches, the loss, the accuracy on dev."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from meprop_nlp.config import MNIST_TRAINING, PRUNE_RATES, ClassifierConfig, MePropConfig
from meprop_nlp.data.mnist import N_CLASSES, SIDE, Images
from meprop_nlp.models.classifier import FrozenClassifier
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.packing import rounded
from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.classifier_network import ClassifierNetwork
from meprop_nlp.training.task import FixedExamples, arrays_of
from meprop_nlp.training.teacher import Teacher, taught

__all__ = ["ClassifierTask"]


@dataclass(frozen=True, slots=True)
class ClassifierBatch:
    """A minibatch of images."""

    members: Tensor  # (B,) places in the training data
    n_words: int  # images; the loop's unit of speed


class ClassifierTask(FixedExamples):
    """A classifier's network with its training and dev data.

    Args:
        train, dev: images; `dev` may be empty.
        config, meprop: as in ClassifierNetwork.
        batch_size: images per minibatch; 0: the papers'.
        device: where the network and the images live.

    Raises:
        ConfigError: k is larger than the layer.
    """

    name = "classifier"
    main_scores: tuple[str, ...] = ("accuracy",)
    learning_rates: ClassVar[dict[str, float]] = {"adagrad": 0.1}  # meProp, section 4.1
    prune_rate: ClassVar[float] = PRUNE_RATES["classifier"]

    def __init__(
        self,
        train: Images,
        dev: Images,
        *,
        config: ClassifierConfig,
        meprop: MePropConfig,
        batch_size: int,
        device: torch.device,
    ) -> None:
        meprop.check_width(config.hidden)
        self.config, self.device, self.dev = config, device, dev
        self.batch_size = batch_size or MNIST_TRAINING.batch_size
        self.warnings: list[str] = []
        self.network = ClassifierNetwork(SIDE * SIDE, N_CLASSES, config, meprop).to(device)
        # as bytes: floats would take four times the room, and scaling a minibatch takes no time
        pixels = train.pixels.reshape(len(train), SIDE * SIDE)
        self._pixels = torch.from_numpy(pixels.copy()).to(device)
        self._labels = torch.from_numpy(train.labels.astype(np.int64)).to(device)

    @property
    def n_batches(self) -> int:
        return -(-len(self._labels) // self.batch_size)

    def batches(self, rng: np.random.Generator) -> Iterator[ClassifierBatch]:
        order = torch.from_numpy(rng.permutation(len(self._labels))).to(self.device)
        for members in torch.split(order, self.batch_size):
            yield ClassifierBatch(members, len(members))

    def loss(self, batch: ClassifierBatch, teacher: Teacher | None = None) -> Tensor:
        x = self._pixels[batch.members].float().div_(255)
        logits = self.network(x)
        loss = F.cross_entropy(logits, self._labels[batch.members])
        return taught(loss, logits, teacher(x), made_up=False) if teacher else loss

    def evaluate(self) -> dict[str, float]:
        return {"accuracy": self.frozen().evaluate(self.dev)} if len(self.dev) else {}

    def simplified_layers(self) -> list[SimplifiedLayer]:
        return self.network.simplified_layers()

    def header(self) -> dict[str, Any]:
        return {"kind": "model", "task": self.name, "config": self.config.to_dict()}

    def frozen(self) -> FrozenClassifier:
        """Return the network as it is now as what would be stored."""
        return FrozenClassifier(ModelFile(self.header(), rounded(arrays_of(self.network))))
