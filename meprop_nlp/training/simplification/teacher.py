"""`Teacher`: the uncut network, which teaches the network that was cut from it.

The cut network learns from the labels and from its teacher's answers (Ba & Caruana 2014; Hinton et
al. 2015), also on synthetic examples for which there are no labels (`Swaps`).
"""

import copy
from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WEIGHT = 0.5  # of the teacher's answers in the loss, beside the labels
SYNTHETIC = 0.3  # share of the minibatches that are synthetic; for these the teacher alone counts
# The share of the dropout rates, word dropout excepted, that applies to a network with a teacher:
# such a network is small and hardly overfits.
DROPOUT_SHARE = 1 / 3
# The most numbers, of two bytes each, that a teacher's remembered answers may fill.
MOST_REMEMBERED = 1 << 28
_LARGEST = float(torch.finfo(torch.float16).max)


class Teacher:
    """A copy of a network as it is now, which answers and does not learn.

    Args:
        network: the network to copy.
        stop: called while the answers to all examples are collected.

    Attributes:
        network: the copy, in evaluation mode, without gradients.
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
        """Whether the answers to so many examples fit into memory."""
        return n_examples * n_classes <= MOST_REMEMBERED

    def recall(self, numbers: Tensor, answers: Iterable[tuple[Tensor, Tensor]], n: int) -> Tensor:
        """Return the answers to examples that stay the same in every epoch.

        The teacher takes most of the time of a minibatch, so it is asked about each example once.
        The answers are kept in float16: rounding changes them far less than dropout does. The first
        call takes as long as a pass through all examples.

        Args:
            numbers: (B,) numbers of examples, of `n` in all.
            answers: yields numbers of some examples with the (b, C) answers to them, until every
                example has had its answers, in the same order each time; consumed by the first call
                only.

        Returns:
            (B, C) float32.

        Raises:
            KeyboardInterrupt: `stop` returned True; the next call collects the answers anew.
        """
        if self._answers is None:
            self._answers = self._collect(answers, n)
        return self._answers[numbers].float()

    def _collect(self, answers: Iterable[tuple[Tensor, Tensor]], n: int) -> Tensor:
        """Return the answers to `n` examples by their numbers: (n, C) float16."""
        table: Tensor | None = None
        for numbers, some in answers:
            if self._stop():
                raise KeyboardInterrupt
            if table is None:
                table = some.new_empty((n, some.shape[1]), dtype=torch.float16)
            table[numbers] = some.clamp(-_LARGEST, _LARGEST).half()
        assert table is not None  # no network is trained without examples
        return table

    def draw_synthetic(self) -> bool:
        """Draw whether the next minibatch is to be synthetic."""
        return bool(torch.rand(()) < SYNTHETIC)


def distilled(loss: Tensor, logits: Tensor, answers: Tensor, *, synthetic: bool) -> Tensor:
    """Return the mean loss of a minibatch by its labels and its teacher's answers: ().

    Args:
        loss: () the mean loss by the labels; not used where the minibatch is synthetic.
        logits: (B, C) of the network that learns; -inf for classes that are left out.
        answers: (B, C) the teacher's logits, with the same classes left out.
        synthetic: whether the examples have no labels.
    """
    shares = answers.softmax(dim=1)
    # 0 * -inf is not a number, and a class that is left out has a share of 0
    logs = F.log_softmax(logits, dim=1).masked_fill(torch.isinf(answers), 0.0)
    soft = -(shares * logs).sum(dim=1).mean()
    return soft if synthetic else (1 - WEIGHT) * loss + WEIGHT * soft
