"""The LSTM on a GPU: PyTorch's own forward pass, and one kernel for the whole backward pass.

PyTorch's forward pass there is one call of cuDNN, which keeps what it computes for its own backward
pass alone. `trace` makes again from the outputs what ours reads: all products at once, and the cell
in one kernel. Needs Triton; elsewhere `nn/recurrence.py` goes step by step, and gives the same.
Dimensions: N words, B sequences, I in, H units.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from meprop_nlp.nn import cuda, packing
from meprop_nlp.nn.recurrence import LSTMTrace, input_products

__all__ = ["DenseForward", "can_go_back", "can_trace", "sparse_gradients", "trace"]

# The widest layer that one program of the backward kernel holds in its registers.
WIDEST = 2048


class DenseForward(NamedTuple):
    """What PyTorch's own LSTM gave."""

    output: Tensor
    """(N, H) packed."""
    h_n: Tensor
    """(B, H)."""
    c_n: Tensor
    """(B, H)."""


def can_trace(x: Tensor) -> bool:
    """Whether `trace` works where `x` is.

    Not under autocast, where outputs are of two types, nor while a CUDA graph is captured, which
    would hold the copy of `batch_sizes` from memory that is freed before it is replayed.
    """
    if not x.is_cuda or torch.is_autocast_enabled("cuda"):
        return False
    if cuda.fused_kernels(x.get_device()) is None:
        return False
    return not torch.cuda.is_current_stream_capturing()


def can_go_back(doutput: Tensor) -> bool:
    """Whether `sparse_gradients` works for gradients (N, H) like these."""
    return doutput.shape[1] <= WIDEST and can_trace(doutput)


def trace(
    x: Tensor,
    batch_sizes: Sequence[int],
    h0: Tensor,
    c0: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor | None,
    output: Tensor,
    *,
    reverse: bool = False,
) -> LSTMTrace:
    """What `recurrence.lstm_forward` leaves for the backward pass, made from what it put out.

    Args:
        x, batch_sizes, h0, c0, weight_ih, weight_hh, bias, reverse: see there.
        output: (N, H) packed outputs for the same input.
    """
    from meprop_nlp.nn import triton_lstm

    gates = input_products(x, weight_ih, bias)
    tanh_c, h_prev, c_prev = triton_lstm.follow(
        *(gates, torch.cat((h0, output)), weight_hh, c0),
        packing.to_device(torch.tensor(batch_sizes), x.device),
        reverse=reverse,
    )
    return LSTMTrace(gates, tanh_c, h_prev, c_prev)


def sparse_gradients(
    doutput: Tensor,
    dh_n: Tensor,
    dc_n: Tensor,
    batch_sizes: Sequence[int],
    weight_hh: Tensor,
    trace: LSTMTrace,
    k: int,
    *,
    reverse: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gates' gradients with k of each gate's kept for each example (N, 4H), dh0, dc0 and db.

    Arguments are those of `kernels.lstm_backward`, where `can_go_back`.
    """
    from meprop_nlp.nn import triton_lstm

    return triton_lstm.backward(
        *(doutput, dh_n, dc_n, weight_hh, trace),
        packing.to_device(torch.tensor(batch_sizes), doutput.device),
        k,
        reverse=reverse,
    )
