"""Adam and AdaGrad with gradients of some rows: as `torch.optim` with the zeros written out."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from meprop_nlp.nn.backends import choose
from meprop_nlp.nn.optimizers import make_optimizer

SETTINGS = [
    ("adam", torch.optim.Adam, {"lr": 0.01}),
    ("adam", torch.optim.Adam, {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.1}),
    ("adagrad", torch.optim.Adagrad, {"lr": 0.1, "eps": 1e-6}),
    ("adagrad", torch.optim.Adagrad, {"lr": 0.1, "eps": 1e-6, "weight_decay": 0.1}),
    ("sgd", torch.optim.SGD, {"lr": 0.1}),
    ("sgd", torch.optim.SGD, {"lr": 0.1, "weight_decay": 0.1}),
]
each_setting = pytest.mark.parametrize(("name", "torchs", "options"), SETTINGS)
each_dtype = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)


@pytest.fixture(autouse=True, params=["core", "reference"])
def kernels(request, monkeypatch):
    """With the core, and as it is without."""
    if request.param == "reference":
        monkeypatch.setattr(choose, "core_for", lambda *tensors: None)


def sparse(gradient, rows):
    return torch.sparse_coo_tensor(
        rows.unsqueeze(0), gradient[rows], gradient.shape, check_invariants=True
    )


@each_setting
@each_dtype
@pytest.mark.parametrize("shape", [(9, 5), (9,), (3, 4, 5), (1, 1), (700, 33)])
def test_dense_gradients_give_what_torch_optim_gives(core, name, torchs, options, dtype, shape):
    ours = nn.Parameter(torch.randn(shape, dtype=dtype))
    theirs = nn.Parameter(ours.detach().clone())
    optimizer, expected = make_optimizer(name, [ours], **options), torchs([theirs], **options)
    for _ in range(4):
        ours.grad = torch.randn(shape, dtype=dtype)
        theirs.grad = ours.grad.clone()
        optimizer.step()
        expected.step()
        assert_close(ours, theirs)
    for key, value in expected.state.get(theirs, {}).items():
        assert_close(optimizer.state[ours][key], value)


@each_setting
@each_dtype
@pytest.mark.parametrize("n_rows", [0, 1, 4, 9])
def test_missing_rows_are_rows_of_zeros(core, name, torchs, options, dtype, n_rows):
    ours = nn.Parameter(torch.randn(9, 5, dtype=dtype))
    theirs = nn.Parameter(ours.detach().clone())
    optimizer, expected = make_optimizer(name, [ours], **options), torchs([theirs], **options)
    for _ in range(5):
        rows = torch.randperm(9)[:n_rows].sort().values
        gradient = torch.randn(9, 5, dtype=dtype)
        ours.grad = sparse(gradient, rows)
        theirs.grad = ours.grad.to_dense()
        optimizer.step()
        expected.step()
        assert_close(ours, theirs)


@pytest.mark.parametrize("name", ["adam", "adagrad"])
def test_lazy_leaves_rows_without_gradient_alone(core, name):
    parameter = nn.Parameter(torch.randn(6, 3))
    optimizer = make_optimizer(name, [parameter], lr=0.1, weight_decay=0.1, lazy=True)
    parameter.grad = torch.randn(6, 3)
    optimizer.step()
    before = parameter.detach().clone()
    state = {key: value.clone() for key, value in optimizer.state[parameter].items()}
    parameter.grad = sparse(torch.randn(6, 3), torch.tensor([1, 4]))
    optimizer.step()
    moved = (parameter != before).any(dim=1)
    assert moved.tolist() == [False, True, False, False, True, False]
    for key, value in state.items():
        if key != "step":
            changed = (optimizer.state[parameter][key] != value).any(dim=1)
            assert changed.tolist() == moved.tolist()


@each_dtype
@pytest.mark.parametrize(
    ("name", "torchs", "eps"),
    [("adam", torch.optim.Adam, 1e-8), ("adagrad", torch.optim.Adagrad, 1e-6)],
)
def test_lazy_is_the_optimiser_of_the_rows_with_a_gradient(core, name, torchs, eps, dtype):
    rows, options = torch.tensor([1, 4]), {"lr": 0.1, "eps": eps, "weight_decay": 0.1}
    ours = nn.Parameter(torch.randn(6, 3, dtype=dtype))
    theirs = nn.Parameter(ours.detach()[rows].clone())
    optimizer = make_optimizer(name, [ours], lazy=True, **options)
    expected = torchs([theirs], **options)
    for _ in range(4):
        gradient = torch.randn(6, 3, dtype=dtype)
        ours.grad, theirs.grad = sparse(gradient, rows), gradient[rows]
        optimizer.step()
        expected.step()
        assert_close(ours[rows], theirs)


def test_lazy_adam_is_torchs_sparse_adam(core):
    ours = nn.Parameter(torch.randn(6, 3))
    theirs = nn.Parameter(ours.detach().clone())
    optimizer = make_optimizer("adam", [ours], lr=0.1, lazy=True)
    expected = torch.optim.SparseAdam([theirs], lr=0.1)
    for _ in range(4):
        ours.grad = sparse(torch.randn(6, 3), torch.randperm(6)[:2].sort().values)
        theirs.grad = ours.grad.clone()
        optimizer.step()
        expected.step()
        # SparseAdam adds eps before its correction of the second moment, not after
        assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_rows_out_of_order_or_twice_are_summed_first(core):
    ours = nn.Parameter(torch.zeros(4, 2))
    theirs = nn.Parameter(torch.zeros(4, 2))
    values = torch.randn(3, 2)
    ours.grad = torch.sparse_coo_tensor(
        torch.tensor([[2, 0, 2]]), values, (4, 2), check_invariants=True
    )
    theirs.grad = ours.grad.to_dense()
    make_optimizer("adam", [ours], lr=0.1).step()
    torch.optim.Adam([theirs], lr=0.1).step()
    assert_close(ours, theirs)


def test_no_gradient_at_all_is_no_error():
    parameter = nn.Parameter(torch.ones(2))
    make_optimizer("adam", [parameter]).step()
    assert parameter.tolist() == [1.0, 1.0]


def test_closure_is_called_with_gradients_on():
    for name in ("adam", "adagrad"):
        parameter = nn.Parameter(torch.ones(2))
        optimizer = make_optimizer(name, [parameter], lr=0.1)

        def closure(parameter=parameter):
            loss = (parameter**2).sum()
            loss.backward()
            return loss

        parameter.grad = torch.zeros(2)
        assert optimizer.step(closure).item() == 2.0
        assert (parameter < 1).all()
