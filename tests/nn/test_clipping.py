"""Gradient clipping over dense and sparse gradients."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from meprop_nlp.nn.clipping import clamp_gradients, clip_gradients


def sparse(gradient, rows):
    return torch.sparse_coo_tensor(
        rows.unsqueeze(0), gradient[rows], gradient.shape, check_invariants=True
    )


@pytest.mark.parametrize("max_norm", [0.5, 100.0])
def test_clipping_is_pytorchs_over_dense_and_sparse_gradients(max_norm):
    dense, table = nn.Parameter(torch.zeros(3, 4)), nn.Parameter(torch.zeros(5, 2))
    dense.grad = torch.randn(3, 4)
    table.grad = sparse(torch.randn(5, 2), torch.tensor([3, 1, 3]))  # row 3 counts twice
    expected = [nn.Parameter(torch.zeros(3, 4)), nn.Parameter(torch.zeros(5, 2))]
    for parameter, ours in zip(expected, (dense, table), strict=True):
        parameter.grad = ours.grad.to_dense().clone()
    norm = nn.utils.clip_grad_norm_(expected, max_norm)
    assert_close(clip_gradients([dense, table], max_norm), norm.item())
    for parameter, ours in zip(expected, (dense, table), strict=True):
        assert_close(ours.grad.to_dense(), parameter.grad)


def test_clamping_bounds_each_entry_of_dense_and_sparse_gradients():
    dense, table = nn.Parameter(torch.zeros(3, 4)), nn.Parameter(torch.zeros(5, 2))
    dense.grad = torch.randn(3, 4)
    table.grad = sparse(torch.randn(5, 2), torch.tensor([3, 1, 3]))  # row 3 counts twice
    expected = [p.grad.to_dense().clamp(-0.3, 0.3) for p in (dense, table)]
    clamp_gradients([dense, table], 0.3)
    assert_close([dense.grad, table.grad.to_dense()], expected)


def test_no_gradient_at_all_is_no_error():
    parameter = nn.Parameter(torch.ones(2))
    clamp_gradients([parameter], 1.0)
    assert clip_gradients([parameter], 1.0) == 0.0
    assert parameter.tolist() == [1.0, 1.0]
