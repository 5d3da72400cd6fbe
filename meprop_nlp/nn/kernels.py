"""The border to the native core: each function runs there, or on the plain PyTorch reference.

The core takes contiguous float32 and float64 tensors on the CPU and gives the same selection as the
reference (ties: lowest index first) and the same products. Nothing outside this file knows which
one ran. Dimensions: B examples, I in, O out, K kept; N words, H units.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import NamedTuple

import torch
from torch import Tensor

from meprop_nlp.config import TOPK_MODES, TopkMode
from meprop_nlp.nn import cuda, recurrence, reference
from meprop_nlp.nn.core import core_for
from meprop_nlp.nn.recurrence import LSTMTrace
from meprop_nlp.nn.reference import active_k, check_topk_mode

__all__ = [
    "TOPK_MODES",
    "LSTMGradients",
    "LSTMTrace",
    "TopkMode",
    "active_k",
    "check_topk_mode",
    "linear_backward",
    "lstm_backward",
    "lstm_forward",
]

# Where more than this share of a row is kept, dense products of the masked gradient are cheaper:
# measured by benchmarks/bench_linear.py.
DENSE_SHARE = 0.4


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

    Args:
        dy: (B, O) gradient before sparsification.
        x: (B, I) input of the layer.
        weight: (O, I).
        k: how many survive, from 1 to O.
        mode: see `reference.select_topk`.
        need_dx, need_dw: which products to make.
        hits: (O,) int64; what `reference.count_hits` counts is added.
        generator: source of `random`.
        sparse_grad: give dw as a `reference.row_gradient`.

    Returns:
        dx (B, I) and dw (O, I), None where not needed.

    Raises:
        ConfigError: unknown mode, or k outside 1 to O.
    """
    if dy.is_cuda:
        return cuda.linear_backward(
            *(dy, x, weight, k, mode),
            need_dx=need_dx,
            need_dw=need_dw,
            hits=hits,
            generator=generator,
            sparse_grad=sparse_grad,
        )
    core = core_for(dy, x, weight)
    wanted = {"need_dx": need_dx, "need_dw": need_dw, "sparse_grad": sparse_grad}
    if core is None or mode != "example":
        if core is not None and mode == "unified":
            selected = _select_columns(core, dy, k)
        else:
            selected = reference.select_topk(dy, k, mode, generator=generator)
        if hits is not None:
            reference.count_hits(dy, selected, hits)
        if core is None:
            return reference.sparse_backward_linear(dy, x, weight, selected, **wanted)
        if mode == "unified":
            return _unified_backward(core, dy, x, weight, selected, **wanted)
        indices, values = selected.int(), dy.gather(1, selected)
    else:
        reference.check_k(k, dy.shape[1])
        indices, values = _select(core, dy, k)
        if hits is not None:
            _count(indices, values, hits)
    if k > DENSE_SHARE * dy.shape[1]:
        return reference.sparse_backward_linear(dy, x, weight, indices.long(), **wanted)
    dx = _sparse_dx(core, indices, values, weight) if need_dx else None
    if need_dw and sparse_grad:
        neurons, places = torch.unique(indices, return_inverse=True)
        rows = _sparse_dw(core, places.int(), values, x, len(neurons))
        return dx, reference.row_gradient(neurons.long(), rows, len(weight))
    dw = _sparse_dw(core, indices, values, x, len(weight)) if need_dw else None
    return dx, dw


def lstm_forward(
    x: Tensor,
    batch_sizes: Sequence[int],
    h0: Tensor,
    c0: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor | None,
    *,
    reverse: bool = False,
) -> tuple[Tensor, Tensor, Tensor, LSTMTrace]:
    """Run an LSTM over packed sequences; see `recurrence.lstm_forward`."""
    core = core_for(x, h0, c0, weight_ih, weight_hh, *(() if bias is None else (bias,)))
    if core is None:
        return recurrence.lstm_forward(
            x, batch_sizes, h0, c0, weight_ih, weight_hh, bias, reverse=reverse
        )
    n_rows, width = x.shape[0], weight_hh.shape[1]
    output, tanh_c, h_prev, c_prev = (x.new_empty(n_rows, width) for _ in range(4))
    h_n, c_n = (h0.new_empty(h0.shape) for _ in range(2))
    gates = x.new_empty(n_rows, 4 * width)
    core.lstm_forward(
        *(x.contiguous(), batch_sizes, reverse, h0.contiguous(), c0.contiguous()),
        *(weight_ih.contiguous(), weight_hh.contiguous()),
        None if bias is None else bias.contiguous(),
        *(output, h_n, c_n, gates, tanh_c, h_prev, c_prev),
        torch.get_num_threads(),
    )
    return output, h_n, c_n, LSTMTrace(gates, tanh_c, h_prev, c_prev)


class LSTMGradients(NamedTuple):
    """Gradients of an LSTM's inputs and weights; None where not needed."""

    dx: Tensor | None
    dh0: Tensor
    dc0: Tensor
    dw_ih: Tensor | None
    dw_hh: Tensor | None
    db: Tensor


def lstm_backward(
    doutput: Tensor,
    dh_n: Tensor,
    dc_n: Tensor,
    x: Tensor,
    batch_sizes: Sequence[int],
    weight_ih: Tensor,
    weight_hh: Tensor,
    trace: LSTMTrace,
    k: int | None,
    mode: TopkMode = "example",
    *,
    reverse: bool = False,
    need_dx: bool = True,
    need_dw: bool = True,
    hits: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> LSTMGradients:
    """Back-propagate through time, keeping k of each gate's gradients at each step.

    Args:
        doutput: (N, H) gradient of the packed output.
        dh_n, dc_n: (B, H) gradients of the last state.
        x, batch_sizes, weight_ih, weight_hh, reverse: as given to `lstm_forward`.
        trace: what `lstm_forward` left.
        k: entries kept of each gate, 1 to H; None keeps all.
        mode: see `reference.sparsify_gates`.
        need_dx, need_dw: which products to make.
        hits: (H,) int64; the words that kept any gate of unit j are added to hits[j].
        generator: source of `random`.
    """
    width = weight_hh.shape[1]
    core = core_for(doutput, dh_n, dc_n, x, weight_ih, weight_hh)
    if core is not None and k is not None and mode == "example":
        reference.check_k(k, width)
        dh, dc = (state.clone(memory_format=torch.contiguous_format) for state in (dh_n, dc_n))
        indices = torch.empty(len(x), 4 * k, dtype=torch.int32)
        values = x.new_empty(len(x), 4 * k)
        db = x.new_empty(4 * width)
        core.lstm_backward(
            *(doutput.contiguous(), batch_sizes, reverse, weight_hh.contiguous()),
            *(trace.gates, trace.tanh_c, trace.c_prev, dh, dc, indices, values, db),
            torch.get_num_threads(),
        )
        if hits is not None:
            _count_units(indices, values, hits)
        return LSTMGradients(
            _sparse_dx(core, indices, values, weight_ih) if need_dx else None,
            dh,
            dc,
            _sparse_dw(core, indices, values, x, 4 * width) if need_dw else None,
            _sparse_dw(core, indices, values, trace.h_prev, 4 * width) if need_dw else None,
            db,
        )

    def sparsify(dgates: Tensor) -> Tensor:  # (n, 4, H)
        if k is None:
            return dgates
        return reference.sparsify_gates(dgates, k, mode, generator=generator)

    dgates, sparse, dh, dc = recurrence.lstm_backward(
        doutput, dh_n, dc_n, batch_sizes, weight_hh, trace, sparsify, reverse=reverse
    )
    if hits is not None:
        hits += (sparse != 0).view(-1, 4, width).any(dim=1).sum(dim=0)
    return LSTMGradients(
        sparse.mm(weight_ih) if need_dx else None,
        dh,
        dc,
        sparse.t().mm(x) if need_dw else None,
        sparse.t().mm(trace.h_prev) if need_dw else None,
        dgates.sum(dim=0),
    )


def _select(core: ModuleType, dy: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """(B, K) int32 indices and the values there."""
    indices = torch.empty(len(dy), k, dtype=torch.int32)
    values = dy.new_empty(len(dy), k)
    core.select_topk(dy.contiguous(), indices, values, torch.get_num_threads())
    return indices, values


def _select_columns(core: ModuleType, dy: Tensor, k: int) -> Tensor:
    """(K,) int64, what `unified` keeps."""
    reference.check_k(k, dy.shape[1])
    total = dy.new_empty(dy.shape[1])
    core.column_magnitudes(dy.contiguous(), total, torch.get_num_threads())
    return reference.largest(total.unsqueeze(0), k)[0]


def _unified_backward(
    core: ModuleType,
    dy: Tensor,
    x: Tensor,
    weight: Tensor,
    selected: Tensor,
    *,
    need_dx: bool,
    need_dw: bool,
    sparse_grad: bool,
) -> tuple[Tensor | None, Tensor | None]:
    """The reference's two products of width K, by the core, which fills large results sooner."""
    values = dy.index_select(1, selected)  # (B, K)
    dx = dw = None
    if need_dx:
        places = torch.arange(len(selected), dtype=torch.int32).expand(len(dy), -1).contiguous()
        dx = _sparse_dx(core, places, values, weight.index_select(0, selected))
    if need_dw and sparse_grad:
        dw = reference.row_gradient(selected, values.t().mm(x), len(weight))
    elif need_dw:
        dw = torch.empty_like(weight, memory_format=torch.contiguous_format)
        threads = torch.get_num_threads()
        core.unified_dw(values, selected.int(), x.contiguous(), dw, threads)
    return dx, dw


def _sparse_dx(core: ModuleType, indices: Tensor, values: Tensor, weight: Tensor) -> Tensor:
    dx = weight.new_empty(len(indices), weight.shape[1])
    core.sparse_dx(indices, values, weight.contiguous(), dx, torch.get_num_threads())
    return dx


def _sparse_dw(core: ModuleType, indices: Tensor, values: Tensor, x: Tensor, n_outs: int) -> Tensor:
    dw = x.new_empty(n_outs, x.shape[1])
    if n_outs > 0:
        core.sparse_dw(indices, values, x.contiguous(), dw, torch.get_num_threads())
    return dw


def _count(indices: Tensor, values: Tensor, hits: Tensor) -> None:
    """Add to `hits` (O,) the examples that kept each neuron with a value other than zero."""
    hits += torch.bincount(indices[values != 0], minlength=len(hits))


def _count_units(indices: Tensor, values: Tensor, hits: Tensor) -> None:
    """Add to `hits` (H,) the words that kept any of a unit's four gates: once a word."""
    width = len(hits)
    units = indices.long().remainder(width)  # (N, 4K)
    kept = torch.zeros(len(indices), width, dtype=torch.bool)
    rows = torch.arange(len(indices)).unsqueeze(1).expand_as(units)
    nonzero = values != 0
    kept[rows[nonzero], units[nonzero]] = True
    hits += kept.sum(dim=0)
