"""`Swaps`: synthetic sentences, in which words are swapped for others of the same tag.

A cut network learns from its teacher's answers to them too (after Bucila et al. 2006).
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

SWAPPED = 0.5  # share of the words that are swapped


class Swaps:
    """Swaps forms for others of the same tag, each of these with the same chance.

    Args:
        forms: (n_words,) the number of each word's form, 0 to n - 1; each occurs at least once.
        tags: (n_words,) each word's tag; a form belongs to its most frequent tag.
    """

    def __init__(self, forms: npt.NDArray[np.int64], tags: npt.NDArray[np.int64]) -> None:
        pairs, counts = np.unique(np.stack([forms, tags], 1), axis=0, return_counts=True)
        by_count = np.lexsort((-counts, pairs[:, 0]))
        _, first = np.unique(pairs[by_count, 0], return_index=True)
        tag_of = pairs[by_count[first], 1]  # (n_forms,)
        _, kind, sizes = np.unique(tag_of, return_inverse=True, return_counts=True)
        self._kind, self._sizes = torch.from_numpy(kind), torch.from_numpy(sizes)
        self._members = torch.from_numpy(np.argsort(kind, kind="stable"))  # kind by kind
        self._starts = torch.from_numpy(np.cumsum(sizes) - sizes)

    def __call__(self, forms: Tensor) -> Tensor:
        """Return form numbers (int64, any shape, any device) with some of them swapped."""
        kind = self._kind.to(forms.device)[forms]
        sizes, starts = self._sizes.to(forms.device), self._starts.to(forms.device)
        offset = (torch.rand(forms.shape, device=forms.device) * sizes[kind]).long()
        others = self._members.to(forms.device)[starts[kind] + offset]
        swap = torch.rand(forms.shape, device=forms.device) < SWAPPED
        return torch.where(swap, others, forms)
