"""A layer over slots of a table on the native core, which multiplies each distinct pair once.

Dimensions: B examples, F slots, P distinct pairs of a slot and a row, E columns of a row, O
neurons.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from meprop_nlp.nn.backends import reference_topk
from meprop_nlp.nn.backends.core import Core, readable
from meprop_nlp.nn.backends.native_topk import KeptEntries, select_entries
from meprop_nlp.nn.backends.reference_topk import MaskedGradient
from meprop_nlp.nn.topk import Selection

# The share of distinct (slot, row) pairs in a batch above which products of the rows side by side
# are cheaper than those of the pairs.
PAIR_SHARE = 0.5


class SharedPairs(NamedTuple):
    """The products of a layer's weights with the vectors of distinct pairs."""

    core: Core
    vectors: Tensor
    """(P, E)."""
    pair: Tensor
    """(B, F) int32."""
    first: Tensor
    """(F + 1,) int32; see `ReferenceRows.number_pairs`."""
    weight: Tensor
    """(O, F * E)."""

    def forward(self, bias: Tensor | None) -> Tensor:
        """(B, O) the layer on the vectors side by side; `bias` is (O,) or None."""
        y = self.vectors.new_empty(len(self.pair), len(self.weight))
        self.core.kernels.slot_forward(
            readable(self.vectors),
            self.pair,
            self.first,
            readable(self.weight),
            None if bias is None else readable(bias),
            y,
            self.core.threads,
        )
        return y

    def topk(
        self, dy: Tensor, selection: Selection, *, counting: bool
    ) -> KeptEntries | MaskedGradient:
        """Select the entries of `dy` (B, O) that survive, as `backward` takes them.

        Args:
            dy, selection: as in `choose.topk`.
            counting: whether `Kept.count` will be called.
        """
        k, mode, generator = selection
        dy = readable(dy)
        if k is None:
            return MaskedGradient(dy, dy.sum(dim=0))
        if mode == "example":
            return select_entries(self.core, dy, k, counting=counting)
        selected = reference_topk.select_topk(dy, k, mode, generator=generator)
        if selected.dim() == 1:
            selected = selected.expand(len(dy), -1)
        indices, values = selected.int().contiguous(), dy.gather(1, selected)
        return KeptEntries(self.core, indices, values, dy.shape[1], dy.sum(dim=0))

    def backward(self, kept: KeptEntries | MaskedGradient) -> tuple[Tensor, Tensor]:
        """The gradients of the vectors (P, E) and of the weight (O, F * E)."""
        if isinstance(kept, KeptEntries):
            indices, values = kept.indices, kept.values
        else:
            indices, values = None, kept.sdy
        vectors, weight = readable(self.vectors), readable(self.weight)
        dvectors, dw = torch.empty_like(vectors), torch.empty_like(weight)
        self.core.kernels.slot_backward(
            indices,
            values,
            vectors,
            self.pair,
            self.first,
            weight,
            dvectors,
            dw,
            self.core.threads,
        )
        return dvectors, dw
