"""Fixtures of the tests of `nn`: the devices, a fixed seed, and the naive selection."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from meprop_nlp.nn.backends import choose, native_lstm, native_topk, reference_topk
from meprop_nlp.nn.topk import Operands, Selection


@pytest.fixture(
    params=[
        "cpu",
        pytest.param(
            "cuda",
            marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
        ),
    ]
)
def device(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(1)


@pytest.fixture
def threads():
    """Sets PyTorch's number of threads, which is the core's; afterwards it is as before."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def two_threads(threads) -> None:
    """Whatever ran before: other tests train on one."""
    threads(2)


@pytest.fixture
def naive_select():
    """(B, O), k -> list of B sorted index lists, by sorting in words."""

    def magnitude(value: float) -> float:
        return math.inf if math.isnan(value) else abs(value)

    def select(dy: Tensor, k: int) -> list[list[int]]:
        return [
            sorted(sorted(range(len(row)), key=lambda o, row=row: (-magnitude(row[o]), o))[:k])
            for row in dy.tolist()
        ]

    return select


@pytest.fixture
def called(core, monkeypatch):
    """Names of the native kernels that are called; they are used however much is kept."""
    names = []

    class Spy:
        def __getattr__(self, name):
            names.append(name)
            return getattr(core, name)

    monkeypatch.setattr(choose, "_core", Spy)
    monkeypatch.setattr(native_topk, "_dense_pays", lambda *sizes: False)
    monkeypatch.setattr(native_lstm, "DENSE_SHARE", 1)
    return names


@pytest.fixture
def linear_backward():
    """dx, dw and db of a linear layer, each None where it is not needed; adds to `hits`."""

    def backward(dy, x, weight, k, mode="example", *, hits=None, generator=None, **options):
        layer = Operands(x, weight, counting=hits is not None, **options)
        kept = choose.topk(dy, Selection(k, mode, generator), layer)
        if hits is not None:
            kept.count(hits)
        dx = kept.dx(weight) if layer.need_dx else None
        return dx, kept.dw(x) if layer.need_dw else None, kept.db

    return backward


@pytest.fixture
def reference_products():
    """dx and dw of the entries that are selected, by the reference."""

    def products(dy, x, weight, selected, **options):
        kept = reference_topk.keep_selected(dy, selected, **options)
        return kept.dx(weight), kept.dw(x)

    return products


@pytest.fixture
def reference_hits():
    """(O,) how many examples selected each neuron, by the reference."""

    def count(dy, selected, start=0):
        hits = torch.full(dy.shape[1:], start, device=dy.device)
        reference_topk.keep_selected(dy, selected).count(hits)
        return hits

    return count
