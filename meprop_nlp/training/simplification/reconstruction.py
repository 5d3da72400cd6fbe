"""From which neurons a layer's effect can be reconstructed best: a criterion of the late cut."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from meprop_nlp.errors import ConfigError
from meprop_nlp.simplify.criteria import by_reconstruction
from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.simplification.importance import observe_gradients
from meprop_nlp.training.task import Task


def demand_linear_readers(layers: Sequence[SimplifiedLayer]) -> None:
    """Raise ConfigError if a layer is read by others than linear layers."""
    for part in layers:
        readers = [consumer.module for consumer in part.consumers]
        if not readers or not all(isinstance(reader, nn.Linear) for reader in readers):
            raise unfit(part.name)


def unfit(name: str) -> ConfigError:
    """Return the error of a layer that is read by others than linear layers."""
    return ConfigError(
        "`criterion` reconstruction is for layers that linear layers read, and "
        f"{name} is not one; use `criterion` magnitude"
    )


def reconstruction_scores(task: Task, layers: Sequence[SimplifiedLayer]) -> dict[str, Tensor]:
    """Return how early each neuron is chosen, by layer name: (H,) float64 each, H for the first.

    Neurons are chosen one by one, each time the one with which the outputs of the linear layers
    that read the chosen neurons come nearest to what they were (as in ThiNet, Luo et al. 2017). An
    error of an output is weighted by the curvature of the loss along it, estimated as the mean
    square of its gradient. The examples are those of `observe_gradients`.
    """
    inputs = {part.consumers[0].module: _Inputs(part.consumers[0].module) for part in layers}
    outputs = {
        consumer.module: _Outputs(consumer.module) for part in layers for consumer in part.consumers
    }
    observers: list[tuple[nn.Module, _Inputs | _Outputs]] = [*inputs.items(), *outputs.items()]
    handles = [module.register_forward_hook(observer.observe) for module, observer in observers]
    observe_gradients(task, handles)
    scores = {}
    for part in layers:
        n, weights = part.layer.hits.shape[0], []
        for consumer in part.consumers:
            columns = slice(consumer.offset, consumer.offset + n)
            weights.append(outputs[consumer.module].weighted()[:, columns])
        first = part.consumers[0]  # all read the same
        columns = slice(first.offset, first.offset + n)
        covariance = inputs[first.module].covariance()[columns, columns]
        scores[part.name] = by_reconstruction(covariance, torch.cat(weights))
    return scores


class _Inputs:
    """The covariance of a linear layer's inputs."""

    def __init__(self, module: Any) -> None:
        n = module.in_features
        self._sum = torch.zeros(n, dtype=torch.float64)
        self._products = torch.zeros(n, n, dtype=torch.float64)
        self._count = 0

    def observe(self, module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Add the inputs of a forward pass: a forward hook."""
        read = inputs[0].detach().reshape(-1, len(self._sum))
        self._count += len(read)
        self._sum += read.sum(dim=0).double().cpu()
        self._products += (read.T @ read).double().cpu()

    def covariance(self) -> Tensor:
        """Return the covariance of the inputs seen so far: (I, I)."""
        mean = self._sum / self._count
        return self._products / self._count - torch.outer(mean, mean)


class _Outputs:
    """The curvature of the loss along a linear layer's outputs."""

    def __init__(self, module: Any) -> None:
        self._weight: Tensor = module.weight
        self._curvature = torch.zeros(module.out_features, dtype=torch.float64)
        self._count = 0

    def observe(self, module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Observe the gradient of a forward pass when it comes: a forward hook."""
        output.register_hook(self._add)  # type: ignore[no-untyped-call]

    def _add(self, gradient: Tensor) -> None:
        each = gradient.reshape(-1, len(self._curvature))
        self._count += len(each)
        each = each * len(each)  # the loss is a mean
        self._curvature += each.square().sum(dim=0).double().cpu()

    def weighted(self) -> Tensor:
        """Return the weights, each row scaled by its output's importance to the loss: (O, I)."""
        # the root of a tree is a weight of a layer that is never called
        importance = (self._curvature / max(1, self._count)).sqrt()
        return importance[:, None] * self._weight.detach().double().cpu()
