"""`Kept`: which entries of a layer's output gradient survive (meProp, sections 2.1 and 2.2).

`Selection` says how they are selected. The modes:

- `example` keeps each row's k largest magnitudes.
- `unified` keeps, for all rows, the k columns with the largest sum of magnitudes.
- `random` keeps k entries of each row, drawn uniformly: an ablation.

Ties go to the lowest index. NaN counts as an infinite magnitude: it is selected, so that a broken
gradient shows itself instead of being dropped.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor

from meprop_nlp.config import TOPK_MODES, TopkMode
from meprop_nlp.errors import ConfigError


class Kept(ABC):
    """The entries of dy (B, O) that survive, and the products of the backward pass over them.

    sdy is dy with every other entry set to zero; each backend stores it in its own way.

    Attributes:
        db: (O,) sum of all of dy over the examples: dense, as in the papers' reference code. None
            where it is not needed.
        hits: (O,) int64, how many examples kept each neuron, if the backend counted them while it
            selected.
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
        """Add the number of examples that kept neuron j to `hits[j]` (meSimp, section 3).

        A kept entry that is exactly zero is not a hit: it sends no gradient, and would make the
        lowest indices look active wherever an example has fewer than k nonzero entries.

        Args:
            hits: (H,) int64, changed in place. For a linear layer H is O. For an LSTM O is 4H, and
                a unit is hit if any of its four gates is kept.
        """
        hits += self.count_of(len(hits)) if self.hits is None else self.hits

    @abstractmethod
    def count_of(self, n_neurons: int) -> Tensor:
        """(H,) int64 the counts that `count` adds."""


class Selection(NamedTuple):
    """How the surviving entries of a gradient are selected."""

    k: int | None
    """How many entries of a row survive; None keeps all of them: plain backprop."""
    mode: TopkMode = "example"
    generator: torch.Generator | None = None
    """Source of the `random` mode; None is PyTorch's default generator."""


class Operands(NamedTuple):
    """The operands of a linear layer's backward products, and which results are needed.

    A backend may compute the products while it selects. `Kept.dx` and `Kept.dw` then return the
    products with these operands only.
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
    """Whether `Kept.dw` returns a `row_gradient` of the kept rows."""


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
    """Return `k` if it drops entries from a row of `width`, else None: plain backprop."""
    return k if k is not None and 0 < k < width else None
