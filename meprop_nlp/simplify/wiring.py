"""Which layers of a network are simplified, and which layers read their outputs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from meprop_nlp.errors import ConfigError
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.nn.lstm import MePropLSTM
from meprop_nlp.simplify.cut import Consumer

# Modules that may stand between a layer and its consumer: they treat every neuron alone.
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
    """A hidden layer to simplify, and every layer that reads it.

    Attributes:
        name: for reports.
        layer: the layer; its `hits` decide, unless other scores are given.
        consumers: every layer that reads its outputs, with nothing between that mixes neurons.
            A consumer that is missing here fails at the next forward pass after a cut.
        twins: linear layers of the same width whose outputs are added to its outputs, or
            multiplied with them, neuron by neuron; they lose the same neurons.
        power: a cut that keeps a share of the neurons keeps this power of the share here; below 1
            for a layer that costs little.
        multiple: a cut to a share rounds the width up to a multiple of this, as kernels like it,
            unless fewer than two multiples stay.
    """

    name: str
    layer: MePropLinear | MePropLSTM
    consumers: list[Consumer]
    twins: Sequence[nn.Linear] = ()
    power: float = 1.0
    multiple: int = 1

    def width_at(self, share: float) -> int:
        """Return the width to which a cut keeps this share of the present neurons."""
        width: int = self.layer.hits.shape[0]
        kept = max(1, round(float(share**self.power) * width))
        rounded = -(-kept // self.multiple) * self.multiple
        return min(width, kept if kept < 2 * self.multiple else rounded)


def wire_stack(layers: Sequence[MePropLinear], name: str) -> list[SimplifiedLayer]:
    """Wire the hidden layers of a stack, each read by the next; the last is the output layer.

    Args:
        layers: in the order of the forward pass.
        name: of the layers; their positions are appended.
    """
    return [
        SimplifiedLayer(f"{name}.{n}", layer, [Consumer(reader)])
        for n, (layer, reader) in enumerate(pairwise(layers))
    ]


def wire_sequential(
    network: nn.Sequential, *, elementwise: tuple[type[nn.Module], ...] = ()
) -> list[SimplifiedLayer]:
    """Wire the hidden `MePropLinear`s of an `nn.Sequential`, each with the layer that reads it.

    Args:
        network: linear layers with activations or dropout between them, nested or not; the last
            linear layer is the output layer and is not simplified.
        elementwise: further module types that treat every neuron alone, beside `ELEMENTWISE`.

    Returns:
        one entry for each hidden `MePropLinear`, named as in the network, in its order.

    Raises:
        ConfigError: a module between two linear layers may mix neurons.
    """
    wired: list[SimplifiedLayer] = []
    unread: tuple[str, MePropLinear] | None = None
    between: list[nn.Module] = []
    for name, module in _in_order(network):
        if not isinstance(module, nn.Linear):
            between.append(module)
            continue
        if unread is not None:
            mixing = [m for m in between if not isinstance(m, ELEMENTWISE + elementwise)]
            if mixing:
                raise ConfigError(
                    f"layer {unread[0]} is followed by {type(mixing[0]).__name__}, which may "
                    "mix neurons; if it treats each alone, name its type in `elementwise`"
                )
            wired.append(SimplifiedLayer(*unread, [Consumer(module)]))
        unread = (name, module) if isinstance(module, MePropLinear) else None
        between = []
    return wired


def _in_order(network: nn.Sequential, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """(name, module) of every module that is applied, in order; one that is used twice, twice."""
    for name, module in network._modules.items():
        if isinstance(module, nn.Sequential):
            yield from _in_order(module, f"{prefix}{name}.")
        elif module is not None:
            yield prefix + name, module
