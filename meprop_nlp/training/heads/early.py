"""`EarlyOutputs`: tags and relations predicted low in the network too, so that it learns faster.

The heads' gradients reach the first layer and the vectors of the forms through all layers above,
and of each layer's gradients meProp keeps a part. Outputs of their own teach these parts directly:
low-level tasks at a low layer (Søgaard and Goldberg 2016, section 3), a deep network at several
depths (Lee et al. 2015, section 2). They serve training alone; no model file has them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from meprop_nlp.training.heads.targets import mean_loss

EARLY = "early"  # the name of their network and of their loss


class WordClasses(NamedTuple):
    """One classification of the words of a treebank, such as their UPOS.

    Attributes:
        targets: (all words) the class of each word, UNKNOWN where it is not annotated.
        n_classes: how many there are.
        partial: whether a target may be UNKNOWN.
    """

    targets: Tensor
    n_classes: int
    partial: bool


class EarlyOutputs(nn.Module):
    """Output layers over the vectors of the forms and over the states of the first layer.

    Args:
        classes: what they learn, by name.
        forms, states: the widths of both.
        smoothing: of the targets.
    """

    def __init__(
        self, classes: Mapping[str, WordClasses], forms: int, states: int, smoothing: float
    ) -> None:
        super().__init__()
        self._smoothing = smoothing
        self._classes = dict(classes)
        self.of_forms, self.of_states = (
            nn.ModuleDict({name: nn.Linear(width, of.n_classes) for name, of in classes.items()})
            for width in (forms, states)
        )

    def forward(self, forms: Tensor, states: Tensor) -> list[tuple[str, Tensor]]:
        """Return logits, each (N, classes), with the name of what they predict.

        Args:
            forms, states: (N, width) of the words of a minibatch.
        """
        return [
            (name, output(vectors))
            for outputs, vectors in ((self.of_forms, forms), (self.of_states, states))
            for name, output in outputs.items()
        ]

    def loss(self, answer: Sequence[tuple[str, Tensor]], words: Tensor) -> Tensor:
        """Return the sum of the mean losses: ().

        Args:
            answer: for a minibatch.
            words: (N,) the places of its words in the treebank.
        """
        losses = [
            mean_loss(
                logits,
                self._classes[name].targets[words],
                partial=self._classes[name].partial,
                smoothing=self._smoothing,
            )
            for name, logits in answer
        ]
        return torch.stack(losses).sum()

    def readers(self) -> Iterable[nn.Module]:
        """Return the layers that read the states; simplification cuts their columns."""
        return self.of_states.values()
