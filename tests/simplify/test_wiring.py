"""Which layers of a network are simplified, and who reads them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from meprop_nlp.errors import ConfigError
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.simplify.cut import Consumer
from meprop_nlp.simplify.simplifier import Simplifier
from meprop_nlp.simplify.wiring import SimplifiedLayer, wire_sequential, wire_stack


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


def test_sequential_is_wired_from_hidden_layer_to_next_layer():
    network = stack()
    wired = [(part.name, part.layer, part.consumers[0].module) for part in wire_sequential(network)]
    assert wired == [("0", network[0], network[3]), ("3", network[3], network[5])]


def test_plain_linear_layers_are_not_simplified_but_can_consume():
    network = nn.Sequential(nn.Linear(4, 6), MePropLinear(6, 5), nn.Linear(5, 3), nn.Softmax(1))
    (part,) = wire_sequential(network)
    assert part.layer is network[1]
    assert part.consumers[0].module is network[2]


def test_module_that_may_mix_neurons_is_an_error_unless_named():
    network = nn.Sequential(MePropLinear(4, 6), Cube(), nn.Linear(6, 3))
    with pytest.raises(ConfigError, match="layer 0 is followed by Cube"):
        wire_sequential(network)
    assert len(wire_sequential(network, elementwise=(Cube,))) == 1


def test_stack_is_wired_from_each_layer_to_the_next():
    layers = [MePropLinear(4, 6), MePropLinear(6, 5), MePropLinear(5, 3)]
    wired = [(part.name, part.layer, part.consumers[0].module) for part in wire_stack(layers, "h")]
    assert wired == [("h.0", layers[0], layers[1]), ("h.1", layers[1], layers[2])]


def test_nested_sequentials_are_wired_as_one():
    inner = nn.Sequential(nn.Tanh(), MePropLinear(6, 5))
    network = nn.Sequential(MePropLinear(4, 6), inner, nn.ReLU(), nn.Linear(5, 3))
    wired = [(part.name, part.consumers[0].module) for part in wire_sequential(network)]
    assert wired == [("0", inner[1]), ("1.1", network[3])]


def test_module_that_is_used_twice_stands_in_both_places():
    cube = Cube()
    network = nn.Sequential(nn.Linear(4, 6), cube, MePropLinear(6, 5), cube, nn.Linear(5, 3))
    with pytest.raises(ConfigError, match="layer 2 is followed by Cube"):
        wire_sequential(network)
    layer = MePropLinear(4, 4)
    with pytest.raises(ConfigError, match="a layer is listed twice"):
        Simplifier(nn.Sequential(layer, nn.ReLU(), layer, nn.ReLU(), nn.Linear(4, 2)))


@pytest.mark.parametrize(
    ("width", "share", "power", "multiple", "expected"),
    [
        (300, 0.2, 1.0, 1, 60),
        (300, 0.2, 1.0, 8, 64),
        (100, 0.25, 0.5, 1, 50),  # a cheap layer keeps the square root of the share
        (100, 0.25, 0.5, 8, 56),
        (20, 0.5, 1.0, 8, 10),  # fewer than two multiples stay
        (17, 0.99, 1.0, 8, 17),  # never wider than it is
        (5, 0.01, 1.0, 1, 1),
    ],
)
def test_width_that_a_share_leaves(
    width: int, share: float, power: float, multiple: int, expected: int
) -> None:
    layer = MePropLinear(2, width)
    part = SimplifiedLayer("x", layer, [], power=power, multiple=multiple)
    assert part.width_at(share) == expected


def test_twins_lose_the_same_neurons() -> None:
    torch.manual_seed(0)
    layer, twin, reader = MePropLinear(4, 6), nn.Linear(3, 6), nn.Linear(6, 2)
    x, y = torch.randn(5, 4), torch.randn(5, 3)
    part = SimplifiedLayer("x", layer, [Consumer(reader)], [twin])
    scores = torch.tensor([1.0, 0, 1, 0, 1, 1])
    with torch.no_grad():
        reader.weight[:, scores == 0] = 0
    expected = reader(layer(x) * twin(y))
    Simplifier([part]).step(widths={"x": 4}, scores={"x": scores})
    assert (layer.out_features, twin.out_features, reader.in_features) == (4, 4, 4)
    torch.testing.assert_close(reader(layer(x) * twin(y)), expected)


def test_a_layer_with_twins_alone_needs_no_consumer() -> None:
    layer, twin = MePropLinear(4, 6), nn.Linear(3, 6)
    with pytest.raises(ConfigError, match="no consumer"):
        Simplifier([SimplifiedLayer("x", layer, [])])
    Simplifier([SimplifiedLayer("x", layer, [], [twin])]).step(widths={"x": 2})
    assert layer.out_features == twin.out_features == 2
    with pytest.raises(ConfigError, match=r"twin of layer x has 7 neurons, expected .* 2"):
        Simplifier([SimplifiedLayer("x", layer, [], [nn.Linear(3, 7)])])
