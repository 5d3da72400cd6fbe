"""The papers' MLP for MNIST: its settings, and the accuracy of a trained one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.mnist.images import Images
from meprop_nlp.config import Config, TrainingConfig

# the papers' training on MNIST
TRAINING = TrainingConfig(epochs=20, batch_size=10, decay=False, clip=0.0, patience=0)
# meSimp on MNIST (section 4): k as a share of the width, and the prune rate
KEPT_SHARE, PRUNE_RATE = 0.32, 0.1
_PIECE = 1000  # images at a time, so that memory is bounded


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifierConfig(Config):
    """The MLP for MNIST (meProp, section 4.1: MNIST)."""

    layers: int = 3  # including the output layer, as in the reference code
    hidden: int = 500
    dropout: float = 0.0
    sparse_output: bool = (
        True  # as in the papers; the reference code does not sparsify the last layer
    )

    def __post_init__(self) -> None:
        self._demand("layers", self.layers in range(2, 11), "a whole number from 2 to 10")
        self._demand_positive("hidden")
        self._demand_share("dropout")


def accuracy(arrays: Mapping[str, npt.NDArray[Any]], gold: Images) -> float:
    """Return the accuracy of a network with these weights and biases, in percent."""
    last = len(arrays) // 2 - 1
    n_right = 0
    for start in range(0, len(gold), _PIECE):
        piece = gold[start : start + _PIECE]
        x = piece.pixels.reshape(len(piece), -1).astype(np.float32) / 255
        for n in range(last + 1):
            x = x @ arrays[f"layers.{n}.weight"].T + arrays[f"layers.{n}.bias"]
            x = np.maximum(x, 0) if n < last else x
        n_right += int((x.argmax(1) == piece.labels).sum())
    return 100 * n_right / len(gold)
