"""`Teacher`: the uncut network, which teaches the network that was cut from it.

The cut network learns from the labels and from its teacher's answers (Ba & Caruana 2014; Hinton et
al. 2015), also on synthetic examples for which there are no labels (`Swaps`).
"""

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

WEIGHT = 0.5  # of the teacher's answers in the loss, beside the labels
SYNTHETIC = 0.3  # share of the minibatches that are synthetic; for these the teacher alone counts
# The share of the dropout rates, word dropout excepted, that applies to a network with a teacher:
# such a network is small and hardly overfits.
DROPOUT_SHARE = 1 / 3
# The same of a whole network that learns from teachers on unlabelled sentences too: what they say
# of so much text leaves little to overfit. Chosen on UD English EWT's dev.
TAUGHT_DROPOUT_SHARE = 1 / 2
# The most numbers, of two bytes each, that a teacher's remembered answers may fill.
MOST_REMEMBERED = 1 << 28
_LARGEST = float(torch.finfo(torch.float16).max)

# Of the rows of a table of answers: of all of them, or of each (n,).
Width: TypeAlias = int | npt.NDArray[np.int64]


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
        self._tables: dict[str, Table | RaggedTable] | None = None

    def __call__(self, *inputs: Any) -> Any:
        """Return the network's answers, without a graph."""
        with torch.no_grad():
            return self.network(*inputs)

    def remembers(self, widths: Mapping[str, Width], n: int) -> bool:
        """Whether the answers to `n` examples fit into memory; `widths` as in `recall`."""
        sizes = (n * w if isinstance(w, int) else int(w.sum()) for w in widths.values())
        return sum(sizes) <= MOST_REMEMBERED

    def recall(
        self,
        numbers: Tensor,
        answers: Iterable[tuple[Tensor, Mapping[str, Tensor]]],
        widths: Mapping[str, Width],
        n: int,
    ) -> dict[str, Tensor]:
        """Return the answers, by name, to examples that stay the same in every epoch.

        The teacher takes most of the time of a minibatch, so it is asked about each example once.
        The answers are kept in float16: rounding changes them far less than dropout does. The first
        call takes as long as a pass through all examples.

        Args:
            numbers: (B,) numbers of examples, of `n` in all.
            answers: yields numbers of some examples with the answers to them, (b, C) for each name,
                until every example has had its answers, in the same order each time; consumed by
                the first call only.
            widths: C for each name; an array (n,) where it depends on the example.

        Returns:
            (B, C) float32 for each name; where C depends on the example, the largest one of these
            examples, and -inf after a shorter row.

        Raises:
            KeyboardInterrupt: `stop` returned True; the next call collects the answers anew.
        """
        if self._tables is None:
            tables = {name: make_table(n, width, numbers.device) for name, width in widths.items()}
            for some, parts in answers:
                if self._stop():
                    raise KeyboardInterrupt
                for name, table in tables.items():
                    table.write(some, parts[name])
            self._tables = tables
        return {name: table.read(numbers) for name, table in self._tables.items()}


def draw_synthetic(share: float) -> bool:
    """Draw whether the next minibatch is to be one of this share of synthetic ones."""
    return share > 0 and bool(torch.rand(()) < share)


def distilled(loss: Tensor, logits: Tensor, answers: Tensor, *, synthetic: bool) -> Tensor:
    """Return the mean loss of a minibatch by its labels and its teacher's answers: ().

    Args:
        loss: () the mean loss by the labels; not used where the minibatch is synthetic.
        logits: (B, C) of the network that learns; -inf for classes that are left out.
        answers: (B, C) the teacher's logits, with the same classes left out.
        synthetic: whether the examples have no labels.
    """
    soft = soft_losses(logits, answers).mean()
    return soft if synthetic else (1 - WEIGHT) * loss + WEIGHT * soft


def soft_losses(logits: Tensor, answers: Tensor) -> Tensor:
    """Return the loss of each example by its teacher's answers: (B,).

    Args:
        logits: (B, C) of the network that learns; -inf for classes that are left out.
        answers: (B, C) the teacher's logits, with the same classes left out. An example for which
            all are -inf has a loss of 0.
    """
    left_out = torch.isinf(answers)
    shares = answers.softmax(dim=1).masked_fill(left_out, 0.0)  # not a number if all are left out
    # 0 * -inf is not a number, and a class that is left out has a share of 0
    logs = F.log_softmax(logits, dim=1).masked_fill(left_out, 0.0)
    return -(shares * logs).sum(dim=1)


class Table:
    """`n` answers of the same width, in float16.

    Args:
        n: the number of rows.
        width: of each row.
        device: where they are kept.
    """

    def __init__(self, n: int, width: int, device: torch.device) -> None:
        self._rows = torch.empty((n, width), dtype=torch.float16, device=device)

    def write(self, numbers: Tensor, rows: Tensor) -> None:
        """Keep rows (b, width) by their numbers (b,); -inf stays, all else becomes finite."""
        self._rows[numbers] = _halved(rows)

    def read(self, numbers: Tensor) -> Tensor:
        """Return the rows of these numbers: (B, width) float32."""
        return self._rows[numbers].float()


class RaggedTable:
    """Answers of different widths, one after the other, in float16.

    Args:
        widths: (n,) of each row.
        device: where they are kept.
    """

    def __init__(self, widths: npt.NDArray[np.int64], device: torch.device) -> None:
        self._widths = torch.from_numpy(widths).to(device)
        self._firsts = self._widths.cumsum(0) - self._widths
        self._values = torch.empty(int(widths.sum()), dtype=torch.float16, device=device)

    def write(self, numbers: Tensor, rows: Tensor) -> None:
        """Keep rows by their numbers (b,); what a row (b, W) has beyond its width is dropped."""
        places, inside = self._places(numbers, rows.shape[1])
        self._values[places[inside]] = _halved(rows[inside])

    def read(self, numbers: Tensor) -> Tensor:
        """Return the rows of these numbers, padded with -inf to the widest of them, float32."""
        places, inside = self._places(numbers, int(self._widths[numbers].max()))
        values = self._values[places.clamp(max=len(self._values) - 1)]
        return values.float().masked_fill(~inside, -torch.inf)

    def _places(self, numbers: Tensor, width: int) -> tuple[Tensor, Tensor]:
        """Return where the first `width` values of rows are, and whether a row has them."""
        columns = torch.arange(width, device=numbers.device)
        return self._firsts[numbers][:, None] + columns, columns < self._widths[numbers][:, None]


def make_table(n: int, width: Width, device: torch.device) -> Table | RaggedTable:
    """Return a table of `n` rows of one width or of the widths given, (n,)."""
    return Table(n, width, device) if isinstance(width, int) else RaggedTable(width, device)


def _halved(values: Tensor) -> Tensor:
    """Return values as float16; those beyond its range become its largest, but -inf stays."""
    left_out = torch.isneginf(values)
    return values.clamp(-_LARGEST, _LARGEST).half().masked_fill(left_out, -torch.inf)
