"""`Packed`: the time steps of packed sequences, and the direction in which they are read.

Packed form is PyTorch's: the rows of all time steps one after the other. Step t has
`batch_sizes[t]` rows, one for each sequence that is long enough; the longest sequence comes first.
Dimensions: N rows in all (words of the batch), T steps.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class Packed(NamedTuple):
    """The time steps of packed sequences, and the direction in which a layer reads them."""

    batch_sizes: Sequence[int]
    """(T,) rows of each time step, never growing; they sum to N."""
    reverse: bool = False
    """Whether each sequence is read from its last word to its first."""

    def steps(self) -> list[tuple[int, int]]:
        """(first row, number of rows) of each time step, in the order in which they are read."""
        steps: list[tuple[int, int]] = []
        start = 0
        for size in self.batch_sizes:
            steps.append((start, size))
            start += size
        return steps[::-1] if self.reverse else steps


def turned_rows(batch_sizes: Tensor) -> Tensor:
    """Return for each row (N,) the row at the mirrored position of the same sequence.

    `batch_sizes` (T,) is on the CPU, and so is the result.
    """
    sizes = batch_sizes.numpy()  # NumPy takes a quarter of PyTorch's time for so few numbers
    starts = np.cumsum(sizes) - sizes  # (T,)
    step = np.repeat(np.arange(len(sizes)), sizes)  # (N,)
    sequence = np.arange(len(step)) - starts[step]  # (N,)
    lengths = np.searchsorted(-sizes, -np.arange(sizes[0]))  # of each sequence
    return torch.from_numpy(starts[lengths[sequence] - 1 - step] + sequence)
