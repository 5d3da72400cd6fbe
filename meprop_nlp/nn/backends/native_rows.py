"""Rows of tables and dropout on the native core; see `reference_rows.py`."""

import torch
from torch import Tensor

from meprop_nlp.nn.backends.core import Core, readable
from meprop_nlp.nn.row_gradient import row_gradient


class NativeRows:
    """The same functions as `ReferenceRows`."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def forward(self, table: Tensor, rows: Tensor, p: float, seed: int) -> Tensor:
        y = table.new_empty(len(rows), table.shape[1])
        kernels, threads = self.core
        kernels.embedding_forward(readable(table), rows.contiguous().int(), p, seed, y, threads)
        return y

    def backward(
        self, dy: Tensor, rows: Tensor, n_table_rows: int, p: float, seed: int, *, sparse: bool
    ) -> Tensor:
        n_most = min(rows.numel(), n_table_rows) if sparse else n_table_rows
        read = torch.empty(n_most, dtype=torch.int32) if sparse else None
        gradient = dy.new_empty(n_most, dy.shape[1])
        n: int = self.core.kernels.embedding_backward(
            readable(dy),
            rows.contiguous().int(),
            n_table_rows,
            p,
            seed,
            read,
            gradient,
            self.core.threads,
        )
        return (
            gradient if read is None else row_gradient(read[:n].long(), gradient[:n], n_table_rows)
        )

    def dropout(self, x: Tensor, p: float, seed: int) -> Tensor:
        y = torch.empty_like(x, memory_format=torch.contiguous_format)
        kernels, threads = self.core
        kernels.apply_dropout(readable(x).view(-1), p, seed, y.view(-1), threads)
        return y

    def number_pairs(self, rows: Tensor, n_table_rows: int) -> tuple[Tensor, Tensor, Tensor]:
        rows = rows.contiguous().int()
        pair, row_of = torch.empty_like(rows), rows.new_empty(rows.numel())
        first = rows.new_empty(rows.shape[1] + 1)
        n_pairs: int = self.core.kernels.number_pairs(rows, n_table_rows, pair, row_of, first)
        return pair, row_of[:n_pairs], first
