"""The border to the native core for a layer over slots of a table; see `nn/slots.py`.

The plain PyTorch form of each kernel stands beside it. Dimensions: B examples, F slots, P distinct
pairs of a slot and a row, E columns of a row, O neurons, K kept.
"""

from __future__ import annotations

from types import ModuleType
from typing import NamedTuple

import torch
from torch import Tensor

from meprop_nlp.config import TopkMode
from meprop_nlp.nn import reference, row_kernels
from meprop_nlp.nn.core import core_for
from meprop_nlp.nn.linear_kernels import linear_backward, select_entries

__all__ = ["SlotGradients", "number_pairs", "slot_backward", "slot_forward"]

# Where more than this share of a batch's (slot, row) pairs are distinct, the products of the rows
# side by side are cheaper than those of the pairs.
PAIR_SHARE = 0.5


class SlotGradients(NamedTuple):
    """What `slot_backward` gives: dvectors (P, E), dw (O, F * E) and db (O,)."""

    dvectors: Tensor
    dw: Tensor
    db: Tensor


def number_pairs(rows: Tensor, n_table_rows: int) -> tuple[Tensor, Tensor, Tensor]:
    """The distinct pairs of a slot and a row of a table in a batch.

    Args:
        rows: (B, F) int32, 0 to V - 1.
        n_table_rows: V.

    Returns:
        pair: (B, F) int32, the number of the pair at each place; by slot, then by row.
        row_of: (P,) int32, the row of each pair.
        first: (F + 1,) int32, where the pairs of each slot begin.
    """
    n_slots = rows.shape[1]
    core = core_for(torch.empty(0)) if rows.device.type == "cpu" else None
    if core is not None:
        rows = rows.contiguous().int()
        pair, row_of = torch.empty_like(rows), rows.new_empty(rows.numel())
        first = rows.new_empty(n_slots + 1)
        n_pairs: int = core.number_pairs(rows, n_table_rows, pair, row_of, first)
        return pair, row_of[:n_pairs], first
    starts = torch.arange(n_slots + 1) * n_table_rows
    keys, pair = row_kernels.distinct(rows + starts[:-1], n_slots * n_table_rows)
    first = torch.searchsorted(keys.long(), starts).int()
    return pair, keys.remainder(n_table_rows).int(), first


def slot_forward(
    vectors: Tensor, pair: Tensor, first: Tensor, weight: Tensor, bias: Tensor | None
) -> Tensor:
    """A linear layer over vectors side by side, each of which stands in one slot only.

    Args:
        vectors: (P, E).
        pair, first: of `number_pairs`.
        weight: (O, F * E).
        bias: (O,) or None.

    Returns:
        (B, O).
    """
    core = core_for(vectors, weight, *(() if bias is None else (bias,)))
    if core is not None and _are_shared(pair, len(vectors)):
        y = vectors.new_empty(len(pair), len(weight))
        core.slot_forward(
            *(vectors.contiguous(), pair, first, weight.contiguous()),
            None if bias is None else bias.contiguous(),
            *(y, torch.get_num_threads()),
        )
        return y
    return torch.nn.functional.linear(_side_by_side(vectors, pair), weight, bias)


def slot_backward(
    dy: Tensor,
    vectors: Tensor,
    pair: Tensor,
    first: Tensor,
    weight: Tensor,
    k: int | None,
    mode: TopkMode = "example",
    *,
    hits: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> SlotGradients:
    """The gradients of `slot_forward`, of a `dy` of which k entries of each row are kept.

    Args:
        dy: (B, O) gradient before sparsification.
        vectors, pair, first, weight: of the forward pass.
        k: how many survive, from 1 to O; None: all.
        mode: see `reference.select_topk`.
        hits: (O,) int64; what `reference.count_hits` counts is added.
        generator: source of `random`.

    Raises:
        ConfigError: unknown mode, or k outside 1 to O.
    """
    core = core_for(dy, vectors, weight)
    if core is None or not _are_shared(pair, len(vectors)):
        return _side_by_side_backward(dy, vectors, pair, weight, k, mode, hits, generator)
    indices, values, db = _kept(core, dy.contiguous(), k, mode, hits, generator)
    vectors, weight = vectors.contiguous(), weight.contiguous()
    dvectors, dw = torch.empty_like(vectors), torch.empty_like(weight)
    core.slot_backward(
        *(indices, values, vectors, pair, first, weight, dvectors, dw, torch.get_num_threads())
    )
    return SlotGradients(dvectors, dw, db)


def _side_by_side_backward(
    dy: Tensor,
    vectors: Tensor,
    pair: Tensor,
    weight: Tensor,
    k: int | None,
    mode: TopkMode,
    hits: Tensor | None,
    generator: torch.Generator | None,
) -> SlotGradients:
    x = _side_by_side(vectors, pair)
    dx: Tensor | None
    dw: Tensor | None
    if k is None:
        _count_all(dy, hits)
        dx, dw = dy.mm(weight), dy.t().mm(x)
    else:
        dx, dw = linear_backward(dy, x, weight, k, mode, hits=hits, generator=generator)
    assert dx is not None  # it is asked for
    assert dw is not None
    dvectors = row_kernels.embedding_backward(
        *(dx.view(-1, vectors.shape[1]), pair.reshape(-1, 1), len(vectors), 0.0, 0), sparse=False
    )
    return SlotGradients(dvectors, dw, dy.sum(dim=0))


def _kept(
    core: ModuleType,
    dy: Tensor,
    k: int | None,
    mode: TopkMode,
    hits: Tensor | None,
    generator: torch.Generator | None,
) -> tuple[Tensor | None, Tensor, Tensor]:
    """Indices (B, K) and values (B, K) of what is kept, or None and all of `dy`; and db (O,)."""
    if k is None:
        _count_all(dy, hits)
        return None, dy, dy.sum(dim=0)
    if mode == "example":
        reference.check_k(k, dy.shape[1])
        db = dy.new_empty(dy.shape[1])
        return *select_entries(core, dy, k, db=db, hits=hits), db
    selected = reference.select_topk(dy, k, mode, generator=generator)
    if hits is not None:
        reference.count_hits(dy, selected, hits)
    if selected.dim() == 1:
        selected = selected.expand(len(dy), -1)
    return selected.int().contiguous(), dy.gather(1, selected), dy.sum(dim=0)


def _count_all(dy: Tensor, hits: Tensor | None) -> None:
    if hits is not None:
        hits += (dy != 0).sum(dim=0)


def _are_shared(pair: Tensor, n_pairs: int) -> bool:
    return n_pairs <= PAIR_SHARE * pair.numel()


def _side_by_side(vectors: Tensor, pair: Tensor) -> Tensor:
    """(B, F * E): the vectors that `pair` (B, F) names."""
    x = row_kernels.embedding_forward(vectors, pair.reshape(-1, 1), 0.0, 0)
    return x.view(len(pair), pair.shape[1] * vectors.shape[1])
