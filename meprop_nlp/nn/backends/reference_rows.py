"""Rows of tables and dropout in plain PyTorch.

Dimensions: V rows of a table, E columns, N sums, J rows in each.
"""

import torch
from torch import Tensor

from meprop_nlp.nn.distinct import distinct
from meprop_nlp.nn.row_gradient import row_gradient

_WORD = 0xFFFFFFFF  # the low 32 bits


class ReferenceRows:
    """Sums of rows of a table, their gradient, and dropout that stores no mask."""

    def forward(self, table: Tensor, rows: Tensor, p: float, seed: int) -> Tensor:
        """Add up rows of a table, with dropout.

        Args:
            table: (V, E).
            rows: (N, J) int32.
            p: the share of the result's elements that dropout zeroes; 0: none.
            seed: of `kept_by_dropout`.

        Returns:
            (N, E): sum over j of table[rows[n, j]].
        """
        y = table.index_select(0, rows.reshape(-1)).view(*rows.shape, table.shape[1]).sum(dim=1)
        return self.dropout(y, p, seed) if p else y

    def backward(
        self, dy: Tensor, rows: Tensor, n_table_rows: int, p: float, seed: int, *, sparse: bool
    ) -> Tensor:
        """Make the gradient of the table of `forward`.

        Args:
            dy: (N, E).
            rows, p, seed: as in the forward pass.
            n_table_rows: V.
            sparse: whether to store only the rows that were read.

        Returns:
            (V, E), dense or a `row_gradient`.
        """
        if p:
            dy = self.dropout(dy, p, seed)
        width = dy.shape[1]
        each = dy.unsqueeze(1).expand(*rows.shape, width).reshape(-1, width)  # (N * J, E)
        gradient = dy.new_zeros(n_table_rows, width)
        gradient.index_add_(0, rows.reshape(-1), each)
        if not sparse:
            return gradient
        read = distinct(rows, n_table_rows)[0].long()
        return row_gradient(read, gradient[read], n_table_rows)

    def dropout(self, x: Tensor, p: float, seed: int) -> Tensor:
        """Zero a share p of the elements of `x` and divide the others by 1 - p."""
        kept = kept_by_dropout(x.numel(), p, seed, x.device).view(x.shape)
        return torch.where(kept, x * (1 / (1 - p)), 0)

    def number_pairs(self, rows: Tensor, n_table_rows: int) -> tuple[Tensor, Tensor, Tensor]:
        """Number the distinct pairs of a slot and a row of a table in a batch.

        Args:
            rows: (B, F) int32, 0 to V - 1.
            n_table_rows: V.

        Returns:
            pair: (B, F) int32, the number of the pair at each place; by slot, then by row.
            row_of: (P,) int32, the row of each pair.
            first: (F + 1,) int32, where the pairs of each slot begin.
        """
        n_slots = rows.shape[1]
        starts = torch.arange(n_slots + 1) * n_table_rows
        keys, pair = distinct(rows + starts[:-1], n_slots * n_table_rows)
        first = torch.searchsorted(keys.long(), starts).int()
        return pair, keys.remainder(n_table_rows).int(), first


def kept_by_dropout(n: int, p: float, seed: int, device: torch.device) -> Tensor:
    """(n,) False for a share p of the elements, drawn at random.

    Element i is dropped where a 32-bit hash of i and the seed is below p * 2^32: no mask is stored,
    and the backward pass makes the same one again. The hash is the native core's.
    """

    def mixed(x: Tensor) -> Tensor:
        # products of 32-bit numbers wrap around in int64, which leaves their low bits right
        x = ((x ^ (x >> 16)) * 0x7FEB352D) & _WORD
        x = ((x ^ (x >> 15)) * 0x846CA68B) & _WORD
        return x ^ (x >> 16)

    i = torch.arange(n, device=device)
    hashes = mixed((mixed((i + (seed & _WORD)) & _WORD) + (seed >> 32)) & _WORD)
    return hashes >= int(p * 4294967296.0)
