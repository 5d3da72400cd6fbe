"""Gradients that store only some rows of their parameter; all other rows are zero.

Such a gradient is a `torch.sparse_coo_tensor` with one sparse dimension, like those of
`nn.Embedding(sparse=True)`. Dimensions: R rows stored, O rows in all.
"""

from torch import Tensor, sparse_coo_tensor


def row_gradient(rows: Tensor, values: Tensor, n_rows: int) -> Tensor:
    """Make the gradient of a parameter of `n_rows` rows.

    Args:
        rows: (R,) int64, indices of the stored rows, increasing.
        values: (R, I) the stored rows.
        n_rows: O.

    Returns:
        (O, I), sparse in its first dimension and coalesced.
    """
    # The invariants are not checked: on a GPU the host would wait for the result.
    return sparse_coo_tensor(
        rows.unsqueeze(0),
        values,
        (n_rows, values.shape[1]),
        check_invariants=False,
        is_coalesced=True,
    )


def in_row_order(gradient: Tensor) -> Tensor:
    """Return `gradient` with its rows in order: coalesced only if it is sparse and they are not.

    Autograd loses the flag that our gradients are coalesced. Checking the order is cheaper than
    coalescing them again.
    """
    if not gradient.is_sparse or gradient.is_coalesced():
        return gradient
    return gradient.coalesce() if bool((gradient._indices()[0].diff() <= 0).any()) else gradient


def rows_and_values(gradient: Tensor) -> tuple[Tensor | None, Tensor]:
    """Return the rows that a gradient stores, None if it is dense, and their values."""
    if not gradient.is_sparse:
        return None, gradient
    gradient = in_row_order(gradient)
    return gradient._indices()[0].contiguous(), gradient._values()
