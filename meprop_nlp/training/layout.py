"""`Layout`: where the packed words of a minibatch stand in their sentences."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class Layout(NamedTuple):
    """Where the N packed words of B sentences of up to T words stand in a padded table.

    Attributes:
        places: (B, T) the packed row of each word; 0 where a sentence has ended.
        is_word: (B, T) whether a sentence has a word there.
        sentences, positions: (N,) the place of each packed row.
    """

    places: Tensor
    is_word: Tensor
    sentences: Tensor
    positions: Tensor

    @classmethod
    def of(cls, batch_sizes: Tensor, device: torch.device) -> Layout:
        """Return the layout of packed sentences; `batch_sizes` (T,) is on the CPU."""
        sizes = batch_sizes.numpy()
        starts = np.cumsum(sizes) - sizes
        positions = np.repeat(np.arange(len(sizes)), sizes)
        sentences = np.arange(len(positions)) - starts[positions]
        lengths = np.searchsorted(-sizes, -np.arange(sizes[0]))
        is_word = np.arange(len(sizes)) < lengths[:, None]
        places = np.where(is_word, starts + np.arange(sizes[0])[:, None], 0)
        arrays = (places, is_word, sentences, positions)
        return cls(*(torch.from_numpy(array).to(device) for array in arrays))
