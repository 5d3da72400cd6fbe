"""Embeddings and dropout: the core against plain PyTorch, then the properties."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from meprop_nlp.nn.backends import choose
from meprop_nlp.nn.backends.reference_rows import kept_by_dropout
from meprop_nlp.nn.embedding import draw_seed, dropout, embedding_concat, embedding_sum

each_shape = pytest.mark.parametrize(
    ("n", "each", "table_rows", "width"),
    [(5, 1, 3, 4), (700, 3, 90, 50), (300, 8, 40, 33), (0, 2, 5, 3), (4, 0, 5, 3), (1, 1, 1, 1)],
)
each_dtype = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)


@pytest.fixture(params=["core", "reference"])
def kernels(request, monkeypatch):
    """With the core, and as it is without."""
    if request.param == "reference":
        monkeypatch.setattr(choose, "core_for", lambda *tensors: None)


def make(n, each, table_rows, width, dtype):
    table = torch.randn(table_rows, width, dtype=dtype, requires_grad=True)
    rows = torch.randint(0, table_rows, (n, each), dtype=torch.int32)
    return table, rows, torch.randn(n, width, dtype=dtype)


@each_shape
@each_dtype
def test_sum_and_its_gradient_are_those_of_indexing(
    core, kernels, n, each, table_rows, width, dtype
):
    table, rows, dy = make(n, each, table_rows, width, dtype)
    expected = table[rows.long()].sum(dim=1)
    actual = embedding_sum(table, rows)
    assert_close(actual, expected)
    (expected_grad,) = torch.autograd.grad(expected, table, dy)
    (dense,) = torch.autograd.grad(actual, table, dy)
    # sums of up to 700 * 3 terms of magnitude 1, in another order
    assert_close(dense, expected_grad, rtol=1e-4, atol=1e-4)
    (sparse,) = torch.autograd.grad(embedding_sum(table, rows, sparse_grad=True), table, dy)
    assert sparse.is_sparse
    assert sparse._indices()[0].tolist() == rows.unique().tolist()
    assert_close(sparse.to_dense(), dense, rtol=0, atol=0)


@each_shape
@each_dtype
def test_dropout_is_that_of_the_reference_hash(core, kernels, n, each, table_rows, width, dtype):
    table, rows, dy = make(n, each, table_rows, width, dtype)
    seed, kernels = draw_seed(), choose.rows(table)
    kept = kept_by_dropout(n * width, 0.3, seed, table.device).view(n, width)
    expected = torch.where(kept, table[rows.long()].sum(dim=1) / 0.7, 0)
    assert_close(kernels.forward(table.detach(), rows, 0.3, seed), expected)
    assert_close(
        kernels.backward(dy, rows, table_rows, 0.3, seed, sparse=False),
        torch.autograd.grad(expected, table, dy)[0],
        rtol=1e-4,
        atol=1e-4,
    )
    assert_close(kernels.dropout(dy, 0.3, seed), torch.where(kept, dy / 0.7, 0))


@given(p=st.floats(0.05, 0.95), seed=st.integers(0, 2**64 - 1))
@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_dropout_zeroes_its_share_whatever_the_seed_and_neighbours_are_independent(p, seed):
    n = 40_000
    x = torch.ones(n)
    gone = choose.rows(x).dropout(x, p, seed) == 0
    # six standard deviations of a mean of n draws
    bound = 6 * (0.25 / n) ** 0.5
    assert_close(gone.float().mean().item(), p, rtol=0, atol=bound)
    for step in (1, 50, 2400):
        both = (gone[step:] & gone[:-step]).float().mean().item()
        assert_close(both, p * p, rtol=0, atol=1.5 * bound)


def test_two_seeds_drop_different_elements():
    x = torch.ones(1000)
    first, second = (choose.rows(x).dropout(x, 0.5, seed) for seed in (1, 1 << 40))
    assert_close((first == second).float().mean().item(), 0.5, rtol=0, atol=0.1)


def test_dropout_makes_the_same_mask_again_in_the_backward_pass(core):
    x = torch.randn(30, 41, requires_grad=True)
    y = dropout(x, 0.4)
    (dx,) = torch.autograd.grad(y.sum(), x)
    assert_close(dx != 0, y != 0)
    assert_close(y, x * dx)
    assert 0.3 < (dx == 0).float().mean().item() < 0.5


def test_dropout_follows_the_default_generator_and_is_off_where_it_should_be():
    x = torch.randn(7, 5)
    torch.manual_seed(4)
    first = dropout(x, 0.5)
    torch.manual_seed(4)
    assert_close(dropout(x, 0.5), first, rtol=0, atol=0)
    assert not torch.equal(dropout(x, 0.5), first)
    assert dropout(x, 0.5, training=False) is x
    assert dropout(x, 0.0) is x


def test_concat_stands_rows_side_by_side():
    table = torch.arange(6.0).view(3, 2)
    rows = torch.tensor([[2, 0], [1, 1]], dtype=torch.int32)
    assert embedding_concat(table, rows).tolist() == [[4, 5, 0, 1], [2, 3, 2, 3]]


def test_wrong_rows_are_an_exception(core):
    table = torch.randn(4, 3)
    for rows in (torch.tensor([[4]]), torch.tensor([[-1]])):
        with pytest.raises(ValueError, match="outside"):
            embedding_sum(table, rows.int())


def test_table_may_be_a_view_and_rows_of_another_type():
    table, rows = torch.randn(3, 6).t(), torch.tensor([[5, 0], [1, 1]])
    assert_close(embedding_sum(table, rows), table[rows].sum(dim=1))
    layer = nn.Embedding.from_pretrained(table)
    assert_close(embedding_concat(layer.weight, rows), layer(rows).flatten(1))
