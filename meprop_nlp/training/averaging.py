"""`WeightAverage`: a running average of a network's weights, which is scored and saved."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from meprop_nlp.errors import CheckpointError

ALL_BEFORE = 1000  # updates
EVERY = 4  # of the updates after them


class WeightAverage:
    """The exponential average of the weights over the updates (Polyak & Juditsky 1992).

    Over the first updates the average is shorter, so that it forgets the initial weights. After
    `ALL_BEFORE` updates only every fourth is averaged, with four times its share: an average over
    a thousand updates is the same, and reading and writing all weights took 4 to 7 % of a step.

    Args:
        network: whose weights are averaged.
        decay: share of the average that stays at each update.

    Attributes:
        tensors: the average of each parameter, by its name.
        n_updates: how many updates there were.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._network, self._decay = network, decay
        self.start()

    def start(self) -> None:
        """Forget all updates: the average is the weights as they are now."""
        self.n_updates = 0
        with torch.no_grad():
            self.tensors = {n: p.detach().clone() for n, p in self._network.named_parameters()}

    @torch.no_grad()
    def update(self) -> None:
        """Add the present weights to the average, if it is their turn."""
        decay = min(self._decay, (1 + self.n_updates) / (10 + self.n_updates))
        self.n_updates += 1
        if self.n_updates > ALL_BEFORE:
            if self.n_updates % EVERY:
                return
            decay **= EVERY
        weights = [parameter.detach() for parameter in self._network.parameters()]
        torch._foreach_lerp_(list(self.tensors.values()), weights, 1 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Within the block the network has the averaged weights."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def take(self) -> None:
        """Make the average the network's own weights."""
        self._swap()
        self.start()

    def load(self, tensors: Mapping[str, Tensor], n_updates: int) -> None:
        """Take a stored average.

        Raises:
            CheckpointError: it is of other weights.
        """
        shapes = {name: tensor.shape for name, tensor in self.tensors.items()}
        if {name: tensor.shape for name, tensor in tensors.items()} != shapes:
            raise CheckpointError("the stored average of the weights does not fit the model")
        for name, tensor in self.tensors.items():
            tensor.copy_(tensors[name])
        self.n_updates = n_updates

    @torch.no_grad()
    def _swap(self) -> None:
        for name, parameter in self._network.named_parameters():
            own = parameter.detach().clone()
            parameter.copy_(self.tensors[name])
            self.tensors[name].copy_(own)
