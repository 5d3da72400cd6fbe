"""A meProp layer whose input is rows of a table side by side, like a parser's first layer.

In a batch most slots hold one of a few rows: a frequent form, a tag, nothing. Where it pays, the
product of a slot's weights with a row is computed once for all examples that share it, and the
backward pass adds up the kept gradients of these examples before it multiplies. The results are
those of the layer applied to the rows side by side, summed in another order.
"""

from typing import Any

import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import Function, once_differentiable

from meprop_nlp.nn.backends import choose
from meprop_nlp.nn.embedding import dropout, embedding_concat
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.nn.topk import Kept, Operands, Selection, active_k


class SlotFunction(Function):
    """y = x W^T + b, where x[b] is the vectors of the pairs pair[b], side by side."""

    @staticmethod
    def forward(
        ctx: Any,
        vectors: Tensor,
        pair: Tensor,
        first: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        selection: Selection,
        hits: Tensor | None,
        examples: Tensor | None,
    ) -> Tensor:
        ctx.save_for_backward(vectors, pair, first, weight)
        ctx.settings = selection, hits, examples
        shared = choose.shared_pairs(vectors, pair, first, weight)
        if shared is not None:
            return shared.forward(bias)
        return F.linear(_side_by_side(vectors, pair), weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        kept: Kept
        vectors, pair, first, weight = ctx.saved_tensors
        selection, hits, examples = ctx.settings
        shared = choose.shared_pairs(vectors, pair, first, weight)
        if shared is not None:
            entries = shared.topk(dy, selection, counting=hits is not None)
            dvectors, dw = shared.backward(entries)
            kept, db = entries, entries.db
        else:
            x = _side_by_side(vectors, pair)
            layer = Operands(x, weight, need_db=False, counting=hits is not None)
            kept = choose.topk(dy, selection, layer)
            dvectors = _add_up(kept.dx(weight), vectors, pair)
            dw = kept.dw(x)
            db = dy.sum(dim=0)
        if hits is not None:
            kept.count(hits)
        if examples is not None:
            examples += len(pair)
        need_dvectors, _, _, need_dw, need_db = ctx.needs_input_grad[:5]
        return (
            dvectors if need_dvectors else None,
            None,
            None,
            dw if need_dw else None,
            db if need_db else None,
            None,
            None,
            None,
        )


def slot_linear(
    layer: MePropLinear, table: Tensor, rows: Tensor, *, p: float = 0.0, training: bool = True
) -> Tensor:
    """Apply `layer` to rows of a table side by side, with dropout on the rows.

    Dropout draws once for each pair of a slot and a row, not for each example, so that examples can
    share products. On a GPU, where they do not, it draws for each example.

    Args:
        layer: has F * E inputs and O outputs.
        table: (V, E).
        rows: (B, F) int32, 0 to V - 1.
        p, training: of dropout.

    Returns:
        (B, O): without dropout layer(table[rows].flatten(1)).
    """
    if choose.torch_reads_rows(table):
        x = dropout(F.embedding(rows, table).flatten(1), p, training)
        output: Tensor = layer(x)
        return output
    pair, row_of, first = choose.rows(table).number_pairs(rows, len(table))
    vectors = embedding_concat(table, row_of.unsqueeze(1), p=p, training=training)  # (P, E)
    selection = Selection(active_k(layer.k, layer.out_features), layer.topk_mode, layer.generator)
    hits, examples = (layer.hits, layer.examples) if layer.counting else (None, None)
    y: Tensor = SlotFunction.apply(  # type: ignore[no-untyped-call]
        vectors, pair, first, layer.weight, layer.bias, selection, hits, examples
    )
    return y


def _side_by_side(vectors: Tensor, pair: Tensor) -> Tensor:
    """(B, F * E): the vectors of the pairs `pair` (B, F), side by side."""
    x = choose.rows(vectors).forward(vectors, pair.reshape(-1, 1), 0.0, 0)
    return x.view(len(pair), pair.shape[1] * vectors.shape[1])


def _add_up(dx: Tensor, vectors: Tensor, pair: Tensor) -> Tensor:
    """(P, E): for each of `vectors`, the sum of `dx` (B, F * E) over its places in `pair`."""
    dx = dx.view(-1, vectors.shape[1])
    return choose.rows(dx).backward(dx, pair.reshape(-1, 1), len(vectors), 0.0, 0, sparse=False)
