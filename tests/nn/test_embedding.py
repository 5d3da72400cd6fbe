"""Embeddings, dropout, layers over slots: the core against plain PyTorch, then the properties."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from meprop_nlp.nn import row_kernels
from meprop_nlp.nn.embedding import dropout, embedding_concat, embedding_sum
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.nn.slots import slot_linear

each_shape = pytest.mark.parametrize(
    ("n", "each", "table_rows", "width"),
    [(5, 1, 3, 4), (700, 3, 90, 50), (300, 8, 40, 33), (0, 2, 5, 3), (4, 0, 5, 3), (1, 1, 1, 1)],
)
each_dtype = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)


@pytest.fixture(params=["core", "reference"])
def kernels(request, monkeypatch):
    """With the core, and as it is without."""
    if request.param == "reference":
        monkeypatch.setattr(row_kernels, "core_for", lambda *tensors: None)


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
    seed = row_kernels.draw_seed()
    kept = row_kernels.kept_by_dropout(n * width, 0.3, seed, table.device).view(n, width)
    expected = torch.where(kept, table[rows.long()].sum(dim=1) / 0.7, 0)
    assert_close(row_kernels.embedding_forward(table.detach(), rows, 0.3, seed), expected)
    assert_close(
        row_kernels.embedding_backward(dy, rows, table_rows, 0.3, seed, sparse=False),
        torch.autograd.grad(expected, table, dy)[0],
        rtol=1e-4,
        atol=1e-4,
    )
    assert_close(row_kernels.apply_dropout(dy, 0.3, seed), torch.where(kept, dy / 0.7, 0))


@given(p=st.floats(0.05, 0.95), seed=st.integers(0, 2**64 - 1))
@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_dropout_zeroes_its_share_whatever_the_seed_and_neighbours_are_independent(p, seed):
    n = 40_000
    gone = row_kernels.apply_dropout(torch.ones(n), p, seed) == 0
    # six standard deviations of a mean of n draws
    bound = 6 * (0.25 / n) ** 0.5
    assert_close(gone.float().mean().item(), p, rtol=0, atol=bound)
    for step in (1, 50, 2400):
        both = (gone[step:] & gone[:-step]).float().mean().item()
        assert_close(both, p * p, rtol=0, atol=1.5 * bound)


def test_two_seeds_drop_different_elements():
    first, second = (
        row_kernels.apply_dropout(torch.ones(1000), 0.5, seed) for seed in (1, 1 << 40)
    )
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


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("k", [None, 5])
@pytest.mark.parametrize(
    ("batch", "slots", "table_rows", "width", "outs"),
    [
        (50, 48, 30, 50, 100),
        (7, 3, 5, 4, 17),
        (33, 5, 200, 7, 65),
        (1, 1, 1, 1, 9),
        (0, 3, 4, 5, 6),
    ],
)
@each_dtype
def test_layer_over_slots_is_the_layer_on_the_rows_side_by_side(
    core, batch, slots, table_rows, width, outs, k, bias, dtype
):
    table, rows, _ = make(batch, slots, table_rows, width, dtype)
    layer = MePropLinear(slots * width, outs, bias, k=k, dtype=dtype)
    layer.counting = True
    expected_layer = MePropLinear.from_dense(layer.to_dense(), k=k)
    expected_layer.counting = True
    expected = expected_layer(table[rows.long()].flatten(1))
    actual = slot_linear(layer, table, rows)
    assert_close(actual, expected, rtol=1e-4, atol=1e-4)
    # whole numbers that differ, so that a rounding of the output cannot change what is kept
    dy = torch.stack([torch.randperm(outs) for _ in range(batch)] or [torch.empty(0, outs)])
    dy = dy.view(batch, outs).to(dtype)
    grads = torch.autograd.grad(actual, [table, *layer.parameters()], dy)
    expected_grads = torch.autograd.grad(expected, [table, *expected_layer.parameters()], dy)
    assert_close(grads, expected_grads, rtol=1e-4, atol=1e-3 * outs)
    assert layer.hits.tolist() == expected_layer.hits.tolist()
    assert layer.examples.item() == expected_layer.examples.item() == batch


def test_few_distinct_pairs_are_multiplied_once_each(core, monkeypatch):
    calls = []
    real = F.linear
    monkeypatch.setattr(F, "linear", lambda *args: calls.append(args) or real(*args))
    table = torch.randn(5, 4)
    layer = MePropLinear(12, 9)
    slot_linear(layer, table, torch.zeros(6, 3, dtype=torch.int32))
    assert not calls  # three pairs of eighteen
    slot_linear(layer, table, torch.zeros(1, 3, dtype=torch.int32))
    assert len(calls) == 1


def test_pairs_are_numbered_by_slot_then_by_row(core, monkeypatch):
    rows = torch.tensor([[4, 1], [2, 1], [4, 0]], dtype=torch.int32)
    expected = ([[1, 3], [0, 3], [1, 2]], [2, 4, 0, 1], [0, 2, 4])
    assert [part.tolist() for part in row_kernels.number_pairs(rows, 5)] == list(expected)
    monkeypatch.setattr(row_kernels, "core_for", lambda *tensors: None)
    assert [part.tolist() for part in row_kernels.number_pairs(rows, 5)] == list(expected)


def test_dropout_of_slots_draws_once_for_a_slot_and_a_row():
    table = torch.ones(3, 40)
    layer = MePropLinear(80, 80, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(80))
    rows = torch.tensor([[0, 0], [0, 0], [1, 0]], dtype=torch.int32)
    first, second, third = slot_linear(layer, table, rows, p=0.5)
    assert_close(first, second, rtol=0, atol=0)
    assert_close(first[40:], third[40:], rtol=0, atol=0)
    assert not torch.equal(first[:40], first[40:])
    assert not torch.equal(first[:40], third[:40])
    assert set(first.tolist()) == {0.0, 2.0}
    assert_close(slot_linear(layer, table, rows, p=0.5, training=False), torch.ones(3, 80))


def test_distinct_values_are_those_of_unique():
    numbers = torch.randint(3, 40, (30, 4), dtype=torch.int32)
    expected, inverse = torch.unique(numbers, return_inverse=True)
    values, places = row_kernels.distinct(numbers, 50)
    assert_close(values, expected)
    assert_close(places.long(), inverse)


def test_wrong_rows_are_an_exception(core):
    table = torch.randn(4, 3)
    for rows in (torch.tensor([[4]]), torch.tensor([[-1]])):
        with pytest.raises(ValueError, match="outside"):
            embedding_sum(table, rows.int())
        with pytest.raises(ValueError, match="outside"):
            slot_linear(MePropLinear(3, 2), table, rows.int())
    with pytest.raises(ValueError, match="column per slot"):
        slot_linear(MePropLinear(5, 2), table, torch.zeros(9, 2, dtype=torch.int32))


def test_table_may_be_a_view_and_rows_of_another_type():
    table, rows = torch.randn(3, 6).t(), torch.tensor([[5, 0], [1, 1]])
    assert_close(embedding_sum(table, rows), table[rows].sum(dim=1))
    layer = nn.Embedding.from_pretrained(table)
    assert_close(embedding_concat(layer.weight, rows), layer(rows).flatten(1))
