"""`sparse_grad`: the same gradient as without it, of the rows that were kept."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from meprop_nlp.nn.backends import reference_topk
from meprop_nlp.nn.linear import MePropLinear

MODES = ["example", "unified", "random"]


def one_backward(layer, x, dy):
    layer.generator = torch.Generator().manual_seed(3)
    x = x.detach().requires_grad_()
    layer(x).backward(dy)
    return x.grad


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("k", [1, 3, 8])  # 8 of 9: products of the masked gradient
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_sparse_gradient_equals_the_full_one_and_holds_the_kept_rows(mode, k, dtype, device):
    sparse = MePropLinear(5, 9, k=k, topk_mode=mode, sparse_grad=True, device=device, dtype=dtype)
    sparse.counting = True
    full = copy.deepcopy(sparse)
    full.sparse_grad = False
    x, dy = (torch.randn(2, n, device=device, dtype=dtype) for n in (5, 9))
    assert_close(one_backward(sparse, x, dy), one_backward(full, x, dy))
    actual = sparse.weight.grad
    assert (actual.layout, actual.sparse_dim(), actual.shape) == (torch.sparse_coo, 1, (9, 5))
    assert_close(actual.to_dense(), full.weight.grad)
    assert_close(sparse.bias.grad, full.bias.grad)
    assert_close(sparse.hits, full.hits)
    kept = full.hits.nonzero().squeeze(1)
    assert_close(actual.coalesce().indices()[0], kept)


def test_rows_increase_and_are_marked_as_coalesced(linear_backward, device):
    dy, x = torch.randn(4, 9, device=device), torch.randn(4, 5, device=device)
    weight = torch.ones(9, 5, device=device)
    for mode in MODES:
        _, dw, _ = linear_backward(dy, x, weight, 2, mode, row_sparse=True)
        assert dw.is_coalesced()
        assert dw.indices()[0].diff().min() > 0


@pytest.mark.parametrize("mode", MODES)
def test_an_empty_batch_gives_a_gradient_of_zeros(mode, device):
    layer = MePropLinear(5, 9, k=2, topk_mode=mode, sparse_grad=True, device=device)
    one_backward(layer, torch.ones(0, 5, device=device), torch.ones(0, 9, device=device))
    assert_close(layer.weight.grad.to_dense(), torch.zeros(9, 5, device=device))


def test_plain_backprop_gives_a_full_gradient():
    layer = MePropLinear(5, 9, k=None, sparse_grad=True)
    layer(torch.ones(2, 5)).sum().backward()
    assert layer.weight.grad.layout == torch.strided


def test_rows_are_those_of_any_selected_entry_even_a_zero(linear_backward):
    dy = torch.tensor([[0.0, 0.0, 0.0, 0.0, 2.0]])
    weight, x = torch.ones(5, 3), torch.ones(1, 3)
    for mode in ["example", "unified"]:
        _, dw, _ = linear_backward(dy, x, weight, 2, mode, row_sparse=True)
        assert dw.indices().tolist() == [[0, 4]]


def test_native_and_reference_give_the_same_rows(linear_backward, reference_products):
    generator = torch.Generator().manual_seed(2)
    dy, x = (torch.randn(6, n, generator=generator) for n in (40, 7))
    weight = torch.randn(40, 7, generator=generator)
    actual_dx, actual, _ = linear_backward(dy, x, weight, 3, row_sparse=True)
    selected = reference_topk.select_topk(dy, 3)
    expected_dx, expected = reference_products(dy, x, weight, selected, row_sparse=True)
    assert_close(actual_dx, expected_dx)
    assert_close(actual, expected)


# from inside torch.optim.Adagrad and SparseAdam
@pytest.mark.filterwarnings("ignore:Sparse invariant checks are implicitly disabled")
@pytest.mark.parametrize("mode", ["example", "unified"])
@pytest.mark.parametrize(
    "make",
    [
        lambda params: torch.optim.SparseAdam(params),
        lambda params: torch.optim.Adagrad(params),
        lambda params: torch.optim.SGD(params, lr=0.1),
    ],
    ids=["sparse_adam", "adagrad", "sgd"],
)
def test_optimisers_of_torch_take_it(mode, make):
    sparse = MePropLinear(5, 9, False, k=2, topk_mode=mode, sparse_grad=True)
    full = copy.deepcopy(sparse)
    full.sparse_grad = False
    before = sparse.weight.detach().clone()
    x, dy = torch.randn(3, 5), torch.randn(3, 9)
    one_backward(sparse, x, dy)
    one_backward(full, x, dy)
    make(sparse.parameters()).step()
    rows = sparse.weight.grad.coalesce().indices()[0].tolist()
    others = [row for row in range(9) if row not in rows]
    assert_close(sparse.weight.detach()[others], before[others], rtol=0, atol=0)
    assert (sparse.weight.detach()[rows] != before[rows]).any(dim=1).all()
    twin = make(full.parameters())
    if not isinstance(twin, torch.optim.SparseAdam):
        twin.step()
        assert_close(sparse.weight, full.weight)


def test_from_dense_takes_it_and_repr_shows_it():
    layer = MePropLinear.from_dense(nn.Linear(5, 9), k=2, sparse_grad=True)
    assert layer.sparse_grad
    assert repr(layer).endswith("sparse_grad=True)")
    assert "sparse_grad" not in repr(MePropLinear(5, 9, k=2))


@pytest.mark.parametrize("sparse_grad", [False, True])
@pytest.mark.parametrize("mode", ["example", "unified"])
def test_autocast_makes_the_products_in_its_dtype(sparse_grad, mode, device):
    layer = MePropLinear(5, 9, k=3, topk_mode=mode, sparse_grad=sparse_grad, device=device)
    narrow = copy.deepcopy(layer).bfloat16()
    x, dy = torch.randn(4, 5, device=device), torch.randn(4, 9, device=device).bfloat16()
    x.requires_grad_()
    with torch.autocast(device, torch.bfloat16):
        y = layer(x)
    assert y.dtype == torch.bfloat16
    y.backward(dy)  # outside autocast, as PyTorch advises
    expected_dx = one_backward(narrow, x.bfloat16(), dy)
    assert_close(x.grad, expected_dx.float())
    assert layer.weight.grad.dtype == torch.float32
    actual, expected = layer.weight.grad.to_dense(), narrow.weight.grad.to_dense()
    assert_close(actual, expected.float())
