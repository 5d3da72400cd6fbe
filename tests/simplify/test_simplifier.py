"""meSimp's decisions: who goes."""

from __future__ import annotations

import copy
import doctest
import itertools

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from meprop_nlp.errors import ConfigError
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.nn.lstm import MePropLSTM
from meprop_nlp.nn.optimizers import make_optimizer
from meprop_nlp.simplify import simplifier as simplify
from meprop_nlp.simplify.criteria import scores_by
from meprop_nlp.simplify.cut import Consumer
from meprop_nlp.simplify.simplifier import Simplifier, surviving_neurons
from meprop_nlp.simplify.wiring import SimplifiedLayer, wire_sequential


class Cube(nn.Module):
    def forward(self, x):
        return x**3


def stack(k=2):
    return nn.Sequential(
        MePropLinear(4, 6, k=k),
        nn.ReLU(),
        nn.Dropout(0.0),
        MePropLinear(6, 5, k=k),
        nn.Tanh(),
        MePropLinear(5, 3, k=k),
    )


@pytest.mark.parametrize(
    ("hits", "rate", "least", "expected"),
    [
        ([0, 1, 2, 10], 0.1, 1, [1, 2, 3]),  # exactly the rate stays
        ([0, 1, 2, 10], 0.2, 1, [2, 3]),
        ([0, 1, 2, 10], 0.0, 1, [0, 1, 2, 3]),
        ([1, 2, 1, 2], 0.9, 1, [1]),
        ([1, 2, 1, 2], 0.9, 3, [0, 1, 3]),
        ([1, 2, 1, 2], 0.9, 9, [0, 1, 2, 3]),
        ([9, 0, 0, 0], 0.5, 2, [0, 1]),
    ],
)
def test_survivors_are_the_hand_computed_ones(hits, rate, least, expected):
    actual = surviving_neurons(torch.tensor(hits), torch.tensor(10), rate, min_neurons=least)
    assert actual.tolist() == expected


def test_neuron_at_exactly_the_rate_stays_whatever_the_rounding():
    # 0.1 * 30 > 3 in floating point.
    actual = surviving_neurons(torch.tensor([2, 3, 4]), torch.tensor(30), 0.1)
    assert actual.tolist() == [1, 2]


def test_nobody_goes_before_the_first_example():
    hits, examples = torch.zeros(3, dtype=torch.int64), torch.tensor(0)
    assert surviving_neurons(hits, examples, 0.5).tolist() == [0, 1, 2]


def test_step_cuts_by_the_counts_and_starts_them_again():
    network = stack()
    optimizer = make_optimizer("adam", network.parameters())
    simplifier = Simplifier(wire_sequential(network), prune_rate=0.2)
    network[0].hits += torch.tensor([5, 0, 2, 1, 9, 0])
    network[0].examples += 10
    network[3].hits += torch.tensor([1, 1, 1, 1, 3])
    network[3].examples += 10
    assert simplifier.step(optimizer) == [("0", 6, 3), ("3", 5, 1)]
    assert network[3].weight.shape == (1, 3)
    for layer in (network[0], network[3]):
        assert layer.hits.tolist() == [0] * layer.out_features
        assert layer.examples.item() == 0
    assert simplifier.step(optimizer) == [("0", 3, 3), ("3", 1, 1)]


def test_network_trains_while_it_shrinks():
    network = stack()
    optimizer = make_optimizer("adam", network.parameters())
    simplifier = Simplifier(wire_sequential(network), prune_rate=0.3, min_neurons=2)
    widths = []
    for _ in range(4):
        for _ in range(5):
            optimizer.zero_grad()
            network(torch.randn(8, 4)).square().sum().backward()
            optimizer.step()
        assert network[3].examples.item() == 40
        widths.append([record.after for record in simplifier.step(optimizer)])
    for before, after in itertools.pairwise(widths):
        assert all(now <= was for was, now in zip(before, after, strict=True))
    assert 2 <= min(widths[-1]) < 5
    assert network(torch.randn(8, 4)).shape == (8, 3)


def test_step_that_fails_changes_nothing():
    network = stack()
    simplifier = Simplifier(wire_sequential(network), prune_rate=0.2)
    for layer in (network[0], network[3]):
        layer.examples += 10
        layer.hits[0] += 9
    # Someone else narrows the output layer behind our back.
    network[5] = simplifier.layers[1].consumers[0].module = nn.Linear(4, 3)
    before = copy.deepcopy(network.state_dict())
    with pytest.raises(ConfigError, match="do not fit at offset 0"):
        simplifier.step(make_optimizer("adam", network.parameters()))
    assert_close(network.state_dict(), before, rtol=0, atol=0)
    assert network[0].out_features == network[3].in_features == 6


def test_step_moves_the_offsets_of_all_layers_a_consumer_reads():
    first, second, third = (MePropLinear(4, 3) for _ in range(3))
    out = nn.Linear(9, 2)
    parts = [
        SimplifiedLayer(str(place), layer, [Consumer(out, offset=3 * place)])
        for place, layer in enumerate((first, second, third))
    ]
    simplifier = Simplifier(parts, prune_rate=0.5)
    columns = out.weight.detach().clone()
    for layer, hits in ((first, [9, 0, 9]), (second, [0, 0, 9]), (third, [9, 9, 0])):
        layer.hits += torch.tensor(hits)
        layer.examples += 10
    simplifier.step()
    assert [part.consumers[0].offset for part in parts] == [0, 2, 3]
    assert_close(out.weight.detach(), columns[:, [0, 2, 5, 6, 7]])


def test_new_simplifier_turns_counting_on_and_keeps_the_counts():
    network = stack()
    network[0].hits += 3
    simplifier = Simplifier(wire_sequential(network), prune_rate=0.2)
    assert network[0].counting
    assert simplifier.counting
    assert not network[5].counting
    assert network[0].hits.tolist() == [3] * 6
    simplifier.counting = False
    assert not network[0].counting
    simplifier.reset_counts()
    assert network[0].hits.tolist() == [0] * 6


def test_lstm_loses_the_units_its_words_rarely_kept():
    layer, out = MePropLSTM(3, 6, k=1), nn.Linear(6, 2)
    simplifier = Simplifier([SimplifiedLayer("lstm", layer, [Consumer(out)])], prune_rate=0.4)
    out(layer(torch.randn(5, 4, 3))[0]).square().sum().backward()
    expected = int((layer.hits >= 0.4 * 20).sum())
    assert simplifier.step() == [("lstm", 6, expected)]
    assert expected < 6
    assert out(layer(torch.randn(5, 4, 3))[0]).shape == (5, 4, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prune_rate": -0.1}, "`prune_rate` is -0.1"),
        ({"prune_rate": 1.1}, "`prune_rate` is 1.1"),
        ({"prune_rate": 0.1, "min_neurons": 0}, "`min_neurons` is 0"),
    ],
)
def test_settings_out_of_range_are_an_error(options, message):
    with pytest.raises(ConfigError, match=message):
        Simplifier(wire_sequential(stack()), **options)


def test_layers_that_cannot_be_simplified_are_an_error():
    layer, out = MePropLinear(4, 6), nn.Linear(5, 2)
    part = SimplifiedLayer("hidden", layer, [Consumer(nn.Linear(6, 2))])
    with pytest.raises(ConfigError, match="listed twice"):
        Simplifier([part, part], prune_rate=0.1)
    with pytest.raises(ConfigError, match="hidden has no consumer"):
        Simplifier([SimplifiedLayer("hidden", layer, [])], prune_rate=0.1)
    with pytest.raises(ConfigError, match="6 outputs do not fit"):
        Simplifier([SimplifiedLayer("hidden", layer, [Consumer(out)])], prune_rate=0.1)


def test_sequential_is_wired_by_the_simplifier():
    network = stack()
    simplifier = Simplifier(network, prune_rate=0.2)
    assert [(part.name, part.layer) for part in simplifier.layers] == [
        ("0", network[0]),
        ("3", network[3]),
    ]
    assert [part.consumers[0].module for part in simplifier.layers] == [network[3], network[5]]


def test_simplifier_takes_modules_of_the_users_own_between_two_layers():
    network = nn.Sequential(MePropLinear(4, 6), Cube(), nn.Linear(6, 3))
    with pytest.raises(ConfigError, match="layer 0 is followed by Cube"):
        Simplifier(network)
    assert Simplifier(network, elementwise=(Cube,)).layers[0].layer is network[0]


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (
            nn.ModuleList([MePropLinear(4, 6)]),
            r"a ModuleList does not tell which layer reads which",
        ),
        (MePropLinear(4, 6), r"give a list with a SimplifiedLayer\(name, layer, \[Consumer"),
        (nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)), "no hidden MePropLinear"),
        (nn.Sequential(nn.Linear(4, 6), nn.ReLU(), MePropLinear(6, 3)), "no hidden MePropLinear"),
    ],
)
def test_network_that_cannot_be_wired_is_an_error_that_says_what_to_give(network, message):
    with pytest.raises(ConfigError, match=message):
        Simplifier(network)


def test_given_widths_decide_instead_of_the_rate():
    network = stack()
    layers = wire_sequential(network)
    simplifier = Simplifier(layers, prune_rate=1.0, min_neurons=3)
    layers[0].layer.hits += torch.tensor([5, 1, 7, 7, 0, 6])
    layers[0].layer.examples += 10
    records = simplifier.step(widths={"0": 4, "3": 2})
    assert [(cut.before, cut.after) for cut in records] == [(6, 4), (5, 3)]
    assert network(torch.zeros(1, 4)).shape == (1, 3)
    assert layers[0].layer.hits.tolist() == [0] * 4


def test_scores_choose_who_stays():
    network = stack()
    layers = wire_sequential(network)
    with torch.no_grad():
        network[0].weight.copy_(torch.arange(6.0).unsqueeze(1).expand(6, 4))
        kept = network[0].weight[3:].clone()
    scores = {part.name: scores_by("magnitude", part.layer) for part in layers}
    Simplifier(layers).step(widths={"0": 3, "3": 5}, scores=scores)
    assert_close(network[0].weight.detach(), kept)


def test_example_of_the_docstring_runs():
    result = doctest.testmod(simplify)
    assert result.attempted > 5
    assert result.failed == 0
