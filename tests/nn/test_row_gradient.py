"""Gradients that store only some rows."""

from __future__ import annotations

import torch
from torch.testing import assert_close

from meprop_nlp.nn.row_gradient import in_row_order, row_gradient, rows_and_values


def test_rows_that_are_not_stored_are_zero():
    gradient = row_gradient(torch.tensor([1, 3]), torch.tensor([[1.0, 2.0], [3.0, 4.0]]), 5)
    assert gradient.is_coalesced()
    assert gradient.to_dense().tolist() == [[0, 0], [1, 2], [0, 0], [3, 4], [0, 0]]


def test_rows_out_of_order_are_coalesced_and_others_are_not():
    values = torch.tensor([[1.0], [2.0], [3.0]])

    def gradient(*rows):
        return torch.sparse_coo_tensor(torch.tensor([rows]), values, (5, 1), check_invariants=True)

    ordered = gradient(0, 2, 4)
    assert in_row_order(ordered) is ordered
    rows, summed = rows_and_values(gradient(3, 1, 3))
    assert rows.tolist() == [1, 3]
    assert summed.tolist() == [[2], [4]]


def test_a_dense_gradient_has_all_rows():
    gradient = torch.randn(3, 2)
    rows, values = rows_and_values(gradient)
    assert rows is None
    assert_close(values, gradient, rtol=0, atol=0)
