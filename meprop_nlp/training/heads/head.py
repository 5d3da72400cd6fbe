"""`TrainedHead`: what a head of the joint model gives to its training.

It makes its targets from the training sentences, holds its network over the encoder's states, and
returns its loss. `models/heads/` has the frozen side of each head.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy.typing as npt
import torch
from torch import Tensor, nn

from meprop_nlp.config import JointConfig, MePropConfig
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.models.file import ModelFile
from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.heads.early import WordClasses
from meprop_nlp.training.layout import Layout
from meprop_nlp.training.simplification.teacher import Width

# For the cut of hidden layers: one that is cheap to compute keeps the square root of the share that
# others keep, and widths are multiples of what the decoding kernels compute at once.
CHEAP = 0.5
LANES = 8


@dataclass(slots=True)
class States:
    """What the encoder returns for N packed words, and where they stand in their sentences.

    Attributes:
        forms: (N, I) the vectors that depend on the word form alone.
        context: (N, 2H) the states of the last layer.
        layout: the places of the words in their sentences.
        tags: (N, tags) the probability of each tag of all columns side by side; the tag head writes
            them for the heads after it.
    """

    forms: Tensor
    context: Tensor
    layout: Layout
    tags: Tensor | None = None


class Widths(NamedTuple):
    """The widths of what a head reads.

    Attributes:
        forms, context, tags: of the fields of `States`; `tags` is 0 where there is no tag head.
    """

    forms: int
    context: int
    tags: int


class TrainedHead(ABC):
    """One task of the joint model: its targets, its network and its loss.

    Attributes:
        name: as in `models.model.HEADS`.
        network: called with the `States` of a minibatch; its answer goes to `loss`. An attribute
            `dropout_share` scales its dropout.
        scores: the dev scores that judge it; the epoch with the best mean over all heads is kept.
        n_tags: the number of tags whose probabilities it writes into the `States`.
        notes: what the user should know about the training sentences, one sentence each.
    """

    name: ClassVar[str]
    network: nn.Module
    scores: tuple[str, ...]
    n_tags: int = 0
    notes: Sequence[str] = ()

    @classmethod
    def serves(cls, config: JointConfig) -> bool:
        """Return whether it is the head of its name for this configuration."""
        return True

    @staticmethod
    @abstractmethod
    def is_in(sentences: Sequence[Sentence]) -> bool:
        """Return whether sentences have what the head learns."""

    @classmethod  # noqa: B027, a hook
    def demand_data(cls, train: Sequence[Sentence]) -> None:
        """Refuse sentences that the head cannot learn from, though they have what it learns.

        Raises:
            ConfigError: another head can.
        """

    @abstractmethod
    def __init__(
        self,
        train: Sequence[Sentence],
        config: JointConfig,
        meprop: MePropConfig,
        widths: Widths,
        device: torch.device,
    ) -> None:
        """Make the targets and the network.

        Raises:
            ConfigError: a setting does not fit the sentences.
        """

    def inherit(self, file: ModelFile) -> None:  # noqa: B027, a hook
        """Take from the model that training starts from what the training sentences do not have.

        Args:
            file: that model.

        Raises:
            ConfigError: without it, the head cannot start from the model.
        """

    @abstractmethod
    def loss(
        self,
        answer: Any,
        words: Tensor,
        layout: Layout,
        teacher: Any = None,
        *,
        synthetic: bool = False,
    ) -> Tensor:
        """Return the sum of the head's mean losses: ().

        Args:
            answer: of the network for a minibatch.
            words: (N,) the places of its words in the treebank.
            layout: their places in their sentences.
            teacher: the `soft_targets` of the network's teacher, if there is one.
            synthetic: whether the teacher alone counts: some words were swapped for others, or the
                words are of no treebank, and then beyond it. Only for a head that states its
                `soft_widths`.
        """

    def soft_targets(
        self, answer: Any, words: Tensor, layout: Layout, *, synthetic: bool = False
    ) -> Any:
        """Return what `loss` reads of a teacher's answer; unless overridden, the answer itself.

        Args:
            answer: of the teacher's network.
            words, layout, synthetic: as for `loss`.
        """
        return answer

    def word_classes(self) -> Mapping[str, WordClasses]:
        """Return what `EarlyOutputs` learn of the head's targets; unless overridden, nothing."""
        return {}

    def soft_widths(self) -> Mapping[str, Width] | None:
        """Return the width of each of `soft_targets`, if these are tensors (N, width) by name.

        Such a teacher is asked once about each sentence, and also about synthetic ones. The width
        may depend on the word: an array (all words). -inf stands for what is left out.
        """
        return None

    @abstractmethod
    def readers(self) -> Iterable[nn.Module]:
        """Return all layers that read the encoder's states; simplification cuts their columns."""

    def hidden_layers(self) -> list[SimplifiedLayer]:
        """Return the head's own layers that simplification may cut."""
        return []

    @abstractmethod
    def header(self) -> dict[str, Any]:
        """Return what the model file states of the head beside its weights."""

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return what the model file has of the head beside its weights and `header`."""
        return {}

    def unseen(self, dev: Sequence[Sentence]) -> list[str]:
        """Return warnings of values that dev has and the training sentences have not."""
        return []
