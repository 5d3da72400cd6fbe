"""The optimisers' defaults, restart, and state as tensors."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from meprop_nlp.errors import CheckpointError, ConfigError
from meprop_nlp.nn.optimizers import make_optimizer, restart
from meprop_nlp.training.optimizer_state import load_optimizer_tensors, optimizer_tensors

KINDS = [("adam", {}), ("adagrad", {}), ("sgd", {}), ("sgd", {"momentum": 0.9})]


def train(network, optimizer, n_steps):
    for step in range(n_steps):
        optimizer.zero_grad()
        network(torch.full((2, 3), step + 1.0)).square().sum().backward()
        optimizer.step()
    return [p.detach().clone() for p in network.parameters()]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("adam", {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8}),
        ("adagrad", {"lr": 1e-2, "eps": 1e-6}),
        ("sgd", {"lr": 0.1, "momentum": 0.0}),
    ],
)
def test_defaults_are_those_of_the_paper(name, expected):
    group = make_optimizer(name, nn.Linear(3, 4).parameters()).param_groups[0]
    assert {key: group[key] for key in expected} == expected


def test_settings_reach_the_optimizer_and_its_groups():
    layer = nn.Linear(3, 4)
    groups = [{"params": [layer.weight], "lr": 0.5}, {"params": [layer.bias]}]
    optimizer = make_optimizer("adam", groups, lr=0.2, eps=1e-3, betas=(0.1, 0.2), weight_decay=0.3)
    first, second = optimizer.param_groups
    assert (first["lr"], second["lr"]) == (0.5, 0.2)
    assert (second["eps"], second["betas"], second["weight_decay"]) == (1e-3, (0.1, 0.2), 0.3)


@pytest.mark.parametrize(
    ("name", "lr", "message"),
    [("lion", None, "'lion', expected one of adam, adagrad, sgd"), ("adam", -1.0, "adam: Invalid")],
)
def test_unusable_settings_are_an_error(name, lr, message):
    with pytest.raises(ConfigError, match=message):
        make_optimizer(name, nn.Linear(3, 4).parameters(), lr=lr)


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_restarted_optimizer_steps_like_a_new_one(name, options):
    network = nn.Linear(3, 4)
    optimizer = make_optimizer(name, network.parameters(), **options)
    train(network, optimizer, 3)
    weights = {key: value.clone() for key, value in network.state_dict().items()}
    restart(optimizer)
    left = [value.count_nonzero() for state in optimizer.state.values() for value in state.values()]
    assert sum(left) == 0
    actual = train(network, optimizer, 3)
    network.load_state_dict(weights)
    expected = train(network, make_optimizer(name, network.parameters(), **options), 3)
    assert_close(actual, expected, rtol=0, atol=0)


@pytest.mark.parametrize(("name", "options"), KINDS)
@pytest.mark.parametrize("n_steps", [0, 2])
def test_state_survives_tensors_and_json(name, options, n_steps):
    network, twin = nn.Linear(3, 4), nn.Linear(3, 4)
    optimizer = make_optimizer(name, network.parameters(), lr=0.05, **options)
    train(network, optimizer, n_steps)
    tensors, numbers = optimizer_tensors(optimizer)
    other = make_optimizer(name, twin.parameters(), **options)
    load_optimizer_tensors(other, tensors, json.loads(json.dumps(numbers)))
    twin.load_state_dict(network.state_dict())
    assert other.param_groups[0]["lr"] == 0.05
    assert type(other.param_groups[0].get("betas", ())) is tuple
    assert_close(train(twin, other, 2), train(network, optimizer, 2), rtol=0, atol=0)


def test_loaded_state_is_a_copy():
    network = nn.Linear(3, 4)
    optimizer = make_optimizer("adam", network.parameters())
    train(network, optimizer, 1)
    tensors, numbers = optimizer_tensors(optimizer)
    kept = {key: value.clone() for key, value in tensors.items()}
    other = make_optimizer("adam", network.parameters())
    load_optimizer_tensors(other, kept, numbers)
    before = kept["0.exp_avg"].clone()
    train(network, other, 1)
    assert_close(kept["0.exp_avg"], before, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: make_optimizer("adam", nn.Linear(3, 5).parameters()), r"shape \(4, 3\), expected"),
        (lambda: make_optimizer("sgd", nn.Linear(3, 4).parameters()), "another optimizer"),
        (lambda: make_optimizer("adam", [nn.Linear(3, 4).weight]), "cannot be read"),
    ],
)
def test_state_of_other_parameters_is_an_error(other, message):
    network = nn.Linear(3, 4)
    optimizer = make_optimizer("adam", network.parameters())
    train(network, optimizer, 1)
    with pytest.raises(CheckpointError, match=message):
        load_optimizer_tensors(other(), *optimizer_tensors(optimizer))


@pytest.mark.parametrize(
    ("tensors", "numbers"),
    [({"x.sum": torch.zeros(4)}, {"groups": [], "numbers": {}}), ({}, {}), ({}, {"numbers": 3})],
)
def test_damaged_state_is_an_error(tensors, numbers):
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_optimizer_tensors(make_optimizer("adam", [torch.zeros(4)]), tensors, numbers)
