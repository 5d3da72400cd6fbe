"""The border to the native core for rows of tables: reading them, and dropout.

The plain PyTorch form of each kernel stands beside it; see `nn/kernels.py` for the layers' kernels.
Dimensions: V rows of a table, E columns, N rows read, J of them added up.
"""

from __future__ import annotations

import torch
from torch import Tensor

from meprop_nlp.nn.core import core_for

__all__ = [
    "apply_dropout",
    "distinct",
    "draw_seed",
    "embedding_backward",
    "embedding_forward",
    "kept_by_dropout",
]

_WORD = 0xFFFFFFFF  # the low 32 bits


def draw_seed() -> int:
    """64 random bits from PyTorch's default generator, so that a resumed training draws alike."""
    return int(torch.empty((), dtype=torch.int64).random_()) & 0xFFFFFFFFFFFFFFFF


def kept_by_dropout(n: int, p: float, seed: int, device: torch.device) -> Tensor:
    """(n,) False for a share p of the elements, drawn by chance.

    Element i goes where a 32-bit hash of i and the seed is below p * 2^32: no mask is stored, and
    the backward pass makes the same one again. The hash is that of native/embedding/dropout.hpp.
    """

    def mixed(x: Tensor) -> Tensor:
        # products of 32-bit numbers wrap around in int64, which leaves their low bits right
        x = ((x ^ (x >> 16)) * 0x7FEB352D) & _WORD
        x = ((x ^ (x >> 15)) * 0x846CA68B) & _WORD
        return x ^ (x >> 16)

    i = torch.arange(n, device=device)
    hashes = mixed((mixed((i + (seed & _WORD)) & _WORD) + (seed >> 32)) & _WORD)
    return hashes >= int(p * 4294967296.0)


def apply_dropout(x: Tensor, p: float, seed: int) -> Tensor:
    """x with a share p of its elements zeroed and the others divided by 1 - p."""
    core = core_for(x)
    if core is None:
        kept = kept_by_dropout(x.numel(), p, seed, x.device).view(x.shape)
        return torch.where(kept, x * (1 / (1 - p)), 0)
    y = torch.empty_like(x, memory_format=torch.contiguous_format)
    core.apply_dropout(x.contiguous().view(-1), p, seed, y.view(-1), torch.get_num_threads())
    return y


def embedding_forward(table: Tensor, rows: Tensor, p: float, seed: int) -> Tensor:
    """Sums of rows of a table, with dropout.

    Args:
        table: (V, E).
        rows: (N, J) int32.
        p: share of the result's elements that dropout zeroes; 0: none.
        seed: of `kept_by_dropout`.

    Returns:
        (N, E): sum over j of table[rows[n, j]].
    """
    core = core_for(table)
    if core is None:
        y = table.index_select(0, rows.reshape(-1)).view(*rows.shape, table.shape[1]).sum(dim=1)
        return apply_dropout(y, p, seed) if p else y
    y = table.new_empty(len(rows), table.shape[1])
    core.embedding_forward(
        table.contiguous(), rows.contiguous().int(), p, seed, y, torch.get_num_threads()
    )
    return y


def embedding_backward(
    dy: Tensor, rows: Tensor, n_table_rows: int, p: float, seed: int, *, sparse: bool
) -> Tensor:
    """The gradient of the table of `embedding_forward`.

    Args:
        dy: (N, E).
        rows, p, seed: as in the forward pass.
        n_table_rows: V.
        sparse: whether to make the rows that were read only.

    Returns:
        (V, E), dense, or sparse in its first dimension and coalesced.
    """
    core = core_for(dy)
    if core is None:
        if p:
            dy = apply_dropout(dy, p, seed)
        each = (
            dy.unsqueeze(1).expand(*rows.shape, dy.shape[1]).reshape(-1, dy.shape[1])
        )  # (N * J, E)
        gradient = dy.new_zeros(n_table_rows, dy.shape[1])
        gradient.index_add_(0, rows.reshape(-1), each)
        if not sparse:
            return gradient
        numbers = distinct(rows, n_table_rows)[0].long()
        return _row_sparse(numbers, gradient[numbers], n_table_rows)
    n_most = min(rows.numel(), n_table_rows) if sparse else n_table_rows
    read = torch.empty(n_most, dtype=torch.int32) if sparse else None
    gradient = dy.new_empty(n_most, dy.shape[1])
    n: int = core.embedding_backward(
        *(
            dy.contiguous(),
            rows.contiguous().int(),
            n_table_rows,
            p,
            seed,
            read,
            gradient,
            torch.get_num_threads(),
        )
    )
    return gradient if read is None else _row_sparse(read[:n].long(), gradient[:n], n_table_rows)


def distinct(numbers: Tensor, upper: int) -> tuple[Tensor, Tensor]:
    """The different values among int32 `numbers`, each from 0 up to, not including, `upper`.

    Returns:
        values: int32, increasing.
        places: of the shape of `numbers`, int32: numbers == values[places].
    """
    flat = numbers.reshape(-1).long()
    is_there = torch.zeros(upper, dtype=torch.bool, device=flat.device)
    is_there[flat] = True
    place = is_there.cumsum(dim=0, dtype=torch.int32) - 1
    return is_there.nonzero().squeeze(1).int(), place[flat].view(numbers.shape)


def _row_sparse(rows: Tensor, values: Tensor, n_table_rows: int) -> Tensor:
    return torch.sparse_coo_tensor(
        *(rows.unsqueeze(0), values, (n_table_rows, values.shape[1])),
        is_coalesced=True,
        check_invariants=False,
    )
