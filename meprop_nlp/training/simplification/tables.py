"""Tables in float16 in which a teacher's answers are kept, a row for each example."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Width: TypeAlias = int | npt.NDArray[np.int64]  # of all rows, or of each: (n,)
_LARGEST = float(torch.finfo(torch.float16).max)


class Table:
    """`n` rows of the same width.

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
    """Rows of different widths, one after the other.

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
