"""Embeddings and dropout for networks that would otherwise spend most of their time on them.

On the CPU a table's gradient is made only for the rows that were read, and dropout stores no mask.
On other devices both are PyTorch's own.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import Function, once_differentiable

from meprop_nlp.nn.backends import choose


class EmbeddingFunction(Function):
    """y[n] = sum over j of table[rows[n, j]], then dropout."""

    @staticmethod
    def forward(
        ctx: Any, table: Tensor, rows: Tensor, p: float, seed: int, sparse_grad: bool
    ) -> Tensor:
        ctx.save_for_backward(rows)
        ctx.settings = len(table), p, seed, sparse_grad
        return choose.rows(table).forward(table, rows, p, seed)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        (rows,) = ctx.saved_tensors
        n_table_rows, p, seed, sparse = ctx.settings
        dtable = choose.rows(dy).backward(dy, rows, n_table_rows, p, seed, sparse=sparse)
        return dtable, None, None, None, None


class DropoutFunction(Function):
    """Dropout whose mask is made again in the backward pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, p: float, seed: int) -> Tensor:
        ctx.settings = p, seed
        return choose.rows(x).dropout(x, p, seed)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        return choose.rows(dy).dropout(dy, *ctx.settings), None, None


def draw_seed() -> int:
    """Draw 64 random bits from PyTorch's default generator, whose state a checkpoint restores."""
    return int(torch.empty((), dtype=torch.int64).random_()) & 0xFFFFFFFFFFFFFFFF


def dropout(x: Tensor, p: float, training: bool = True) -> Tensor:
    """Apply dropout, as `torch.nn.functional.dropout` does, with our own random bits on the CPU.

    Args:
        x: any shape.
        p: probability that an element becomes zero, from 0 up to, not including, 1.
        training: whether to drop anything.
    """
    if not training or p == 0:
        return x
    if choose.torch_reads_rows(x):
        return F.dropout(x, p)
    y: Tensor = DropoutFunction.apply(x, p, draw_seed())  # type: ignore[no-untyped-call]
    return y


def embedding_sum(table: Tensor, rows: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """Add up rows of a table, as an `nn.EmbeddingBag` of mode `sum` does.

    Args:
        table: (V, E).
        rows: (N, J) int32, 0 to V - 1.
        sparse_grad: whether the table's gradient is a sparse tensor of the rows that were read, as
            the optimisers of `nn/optimizers.py` take it.

    Returns:
        (N, E).
    """
    return _embedding(table, rows, 0.0, sparse_grad)


def embedding_concat(
    table: Tensor, rows: Tensor, *, p: float = 0.0, training: bool = True, sparse_grad: bool = False
) -> Tensor:
    """Put rows of a table side by side, with dropout.

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
    if choose.torch_reads_rows(table):
        return F.dropout(F.embedding(rows, table, sparse=sparse_grad).sum(dim=1), p)
    seed = draw_seed() if p else 0
    y: Tensor = EmbeddingFunction.apply(table, rows, p, seed, sparse_grad)  # type: ignore[no-untyped-call]
    return y
