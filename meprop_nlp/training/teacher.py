"""The uncut network as a teacher of what is left of it.

A cut network learns from the labels and from the answers of the network it was cut from (Ba &
Caruana 2014; Hinton et al. 2015), also on made-up examples for which there are no labels: sentences
in which words have been swapped for others of the same tag (after Bucila et al. 2006).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["Swaps", "Teacher", "taught"]

WEIGHT = 0.5  # of the teacher's answers in the loss, beside the labels
MADE_UP = 0.3  # share of the minibatches that are made up; there the teacher alone counts
SWAPPED = 0.5  # share of the words of such a minibatch that are swapped
# What is left of the dropout rates, but of word dropout: a small network that is taught hardly
# overfits, and what it leaves out it has to do without.
DROPOUT_SHARE = 1 / 3
# Numbers, of two bytes each, that a teacher's answers may take in memory.
MOST_REMEMBERED = 1 << 28
_LARGEST = float(torch.finfo(torch.float16).max)


class Teacher:
    """A copy of a network as it is now, which answers and does not learn.

    Args:
        network: what to copy.
        stop: asked while the answers to all examples are gathered.

    Attributes:
        network: in evaluation mode, without gradients.
    """

    def __init__(self, network: nn.Module, stop: Callable[[], bool] = lambda: False) -> None:
        self._stop = stop
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.network.zero_grad(set_to_none=True)
        self._answers: Tensor | None = None

    def __call__(self, *inputs: Any) -> Any:
        """Return the network's answers, without a graph."""
        with torch.no_grad():
            return self.network(*inputs)

    def remembers(self, n_examples: int, n_classes: int) -> bool:
        """Whether there is room for the answers to so many examples."""
        return n_examples * n_classes <= MOST_REMEMBERED

    def recall(self, places: Tensor, asked: Iterable[tuple[Tensor, Tensor]], n: int) -> Tensor:
        """Return the answers to some examples that are never swapped; all are asked about once.

        Most of a taught minibatch's time is the teacher's, and it says the same in every epoch. The
        answers are kept in float16: what is rounded away is far less than what dropout changes. The
        first call lasts as long as a pass through all examples.

        Args:
            places: (B) the examples' numbers, of `n` in all.
            asked: yields numbers of some examples with the (b, C) answers to them, until all have
                been there, always in the same order; read the first time alone.

        Raises:
            KeyboardInterrupt: `stop` said so; the answers are gathered anew when next asked for.
        """
        if self._answers is None:
            self._answers = self._gathered(asked, n)
        return self._answers[places].float()

    def _gathered(self, asked: Iterable[tuple[Tensor, Tensor]], n: int) -> Tensor:
        """Return the answers to `n` examples by their numbers, in float16: (n, C)."""
        found: Tensor | None = None
        for numbers, answers in asked:
            if self._stop():
                raise KeyboardInterrupt
            if found is None:
                found = answers.new_empty((n, answers.shape[1]), dtype=torch.float16)
            found[numbers] = answers.clamp(-_LARGEST, _LARGEST).half()
        assert found is not None  # no network is trained without examples
        return found

    def makes_up(self) -> bool:
        """Draw whether a minibatch is to be made up."""
        return bool(torch.rand(()) < MADE_UP)


def taught(loss: Tensor, logits: Tensor, answers: Tensor, *, made_up: bool) -> Tensor:
    """The mean loss of a minibatch with a teacher's answers.

    Args:
        loss: () the mean loss by the labels; without meaning where the minibatch is made up.
        logits: (B, C) of the network that learns; -inf for classes that are left out.
        answers: (B, C) the teacher's logits, with the same classes left out.
        made_up: whether the labels do not count.
    """
    shares = answers.softmax(dim=1)
    # 0 * -inf is not a number, and a class that is left out has a share of 0
    logs = F.log_softmax(logits, dim=1).masked_fill(torch.isinf(answers), 0.0)
    soft = -(shares * logs).sum(dim=1).mean()
    return soft if made_up else (1 - WEIGHT) * loss + WEIGHT * soft


class Swaps:
    """Swaps forms for others of the same tag, each as likely as any of them.

    Args:
        forms: (n_words) the number of each word's form, 0 to n - 1, every one there at least once.
        tags: (n_words) of each word; a form belongs to its most frequent one.
    """

    def __init__(self, forms: npt.NDArray[np.int64], tags: npt.NDArray[np.int64]) -> None:
        pairs, counts = np.unique(np.stack([forms, tags], 1), axis=0, return_counts=True)
        by_count = np.lexsort((-counts, pairs[:, 0]))
        _, first = np.unique(pairs[by_count, 0], return_index=True)
        tag_of = pairs[by_count[first], 1]  # (n_forms)
        _, kind, sizes = np.unique(tag_of, return_inverse=True, return_counts=True)
        self._kind, self._sizes = torch.from_numpy(kind), torch.from_numpy(sizes)
        self._members = torch.from_numpy(np.argsort(kind, kind="stable"))  # kind by kind
        self._starts = torch.from_numpy(np.cumsum(sizes) - sizes)

    def __call__(self, forms: Tensor) -> Tensor:
        """Return form numbers, some of them swapped; int64, of any shape, on any device."""
        kind = self._kind.to(forms.device)[forms]
        sizes, starts = self._sizes.to(forms.device), self._starts.to(forms.device)
        place = (torch.rand(forms.shape, device=forms.device) * sizes[kind]).long()
        others = self._members.to(forms.device)[starts[kind] + place]
        swap = torch.rand(forms.shape, device=forms.device) < SWAPPED
        return torch.where(swap, others, forms)
