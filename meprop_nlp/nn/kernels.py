"""The border to the native core: each function runs there, or on the plain PyTorch reference.

The core takes contiguous float32 and float64 tensors on the CPU and gives the same selection as the
reference (ties: lowest index first) and the same products. Nothing outside the files named here
knows which one ran.
"""

from meprop_nlp.config import TOPK_MODES, TopkMode
from meprop_nlp.nn.linear_kernels import linear_backward
from meprop_nlp.nn.lstm_kernels import (
    DenseForward,
    LSTMGradients,
    LSTMTrace,
    can_trace,
    lstm_backward,
    lstm_forward,
)
from meprop_nlp.nn.reference import active_k, check_topk_mode

__all__ = [
    "TOPK_MODES",
    "DenseForward",
    "LSTMGradients",
    "LSTMTrace",
    "TopkMode",
    "active_k",
    "can_trace",
    "check_topk_mode",
    "linear_backward",
    "lstm_backward",
    "lstm_forward",
]
