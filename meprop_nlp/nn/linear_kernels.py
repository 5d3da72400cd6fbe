"""The border to the native core for the linear layer; see `nn/kernels.py`.

Dimensions: B examples, I in, O out, K kept.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import NamedTuple

import torch
from torch import Tensor

from meprop_nlp.config import TopkMode
from meprop_nlp.nn import cuda, reference
from meprop_nlp.nn.core import core_for

__all__ = ["linear_backward", "select_entries", "sparse_dw", "sparse_dx"]


class DenseShare(NamedTuple):
    """Where more than a share of a row is kept, dense products of the masked gradient are cheaper.

    The share is larger where the rows are few. It is smaller where the input is narrow, for an
    entry's products are too short then to pay for finding it, and where the output is so wide that
    its weights leave the near caches. Measured by benchmarks/bench_linear.py.
    """

    wide_input: float
    of_a_row: float
    narrow_input: float
    wide_output: float

    def share(self, n_rows: int, width_in: int, width_out: int) -> float:
        """For B rows, at least one, I and O."""
        share = self.wide_input * width_in / (width_in + self.narrow_input)
        return (share + self.of_a_row / n_rows) / (1 + (width_out / self.wide_output) ** 2)


AVX512 = DenseShare(0.40, 4, 70, math.inf)
NARROWER = DenseShare(0.36, 8, 70, 3000)


def linear_backward(
    dy: Tensor,
    x: Tensor,
    weight: Tensor,
    k: int,
    mode: TopkMode = "example",
    *,
    need_dx: bool = True,
    need_dw: bool = True,
    db: Tensor | None = None,
    hits: Tensor | None = None,
    generator: torch.Generator | None = None,
    sparse_grad: bool = False,
) -> tuple[Tensor | None, Tensor | None]:
    """Select k entries of each row of `dy`, and make the two products of what is left.

    Args:
        dy: (B, O) gradient before sparsification.
        x: (B, I) input of the layer.
        weight: (O, I).
        k: how many survive, from 1 to O.
        mode: see `reference.select_topk`.
        need_dx, need_dw: which products to make.
        db: (O,); becomes the sum of all of `dy` over the examples.
        hits: (O,) int64; what `reference.count_hits` counts is added.
        generator: source of `random`.
        sparse_grad: give dw as a `reference.row_gradient`.

    Returns:
        dx (B, I) and dw (O, I), None where not needed.

    Raises:
        ConfigError: unknown mode, or k outside 1 to O.
    """
    core = None if dy.is_cuda else core_for(dy, x, weight)
    if core is None or mode == "random":
        if db is not None:
            torch.sum(dy, dim=0, out=db)
        wanted = {"need_dx": need_dx, "need_dw": need_dw, "sparse_grad": sparse_grad}
        if dy.is_cuda:
            return cuda.linear_backward(
                dy, x, weight, k, mode, hits=hits, generator=generator, **wanted
            )
        selected = reference.select_topk(dy, k, mode, generator=generator)
        if hits is not None:
            reference.count_hits(dy, selected, hits)
        if core is None or _dense_pays(core, x, dy.shape[1], k):
            return reference.sparse_backward_linear(dy, x, weight, selected, **wanted)
        return _selected_backward(core, dy.gather(1, selected), selected.int(), x, weight, **wanted)
    reference.check_topk_mode(mode)
    width = dy.shape[1]
    reference.check_k(k, width)
    dy, threads = dy.contiguous(), torch.get_num_threads()
    if mode == "example" and need_dw and sparse_grad:
        indices, values = select_entries(core, dy, k, db=db, hits=hits)
        return _selected_backward(
            *(core, values, indices, x, weight), need_dx=need_dx, need_dw=True, sparse_grad=True
        )
    if mode == "example" and _dense_pays(core, x, width, k):
        masked = torch.empty_like(dy)
        core.mask_topk(dy, k, masked, db, hits, threads)
        return reference.masked_products(masked, x, weight, need_dx=need_dx, need_dw=need_dw)
    x, weight = x.contiguous(), weight.contiguous()
    dx = torch.empty_like(x) if need_dx else None
    if mode == "example":
        dw = torch.empty_like(weight) if need_dw else None
        core.example_backward(dy, x, weight, k, dx, dw, db, hits, threads)
        return dx, dw
    neurons = torch.empty(k, dtype=torch.int32)
    dw = None
    if need_dw:
        dw = weight.new_empty(k, x.shape[1]) if sparse_grad else torch.empty_like(weight)
    core.unified_backward(dy, x, weight, neurons, dx, dw, db, hits, threads)
    if dw is not None and sparse_grad:
        dw = reference.row_gradient(neurons.long(), dw, width)
    return dx, dw


def select_entries(
    core: ModuleType, dy: Tensor, k: int, *, db: Tensor | None, hits: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The k entries of each row of a contiguous `dy`: indices (B, K) int32 and values (B, K).

    `db` and `hits` as in `linear_backward`.
    """
    indices, values = dy.new_empty(len(dy), k, dtype=torch.int32), dy.new_empty(len(dy), k)
    core.select_topk(dy, indices, values, db, hits, torch.get_num_threads())
    return indices, values


def _dense_pays(core: ModuleType, x: Tensor, width_out: int, k: int) -> bool:
    shares = AVX512 if core.instruction_set() == "avx512" else NARROWER
    n_rows, width_in = x.shape
    return n_rows > 0 and k > width_out * shares.share(n_rows, width_in, width_out)


def _selected_backward(
    core: ModuleType,
    values: Tensor,
    indices: Tensor,
    x: Tensor,
    weight: Tensor,
    *,
    need_dx: bool,
    need_dw: bool,
    sparse_grad: bool,
) -> tuple[Tensor | None, Tensor | None]:
    """dx and dw of entries (B, K) that are selected already, for what needs their places."""
    dx = sparse_dx(core, indices, values, weight) if need_dx else None
    if not (need_dw and sparse_grad):
        return dx, sparse_dw(core, indices, values, x, len(weight)) if need_dw else None
    neurons, places = torch.unique(indices, return_inverse=True)
    rows = sparse_dw(core, places.int(), values, x, len(neurons))
    return dx, reference.row_gradient(neurons.long(), rows, len(weight))


def sparse_dx(core: ModuleType, indices: Tensor, values: Tensor, weight: Tensor) -> Tensor:
    """(B, I) sum over the kept entries (B, K) of each value times its row of `weight`."""
    dx = weight.new_empty(len(indices), weight.shape[1])
    core.sparse_dx(indices, values, weight.contiguous(), dx, torch.get_num_threads())
    return dx


def sparse_dw(core: ModuleType, indices: Tensor, values: Tensor, x: Tensor, n_outs: int) -> Tensor:
    """(O, I) for each neuron the sum over the entries (B, K) naming it of value times x's row."""
    dw = x.new_empty(n_outs, x.shape[1])
    if n_outs > 0:
        core.sparse_dw(indices, values, x.contiguous(), dw, torch.get_num_threads())
    return dw
