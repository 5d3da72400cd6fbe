"""The tensors that an LSTM layer exchanges with its kernels: weights, results and the trace.

One layer, one direction, over packed sequences (see `nn/packed.py`). Dimensions: N rows in all
(words of the batch), B sequences, I inputs, H units. The gates stand in PyTorch's order i, f, g, o.
"""

from typing import NamedTuple

from torch import Tensor

State = tuple[Tensor, Tensor]
"""Hidden state and cell."""


class LSTMWeights(NamedTuple):
    """The weights of one LSTM layer."""

    ih: Tensor
    """(4H, I) for the input."""
    hh: Tensor
    """(4H, H) for the hidden state."""
    bias: Tensor | None
    """(4H,) the sum of PyTorch's two biases."""


class LSTMOutput(NamedTuple):
    """The results of an LSTM layer, or their gradients."""

    output: Tensor
    """(N, H) hidden state after each step, packed."""
    h_n: Tensor
    """(B, H) last hidden state of each sequence."""
    c_n: Tensor
    """(B, H) last cell of each sequence."""


class LSTMTrace(NamedTuple):
    """The intermediate results of the forward pass that the backward pass needs."""

    gates: Tensor
    """(N, 4H) activated gates i, f, g, o."""
    tanh_c: Tensor
    """(N, H) tanh of the cell after each step."""
    h_prev: Tensor
    """(N, H) hidden state before each step."""
    c_prev: Tensor
    """(N, H) cell before each step."""
