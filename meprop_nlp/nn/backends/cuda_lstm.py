"""The LSTM on a GPU: PyTorch's own forward pass, and one kernel for the whole backward pass.

PyTorch's forward pass is one call of cuDNN, whose intermediate results only its own backward pass
can read. `trace` recomputes those that ours needs from the outputs: all products at once, and the
cell in one kernel. This needs Triton; without it the reference computes the same step by step.
"""

import torch
from torch import Tensor

from meprop_nlp.nn.backends.reference_lstm import input_products
from meprop_nlp.nn.backends.reference_topk import MaskedGradient
from meprop_nlp.nn.recurrence import LSTMOutput, LSTMTrace, LSTMWeights, State
from meprop_nlp.nn.topk import Kept

# The widest layer that one program of the backward kernel holds in its registers.
WIDEST = 2048


def trace(
    x: Tensor,
    batch_sizes: Tensor,
    state: State,
    weights: LSTMWeights,
    output: Tensor,
    *,
    reverse: bool = False,
) -> LSTMTrace:
    """Compute the trace of `reference_lstm.forward` from its output.

    Args:
        x, state, weights, reverse: as in the forward pass.
        batch_sizes: (T,) int64, on the device of `x`.
        output: (N, H) packed outputs for the same input.
    """
    from meprop_nlp.nn.backends import triton_lstm

    h0, c0 = state
    gates = input_products(x, weights)
    states = torch.cat((h0, output))
    tanh_c, h_prev, c_prev = triton_lstm.follow(
        gates, states, weights.hh, c0, batch_sizes, reverse=reverse
    )
    return LSTMTrace(gates, tanh_c, h_prev, c_prev)


def backward_through_time(
    upstream: LSTMOutput,
    batch_sizes: Tensor,
    weight_hh: Tensor,
    trace: LSTMTrace,
    k: int,
    *,
    reverse: bool = False,
) -> tuple[Kept, Tensor, Tensor]:
    """Keep k of each gate's gradients of each example; see `choose.backward_through_time`.

    Args:
        upstream, weight_hh, trace: see there; H is at most `WIDEST`.
        batch_sizes, reverse: as in `trace`.
        k: from 1 to H.
    """
    from meprop_nlp.nn.backends import triton_lstm

    sda, dh0, dc0, db = triton_lstm.backward(
        upstream, weight_hh, trace, batch_sizes, k, reverse=reverse
    )
    return MaskedGradient(sda, db), dh0, dc0
