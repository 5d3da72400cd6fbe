"""The native core as the backends call it."""

from types import ModuleType
from typing import NamedTuple

from torch import Tensor


class Core(NamedTuple):
    """The native core and the number of threads it may use."""

    kernels: ModuleType
    threads: int


def readable(tensor: Tensor) -> Tensor:
    """Return `tensor` in the form that the core reads: contiguous, with signs applied."""
    return tensor.resolve_neg().contiguous()
