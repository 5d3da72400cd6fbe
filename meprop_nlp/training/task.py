"""`Task`: what the training loop asks of a network and its examples."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.simplification.teacher import Teacher
from meprop_nlp.training.weights import arrays_of


class Batch(Protocol):
    """One minibatch; only its task looks inside."""

    n_words: int


class Task(ABC):
    """A network, its training examples, and its scores on dev.

    Attributes:
        network: is trained in place.
        main_scores: the epoch with the best mean of these scores on dev is kept.
        warnings: what the user should know about the data, one sentence each.
        losses: the parts of the loss that `loss` returned last, by head; empty where it has one.
    """

    name: ClassVar[str]
    learning_rates: ClassVar[dict[str, float]]  # by optimiser, where not the optimiser's default
    prune_rate: ClassVar[float]  # of meSimp, unless the user sets one
    network: nn.Module
    main_scores: tuple[str, ...]
    warnings: list[str]
    losses: Mapping[str, Tensor] = MappingProxyType({})

    @property
    def has_dev(self) -> bool:
        """Whether there is dev data to choose the best epoch on."""
        return True

    @property
    @abstractmethod
    def n_batches(self) -> int:
        """The number of minibatches in an epoch."""

    @abstractmethod
    def batches(self, rng: np.random.Generator) -> Iterator[Any]:
        """Yield the minibatches of one epoch, in an order drawn from `rng`."""

    @abstractmethod
    def loss(self, batch: Any, teacher: Teacher | None = None) -> Tensor:
        """Return the mean loss of a minibatch, with a teacher's answers if there is one: ()."""

    def share(self, batch: Any, number: int, size: int) -> tuple[Any, float]:
        """Return the part of a minibatch that one of several processes takes, and its weight.

        Args:
            number: of the process, from 0.
            size: how many there are.

        Returns:
            the part; None where nothing is left for this process.
            its share of what the loss is the mean of: the weights of all processes add up to 1,
            and the sum of their losses by weight is the loss of the minibatch.
        """
        raise NotImplementedError(f"a minibatch of a {self.name} is not shared")

    @abstractmethod
    def evaluate(self) -> Mapping[str, float | None]:
        """Return the dev scores in per cent, `main_scores` among them; empty without dev data.

        None is the score of what dev does not have.
        """

    @abstractmethod
    def simplified_layers(self) -> Sequence[SimplifiedLayer]:
        """Return the layers that meSimp may cut, each with the layers that read its output."""

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the parameters in groups, as `torch.optim` takes them, the main group first.

        A group may state a learning rate of its own, which rises and falls as that of the others.
        """
        return [{"params": list(self.network.parameters())}]

    @abstractmethod
    def header(self) -> dict[str, Any]:
        """Return what the model file states beside the weights."""

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return what the model file holds: the weights, and tables that are not trained."""
        return arrays_of(self.network)

    def write_beside(self, path: Path) -> dict[str, Any]:
        """Write what the model needs beside its file; return what the header then states of it.

        Raises:
            ConfigError, DataError: it cannot be written.
        """
        return {}

    def begin_epoch(self, epoch: int) -> None:  # noqa: B027, a hook
        """Make the examples of an epoch, counted from 0; here they are always the same.

        It is not called right after a cut: the examples stay those of the last epoch.
        """

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays from which `restore` makes the present examples; empty if fixed."""
        return {}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:  # noqa: B027, a hook
        """Make the examples again from which `state` was taken."""
