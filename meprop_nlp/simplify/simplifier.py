"""meSimp: which neurons go (meSimp, section 3). How they go is in `simplify/cut.py`, when in
`simplify/schedules.py`.

`Simplifier` decides, by the layers' hit counts or scores that it is given, and cuts. It is free of
any model: a network passes its layers and who reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from meprop_nlp.errors import ConfigError
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.nn.lstm import MePropLSTM
from meprop_nlp.simplify.cut import Consumer, CutPlan

# What may stand between a layer and its consumer: it treats every neuron alone.
ELEMENTWISE: tuple[type[nn.Module], ...] = (
    nn.CELU,
    nn.Dropout,
    nn.ELU,
    nn.GELU,
    nn.Hardsigmoid,
    nn.Hardswish,
    nn.Hardtanh,
    nn.Identity,
    nn.LeakyReLU,
    nn.Mish,
    nn.ReLU,
    nn.SELU,
    nn.SiLU,
    nn.Sigmoid,
    nn.Softplus,
    nn.Tanh,
)


@dataclass(slots=True)
class SimplifiedLayer:
    """A hidden layer to simplify, and everyone who reads it.

    Attributes:
        name: for reports.
        layer: the layer; its `hits` decide, where no other scores are given.
        consumers: every layer that reads its outputs, with nothing between that mixes neurons.
            A consumer that is left out breaks at the next forward pass after a cut.
    """

    name: str
    layer: MePropLinear | MePropLSTM
    consumers: list[Consumer]


class CutRecord(NamedTuple):
    """What one simplification did to one layer."""

    name: str
    before: int
    """Neurons before it."""
    after: int
    """Neurons after it."""


class Simplifier:
    """Removes for ever the neurons that top-k rarely keeps (meSimp, section 3).

    A neuron with hits < prune_rate * examples goes; then the counts start again at zero. Any
    network can be simplified; here a BiLSTM whose two directions feed one layer side by side:

    >>> from meprop_nlp.nn.bilstm import BiLSTM
    >>> lstm, out = BiLSTM(8, 6, k=2), nn.Linear(12, 3)
    >>> simplifier = Simplifier(
    ...     [
    ...         SimplifiedLayer("ahead", lstm.left_to_right, [Consumer(out, offset=0)]),
    ...         SimplifiedLayer("back", lstm.right_to_left, [Consumer(out, offset=6)]),
    ...     ],
    ...     prune_rate=0.4,
    ... )
    >>> optimizer = torch.optim.Adam([*lstm.parameters(), *out.parameters()])
    >>> lstm.left_to_right.examples += 10
    >>> lstm.left_to_right.hits += torch.tensor([9, 1, 5, 4, 3, 0])
    >>> simplifier.step(optimizer)
    [CutRecord(name='ahead', before=6, after=3), CutRecord(name='back', before=6, after=6)]
    >>> out.in_features, lstm(torch.zeros(5, 1, 8))[0].shape
    (9, torch.Size([5, 1, 9]))

    For an `nn.Sequential`, `wire_sequential` finds the layers.

    Args:
        layers: the hidden layers. Their `counting` is turned on, and their consumers' offsets are
            kept up to date as neurons go. Counts already there are kept, so training can resume.
        prune_rate: 0 to 1; neurons kept by fewer than this share of the examples go, unless `step`
            is told how many stay.
        min_neurons: no layer gets narrower; the most active stay, ties: lowest index first.

    Raises:
        ConfigError: a value out of range, a layer named twice or without consumers, or a consumer
            that does not fit.
    """

    def __init__(
        self,
        layers: Sequence[SimplifiedLayer],
        *,
        prune_rate: float = 0.0,
        min_neurons: int = 1,
    ) -> None:
        if not 0 <= prune_rate <= 1:
            raise ConfigError(f"prune_rate is {prune_rate}, expected 0 to 1")
        if min_neurons < 1:
            raise ConfigError(f"min_neurons is {min_neurons}, expected at least 1")
        if len({id(part.layer) for part in layers}) < len(layers):
            raise ConfigError("a layer is listed twice; list it once, with all its consumers")
        for part in layers:
            if not part.consumers:
                raise ConfigError(f"layer {part.name} has no consumer; output layers stay whole")
            # Planning to keep everything changes nothing but finds what does not fit.
            everything = torch.arange(part.layer.hits.shape[0])
            CutPlan().keep_neurons(part.layer, everything, part.consumers)
        self.layers = tuple(layers)
        self.prune_rate = prune_rate
        self.min_neurons = min_neurons
        self.counting = True

    @property
    def counting(self) -> bool:
        """Whether the layers count hits; set it to change all. Counts stay as they are."""
        return all(part.layer.counting for part in self.layers)

    @counting.setter
    def counting(self, counting: bool) -> None:
        for part in self.layers:
            part.layer.counting = counting

    def reset_counts(self) -> None:
        """Start the counts of all layers again at zero."""
        for part in self.layers:
            part.layer.reset_counts()

    def step(
        self,
        *optimizers: Optimizer,
        widths: Mapping[str, int] | None = None,
        scores: Mapping[str, Tensor] | None = None,
    ) -> list[CutRecord]:
        """Simplify every layer once, all of them or, if anything fails, none.

        Call it between batches. The cut makes new `nn.Parameter`s, so forget any you kept.

        Args:
            optimizers: all that hold a parameter of these layers or their consumers.
            widths: how many neurons each layer, by name, is to keep; None: by `prune_rate`.
            scores: with `widths`, (H,) of each layer: the highest stay; None: the hits decide.

        Returns:
            one record a layer, in order, also for those that lost nothing.
        """
        plan = CutPlan()
        records: list[CutRecord] = []
        for part in self.layers:
            layer = part.layer
            if widths is None:
                keep = surviving_neurons(
                    layer.hits, layer.examples, self.prune_rate, min_neurons=self.min_neurons
                )
            else:
                by = layer.hits if scores is None else scores[part.name].to(layer.hits.device)
                keep = highest(by, max(self.min_neurons, widths[part.name]))
            plan.keep_neurons(layer, keep, part.consumers)
            records.append(CutRecord(part.name, layer.hits.shape[0], keep.shape[0]))
        plan.apply(*optimizers)
        for part in self.layers:
            for consumer in part.consumers:
                consumer.offset = plan.moved_offset(consumer)
        self.reset_counts()
        return records


def surviving_neurons(
    hits: Tensor, examples: Tensor, prune_rate: float, *, min_neurons: int = 1
) -> Tensor:
    """The neurons with hits >= prune_rate * examples (meSimp, section 3).

    Args:
        hits: (H,) int64.
        examples: () int64; where it is zero, nothing goes.
        prune_rate: 0 to 1.
        min_neurons: where fewer would stay, so many of the most active stay instead.

    Returns:
        (H',) int64 indices, increasing, on the device of `hits`.
    """
    # Divided, not multiplied: 0.1 * 30 is a little over 3 in floating point, 3 / 30 is just 0.1.
    stay = (hits.double() / examples >= prune_rate) | (examples == 0)
    if int(stay.sum()) < min(min_neurons, hits.shape[0]):
        return highest(hits, min_neurons)
    return stay.nonzero().squeeze(1)


def highest(scores: Tensor, n: int) -> Tensor:
    """The places of the n highest scores, increasing; of equal ones the first. (H,) to (H',)."""
    return scores.sort(descending=True, stable=True).indices[:n].sort().values


def wire_stack(layers: Sequence[MePropLinear], name: str) -> list[SimplifiedLayer]:
    """The hidden layers of a stack, each read by the next; the last is the output layer.

    Args:
        layers: in the order of the forward pass.
        name: of the layers; their places are added.
    """
    return [
        SimplifiedLayer(f"{name}.{n}", layer, [Consumer(reader)])
        for n, (layer, reader) in enumerate(pairwise(layers))
    ]


def wire_sequential(
    network: nn.Sequential, *, elementwise: tuple[type[nn.Module], ...] = ()
) -> list[SimplifiedLayer]:
    """The hidden `MePropLinear`s of a plain stack, each with the layer that reads it.

    Args:
        network: linear layers with activations or dropout between them; the last linear layer is
            the output layer and is not simplified.
        elementwise: further module types that treat every neuron alone, beside `ELEMENTWISE`.

    Returns:
        one entry for each hidden `MePropLinear`, named as in the network, in its order.

    Raises:
        ConfigError: something between two linear layers may mix neurons.
    """
    wired: list[SimplifiedLayer] = []
    open_layer: tuple[str, MePropLinear] | None = None
    between: list[nn.Module] = []
    for name, module in network.named_children():
        if not isinstance(module, nn.Linear):
            between.append(module)
            continue
        if open_layer is not None:
            mixing = [m for m in between if not isinstance(m, ELEMENTWISE + elementwise)]
            if mixing:
                raise ConfigError(
                    f"layer {open_layer[0]} is followed by {type(mixing[0]).__name__}, which may "
                    "mix neurons; if it treats each alone, name its type in `elementwise`"
                )
            wired.append(SimplifiedLayer(*open_layer, [Consumer(module)]))
        open_layer = (name, module) if isinstance(module, MePropLinear) else None
        between = []
    return wired
