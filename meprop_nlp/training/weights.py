"""A network's weights as named arrays, and stored weights back into a network."""

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor, nn

from meprop_nlp.errors import CheckpointError


def arrays_of(network: nn.Module) -> dict[str, npt.NDArray[Any]]:
    """Return a network's parameters as arrays; counters that serve training are left out."""
    with torch.no_grad():
        return {name: p.detach().cpu().numpy() for name, p in network.named_parameters()}


def load_weights(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copy stored parameters and buffers into a network of the same shape.

    Raises:
        CheckpointError: a name is missing or unknown, or a shape differs.
    """
    own = network.state_dict()
    missing, extra = sorted(own.keys() - tensors.keys()), sorted(tensors.keys() - own.keys())
    if missing or extra:
        raise CheckpointError(
            f"the stored weights do not fit the model: missing {missing or 'none'}, "
            f"not known {extra or 'none'}"
        )
    with torch.no_grad():
        for name, tensor in own.items():
            stored = tensors[name]
            if stored.shape != tensor.shape:
                raise CheckpointError(
                    f"the stored weights do not fit the model: {name} is {tuple(stored.shape)}, "
                    f"expected {tuple(tensor.shape)}"
                )
            tensor.copy_(stored)
