"""The plain PyTorch reference of the LSTM kernels: one layer, one direction, packed sequences.

Reached through `nn/kernels.py`, the border to the native core. Packed form: the rows of all
time steps under each other, step t having `batch_sizes[t]` rows; the sequences are sorted by
length, longest first. Dimensions: N rows in all (words of the batch), B sequences, T steps,
I in, H hidden. The gates stand in PyTorch's order i, f, g, o.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class LSTMTrace(NamedTuple):
    """What the forward pass leaves for the backward pass."""

    gates: Tensor
    """(N, 4H) activated gates i, f, g, o."""
    tanh_c: Tensor
    """(N, H) tanh of the cell after each step."""
    h_prev: Tensor
    """(N, H) hidden state before each step."""
    c_prev: Tensor
    """(N, H) cell before each step."""


def time_steps(batch_sizes: Sequence[int], *, reverse: bool) -> list[tuple[int, int]]:
    """(first row, number of rows) of each time step, in the order the recurrence visits them."""
    steps: list[tuple[int, int]] = []
    start = 0
    for size in batch_sizes:
        steps.append((start, size))
        start += size
    return steps[::-1] if reverse else steps


def input_products(x: Tensor, weight_ih: Tensor, bias: Tensor | None) -> Tensor:
    """(N, 4H) x W_ih^T + b, what the input gives the gates of all steps at once."""
    return x.mm(weight_ih.t()) if bias is None else torch.addmm(bias, x, weight_ih.t())


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
    """Run the LSTM over packed sequences; the forward pass of meProp is the dense one.

    Args:
        x: (N, I) packed input.
        batch_sizes: rows of each time step, never growing.
        h0, c0: (B, H) state before the first step.
        weight_ih: (4H, I).
        weight_hh: (4H, H).
        bias: (4H,) sum of the two biases, or None.
        reverse: read each sequence from its last word to its first.

    Returns:
        output (N, H) packed, h_n (B, H), c_n (B, H), and the trace for `lstm_backward`.
    """
    width = weight_hh.shape[1]
    weight_hh_t = weight_hh.t()  # (H, 4H)
    gates = input_products(x, weight_ih, bias)  # the loop adds the recurrent ones
    output, tanh_c, h_prev, c_prev = (x.new_empty(x.shape[0], width) for _ in range(4))
    # Rows [:n] of h and c are the sequences alive at a step. Read forwards, a finished sequence
    # leaves its last state behind below n; read backwards, one that has not begun holds h0 there.
    h, c = h0.clone(), c0.clone()
    for start, n in time_steps(batch_sizes, reverse=reverse):
        rows = slice(start, start + n)
        h_prev[rows], c_prev[rows] = h[:n], c[:n]
        gate = gates[rows].addmm_(h_prev[rows], weight_hh_t)  # (n, 4H)
        gate[:, : 2 * width].sigmoid_()
        gate[:, 2 * width : 3 * width].tanh_()
        gate[:, 3 * width :].sigmoid_()
        i, f, g, o = gate.chunk(4, dim=1)
        c[:n].mul_(f).addcmul_(i, g)
        torch.tanh(c[:n], out=tanh_c[rows])
        torch.mul(o, tanh_c[rows], out=output[rows])
        h[:n] = output[rows]
    return output, h, c, LSTMTrace(gates, tanh_c, h_prev, c_prev)


def lstm_backward(
    doutput: Tensor,
    dh_n: Tensor,
    dc_n: Tensor,
    batch_sizes: Sequence[int],
    weight_hh: Tensor,
    trace: LSTMTrace,
    sparsify: Callable[[Tensor], Tensor],
    *,
    reverse: bool = False,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Back-propagate through time, sparsifying every step's gate gradients.

    Args:
        doutput: (N, H) gradient of the packed output.
        dh_n, dc_n: (B, H) gradients of the last state.
        batch_sizes: as given to `lstm_forward`.
        weight_hh: (4H, H).
        trace: what `lstm_forward` left.
        sparsify: maps one step's gate gradients (n, 4, H) to the sparsified ones, same shape.
        reverse: as given to `lstm_forward`.

    Returns:
        dgates (N, 4H), the gradients of the gates before their activation as each step saw them;
        their sparsified form (N, 4H), of which the caller makes dx, dW_ih and dW_hh;
        dh0 and dc0 (B, H).
    """
    width = weight_hh.shape[1]
    i, f, g, o = trace.gates.chunk(4, dim=1)
    # Everything that does not depend on later steps, for all steps at once:
    # dgates = [dc, dc, dc, dh] * slope, and dc += dh * through_tanh.
    slope = torch.empty_like(trace.gates).view(-1, 4, width)
    slope[:, 0] = g * i * (1 - i)
    slope[:, 1] = trace.c_prev * f * (1 - f)
    slope[:, 2] = i * (1 - g * g)
    slope[:, 3] = trace.tanh_c * o * (1 - o)
    through_tanh = o * (1 - trace.tanh_c * trace.tanh_c)
    dgates = slope  # each step turns its slopes into gradients in place
    sparse = torch.empty_like(dgates)
    dh, dc = dh_n.clone(), dc_n.clone()
    for start, n in reversed(time_steps(batch_sizes, reverse=reverse)):
        rows = slice(start, start + n)
        dh_step, dc_step = dh[:n], dc[:n]
        dh_step += doutput[rows]
        dc_step.addcmul_(dh_step, through_tanh[rows])
        step = dgates[rows]  # (n, 4, H)
        step[:, :3] *= dc_step.unsqueeze(1)
        step[:, 3] *= dh_step
        sparse[rows] = sparsify(step)
        torch.mm(sparse[rows].view(n, 4 * width), weight_hh, out=dh_step)
        dc_step *= f[rows]
    return dgates.view(-1, 4 * width), sparse.view(-1, 4 * width), dh, dc
