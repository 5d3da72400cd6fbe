"""`Layout`: where the packed words of a minibatch stand in their sentences."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from meprop_nlp.nn.packed import Places


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
        starts, positions, sentences, lengths = Places.of(batch_sizes)
        is_word = np.arange(len(starts)) < lengths[:, None]
        places = np.where(is_word, starts + np.arange(len(lengths))[:, None], 0)
        arrays = (places, is_word, sentences, positions)
        return cls(*(torch.from_numpy(array).to(device) for array in arrays))
