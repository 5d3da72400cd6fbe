"""Fixtures of the tests of `nn`: the devices, a fixed seed, and the naive selection."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from meprop_nlp.nn import core as core_access
from meprop_nlp.nn import linear_kernels, lstm_kernels


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
    """Names of the kernels that the border calls; it uses them however much is kept."""
    names = []

    class Spy:
        def __getattr__(self, name):
            names.append(name)
            return getattr(core, name)

    monkeypatch.setattr(core_access, "_core", Spy)
    monkeypatch.setattr(linear_kernels, "_dense_pays", lambda *sizes: False)
    monkeypatch.setattr(lstm_kernels, "DENSE_SHARE", 1)
    return names
