"""The papers' MLP for MNIST: its settings, and the accuracy of a trained one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.mnist.images import Images
from meprop_nlp.config import TrainingConfig
from meprop_nlp.settings import Config, setting

# the papers' training on MNIST
TRAINING = TrainingConfig(epochs=20, batch_size=10, decay=False, clip=0.0, patience=0)
# meSimp on MNIST (section 4): k as a share of the width, and the prune rate
KEPT_SHARE, PRUNE_RATE = 0.32, 0.1
_PIECE = 1000  # images at a time, so that memory is bounded


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifierConfig(Config):
    """The MLP for MNIST (meProp, section 4.1: MNIST)."""

    layers: int = setting(
        3,
        at_least=2,
        at_most=10,
        help="Layers, the output layer among them, as the reference code counts; the papers try 2 "
        "to 5.",
    )
    hidden: int = setting(500, at_least=1, help="Neurons of a hidden layer.")
    dropout: float = setting(
        0.0, at_least=0, below=1, help="Share of the hidden values left out in training."
    )
    sparse_output: bool = setting(
        True,
        help="Whether `k` applies to the output layer too, as in the papers; in the reference code "
        "it does not.",
    )


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
