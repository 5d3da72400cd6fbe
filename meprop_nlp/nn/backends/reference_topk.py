"""Selection and products of the entries of a gradient that survive, in plain PyTorch.

Simple code for any device and any floating dtype. Every other backend must select the same entries
and compute the same products. Dimensions: B examples, I inputs, O outputs, K kept.
"""

import torch
from torch import Tensor

from meprop_nlp.config import TopkMode
from meprop_nlp.nn.row_gradient import row_gradient
from meprop_nlp.nn.topk import Kept, Operands, Selection


class MaskedGradient(Kept):
    """sdy stored densely: its products cost as much as those of plain backprop.

    Args:
        sdy: (B, O), zero except for the kept entries.
        db, hits: see `Kept`.
        rows: (R,) int64, increasing: `dw` stores these rows only. None: a dense `dw`.
    """

    def __init__(
        self,
        sdy: Tensor,
        db: Tensor | None = None,
        hits: Tensor | None = None,
        *,
        rows: Tensor | None = None,
    ) -> None:
        self.sdy, self.db, self.hits, self.rows = sdy, db, hits, rows

    def dx(self, weight: Tensor) -> Tensor:
        return self.sdy.mm(weight)

    def dw(self, x: Tensor) -> Tensor:
        if self.rows is None:
            return self.sdy.t().mm(x)
        values = self.sdy.index_select(1, self.rows).t().mm(x)
        return row_gradient(self.rows, values, self.sdy.shape[1])

    def count_of(self, n_neurons: int) -> Tensor:
        is_kept = self.sdy != 0
        n_rows, width = is_kept.shape
        if width != n_neurons:
            is_kept = is_kept.view(n_rows, width // n_neurons, n_neurons).any(dim=1)
        return is_kept.sum(dim=0)


class KeptColumns(Kept):
    """The same K columns of all examples (`unified`), with dense products of width K.

    Args:
        neurons: (K,) int64, increasing.
        values: (B, K) these columns of dy.
        width: O.
        db: see `Kept`.
        row_sparse: whether `dw` stores only the rows of `neurons`.
    """

    def __init__(
        self, neurons: Tensor, values: Tensor, width: int, db: Tensor | None, *, row_sparse: bool
    ) -> None:
        self.neurons, self.values, self.width = neurons, values, width
        self.db = db
        self.row_sparse = row_sparse

    def dx(self, weight: Tensor) -> Tensor:
        return self.values.mm(weight.index_select(0, self.neurons))

    def dw(self, x: Tensor) -> Tensor:
        rows = self.values.t().mm(x)  # (K, I)
        if self.row_sparse:
            return row_gradient(self.neurons, rows, self.width)
        return x.new_zeros(self.width, x.shape[1]).index_copy_(0, self.neurons, rows)

    def count_of(self, n_neurons: int) -> Tensor:
        counts = (self.values != 0).sum(dim=0)
        return counts.new_zeros(n_neurons).index_add_(0, self.neurons, counts)


def keep(dy: Tensor, selection: Selection, layer: Operands) -> Kept:
    """Select the entries of `dy` (B, O) that survive; see `choose.topk`."""
    k, mode, generator = selection
    db = dy.sum(dim=0) if layer.need_db else None
    if k is None:
        return MaskedGradient(dy, db)
    selected = select_topk(dy, k, mode, generator=generator)
    return keep_selected(dy, selected, db, row_sparse=layer.row_sparse)


def keep_selected(
    dy: Tensor, selected: Tensor, db: Tensor | None = None, *, row_sparse: bool = False
) -> Kept:
    """Keep the entries of `dy` (B, O) at the indices `selected`: (B, K), or (K,) for all rows."""
    if selected.dim() == 1:
        values = dy.index_select(1, selected)  # (B, K)
        return KeptColumns(selected, values, dy.shape[1], db, row_sparse=row_sparse)
    rows = torch.unique(selected) if row_sparse else None
    return MaskedGradient(mask_selected(dy, selected), db, rows=rows)


def select_topk(
    dy: Tensor,
    k: int,
    mode: TopkMode = "example",
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return the indices of the k entries of `dy` that survive; see `nn/topk.py`.

    Args:
        dy: (B, O) gradient.
        k: how many survive, from 1 to O.
        mode: `example`, `unified` or `random`.
        generator: source of `random`; None is PyTorch's default generator. It may live on another
            device than `dy`.

    Returns:
        int64 indices in increasing order: (B, K), or (K,) where `mode` is `unified`.
    """
    if mode == "random":
        return largest(random_scores(dy, generator), k)
    if mode == "unified":
        return largest(column_magnitudes(dy).unsqueeze(0), k)[0]  # (K,)
    return largest(dy.detach().abs(), k)


def column_magnitudes(dy: Tensor) -> Tensor:
    """(O,) sum over the batch of the magnitudes of `dy` (B, O).

    16-bit numbers are summed in float32, where sums neither overflow nor become equal.
    """
    wide = torch.promote_types(dy.dtype, torch.float32)
    return dy.detach().abs().sum(dim=0, dtype=wide)


def random_scores(dy: Tensor, generator: torch.Generator | None) -> Tensor:
    """(B, O) scores on the device of `dy`, drawn uniformly on the device of `generator`."""
    device = dy.device if generator is None else generator.device
    return torch.rand(dy.shape, generator=generator, device=device).to(dy.device)


def mask_selected(dy: Tensor, selected: Tensor) -> Tensor:
    """(B, O) copy of `dy` that is zero except for the entries at the indices `selected` (B, K)."""
    return torch.zeros_like(dy).scatter_(1, selected, dy.gather(1, selected))


def largest(magnitude: Tensor, k: int) -> Tensor:
    """(B, K) increasing indices of each row's k largest entries; ties: lowest index first.

    `magnitude` (B, O) is not negative and is changed in place. `torch.topk` promises no order among
    equal values, so it is asked for one value more: its choice can be wrong only in rows where the
    cut falls between two equal values, and only those rows are selected again.
    """
    n_rows, width = magnitude.shape
    if k == width:
        return torch.arange(width, device=magnitude.device).repeat(n_rows, 1)
    magnitude.nan_to_num_(nan=torch.inf, posinf=torch.inf)
    values, indices = magnitude.topk(k + 1, dim=1)
    selected = indices[:, :k].sort(dim=1).values
    tied = (values[:, k - 1] == values[:, k]).nonzero().squeeze(1)
    if tied.numel() > 0:
        rows = magnitude[tied]  # (R, O)
        threshold = values[tied, k - 1].unsqueeze(1)  # (R, 1)
        above = rows > threshold
        equal = rows == threshold
        room = k - above.sum(dim=1, keepdim=True)  # (R, 1)
        keep = above | (equal & (equal.cumsum(dim=1) <= room))
        selected[tied] = keep.nonzero()[:, 1].reshape(-1, k)
    return selected
