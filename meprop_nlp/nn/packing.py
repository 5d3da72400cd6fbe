"""Where the rows of packed sequences stand.

Packed form is PyTorch's: the rows of all time steps under each other, step t having
`batch_sizes[t]` rows, one for each sequence that is long enough; the longest sequence comes first.
Dimensions: N rows in all, T steps. Tables are made on the CPU, where `batch_sizes` is.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

__all__ = ["to_device", "turned_rows"]


def turned_rows(batch_sizes: Tensor) -> Tensor:
    """(N,) for each row, the row of the same sequence counted from its other end."""
    sizes = batch_sizes.numpy()  # a quarter of the time that PyTorch takes for so little
    starts = np.cumsum(sizes) - sizes  # (T,)
    step = np.repeat(np.arange(len(sizes)), sizes)  # (N,)
    sequence = np.arange(len(step)) - starts[step]  # (N,)
    lengths = np.searchsorted(-sizes, -np.arange(sizes[0]))  # of each sequence
    return torch.from_numpy(starts[lengths[sequence] - 1 - step] + sequence)


def to_device(table: Tensor, device: torch.device) -> Tensor:
    """`table` on `device`; a GPU fetches it by itself, and the host does not wait until it has."""
    return table.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else table
