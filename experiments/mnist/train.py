"""Training the MLP with the package's loop: the network, its minibatches, loss and score."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from experiments.mnist.classifier import PRUNE_RATE, TRAINING, ClassifierConfig, accuracy
from experiments.mnist.images import N_CLASSES, SIDE, Images
from meprop_nlp.config import MePropConfig, Settings, SimplifyConfig, TrainingConfig
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.packing import rounded
from meprop_nlp.nn.embedding import dropout
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.simplify.wiring import SimplifiedLayer, wire_stack
from meprop_nlp.training.outputs import remove_checkpoint
from meprop_nlp.training.run import train_task
from meprop_nlp.training.simplification.teacher import Teacher, distilled
from meprop_nlp.training.task import Task
from meprop_nlp.training.weights import arrays_of


class ClassifierNetwork(nn.Module):
    """An MLP with ReLU (meProp, section 4.1)."""

    def __init__(self, config: ClassifierConfig, meprop: MePropConfig) -> None:
        super().__init__()
        self.dropout = config.dropout
        self.dropout_share = 1.0  # of the rate; the loop lowers it after a cut
        widths = [SIDE * SIDE, *[config.hidden] * (config.layers - 1), N_CLASSES]
        stack = []
        for i, o in pairwise(widths):
            k = meprop.k and min(meprop.k, o)  # the output layer is narrow
            stack.append(MePropLinear(i, o, k=k, topk_mode=meprop.topk_mode))
        if not config.sparse_output:
            stack[-1].k = None
        self.layers = nn.ModuleList(stack)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B, 10) of pixels (B, 784) from 0 to 1."""
        first, *others = self.layers
        x = first(x)
        for layer in others:
            x = layer(dropout(torch.relu(x), self.dropout * self.dropout_share, self.training))
        return x


class Batch(NamedTuple):
    """A minibatch of images."""

    members: Tensor  # (B,) their positions in the training data
    n_words: int  # images; the loop's unit of speed


class ClassifierTask(Task):
    """The network with its training and dev data, in the form that the loop trains."""

    name = "classifier"
    network: ClassifierNetwork
    main_scores: tuple[str, ...] = ("accuracy",)
    learning_rates: ClassVar[dict[str, float]] = {"adagrad": 0.1}  # meProp, section 4.1
    prune_rate: ClassVar[float] = PRUNE_RATE

    def __init__(
        self,
        train: Images,
        dev: Images,
        config: ClassifierConfig,
        meprop: MePropConfig,
        *,
        batch_size: int,
        device: torch.device,
    ) -> None:
        self.config, self.dev, self.device = config, dev, device
        self.batch_size = batch_size or TRAINING.batch_size
        self.warnings: list[str] = []
        self.network = ClassifierNetwork(config, meprop).to(device)
        # bytes need a quarter of the memory of floats, and scaling a minibatch takes no time
        self._pixels = torch.from_numpy(train.pixels.reshape(len(train), -1).copy()).to(device)
        self._labels = torch.from_numpy(train.labels.astype(np.int64)).to(device)

    @property
    def n_batches(self) -> int:
        return -(-len(self._labels) // self.batch_size)

    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        order = torch.from_numpy(rng.permutation(len(self._labels))).to(self.device)
        for members in torch.split(order, self.batch_size):
            yield Batch(members, len(members))

    def loss(self, batch: Batch, teacher: Teacher | None = None) -> Tensor:
        x = self._pixels[batch.members].float().div_(255)
        logits = self.network(x)
        loss = F.cross_entropy(logits, self._labels[batch.members])
        return distilled(loss, logits, teacher(x), synthetic=False) if teacher else loss

    def evaluate(self) -> dict[str, float]:
        return {"accuracy": accuracy(rounded(arrays_of(self.network)), self.dev)}

    def simplified_layers(self) -> list[SimplifiedLayer]:
        stack = [layer for layer in self.network.layers if isinstance(layer, MePropLinear)]
        return wire_stack(stack, "layers")

    def header(self) -> dict[str, Any]:
        return {"kind": "model", "task": self.name, "config": self.config.to_dict()}


def train(
    images: Images,
    dev: Images,
    *,
    config: ClassifierConfig,
    meprop: MePropConfig,
    training: TrainingConfig,
    simplify: SimplifyConfig | None = None,
    **options: Any,
) -> ModelFile:
    """Train a classifier and return the one with the best accuracy on dev.

    `options` are output, resume and hooks, as in `train_task`.
    """
    model = train_task(
        lambda device: ClassifierTask(
            images, dev, config, meprop, batch_size=training.batch_size, device=device
        ),
        Settings(network=cast(Any, config), meprop=meprop, simplify=simplify, training=training),
        identity={
            "classifier": config.to_dict(),
            "data": {"train": images.fingerprint(), "dev": dev.fingerprint()},
        },
        **options,
    )
    remove_checkpoint(options.get("output"))
    return model
