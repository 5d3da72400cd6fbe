"""`Simplifier`: decides which neurons are removed, and removes them (meSimp, section 3).

It decides by the layers' hit counts, or by scores that it is given. How neurons are removed is in
`simplify/cut.py`, when in `simplify/schedules.py`. Any network can be simplified: it names its
layers and the layers that read them (`simplify/wiring.py`).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from meprop_nlp.errors import ConfigError
from meprop_nlp.simplify.cut import CutPlan
from meprop_nlp.simplify.wiring import SimplifiedLayer, wire_sequential


class CutRecord(NamedTuple):
    """The result of one simplification of one layer."""

    name: str
    before: int
    """Neurons before the simplification."""
    after: int
    """Neurons after it."""


class Simplifier:
    """Removes for good the neurons that top-k rarely keeps (meSimp, section 3).

    A neuron with hits < prune_rate * examples is removed; then the counts start again at zero.

    Of an `nn.Sequential` the layers are found:

    >>> from meprop_nlp.nn.linear import MePropLinear
    >>> network = nn.Sequential(MePropLinear(8, 6, k=2), nn.ReLU(), MePropLinear(6, 3))
    >>> simplifier = Simplifier(network, prune_rate=0.4)
    >>> optimizer = torch.optim.Adam(network.parameters())
    >>> network[0].examples += 10
    >>> network[0].hits += torch.tensor([9, 1, 5, 4, 3, 0])
    >>> simplifier.step(optimizer)
    [CutRecord(name='0', before=6, after=3)]
    >>> network(torch.zeros(5, 8)).shape
    torch.Size([5, 3])

    Of any other network they are given, with the layers that read them. Here the two directions of
    a BiLSTM feed one layer side by side:

    >>> from meprop_nlp.nn.bilstm import BiLSTM
    >>> from meprop_nlp.simplify.cut import Consumer
    >>> lstm, out = BiLSTM(8, 6, k=2), nn.Linear(12, 3)
    >>> simplifier = Simplifier(
    ...     [
    ...         SimplifiedLayer("ahead", lstm.left_to_right, [Consumer(out, offset=0)]),
    ...         SimplifiedLayer("back", lstm.right_to_left, [Consumer(out, offset=6)]),
    ...     ],
    ...     prune_rate=0.4,
    ... )
    >>> lstm.left_to_right.examples += 10
    >>> lstm.left_to_right.hits += torch.tensor([9, 1, 5, 4, 3, 0])
    >>> simplifier.step(torch.optim.Adam([*lstm.parameters(), *out.parameters()]))
    [CutRecord(name='ahead', before=6, after=3), CutRecord(name='back', before=6, after=6)]
    >>> out.in_features, lstm(torch.zeros(5, 1, 8))[0].shape
    (9, torch.Size([5, 1, 9]))

    Args:
        network: an `nn.Sequential`, or a list of the hidden layers of any network. Their `counting`
            is turned on, and their consumers' offsets are kept up to date as neurons are removed.
            Counts that the layers already have are kept, so that training can resume.
        prune_rate: 0 to 1; neurons kept by fewer than this share of the examples are removed,
            unless `step` is given widths.
        min_neurons: no layer gets narrower; the most active neurons stay, ties: lowest index first.
        elementwise: for an `nn.Sequential`, types of modules of your own that treat every neuron
            alone, and so may stand between two layers.

    Raises:
        ConfigError: a network that is no `nn.Sequential` or has no hidden `MePropLinear`, a value
            out of range, a layer listed twice or without consumers, or a consumer that does not
            fit.
    """

    def __init__(
        self,
        network: nn.Module | Sequence[SimplifiedLayer],
        *,
        prune_rate: float = 0.0,
        min_neurons: int = 1,
        elementwise: tuple[type[nn.Module], ...] = (),
    ) -> None:
        if not 0 <= prune_rate <= 1:
            raise ConfigError(f"`prune_rate` is {prune_rate}, expected 0 to 1")
        if min_neurons < 1:
            raise ConfigError(f"`min_neurons` is {min_neurons}, expected at least 1")
        layers = _wired(network, elementwise) if isinstance(network, nn.Module) else network
        if len({id(part.layer) for part in layers}) < len(layers):
            raise ConfigError("a layer is listed twice; list it once, with all its consumers")
        for part in layers:
            if not part.consumers and not part.twins:
                raise ConfigError(f"layer {part.name} has no consumer; output layers stay whole")
            # A plan that keeps everything changes nothing, but detects what does not fit.
            everything = torch.arange(part.layer.hits.shape[0])
            plan_cut(CutPlan(), part, everything)
        self.layers = tuple(layers)
        self.prune_rate = prune_rate
        self.min_neurons = min_neurons
        self.counting = True

    @property
    def counting(self) -> bool:
        """Whether the layers count hits; setting it changes all layers, and keeps their counts."""
        return all(part.layer.counting for part in self.layers)

    @counting.setter
    def counting(self, counting: bool) -> None:
        for part in self.layers:
            part.layer.counting = counting

    def reset_counts(self) -> None:
        """Set the counts of all layers to zero."""
        for part in self.layers:
            part.layer.reset_counts()

    def step(
        self,
        *optimizers: Optimizer,
        widths: Mapping[str, int] | None = None,
        scores: Mapping[str, Tensor] | None = None,
    ) -> list[CutRecord]:
        """Simplify every layer once: all of them or, if anything fails, none.

        Call it between batches. The cut makes new `nn.Parameter`s: references to the old ones are
        out of date.

        Args:
            optimizers: every optimiser of a parameter of these layers or their consumers.
            widths: by name of a layer, how many neurons it keeps; None: `prune_rate` decides.
            scores: with `widths`, by name of a layer, (H,): the neurons with the highest scores
                stay; None: the hits decide.

        Returns:
            one record for each layer, in order, also for those that lost nothing.
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
            plan_cut(plan, part, keep)
            records.append(CutRecord(part.name, layer.hits.shape[0], keep.shape[0]))
        plan.apply(*optimizers)
        for part in self.layers:
            for consumer in part.consumers:
                consumer.offset = plan.moved_offset(consumer)
        self.reset_counts()
        return records


def plan_cut(plan: CutPlan, part: SimplifiedLayer, keep: Tensor) -> None:
    """Plan to remove all neurons of a layer, and of its twins, except `keep`.

    Raises:
        ConfigError: a twin is not as wide as the layer.
    """
    plan.keep_neurons(part.layer, keep, part.consumers)
    for twin in part.twins:
        if twin.out_features != part.layer.hits.shape[0]:
            raise ConfigError(
                f"a twin of layer {part.name} has {twin.out_features} neurons, expected as many as "
                f"the layer, {part.layer.hits.shape[0]}"
            )
        plan.keep_neurons(twin, keep, [])


def surviving_neurons(
    hits: Tensor, examples: Tensor, prune_rate: float, *, min_neurons: int = 1
) -> Tensor:
    """Select the neurons with hits >= prune_rate * examples (meSimp, section 3).

    Args:
        hits: (H,) int64.
        examples: () int64; where it is zero, all neurons stay.
        prune_rate: 0 to 1.
        min_neurons: where fewer would stay, this many of the most active stay instead.

    Returns:
        (H',) int64 indices, increasing, on the device of `hits`.
    """
    # Divided, not multiplied: 0.1 * 30 is a little over 3 in floating point, 3 / 30 is just 0.1.
    stay = (hits.double() / examples >= prune_rate) | (examples == 0)
    if int(stay.sum()) < min(min_neurons, hits.shape[0]):
        return highest(hits, min_neurons)
    return stay.nonzero().squeeze(1)


def highest(scores: Tensor, n: int) -> Tensor:
    """The indices (n,) of the n highest `scores` (H,), increasing; ties: lowest index first."""
    return scores.sort(descending=True, stable=True).indices[:n].sort().values


def _wired(network: nn.Module, elementwise: tuple[type[nn.Module], ...]) -> list[SimplifiedLayer]:
    if not isinstance(network, nn.Sequential):
        raise ConfigError(
            f"a {type(network).__name__} does not tell which layer reads which: give a list with a "
            "SimplifiedLayer(name, layer, [Consumer(reader, offset), ...]) for each hidden layer"
        )
    layers = wire_sequential(network, elementwise=elementwise)
    if not layers:
        raise ConfigError("the network has no hidden MePropLinear: nothing can be simplified")
    return layers
