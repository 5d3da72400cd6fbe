"""An LSTM's backward pass through time in one Triton kernel; another computes the trace for it.

Import it only where Triton is installed, as `cuda_lstm.py` does. With `example` sequences do not
depend on each other: one program goes through one sequence from its last step to its first,
computes a step's gradients, keeps k of each gate's, and adds up the rows of `weight_hh` at their
indices, without waiting for another program or the host. The results are `reference_lstm.py`'s.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from meprop_nlp.nn.backends.triton_topk import bits_settings, keep_largest, magnitude_bits
from meprop_nlp.nn.recurrence import LSTMOutput, LSTMTrace

# dtype of the tensors: what the kernels compute in
COMPUTED = {
    torch.float16: torch.float32,
    torch.bfloat16: torch.float32,
    torch.float32: torch.float32,
    torch.float64: torch.float64,
}
TYPES = {torch.float32: tl.float32, torch.float64: tl.float64}

FOLLOWED = 128  # units of one program of the forward kernel
GATHERED = 8192  # entries of weight_hh fetched at a time


@triton.jit
def tanh(x):
    return 2 * tl.sigmoid(2 * x) - 1


@triton.jit
def first_row(batch_sizes, n_times, sequence, from_end: tl.constexpr, times: tl.constexpr):
    """How many steps a sequence has, and the packed row of its first one, or of its last."""
    time = tl.arange(0, times)
    size = tl.load(batch_sizes + time, mask=time < n_times, other=0)
    n_steps = tl.sum((size > sequence).to(tl.int32), axis=0)
    row = sequence
    if from_end:
        row += tl.sum(tl.where(time < n_steps - 1, size, 0), axis=0)
    return n_steps, row


@triton.jit
def next_row(batch_sizes, row, step, n_steps, from_end: tl.constexpr):
    """The packed row that comes after `row`, where the sequence's walk is at its `step`."""
    if from_end:
        time = n_steps - 2 - step
        row -= tl.load(batch_sizes + time, mask=time >= 0, other=0)
    else:
        row += tl.load(batch_sizes + step)
    return row


@triton.jit(do_not_specialize=["n_times", "n_sequences"])
def trace_kernel(
    gates,
    recurrent,
    states,
    c0,
    tanh_c,
    h_prev,
    c_prev,
    batch_sizes,
    n_times,
    n_sequences,
    width,
    reverse: tl.constexpr,
    times: tl.constexpr,
    block: tl.constexpr,
    real: tl.constexpr,
):
    """Program (b, u) follows block u of the units of sequence b.

    gates (N, 4H), the products with the input, become the activated gates; recurrent (B + N, 4H)
    are the products with states (B + N, H), which are h0 and under it all outputs; c0 (B, H);
    tanh_c, h_prev and c_prev (N, H) are made.
    """
    sequence = tl.program_id(0).to(tl.int64)
    unit = tl.program_id(1) * block + tl.arange(0, block)
    inside = unit < width
    n_steps, row = first_row(batch_sizes, n_times, sequence, reverse, times)
    before = sequence
    c = tl.load(c0 + sequence * width + unit, mask=inside, other=0.0).to(real)
    for step in range(n_steps):
        gate = gates + row * 4 * width + unit
        sent = recurrent + before * 4 * width + unit
        i = tl.load(gate, mask=inside, other=0.0).to(real)
        i = tl.sigmoid(i + tl.load(sent, mask=inside, other=0.0).to(real))
        f = tl.load(gate + width, mask=inside, other=0.0).to(real)
        f = tl.sigmoid(f + tl.load(sent + width, mask=inside, other=0.0).to(real))
        g = tl.load(gate + 2 * width, mask=inside, other=0.0).to(real)
        g = tanh(g + tl.load(sent + 2 * width, mask=inside, other=0.0).to(real))
        o = tl.load(gate + 3 * width, mask=inside, other=0.0).to(real)
        o = tl.sigmoid(o + tl.load(sent + 3 * width, mask=inside, other=0.0).to(real))
        tl.store(gate, i, mask=inside)
        tl.store(gate + width, f, mask=inside)
        tl.store(gate + 2 * width, g, mask=inside)
        tl.store(gate + 3 * width, o, mask=inside)
        here = row * width + unit
        h = tl.load(states + before * width + unit, mask=inside, other=0.0)
        tl.store(h_prev + here, h, mask=inside)
        tl.store(c_prev + here, c, mask=inside)
        c = f * c + i * g
        tl.store(tanh_c + here, tanh(c), mask=inside)
        before = n_sequences + row
        row = next_row(batch_sizes, row, step, n_steps, reverse)


@triton.jit(do_not_specialize=["k", "n_times"])
def backward_kernel(
    doutput,
    gates,
    tanh_c,
    c_prev,
    weight_hh,
    batch_sizes,
    dh,
    dc,
    sparse,
    db,
    index,
    value,
    n_times,
    width,
    k,
    reverse: tl.constexpr,
    times: tl.constexpr,
    block: tl.constexpr,
    tile: tl.constexpr,
    real: tl.constexpr,
    stored_type: tl.constexpr,
    bits_type: tl.constexpr,
    infinity: tl.constexpr,
    n_bits: tl.constexpr,
):
    """Program b handles sequence b; the formulas are in `nn/functional.py`.

    doutput, tanh_c, c_prev (N, H), gates and sparse (N, 4H), weight_hh (4H, H), db (B, 4H); dh and
    dc (B, H) are those of the last state and become those of the first. index and value (B, 4K)
    are room for what a step keeps.
    """
    sequence = tl.program_id(0).to(tl.int64)
    unit = tl.arange(0, block)
    inside = unit < width
    gate = tl.arange(0, 4)[:, None]
    place = gate * width + unit[None, :]  # (4, block), of a row of 4H
    within = inside[None, :]
    n_steps, row = first_row(batch_sizes, n_times, sequence, not reverse, times)
    state = sequence * width + unit
    dh_t = tl.load(dh + state, mask=inside, other=0.0).to(real)
    dc_t = tl.load(dc + state, mask=inside, other=0.0).to(real)
    total = tl.zeros((4, block), real)
    kept = sequence * 4 * k
    for step in range(n_steps):
        here = row * width + unit
        activated = tl.load(gates + row * 4 * width + place, mask=within, other=0.0).to(real)
        f = tl.load(gates + row * 4 * width + width + unit, mask=inside, other=0.0).to(real)
        o = tl.load(gates + row * 4 * width + 3 * width + unit, mask=inside, other=0.0).to(real)
        squashed = tl.load(tanh_c + here, mask=inside, other=0.0).to(real)
        before = tl.load(c_prev + here, mask=inside, other=0.0).to(real)
        # What each gate is multiplied with: i with g, f with c_(t-1), g with i, o with tanh(c_t).
        crossed = gates + row * 4 * width + (2 - gate) * width + unit[None, :]
        other = tl.load(crossed, mask=within & (gate % 2 == 0), other=0.0).to(real)
        other = tl.where(gate == 1, before[None, :], other)
        other = tl.where(gate == 3, squashed[None, :], other)
        derivative = tl.where(gate == 2, 1 - activated * activated, activated * (1 - activated))

        dh_t += tl.load(doutput + here, mask=inside, other=0.0).to(real)
        dc_t += dh_t * o * (1 - squashed * squashed)
        da = other * derivative * tl.where(gate == 3, dh_t[None, :], dc_t[None, :])
        total += da

        bits = magnitude_bits(da, within, stored_type, bits_type, infinity)
        keep = keep_largest(bits, k, 1, infinity, n_bits)
        tl.store(sparse + row * 4 * width + place, tl.where(keep, da, 0.0), mask=within)
        slot = kept + gate * k + tl.cumsum(keep.to(tl.int32), axis=1) - 1
        tl.store(index + slot, place, mask=keep)
        tl.store(value + slot, da, mask=keep)
        tl.debug_barrier()  # every thread reads what others wrote

        dh_t = tl.zeros((block,), real)
        for start in range(0, 4 * k, tile):
            entry = start + tl.arange(0, tile)
            there = entry < 4 * k
            neuron = tl.load(index + kept + entry, mask=there, other=0).to(tl.int64)
            send = tl.load(value + kept + entry, mask=there, other=0.0)
            weights = weight_hh + neuron[:, None] * width + unit[None, :]
            rows = tl.load(weights, mask=there[:, None] & inside[None, :], other=0.0).to(real)
            dh_t += tl.sum(send[:, None] * rows, axis=0)
        dc_t *= f
        row = next_row(batch_sizes, row, step, n_steps, not reverse)
        tl.debug_barrier()  # all have read, before the next step writes
    tl.store(dh + state, dh_t, mask=inside)
    tl.store(dc + state, dc_t, mask=inside)
    tl.store(db + sequence * 4 * width + place, total, mask=within)


def launch_settings(dtype: torch.dtype, width: int) -> dict[str, object]:
    """Return the constants of `backward_kernel` for a layer, and its number of warps."""
    computed = COMPUTED[dtype]
    block = triton.next_power_of_2(width)
    return {
        **bits_settings(computed),
        "block": block,
        "tile": min(max(GATHERED // block, 1), 64),
        "real": TYPES[computed],
        "num_warps": min(max(block // 64, 4), 16),
    }


def follow(
    gates: Tensor,
    states: Tensor,
    weight_hh: Tensor,
    c0: Tensor,
    batch_sizes: Tensor,
    *,
    reverse: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Activate the gates in place, and follow the cell through every step.

    Args:
        gates: (N, 4H) the input's products, bias included, contiguous, on a CUDA device.
        states: (B + N, H) the first states, followed by the packed outputs.
        weight_hh: (4H, H).
        c0: (B, H).
        batch_sizes: (T,) int64 on the same device.
        reverse: the sequences are read from their ends.

    Returns:
        tanh_c, h_prev and c_prev, (N, H) each; see `LSTMTrace`.
    """
    n_sequences, width = c0.shape
    tanh_c, h_prev, c_prev = (gates.new_empty(len(gates), width) for _ in range(3))
    with torch.cuda.device(gates.get_device()):
        trace_kernel[n_sequences, triton.cdiv(width, FOLLOWED)](
            gates,
            states.mm(weight_hh.t()),
            states,
            c0.contiguous(),
            tanh_c,
            h_prev,
            c_prev,
            batch_sizes,
            len(batch_sizes),
            n_sequences,
            width,
            reverse=reverse,
            times=triton.next_power_of_2(len(batch_sizes)),
            block=FOLLOWED,
            real=TYPES[COMPUTED[gates.dtype]],
        )
    return tanh_c, h_prev, c_prev


def backward(
    upstream: LSTMOutput,
    weight_hh: Tensor,
    trace: LSTMTrace,
    batch_sizes: Tensor,
    k: int,
    *,
    reverse: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Back-propagate through time, keeping k of each gate's gradients of each example.

    Args:
        upstream: gradients of the results of the layer, on a CUDA device.
        weight_hh: (4H, H).
        trace: of the forward pass, contiguous.
        batch_sizes, reverse: as given to `follow`.
        k: from 1 to H.

    Returns:
        The gates' gradients with k kept (N, 4H), dh0 and dc0 (B, H), db (4H,).
    """
    gates = trace.gates
    doutput, dh_n, dc_n = upstream
    n_sequences, width = dh_n.shape
    dh, dc = (state.clone(memory_format=torch.contiguous_format) for state in (dh_n, dc_n))
    sparse = torch.empty_like(gates)
    computed = COMPUTED[gates.dtype]
    db = gates.new_empty(n_sequences, 4 * width, dtype=computed)
    index = gates.new_empty(n_sequences, 4 * k, dtype=torch.int32)
    value = gates.new_empty(n_sequences, 4 * k, dtype=computed)
    with torch.cuda.device(gates.get_device()):
        backward_kernel[(n_sequences,)](
            doutput.contiguous(),
            gates,
            trace.tanh_c,
            trace.c_prev,
            weight_hh.contiguous(),
            batch_sizes,
            dh,
            dc,
            sparse,
            db,
            index,
            value,
            len(batch_sizes),
            width,
            k,
            reverse=reverse,
            times=triton.next_power_of_2(len(batch_sizes)),
            **launch_settings(gates.dtype, width),
        )
    return sparse, dh, dc, db.sum(dim=0).to(gates.dtype)
