"""A linear layer's backward pass on a GPU: the host never waits for the device.

The selection is the reference's, entry by entry (ties: lowest index first, NaN as infinity; columns
are summed in another order, so that sums alike to the last bits may change places), made without
asking the device how many ties there are; the products are the reference's own. Written in
plain PyTorch, so that it runs and is tested on any device; where Triton is installed one fused
kernel selects, or selects and masks. Without host synchronisation a CUDA graph can hold the pass.

`unified` makes products of width K. `example` and `random` multiply the masked gradient densely:
a row of the other matrix is fetched for every kept entry otherwise, which tensor cores outrun
unless less than about one entry in a hundred is kept. Dimensions: B examples, I in, O out, K kept.
"""

from __future__ import annotations

import warnings
from functools import cache
from types import ModuleType

import torch
from torch import Tensor

from meprop_nlp.config import TopkMode
from meprop_nlp.nn import reference

# The widest row the Triton kernel holds in one program's registers.
WIDEST = 32768


def linear_backward(
    dy: Tensor,
    x: Tensor,
    weight: Tensor,
    k: int,
    mode: TopkMode = "example",
    *,
    need_dx: bool = True,
    need_dw: bool = True,
    hits: Tensor | None = None,
    generator: torch.Generator | None = None,
    sparse_grad: bool = False,
) -> tuple[Tensor | None, Tensor | None]:
    """Select k entries of each row of `dy`, and make the two products of what is left.

    Arguments, results and errors are those of `kernels.linear_backward`. The host waits for the
    device in two cases only: to list the rows of a row-sparse gradient in the modes other than
    `unified`, and where `generator` lives on the CPU.
    """
    if mode == "example" and not (need_dw and sparse_grad):
        sdy = mask_topk(dy, k)
        if hits is not None:
            hits += (sdy != 0).sum(dim=0)
        return reference.masked_products(sdy, x, weight, need_dx=need_dx, need_dw=need_dw)
    selected = select_topk(dy, k, mode, generator=generator)
    if hits is not None:
        reference.count_hits(dy, selected, hits)
    return reference.sparse_backward_linear(
        dy, x, weight, selected, need_dx=need_dx, need_dw=need_dw, sparse_grad=sparse_grad
    )


def select_topk(
    dy: Tensor,
    k: int,
    mode: TopkMode = "example",
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """`reference.select_topk` without host synchronisation (meProp, sections 2.1 and 2.2).

    Args:
        dy: (B, O) gradient.
        k: how many survive, from 1 to O.
        mode: `example`, `unified` or `random`.
        generator: source of `random`.

    Returns:
        selected: int64, indices in increasing order: (B, K), or (K,) where `mode` is `unified`.

    Raises:
        ConfigError: unknown mode, or k outside 1 to O.
    """
    reference.check_topk_mode(mode)
    reference.check_k(k, dy.shape[1])
    if mode == "unified":
        return _largest(column_magnitudes(dy).unsqueeze(0), k).squeeze(0)  # (K,)
    if mode == "random":
        return _largest(reference.random_scores(dy, generator), k)
    return _largest(dy.detach(), k)


def mask_topk(dy: Tensor, k: int) -> Tensor:
    """(B, O) `reference.keep_selected` of the k entries of each row that `example` keeps.

    Raises:
        ConfigError: k outside 1 to O.
    """
    reference.check_k(k, dy.shape[1])
    fused = _fused_for(dy)
    if fused is None:
        return reference.keep_selected(dy, select_topk(dy, k))
    masked: Tensor = fused.mask_rows(dy.detach(), k)
    return masked


def column_magnitudes(dy: Tensor) -> Tensor:
    """`reference.column_magnitudes` in one kernel, which on a GPU need not store the magnitudes."""
    wide = torch.promote_types(dy.dtype, torch.float32)
    total: Tensor = torch.linalg.vector_norm(dy.detach(), 1, dim=0, dtype=wide)
    return total


def largest_by_threshold(entries: Tensor, k: int) -> Tensor:
    """(B, K) increasing indices of the k largest magnitudes of each row, in plain PyTorch.

    Which of several equal values `torch.topk` returns is not defined, but the k-th value is. All
    above it are kept, and of those equal to it the lowest indices, as many as there is room for.

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


def _largest(entries: Tensor, k: int) -> Tensor:
    """(B, K) increasing indices of each row's k largest magnitudes; ties: lowest index first."""
    fused = _fused_for(entries)
    if fused is None:
        return largest_by_threshold(entries, k)
    selected: Tensor = fused.select_rows(entries, k)
    return selected


def _fused_for(entries: Tensor) -> ModuleType | None:
    """The Triton kernels where they can take (B, O) `entries`."""
    if entries.is_cuda and entries.shape[1] <= WIDEST:
        return fused_kernels(entries.get_device())
    return None


@cache
def fused_kernels(device: int) -> ModuleType | None:
    """`nn/triton_topk.py`; None where Triton is not installed or cannot compile for `device`."""
    try:
        from meprop_nlp.nn import triton_topk
    except ImportError:
        return None
    try:
        triton_topk.select_rows(torch.zeros(1, 2, device=torch.device("cuda", device)), 1)
    except Exception as error:  # of Triton, of its C compiler or of the driver
        reason = str(error).strip().partition("\n")[0]
        warnings.warn(
            f"selecting with PyTorch alone, slower: the Triton kernel cannot run ({reason})",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
    return triton_topk
