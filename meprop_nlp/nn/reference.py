"""The plain PyTorch reference of every kernel of a linear layer, and of choosing gates' entries.

Simple, on any device and in any floating type; the native core must give the same. Reached through
`nn/kernels.py`, the border. The LSTM's reference is `nn/recurrence.py`. Dimensions: B examples,
I in, O out, K kept.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from meprop_nlp.config import TOPK_MODES, TopkMode
from meprop_nlp.errors import ConfigError

__all__ = [
    "active_k",
    "check_k",
    "check_topk_mode",
    "column_magnitudes",
    "count_hits",
    "keep_selected",
    "largest",
    "masked_products",
    "random_scores",
    "row_gradient",
    "select_topk",
    "sparse_backward_linear",
    "sparsify_gates",
]


def check_topk_mode(mode: str) -> None:
    """Raise `ConfigError` unless `mode` is one of `TOPK_MODES`."""
    if mode not in TOPK_MODES:
        wanted = ", ".join(TOPK_MODES)
        raise ConfigError(f"topk_mode is {mode!r}, expected one of {wanted}")


def check_k(k: int, width: int) -> None:
    """Raise `ConfigError` unless k entries of a row of `width` can be kept."""
    if not 1 <= k <= width:
        raise ConfigError(f"k is {k}, expected 1 to {width}, the width of the gradient")


def active_k(k: int | None, width: int) -> int | None:
    """`k` where it sparsifies a gradient of `width` entries, else None: plain backprop.

    None, k <= 0 and k >= width all mean plain backprop (meProp, section 2.1).
    """
    return k if k is not None and 0 < k < width else None


def select_topk(
    dy: Tensor,
    k: int,
    mode: TopkMode = "example",
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """The indices of the k entries of `dy` that survive (meProp, sections 2.1 and 2.2).

    `example` keeps each row's k largest magnitudes; `unified` keeps for all rows the k columns with
    the largest sum of magnitudes; `random` keeps k of each row's entries drawn uniformly.
    Ties go to the lowest index. NaN counts as an infinite magnitude, so that it is
    selected and a broken gradient shows itself instead of being dropped.

    Args:
        dy: (B, O) gradient.
        k: how many survive, from 1 to O.
        mode: see above.
        generator: source of `random`; None is PyTorch's default generator. It may live on another
            device than `dy`.

    Returns:
        selected: int64, indices in increasing order: (B, K), or (K,) where `mode` is `unified`.

    Raises:
        ConfigError: unknown mode, or k outside 1 to O.
    """
    check_topk_mode(mode)
    check_k(k, dy.shape[1])
    if mode == "random":
        return largest(random_scores(dy, generator), k)
    if mode == "unified":
        return largest(column_magnitudes(dy).unsqueeze(0), k)[0]  # (K,)
    return largest(dy.detach().abs(), k)


def column_magnitudes(dy: Tensor) -> Tensor:
    """(O,) sum over the batch of the magnitudes of `dy` (B, O).

    Sums of 16-bit numbers are float32, where they neither overflow nor fall together.
    """
    wide = torch.promote_types(dy.dtype, torch.float32)
    return dy.detach().abs().sum(dim=0, dtype=wide)


def random_scores(dy: Tensor, generator: torch.Generator | None) -> Tensor:
    """(B, O) scores drawn uniformly where `generator` lives, on the device of `dy`."""
    device = dy.device if generator is None else generator.device
    return torch.rand(dy.shape, generator=generator, device=device).to(dy.device)


def keep_selected(dy: Tensor, selected: Tensor) -> Tensor:
    """sdy: a copy of `dy` with every entry that is not selected set to zero.

    Args:
        dy: (B, O) gradient.
        selected: (B, K) or (K,) indices as `select_topk` gives them.

    Returns:
        (B, O) sparsified gradient, stored densely.
    """
    if selected.dim() == 1:
        selected = selected.expand(dy.shape[0], -1)
    return torch.zeros_like(dy).scatter_(1, selected, dy.gather(1, selected))


def count_hits(dy: Tensor, selected: Tensor, hits: Tensor) -> None:
    """Add to `hits[j]` the number of examples that selected neuron j (meSimp, section 3).

    A selected entry that is exactly zero is not a hit: it sends no gradient, and would otherwise
    make the lowest indices look active wherever an example has fewer than k non-zero entries.

    Args:
        dy: (B, O) gradient before sparsification.
        selected: (B, K) or (K,) indices as `select_topk` gives them.
        hits: (O,) int64 counts, changed in place.
    """
    if selected.dim() == 1:
        hits.index_add_(0, selected, (dy.index_select(1, selected) != 0).sum(dim=0))
    else:
        nonzero = dy.gather(1, selected) != 0  # (B, K)
        hits.scatter_add_(0, selected.reshape(-1), nonzero.reshape(-1).to(hits.dtype))


def sparse_backward_linear(
    dy: Tensor,
    x: Tensor,
    weight: Tensor,
    selected: Tensor,
    *,
    need_dx: bool = True,
    need_dw: bool = True,
    sparse_grad: bool = False,
) -> tuple[Tensor | None, Tensor | None]:
    """The two products of a linear layer's backward pass, over the selected entries only.

    With per-example indices this reference multiplies the masked gradient densely; with one index
    set for the batch it multiplies matrices of width K, which is really cheaper.

    Args:
        dy: (B, O) gradient before sparsification.
        x: (B, I) input of the layer.
        weight: (O, I).
        selected: (B, K) or (K,) indices as `select_topk` gives them.
        need_dx: whether to compute dx.
        need_dw: whether to compute dw.
        sparse_grad: give dw as a `row_gradient` of the neurons that any example selected.

    Returns:
        dx (B, I) and dw (O, I), None where not needed.
    """
    dx: Tensor | None = None
    dw: Tensor | None = None
    if selected.dim() == 1:
        kept = dy.index_select(1, selected)  # (B, K)
        if need_dx:
            dx = kept.mm(weight.index_select(0, selected))
        if need_dw:
            rows = kept.t().mm(x)  # (K, I)
            if sparse_grad:
                dw = row_gradient(selected, rows, len(weight))
            else:
                dw = torch.zeros_like(weight, memory_format=torch.contiguous_format)
                dw.index_copy_(0, selected, rows)
        return dx, dw
    sdy = keep_selected(dy, selected)
    dx, dw = masked_products(sdy, x, weight, need_dx=need_dx, need_dw=need_dw and not sparse_grad)
    if need_dw and sparse_grad:
        neurons = torch.unique(selected)
        dw = row_gradient(neurons, sdy.index_select(1, neurons).t().mm(x), len(weight))
    return dx, dw


def masked_products(
    sdy: Tensor, x: Tensor, weight: Tensor, *, need_dx: bool = True, need_dw: bool = True
) -> tuple[Tensor | None, Tensor | None]:
    """dx (B, I) and dw (O, I) of a masked gradient (B, O), densely; None where not needed."""
    return sdy.mm(weight) if need_dx else None, sdy.t().mm(x) if need_dw else None


def row_gradient(neurons: Tensor, rows: Tensor, n_outs: int) -> Tensor:
    """A weight's gradient that stores only some rows; the rest are zero.

    Args:
        neurons: (R,) int64, the indices of the rows, increasing.
        rows: (R, I) their values.
        n_outs: O.

    Returns:
        (O, I) `torch.sparse_coo_tensor` with one sparse dimension, coalesced.
    """
    # No check of the invariants: on a GPU the host would wait for its result.
    return torch.sparse_coo_tensor(
        neurons.unsqueeze(0),
        rows,
        (n_outs, rows.shape[1]),
        check_invariants=False,
        is_coalesced=True,
    )


def sparsify_gates(
    dgates: Tensor,
    k: int,
    mode: TopkMode = "example",
    *,
    generator: torch.Generator | None = None,
    select: Callable[..., Tensor] = select_topk,
) -> Tensor:
    """One time step's gate gradients of an LSTM with k entries kept in each of the four gates.

    Args:
        dgates: (B, 4, H) gradients before the activations.
        k: how many of each gate's H entries survive, from 1 to H.
        mode: `example` and `random` select per example; `unified` per gate for the whole batch.
        generator: source of `random`.
        select: chooses the entries, as `select_topk` does.

    Returns:
        (B, 4, H) sparsified gradient, stored densely.

    Raises:
        ConfigError: unknown mode, or k outside 1 to H.
    """
    n, n_gates, width = dgates.shape
    if mode == "unified":
        total = dgates.abs().sum(dim=0)  # (4, H)
        selected = select(total, k).expand(n, n_gates, k).reshape(-1, k)  # (4B, K)
    else:
        selected = select(dgates.reshape(-1, width), k, mode, generator=generator)
    return keep_selected(dgates.reshape(-1, width), selected).view(n, n_gates, width)


def largest(magnitude: Tensor, k: int) -> Tensor:
    """(B, K) increasing indices of each row's k largest entries; ties: lowest index first.

    `magnitude` (B, O) is not negative and is changed in place. `torch.topk` promises no order among
    equal values, so it is asked for one value more: only where the cut falls between two equal
    values can its choice be wrong, and only those rows are chosen again.
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
