"""What the training loop asks of a task; training the tagger and the parser are two of these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.teacher import Teacher

__all__ = ["Batch", "FixedExamples", "Task", "arrays_of", "by_length", "fitting_batch_size"]


class Batch(Protocol):
    """One minibatch; only its task looks inside."""

    n_words: int


class Task(Protocol):
    """A network, its training examples, and how well it does on dev."""

    name: str
    main_scores: tuple[str, ...]  # the epoch with the best mean of these on dev is kept
    learning_rates: ClassVar[dict[str, float]]  # by optimiser, where not the optimiser's default
    prune_rate: ClassVar[float]  # of meSimp, unless the user sets one
    warnings: list[str]

    @property
    def network(self) -> nn.Module:
        """The network, which is trained in place."""

    @property
    def n_batches(self) -> int:
        """How many minibatches an epoch has."""

    def begin_epoch(self, epoch: int) -> None:
        """Make new examples, where the task does; epochs count from 0.

        It is not called where neurons have just gone: the examples stay those of the last epoch.
        """

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return what the present examples can be made from again; empty where they stay."""

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Make the examples that `state` was taken of."""

    def batches(self, rng: np.random.Generator) -> Iterator[Any]:
        """Yield the minibatches of one epoch, in an order drawn from `rng`."""

    def loss(self, batch: Any, teacher: Teacher | None = None) -> Tensor:
        """Return the mean loss of a minibatch, by a teacher's answers too: a scalar to derive."""

    def evaluate(self) -> dict[str, float]:
        """Return the dev scores in percent, `main_scores` among them; empty without dev data."""

    def simplified_layers(self) -> Sequence[SimplifiedLayer]:
        """Return the layers that meSimp may cut, with what reads their output."""

    def header(self) -> dict[str, Any]:
        """Return what the model file must say beside the weights."""


class FixedExamples:
    """The part of a Task whose training examples are the same in every epoch."""

    def begin_epoch(self, epoch: int) -> None:
        """Do nothing."""

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return nothing."""
        return {}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Do nothing."""


def arrays_of(network: nn.Module) -> dict[str, npt.NDArray[Any]]:
    """Return a network's parameters as arrays; training counters are left out."""
    with torch.no_grad():
        return {name: p.detach().cpu().numpy() for name, p in network.named_parameters()}


def fitting_batch_size(n_examples: int, *, smallest: int, largest: int, n_batches: int) -> int:
    """Return a batch size that gives an epoch about `n_batches` steps, within bounds.

    A small treebank needs small batches: with few steps an epoch, nothing is learnt in ten epochs.
    """
    return max(smallest, min(largest, n_examples // n_batches))


def by_length(
    lengths: npt.NDArray[np.int64], batch_size: int, rng: np.random.Generator, *, pool: int = 20
) -> list[npt.NDArray[np.int64]]:
    """Shuffle sentences into batches of similar length, each sorted longest first.

    Sentences are shuffled, cut into pools of `pool` batches, sorted within a pool; then the
    batches are shuffled.
    """
    order = rng.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), batch_size * pool):
        members = order[start : start + batch_size * pool]
        members = members[np.argsort(-lengths[members], kind="stable")]
        batches += [members[i : i + batch_size] for i in range(0, len(members), batch_size)]
    rng.shuffle(batches)
    return batches
