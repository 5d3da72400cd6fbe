"""The border to the native core for the linear layer; see `nn/kernels.py`.

Dimensions: B examples, I in, O out, K kept.
"""

from __future__ import annotations

from types import ModuleType

import torch
from torch import Tensor

from meprop_nlp.config import TopkMode
from meprop_nlp.nn import cuda, reference
from meprop_nlp.nn.core import core_for

__all__ = ["linear_backward", "sparse_dw", "sparse_dx"]

# Where more than this share of a row is kept, dense products of the masked gradient are cheaper:
# measured by benchmarks/bench_linear.py.
DENSE_SHARE = 0.4


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
    wanted = {"need_dx": need_dx, "need_dw": need_dw, "sparse_grad": sparse_grad}
    core = None if dy.is_cuda else core_for(dy, x, weight)
    if core is not None and mode == "unified":
        return _unified_backward(core, dy, x, weight, k, db=db, hits=hits, **wanted)
    if db is not None:
        torch.sum(dy, dim=0, out=db)
    if dy.is_cuda:
        return cuda.linear_backward(
            dy, x, weight, k, mode, hits=hits, generator=generator, **wanted
        )
    if core is None or mode != "example":
        selected = reference.select_topk(dy, k, mode, generator=generator)
        if hits is not None:
            reference.count_hits(dy, selected, hits)
        if core is None:
            return reference.sparse_backward_linear(dy, x, weight, selected, **wanted)
        indices, values = selected.int(), dy.gather(1, selected)
    else:
        reference.check_k(k, dy.shape[1])
        indices, values = _select(core, dy, k)
        if hits is not None:
            _count(indices, values, hits)
    if k > DENSE_SHARE * dy.shape[1]:
        return reference.sparse_backward_linear(dy, x, weight, indices.long(), **wanted)
    dx = sparse_dx(core, indices, values, weight) if need_dx else None
    if need_dw and sparse_grad:
        neurons, places = torch.unique(indices, return_inverse=True)
        rows = sparse_dw(core, places.int(), values, x, len(neurons))
        return dx, reference.row_gradient(neurons.long(), rows, len(weight))
    dw = sparse_dw(core, indices, values, x, len(weight)) if need_dw else None
    return dx, dw


def _select(core: ModuleType, dy: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """(B, K) int32 indices and the values there."""
    indices = torch.empty(len(dy), k, dtype=torch.int32)
    values = dy.new_empty(len(dy), k)
    core.select_topk(dy.contiguous(), indices, values, torch.get_num_threads())
    return indices, values


def _unified_backward(
    core: ModuleType,
    dy: Tensor,
    x: Tensor,
    weight: Tensor,
    k: int,
    *,
    need_dx: bool,
    need_dw: bool,
    sparse_grad: bool,
    db: Tensor | None,
    hits: Tensor | None,
) -> tuple[Tensor | None, Tensor | None]:
    """All of it by the core in one call."""
    reference.check_k(k, dy.shape[1])
    neurons = torch.empty(k, dtype=torch.int32)
    dx = x.new_empty(x.shape) if need_dx else None
    dw = x.new_empty(k if sparse_grad else len(weight), x.shape[1]) if need_dw else None
    core.unified_backward(
        *(dy.contiguous(), x.contiguous(), weight.contiguous(), neurons, dx, dw, db, hits),
        torch.get_num_threads(),
    )
    if dw is not None and sparse_grad:
        dw = reference.row_gradient(neurons.long(), dw, len(weight))
    return dx, dw


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


def _count(indices: Tensor, values: Tensor, hits: Tensor) -> None:
    """Add to `hits` (O,) the examples that kept each neuron with a value other than zero."""
    hits += torch.bincount(indices[values != 0], minlength=len(hits))
