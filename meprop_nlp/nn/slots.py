"""A meProp layer over rows of a table side by side, as a parser's first layer is.

In a batch most slots hold one of few rows: a frequent form, a tag, nothing. The product of a slot's
weights with a row is made once for all examples that share it, where that pays, and backward the
gradients that are kept are added up over those examples before any product. What comes out is that
of the layer on the rows side by side, the sums in another order.
"""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import Function, once_differentiable

from meprop_nlp.nn import kernels, slot_kernels
from meprop_nlp.nn.embedding import dropout, embedding_concat
from meprop_nlp.nn.linear import MePropLinear

__all__ = ["slot_linear"]


class SlotFunction(Function):
    """y = x W^T + b for x[b] = the vectors that pair[b] names, side by side."""

    @staticmethod
    def forward(
        ctx: Any,
        vectors: Tensor,
        pair: Tensor,
        first: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        k: int | None,
        layer: MePropLinear,
    ) -> Tensor:
        ctx.save_for_backward(vectors, pair, first, weight)
        ctx.settings = k, layer
        return slot_kernels.slot_forward(vectors, pair, first, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        vectors, pair, first, weight = ctx.saved_tensors
        k, layer = ctx.settings
        need_dvectors, _, _, need_dw, need_db = ctx.needs_input_grad[:5]
        grads = slot_kernels.slot_backward(
            *(dy, vectors, pair, first, weight, k, layer.topk_mode),
            hits=layer.hits if layer.counting else None,
            generator=layer.generator,
        )
        if layer.counting:
            layer.examples += len(pair)
        return (
            grads.dvectors if need_dvectors else None,
            None,
            None,
            grads.dw if need_dw else None,
            grads.db if need_db else None,
            None,
            None,
        )


def slot_linear(
    layer: MePropLinear, table: Tensor, rows: Tensor, *, p: float = 0.0, training: bool = True
) -> Tensor:
    """`layer` on rows of a table side by side, with dropout on the rows.

    Dropout draws once for a slot and a row, not for each example: what examples share stays shared.
    On a GPU, where nothing is shared, it draws for each example.

    Args:
        layer: of F * E inputs and O outputs.
        table: (V, E).
        rows: (B, F) int32, 0 to V - 1.
        p, training: of dropout.

    Returns:
        (B, O): without dropout layer(table[rows].flatten(1)).
    """
    if table.device.type != "cpu":
        x = dropout(F.embedding(rows, table).flatten(1), p, training)
        output: Tensor = layer(x)
        return output
    pair, row_of, first = slot_kernels.number_pairs(rows, len(table))
    vectors = embedding_concat(table, row_of.unsqueeze(1), p=p, training=training)  # (P, E)
    k = kernels.active_k(layer.k, layer.out_features)
    y: Tensor = SlotFunction.apply(  # type: ignore[no-untyped-call]
        vectors, pair, first, layer.weight, layer.bias, k, layer
    )
    return y
