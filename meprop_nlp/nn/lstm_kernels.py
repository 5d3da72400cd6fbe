"""The border to the native core for the LSTM; see `nn/kernels.py`.

Dimensions: N words, B sequences, I in, H units, K kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import NamedTuple

import torch
from torch import Tensor

from meprop_nlp.config import TopkMode
from meprop_nlp.nn import cuda, cuda_lstm, recurrence, reference
from meprop_nlp.nn.core import core_for
from meprop_nlp.nn.cuda_lstm import DenseForward, can_trace
from meprop_nlp.nn.linear_kernels import sparse_dw, sparse_dx
from meprop_nlp.nn.recurrence import LSTMTrace

__all__ = [
    "DenseForward",
    "LSTMGradients",
    "LSTMTrace",
    "can_trace",
    "lstm_backward",
    "lstm_forward",
]

# Where more than this share of a gate is kept, dense products of the masked gradient are cheaper:
# measured by benchmarks/bench_lstm.py.
DENSE_SHARE = 0.36


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
    known: DenseForward | None = None,
) -> tuple[Tensor, Tensor, Tensor, LSTMTrace]:
    """Run an LSTM over packed sequences; see `recurrence.lstm_forward`.

    `known` is what PyTorch's own LSTM gave for the same, where `can_trace(x)`.
    """
    if known is not None:
        left = cuda_lstm.trace(
            *(x, batch_sizes, h0, c0, weight_ih, weight_hh, bias, known.output), reverse=reverse
        )
        return *known, left
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
    if k is not None:
        reference.check_k(k, width)
    by_entries = mode == "example" or (mode == "unified" and k != width)
    if core is not None and k is not None and by_entries and k <= DENSE_SHARE * width:
        run = _example_entries if mode == "example" else _unified_entries
        indices, values, dh, dc, db = run(
            core, doutput, dh_n, dc_n, batch_sizes, weight_hh, trace, k, reverse=reverse
        )
        if hits is not None:
            _count_units(indices, values, hits)
        return LSTMGradients(
            sparse_dx(core, indices, values, weight_ih) if need_dx else None,
            dh,
            dc,
            sparse_dw(core, indices, values, x, 4 * width) if need_dw else None,
            sparse_dw(core, indices, values, trace.h_prev, 4 * width) if need_dw else None,
            db,
        )
    if mode == "example" and k is not None and cuda_lstm.can_go_back(doutput):
        sparse, dh, dc, db = cuda_lstm.sparse_gradients(
            doutput, dh_n, dc_n, batch_sizes, weight_hh, trace, k, reverse=reverse
        )
    elif core is not None and (k is None or mode != "random"):
        sparse, dh, dc, db = _masked_gradients(
            *(core, doutput, dh_n, dc_n, batch_sizes, weight_hh, trace, k),
            unified=mode == "unified",
            reverse=reverse,
        )
    else:
        # On a GPU the one that need not wait for it at every step.
        select = cuda.select_topk if doutput.is_cuda else reference.select_topk

        def sparsify(dgates: Tensor) -> Tensor:  # (n, 4, H)
            if k is None:
                return dgates
            return reference.sparsify_gates(dgates, k, mode, generator=generator, select=select)

        dgates, sparse, dh, dc = recurrence.lstm_backward(
            doutput, dh_n, dc_n, batch_sizes, weight_hh, trace, sparsify, reverse=reverse
        )
        db = dgates.sum(dim=0)
    if hits is not None:
        hits += (sparse != 0).view(-1, 4, width).any(dim=1).sum(dim=0)
    return LSTMGradients(
        sparse.mm(weight_ih) if need_dx else None,
        dh,
        dc,
        sparse.t().mm(x) if need_dw else None,
        sparse.t().mm(trace.h_prev) if need_dw else None,
        db,
    )


Entries = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
"""Places among the 4H gates and values of what is kept, (N, 4K) each; dh0, dc0 and db."""


def _example_entries(
    core: ModuleType,
    doutput: Tensor,
    dh_n: Tensor,
    dc_n: Tensor,
    batch_sizes: Sequence[int],
    weight_hh: Tensor,
    trace: LSTMTrace,
    k: int,
    *,
    reverse: bool,
) -> Entries:
    """All steps in one call: sequences need not wait for each other."""
    dh, dc, db, indices, values = _room_for_entries(dh_n, dc_n, trace, k)
    core.lstm_backward(
        *(doutput.contiguous(), batch_sizes, reverse, weight_hh.contiguous()),
        *(trace.gates, trace.tanh_c, trace.c_prev, dh, dc, indices, values, db),
        torch.get_num_threads(),
    )
    return indices, values, dh, dc, db


def _unified_entries(
    core: ModuleType,
    doutput: Tensor,
    dh_n: Tensor,
    dc_n: Tensor,
    batch_sizes: Sequence[int],
    weight_hh: Tensor,
    trace: LSTMTrace,
    k: int,
    *,
    reverse: bool,
) -> Entries:
    """Step by step: all sequences have a say in what a step keeps."""
    dh, dc, db, indices, values = _room_for_entries(dh_n, dc_n, trace, k)
    whole = doutput.contiguous(), trace.gates, trace.tanh_c, trace.c_prev
    weight_hh, threads = weight_hh.contiguous(), torch.get_num_threads()
    for start, n in reversed(recurrence.time_steps(batch_sizes, reverse=reverse)):
        index, value, dh_step = indices[start : start + n], values[start : start + n], dh[:n]
        core.lstm_step_backward(
            *(*whole, start, k, True, dh_step, dc[:n], None, index, value, db, threads)
        )
        core.sparse_dx(index, value, weight_hh, dh_step, threads)
    return indices, values, dh, dc, db


def _room_for_entries(dh_n: Tensor, dc_n: Tensor, trace: LSTMTrace, k: int) -> Entries:
    n_words, width = trace.tanh_c.shape
    dh, dc = (state.clone(memory_format=torch.contiguous_format) for state in (dh_n, dc_n))
    indices = torch.empty(n_words, 4 * k, dtype=torch.int32)
    return dh, dc, dh.new_zeros(4 * width), indices, dh.new_empty(n_words, 4 * k)


def _masked_gradients(
    core: ModuleType,
    doutput: Tensor,
    dh_n: Tensor,
    dc_n: Tensor,
    batch_sizes: Sequence[int],
    weight_hh: Tensor,
    trace: LSTMTrace,
    k: int | None,
    *,
    unified: bool,
    reverse: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gates' gradients with k kept (N, 4H), dh0, dc0 and db: steps by the core, products dense."""
    width, threads = weight_hh.shape[1], torch.get_num_threads()
    dh, dc = (state.clone(memory_format=torch.contiguous_format) for state in (dh_n, dc_n))
    whole = doutput.contiguous(), trace.gates, trace.tanh_c, trace.c_prev
    masked, db = torch.empty_like(trace.gates), dh.new_zeros(4 * width)
    for start, n in reversed(recurrence.time_steps(batch_sizes, reverse=reverse)):
        step, dh_step = masked[start : start + n], dh[:n]
        core.lstm_step_backward(
            *(*whole, start, k or width, unified, dh_step, dc[:n], step, None, None, db, threads)
        )
        torch.mm(step, weight_hh, out=dh_step)
    return masked, dh, dc, db


def _count_units(indices: Tensor, values: Tensor, hits: Tensor) -> None:
    """Add to `hits` (H,) the words that kept any of a unit's four gates: once a word."""
    width = len(hits)
    units = indices.long().remainder(width)  # (N, 4K)
    kept = torch.zeros(len(indices), width, dtype=torch.bool)
    rows = torch.arange(len(indices)).unsqueeze(1).expand_as(units)
    nonzero = values != 0
    kept[rows[nonzero], units[nonzero]] = True
    hits += kept.sum(dim=0)
