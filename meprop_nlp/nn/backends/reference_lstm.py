"""The LSTM in plain PyTorch, step by step; every other backend must give the same.

Dimensions: N rows in all (words of the batch), B sequences, I inputs, H units; n rows of a step.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from meprop_nlp.nn.backends import reference_topk
from meprop_nlp.nn.backends.reference_topk import MaskedGradient
from meprop_nlp.nn.packed import Packed
from meprop_nlp.nn.recurrence import LSTMOutput, LSTMTrace, LSTMWeights, State
from meprop_nlp.nn.topk import Kept, Selection


def input_products(x: Tensor, weights: LSTMWeights) -> Tensor:
    """(N, 4H) x W_ih^T + b, what the input adds to the gates of all steps."""
    # the BLAS may round differently where a matrix lies otherwise in memory
    x, weight = x.contiguous(), weights.ih.contiguous()
    if weights.bias is None:
        return x.mm(weight.t())
    return torch.addmm(weights.bias.contiguous(), x, weight.t())


def forward(
    x: Tensor, packed: Packed, state: State, weights: LSTMWeights
) -> tuple[LSTMOutput, LSTMTrace]:
    """Run the LSTM over packed sequences; the forward pass of meProp is the dense one.

    Args:
        x: (N, I) packed input.
        packed: its time steps.
        state: h0 and c0, (B, H) each, before the first step.
        weights: of the layer.
    """
    width = weights.hh.shape[1]
    weight_hh_t = weights.hh.t()  # (H, 4H)
    gates = input_products(x, weights)  # the loop adds the recurrent ones
    output, tanh_c, h_prev, c_prev = (x.new_empty(x.shape[0], width) for _ in range(4))
    # Rows [:n] of h and c are the sequences alive at a step. Read forwards, the rows below n hold
    # the last states of the sequences that have ended; backwards, h0 of those yet to begin.
    h, c = (part.clone() for part in state)
    for start, n in packed.steps():
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
    return LSTMOutput(output, h, c), LSTMTrace(gates, tanh_c, h_prev, c_prev)


def backward_through_time(
    upstream: LSTMOutput,
    packed: Packed,
    weight_hh: Tensor,
    trace: LSTMTrace,
    selection: Selection,
    select: Callable[..., Tensor] = reference_topk.select_topk,
) -> tuple[Kept, Tensor, Tensor]:
    """Keep k of each gate's gradients at each step; see `choose.backward_through_time`.

    Args:
        upstream, packed, weight_hh, trace, selection: see there.
        select: selects the entries, as `reference_topk.select_topk` does.
    """

    def sparsify(da: Tensor) -> Tensor:
        return keep_gates(da, selection, select)

    da, sda, dh0, dc0 = gate_gradients(upstream, packed, weight_hh, trace, sparsify)
    return MaskedGradient(sda, da.sum(dim=0)), dh0, dc0


def gate_gradients(
    upstream: LSTMOutput,
    packed: Packed,
    weight_hh: Tensor,
    trace: LSTMTrace,
    sparsify: Callable[[Tensor], Tensor],
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Compute the gradients of the gates from the last step to the first.

    Args:
        upstream, packed, weight_hh, trace: as in `backward_through_time`.
        sparsify: maps the gates' gradients (n, 4, H) of one step to the sparsified ones, of the
            same shape.

    Returns:
        da (N, 4H), the gradients of the gates before their activation; sda (N, 4H), the same
        sparsified; dh0 and dc0 (B, H).
    """
    width = weight_hh.shape[1]
    i, f, g, o = trace.gates.chunk(4, dim=1)
    # Everything that does not depend on later steps, for all steps at once:
    # da = [dc, dc, dc, dh] * slope, and dc += dh * through_tanh.
    slope = torch.empty_like(trace.gates).view(-1, 4, width)
    slope[:, 0] = g * i * (1 - i)
    slope[:, 1] = trace.c_prev * f * (1 - f)
    slope[:, 2] = i * (1 - g * g)
    slope[:, 3] = trace.tanh_c * o * (1 - o)
    through_tanh = o * (1 - trace.tanh_c * trace.tanh_c)
    da = slope  # each step turns its slopes into gradients in place
    sda = torch.empty_like(da)
    dh, dc = upstream.h_n.clone(), upstream.c_n.clone()
    for start, n in reversed(packed.steps()):
        rows = slice(start, start + n)
        dh_step, dc_step = dh[:n], dc[:n]
        dh_step += upstream.output[rows]
        dc_step.addcmul_(dh_step, through_tanh[rows])
        step = da[rows]  # (n, 4, H)
        step[:, :3] *= dc_step.unsqueeze(1)
        step[:, 3] *= dh_step
        sda[rows] = sparsify(step)
        torch.mm(sda[rows].view(n, 4 * width), weight_hh, out=dh_step)
        dc_step *= f[rows]
    return da.view(-1, 4 * width), sda.view(-1, 4 * width), dh, dc


def keep_gates(
    da: Tensor,
    selection: Selection,
    select: Callable[..., Tensor] = reference_topk.select_topk,
) -> Tensor:
    """Keep k entries in each of the four gates of one time step.

    Args:
        da: (n, 4, H) gradients of the gates before their activation.
        selection: `example` and `random` select for each example; `unified` selects once for each
            gate for the whole batch.
        select: as in `backward_through_time`.

    Returns:
        (n, 4, H) sparsified gradient, stored densely.
    """
    k, mode, generator = selection
    if k is None:
        return da
    n, n_gates, width = da.shape
    if mode == "unified":
        total = da.abs().sum(dim=0)  # (4, H)
        selected = select(total, k).expand(n, n_gates, k).reshape(-1, k)  # (4n, K)
    else:
        selected = select(da.reshape(-1, width), k, mode, generator=generator)
    return reference_topk.mask_selected(da.reshape(-1, width), selected).view(n, n_gates, width)
