"""Which layers of a network are simplified, and who reads them."""

from __future__ import annotations

import pytest
from torch import nn

from meprop_nlp.errors import ConfigError
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.simplify.simplifier import Simplifier
from meprop_nlp.simplify.wiring import wire_sequential, wire_stack


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
