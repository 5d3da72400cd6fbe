"""Selection on a GPU without the host ever waiting for the device.

The selected entries are the reference's, except that columns are summed in another order, so that
two almost equal sums may change places. Nothing depends on how many ties there are, so that the
host need not know; the products are the reference's own. This is plain PyTorch, and is tested on
any device. If Triton is installed, one fused kernel selects, or selects and masks. Without host
synchronisation a CUDA graph can contain the backward pass.

The products of `unified` have width K. `example` and `random` multiply the masked gradient densely:
the alternative fetches a row of the other matrix for every kept entry, which is slower than tensor
cores unless fewer than about one entry in a hundred is kept. Dimensions: B examples, O outputs, K
kept.
"""

from types import ModuleType

import torch
from torch import Tensor

from meprop_nlp.config import TopkMode
from meprop_nlp.nn.backends import reference_topk
from meprop_nlp.nn.backends.reference_topk import MaskedGradient
from meprop_nlp.nn.topk import Kept, Operands, Selection

# The widest row that one program of the Triton kernel holds in its registers.
WIDEST = 32768


def keep(
    dy: Tensor, selection: Selection, layer: Operands, fused: ModuleType | None = None
) -> Kept:
    """Select the entries of `dy` (B, O) that survive; see `choose.topk`.

    The host waits for the device in two cases only: to list the rows of a row-sparse gradient in
    the modes other than `unified`, and to copy the numbers of a generator on the CPU.

    Args:
        dy, selection, layer: as in `choose.topk`.
        fused: `triton_topk`, if it can take `dy`.
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
    """Select the same entries as `reference_topk.select_topk`, without host synchronisation.

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
    """(B, O) copy of `dy` that is zero except for the entries that `example` keeps."""
    if fused is None:
        return reference_topk.mask_selected(dy, select_topk(dy, k))
    masked: Tensor = fused.mask_rows(dy.detach(), k)
    return masked


def column_magnitudes(dy: Tensor) -> Tensor:
    """Sum magnitudes like `reference_topk.column_magnitudes`, in one kernel."""
    wide = torch.promote_types(dy.dtype, torch.float32)
    total: Tensor = torch.linalg.vector_norm(dy.detach(), 1, dim=0, dtype=wide)
    return total


def largest_by_threshold(entries: Tensor, k: int) -> Tensor:
    """(B, K) increasing indices of the k largest magnitudes of each row, in plain PyTorch.

    It is undefined which of several equal values `torch.topk` returns, but the k-th value is not.
    All entries above it are kept, and as many of those equal to it as there is room for, lowest
    indices first.

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
    # Each kept index is written to its position, all others to a column K that is dropped.
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
