"""Selection on a GPU without the host ever waiting for the device.

The selection is the reference's, entry by entry, except that columns are summed in another order:
two sums equal to the last bit may change places. It is made without asking the device how many ties
there are; the products are the reference's own. Written in plain PyTorch, it runs and is tested on
any device; where Triton is installed one fused kernel selects, or selects and masks. Without host
synchronisation a CUDA graph can hold the backward pass.

`unified` makes products of width K. `example` and `random` multiply the masked gradient densely:
otherwise a row of the other matrix is fetched for every kept entry, and tensor cores are faster
than that unless less than about one entry in a hundred is kept. Dimensions: B examples, O outputs,
K kept.
"""

from __future__ import annotations

from types import ModuleType

import torch
from torch import Tensor

from meprop_nlp.config import TopkMode
from meprop_nlp.nn.backends import reference_topk
from meprop_nlp.nn.backends.reference_topk import MaskedGradient
from meprop_nlp.nn.topk import Kept, Operands, Selection

__all__ = [
    "WIDEST",
    "column_magnitudes",
    "keep",
    "largest_by_threshold",
    "mask_topk",
    "select_topk",
]

# The widest row that one program of the Triton kernel holds in its registers.
WIDEST = 32768


def keep(
    dy: Tensor, selection: Selection, layer: Operands, fused: ModuleType | None = None
) -> Kept:
    """Select the entries of `dy` (B, O) that survive; see `choose.topk`.

    The host waits for the device in two cases only: to list the rows of a row-sparse gradient in
    the modes other than `unified`, and where the generator lives on the CPU.

    Args:
        dy, selection, layer: as in `choose.topk`.
        fused: `triton_topk`, where it can take `dy`.
    """
    k, mode, generator = selection
    db = dy.sum(dim=0) if layer.need_db else None
    if k is None:
        return MaskedGradient(dy, db)
    if mode == "example" and not layer.row_sparse:
        return MaskedGradient(mask_topk(dy, k, fused), db)
    selected = select_topk(dy, k, mode, generator=generator, fused=fused)
    return reference_topk.keep_selected(dy, selected, db, row_sparse=layer.row_sparse)


def select_topk(
    dy: Tensor,
    k: int,
    mode: TopkMode = "example",
    *,
    generator: torch.Generator | None = None,
    fused: ModuleType | None = None,
) -> Tensor:
    """`reference_topk.select_topk` without host synchronisation.

    Args:
        dy, k, mode, generator: see there.
        fused: as in `keep`.
    """
    if mode == "unified":
        return _largest(column_magnitudes(dy).unsqueeze(0), k, fused).squeeze(0)  # (K,)
    if mode == "random":
        return _largest(reference_topk.random_scores(dy, generator), k, fused)
    return _largest(dy.detach(), k, fused)


def mask_topk(dy: Tensor, k: int, fused: ModuleType | None = None) -> Tensor:
    """(B, O) copy of `dy` that is zero except where `example` keeps an entry."""
    if fused is None:
        return reference_topk.mask_selected(dy, select_topk(dy, k))
    masked: Tensor = fused.mask_rows(dy.detach(), k)
    return masked


def column_magnitudes(dy: Tensor) -> Tensor:
    """`reference_topk.column_magnitudes` in one kernel, which need not store the magnitudes."""
    wide = torch.promote_types(dy.dtype, torch.float32)
    total: Tensor = torch.linalg.vector_norm(dy.detach(), 1, dim=0, dtype=wide)
    return total


def largest_by_threshold(entries: Tensor, k: int) -> Tensor:
    """(B, K) increasing indices of the k largest magnitudes of each row, in plain PyTorch.

    Which of several equal values `torch.topk` returns is not defined, but the k-th value is. All
    entries above it are kept, and of those equal to it the lowest indices, as many as there is room
    for.

    Args:
        entries: (B, O), of any sign.
        k: from 1 to O.
    """
    n_rows, width = entries.shape
    magnitude = entries.abs().nan_to_num_(nan=torch.inf, posinf=torch.inf)
    threshold = magnitude.topk(k, dim=1, sorted=False).values.amin(dim=1, keepdim=True)  # (B, 1)
    above, equal = magnitude > threshold, magnitude == threshold
    room = k - above.sum(dim=1, keepdim=True)  # (B, 1)
    keep = above | (equal & (equal.cumsum(dim=1) <= room))
    # Each kept index is written to its place; all others to a column K that is dropped.
    place = torch.where(keep, keep.cumsum(dim=1) - 1, k)
    column = torch.arange(width, device=entries.device).expand(n_rows, width)
    selected = torch.empty(n_rows, k + 1, dtype=torch.int64, device=entries.device)
    return selected.scatter_(1, place, column).narrow(1, 0, k)


def _largest(entries: Tensor, k: int, fused: ModuleType | None) -> Tensor:
    """(B, K) increasing indices of each row's k largest magnitudes; ties: lowest index first."""
    if fused is None:
        return largest_by_threshold(entries, k)
    selected: Tensor = fused.select_rows(entries, k)
    return selected
