"""The LSTM on the native core.

Dimensions: N rows in all (words of the batch), B sequences, I inputs, H units, K kept.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from meprop_nlp.nn.backends.core import Core, readable
from meprop_nlp.nn.backends.native_topk import KeptEntries
from meprop_nlp.nn.backends.reference_lstm import input_products
from meprop_nlp.nn.backends.reference_topk import MaskedGradient
from meprop_nlp.nn.packed import Packed
from meprop_nlp.nn.recurrence import LSTMOutput, LSTMTrace, LSTMWeights, State
from meprop_nlp.nn.topk import Kept, Selection

# The share of a gate above which dense products of the masked gradient are cheaper: measured by
# benchmarks/bench_lstm.py.
DENSE_SHARE = 0.36


def forward(
    core: Core, x: Tensor, packed: Packed, state: State, weights: LSTMWeights
) -> tuple[LSTMOutput, LSTMTrace]:
    """Run the LSTM over packed sequences; see `reference_lstm.forward`."""
    n_rows, width = x.shape[0], weights.hh.shape[1]
    h0, c0 = state
    output, tanh_c, h_prev, c_prev = (x.new_empty(n_rows, width) for _ in range(4))
    h_n, c_n = (h0.new_empty(h0.shape) for _ in range(2))
    gates = input_products(x, weights)  # the core adds the recurrent ones
    core.kernels.lstm_forward(
        packed.batch_sizes,
        packed.reverse,
        readable(h0),
        readable(c0),
        readable(weights.hh),
        gates,
        output,
        h_n,
        c_n,
        tanh_c,
        h_prev,
        c_prev,
        core.threads,
    )
    return LSTMOutput(output, h_n, c_n), LSTMTrace(gates, tanh_c, h_prev, c_prev)


def backward_through_time(
    core: Core,
    upstream: LSTMOutput,
    packed: Packed,
    weight_hh: Tensor,
    trace: LSTMTrace,
    selection: Selection,
) -> tuple[Kept, Tensor, Tensor]:
    """Keep k of each gate's gradients at each step; see `choose.backward_through_time`.

    The mode is `example` or `unified`, or all entries are kept.
    """
    k, width = selection.k, weight_hh.shape[1]
    unified = selection.mode == "unified"
    room = _Room.for_steps(upstream)
    if k is None or k > DENSE_SHARE * width or (unified and k == width):
        kept = _dense_steps(core, room, packed, weight_hh, trace, k or width, unified=unified)
    elif unified:
        kept = _unified_steps(core, room, packed, weight_hh, trace, k)
    else:
        kept = _all_steps(core, room, packed, weight_hh, trace, k)
    return kept, room.dh, room.dc


class _Room(NamedTuple):
    """The gradients that the steps read and change in place."""

    doutput: Tensor
    """(N, H) gradient of the packed output."""
    dh: Tensor
    """(B, H) gradient of the last hidden state; at the end, of the first."""
    dc: Tensor
    """(B, H) gradient of the last cell; at the end, of the first."""
    db: Tensor
    """(4H,) starts at zero; at the end, the sum of all gates' gradients."""

    @classmethod
    def for_steps(cls, upstream: LSTMOutput) -> _Room:
        layout = torch.contiguous_format
        dh, dc = upstream.h_n.clone(memory_format=layout), upstream.c_n.clone(memory_format=layout)
        return cls(upstream.output.contiguous(), dh, dc, dh.new_zeros(4 * dh.shape[1]))

    def entries(self, core: Core, k: int) -> KeptEntries:
        """Make room for the kept entries, k of each gate: columns among the 4H, and values."""
        n_rows = len(self.doutput)
        indices = torch.empty(n_rows, 4 * k, dtype=torch.int32)
        return KeptEntries(core, indices, self.db.new_empty(n_rows, 4 * k), len(self.db), self.db)


def _all_steps(
    core: Core, room: _Room, packed: Packed, weight_hh: Tensor, trace: LSTMTrace, k: int
) -> Kept:
    """Run all steps in one call: with `example` sequences do not depend on each other."""
    kept = room.entries(core, k)
    core.kernels.lstm_backward(
        room.doutput,
        packed.batch_sizes,
        packed.reverse,
        weight_hh.contiguous(),
        trace.gates,
        trace.tanh_c,
        trace.c_prev,
        room.dh,
        room.dc,
        kept.indices,
        kept.values,
        room.db,
        core.threads,
    )
    return kept


def _unified_steps(
    core: Core, room: _Room, packed: Packed, weight_hh: Tensor, trace: LSTMTrace, k: int
) -> Kept:
    """Go step by step: the entries that a step keeps depend on all sequences."""
    kept, weight_hh = room.entries(core, k), weight_hh.contiguous()
    for start, n in reversed(packed.steps()):
        indices, values = kept.indices[start : start + n], kept.values[start : start + n]
        _step(core, room, trace, (start, n), k, unified=True, indices=indices, values=values)
        core.kernels.sparse_dx(indices, values, weight_hh, room.dh[:n], core.threads)
    return kept


def _dense_steps(
    core: Core,
    room: _Room,
    packed: Packed,
    weight_hh: Tensor,
    trace: LSTMTrace,
    k: int,
    *,
    unified: bool,
) -> Kept:
    """Go step by step, with dense products between the steps."""
    sda = torch.empty_like(trace.gates)
    for start, n in reversed(packed.steps()):
        masked = sda[start : start + n]
        _step(core, room, trace, (start, n), k, unified=unified, masked=masked)
        torch.mm(masked, weight_hh, out=room.dh[:n])
    return MaskedGradient(sda, room.db)


def _step(
    core: Core,
    room: _Room,
    trace: LSTMTrace,
    step: tuple[int, int],
    k: int,
    *,
    unified: bool,
    masked: Tensor | None = None,
    indices: Tensor | None = None,
    values: Tensor | None = None,
) -> None:
    """Compute the gates' gradients of one step (first row, number of rows), and keep k of each.

    The kept entries are written to `masked` (n, 4H), or to `indices` and `values` (n, 4K).
    """
    doutput, dh, dc, db = room
    start, n = step
    core.kernels.lstm_step_backward(
        doutput,
        trace.gates,
        trace.tanh_c,
        trace.c_prev,
        start,
        k,
        unified,
        dh[:n],
        dc[:n],
        masked,
        indices,
        values,
        db,
        core.threads,
    )
