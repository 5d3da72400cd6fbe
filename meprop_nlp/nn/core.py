"""The native core as tensors see it: whether it takes them, on whose threads, and its absence.

Only this file and the borders beside it, `nn/linear_kernels.py`, `nn/lstm_kernels.py`,
`nn/row_kernels.py` and `nn/optim_kernels.py`, touch the core.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from types import ModuleType

import torch
from torch import Tensor

from meprop_nlp.native import core as native_core
from meprop_nlp.native import why_missing
from meprop_nlp.nn.openmp import parallel_entry

__all__ = ["announce", "core_for"]


@cache
def _core() -> ModuleType | None:
    core = native_core()
    if core is None:
        announce(lambda text: warnings.warn(text, RuntimeWarning, stacklevel=5))
    else:
        core.use_openmp_runtime(parallel_entry())
    return core


_announced = False
_TYPES = (torch.float32, torch.float64)


def announce(say: Callable[[str], None]) -> None:
    """Say, once in a process, that the native core is missing; nothing where it is there.

    A user who asked for the reference knows, and is told nothing.
    """
    global _announced
    if native_core() is None and not _announced and "asks for" not in why_missing():
        say(f"computing with PyTorch alone, slower: {why_missing()}")
    _announced = True


def core_for(*tensors: Tensor) -> ModuleType | None:
    """The core where it can take these tensors, else None: the reference."""
    dtype = tensors[0].dtype
    if dtype not in _TYPES:
        return None
    for tensor in tensors:  # in a loop: a small layer's whole backward pass takes 30 us
        if not tensor.is_cpu or tensor.dtype is not dtype or tensor.is_neg():
            return None
    return _core()
