"""The border to the native core for the LSTM; see `nn/kernels.py`.

Dimensions: N words, B sequences, I in, H units, K kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from meprop_nlp.config import TopkMode
from meprop_nlp.nn import recurrence, reference
from meprop_nlp.nn.core import core_for
from meprop_nlp.nn.linear_kernels import sparse_dw, sparse_dx
from meprop_nlp.nn.recurrence import LSTMTrace

__all__ = ["LSTMGradients", "LSTMTrace", "lstm_backward", "lstm_forward"]


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
            sparse_dx(core, indices, values, weight_ih) if need_dx else None,
            dh,
            dc,
            sparse_dw(core, indices, values, x, 4 * width) if need_dw else None,
            sparse_dw(core, indices, values, trace.h_prev, 4 * width) if need_dw else None,
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


def _count_units(indices: Tensor, values: Tensor, hits: Tensor) -> None:
    """Add to `hits` (H,) the words that kept any of a unit's four gates: once a word."""
    width = len(hits)
    units = indices.long().remainder(width)  # (N, 4K)
    kept = torch.zeros(len(indices), width, dtype=torch.bool)
    rows = torch.arange(len(indices)).unsqueeze(1).expand_as(units)
    nonzero = values != 0
    kept[rows[nonzero], units[nonzero]] = True
    hits += kept.sum(dim=0)
