"""`Packed`: the time steps of packed sequences, and the direction in which they are read.

Packed form is PyTorch's: the rows of all time steps one after the other. Step t has
`batch_sizes[t]` rows, one for each sequence that is long enough; the longest sequence comes first.
Dimensions: N rows in all (words of the batch), T steps.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
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


class Places(NamedTuple):
    """Where the rows of packed sequences belong.

    Attributes:
        starts: (T,) the first row of each time step.
        steps: (N,) the time step of each row.
        sequences: (N,) the sequence of each row.
        lengths: (B,) of each sequence.
    """

    starts: npt.NDArray[np.int64]
    steps: npt.NDArray[np.int64]
    sequences: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]

    @classmethod
    def of(cls, batch_sizes: Tensor) -> "Places":
        """Return the places of the rows; `batch_sizes` (T,) is on the CPU, and sums to N."""
        sizes = batch_sizes.numpy()  # NumPy takes a quarter of PyTorch's time for so few numbers
        starts = np.cumsum(sizes) - sizes
        steps = np.repeat(np.arange(len(sizes)), sizes)
        lengths = np.searchsorted(-sizes, -np.arange(sizes[0]))
        return cls(starts, steps, np.arange(len(steps)) - starts[steps], lengths)


def turned_rows(batch_sizes: Tensor) -> Tensor:
    """Return for each row (N,) the row at the mirrored position of the same sequence.

    `batch_sizes` (T,) is on the CPU, and so is the result.
    """
    starts, steps, sequences, lengths = Places.of(batch_sizes)
    return torch.from_numpy(starts[lengths[sequences] - 1 - steps] + sequences)
