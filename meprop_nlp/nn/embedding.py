"""Embeddings and dropout for networks whose time would otherwise go there.

On the CPU both run on the native core: a table's gradient is made for the rows that were read only,
and dropout stores no mask. Elsewhere they are PyTorch's own.
"""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import Function, once_differentiable

from meprop_nlp.nn import row_kernels

__all__ = ["dropout", "embedding_concat", "embedding_sum"]


class EmbeddingFunction(Function):
    """y[n] = sum over j of table[rows[n, j]], then dropout."""

    @staticmethod
    def forward(
        ctx: Any, table: Tensor, rows: Tensor, p: float, seed: int, sparse_grad: bool
    ) -> Tensor:
        ctx.save_for_backward(rows)
        ctx.settings = len(table), p, seed, sparse_grad
        return row_kernels.embedding_forward(table, rows, p, seed)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        (rows,) = ctx.saved_tensors
        n_table_rows, p, seed, sparse = ctx.settings
        dtable = row_kernels.embedding_backward(dy, rows, n_table_rows, p, seed, sparse=sparse)
        return dtable, None, None, None, None


class DropoutFunction(Function):
    """Dropout whose mask is made again in the backward pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, p: float, seed: int) -> Tensor:
        ctx.settings = p, seed
        return row_kernels.apply_dropout(x, p, seed)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        return row_kernels.apply_dropout(dy, *ctx.settings), None, None


def dropout(x: Tensor, p: float, training: bool = True) -> Tensor:
    """Like `torch.nn.functional.dropout`, with another source of chance on the CPU.

    Args:
        x: any shape.
        p: 0 up to, not including, 1: the chance of an element to become zero.
        training: whether to drop anything.
    """
    if not training or p == 0:
        return x
    if x.device.type != "cpu":
        return F.dropout(x, p)
    y: Tensor = DropoutFunction.apply(x, p, row_kernels.draw_seed())  # type: ignore[no-untyped-call]
    return y


def embedding_sum(table: Tensor, rows: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """The sum of some rows of a table: an `nn.EmbeddingBag` of sums.

    Args:
        table: (V, E).
        rows: (N, J) int32, 0 to V - 1.
        sparse_grad: whether the table's gradient has only the rows that were read, as a sparse
            tensor; for a parameter that an optimiser of `nn/optimizers.py` updates.

    Returns:
        (N, E).
    """
    return _embedding(table, rows, 0.0, sparse_grad)


def embedding_concat(
    table: Tensor, rows: Tensor, *, p: float = 0.0, training: bool = True, sparse_grad: bool = False
) -> Tensor:
    """Rows of a table side by side, with dropout.

    Args:
        table: (V, E).
        rows: (B, F) int32, 0 to V - 1.
        p, training: of dropout.
        sparse_grad: see `embedding_sum`.

    Returns:
        (B, F * E).
    """
    y = _embedding(table, rows.reshape(-1, 1), p if training else 0.0, sparse_grad)
    return y.view(len(rows), rows.shape[1] * table.shape[1])


def _embedding(table: Tensor, rows: Tensor, p: float, sparse_grad: bool) -> Tensor:
    if table.device.type != "cpu":
        return F.dropout(F.embedding(rows, table, sparse=sparse_grad).sum(dim=1), p)
    seed = row_kernels.draw_seed() if p else 0
    y: Tensor = EmbeddingFunction.apply(table, rows, p, seed, sparse_grad)  # type: ignore[no-untyped-call]
    return y
