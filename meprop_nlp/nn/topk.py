"""`Kept`: which entries of a layer's output gradient survive (meProp, sections 2.1 and 2.2).

`Selection` says how they are selected. The modes:

- `example` keeps each row's k largest magnitudes.
- `unified` keeps, for all rows, the k columns with the largest sum of magnitudes.
- `random` keeps k entries of each row, drawn uniformly: an ablation.

Ties go to the lowest index. NaN counts as an infinite magnitude: it is selected, so that a broken
gradient shows itself instead of being dropped.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor

from meprop_nlp.config import TOPK_MODES, TopkMode
from meprop_nlp.errors import ConfigError

__all__ = ["Kept", "Operands", "Selection", "active_k", "check_k", "check_topk_mode"]


class Kept(ABC):
    """The entries of dy (B, O) that survive, and the products of the backward pass over them.

    sdy is dy with every other entry set to zero. How it is stored is the backend's business.

    Attributes:
        db: (O,) sum of all of dy over the examples: dense, as in the papers' reference code. None
            where it is not needed.
        hits: (O,) int64, how many examples kept each neuron, where a backend has counted them
            while it selected.
    """

    db: Tensor | None = None
    hits: Tensor | None = None

    @abstractmethod
    def dx(self, weight: Tensor) -> Tensor:
        """sdy W: dx[b] is the sum over the kept o of dy[b, o] * weight[o]. (O, I) to (B, I)."""

    @abstractmethod
    def dw(self, x: Tensor) -> Tensor:
        """sdy^T x: dw[o] is the sum over the b that kept o of dy[b, o] * x[b]. (B, I) to (O, I)."""

    def count(self, hits: Tensor) -> None:
        """Add to `hits[j]` the number of examples that kept neuron j (meSimp, section 3).

        A kept entry that is exactly zero is not a hit: it sends no gradient, and would make the
        lowest indices look active wherever an example has fewer than k entries that are not zero.

        Args:
            hits: (H,) int64, changed in place. H is O; or, for an LSTM, O is 4H: a unit is hit
                where any of its four gates is.
        """
        hits += self.count_of(len(hits)) if self.hits is None else self.hits

    @abstractmethod
    def count_of(self, n_neurons: int) -> Tensor:
        """(H,) int64 what `count` adds."""


class Selection(NamedTuple):
    """How the entries of a gradient that survive are selected."""

    k: int | None
    """How many entries of a row survive, fewer than it has; None keeps all: plain backprop."""
    mode: TopkMode = "example"
    generator: torch.Generator | None = None
    """Source of the `random` mode; None is PyTorch's default generator."""


class Operands(NamedTuple):
    """What the kept entries of a linear layer are multiplied with, and what for.

    A backend may make the products as it selects; `Kept` then holds those of these operands only.
    """

    x: Tensor
    """(B, I) input of the layer."""
    weight: Tensor
    """(O, I)."""
    need_dx: bool = True
    need_dw: bool = True
    need_db: bool = True
    counting: bool = False
    """Whether `Kept.count` will be called."""
    row_sparse: bool = False
    """Whether `Kept.dw` is a `row_gradient` of the rows that were kept."""


def check_topk_mode(mode: str) -> None:
    """Raise `ConfigError` unless `mode` is one of `TOPK_MODES`."""
    if mode not in TOPK_MODES:
        raise ConfigError(f"`topk_mode` is {mode!r}, expected one of {', '.join(TOPK_MODES)}")


def check_k(k: int | None, width: int) -> None:
    """Raise `ConfigError` unless `k` entries of a layer of `width` neurons can be kept."""
    if k is None:
        return
    if not isinstance(k, int) or isinstance(k, bool) or k < 0:
        raise ConfigError(f"`k` is {k!r}, expected a whole number of at least 0")
    if k > width:
        raise ConfigError(f"`k` is {k}, expected at most the layer's width, {width}")


def active_k(k: int | None, width: int) -> int | None:
    """Return `k` if it drops anything from a row of `width` entries, else None: plain backprop."""
    return k if k is not None and 0 < k < width else None
