"""Gradient clipping; gradients may be sparse."""

from collections.abc import Iterable

import torch
from torch import Tensor

from meprop_nlp.nn.row_gradient import in_row_order


def clip_gradients(parameters: Iterable[Tensor], max_norm: float) -> float:
    """Scale all gradients down so that their joint norm is at most `max_norm`.

    Unlike in `torch.nn.utils.clip_grad_norm_`, gradients may be sparse.

    Returns:
        the joint norm before scaling.
    """
    gradients = _stored_values(parameters)
    if not gradients:
        return 0.0
    norms = [torch.linalg.vector_norm(gradient) for gradient in gradients]
    norm = float(torch.linalg.vector_norm(torch.stack(norms)))
    if norm > max_norm:
        for gradient in gradients:
            gradient.mul_(max_norm / (norm + 1e-6))
    return norm


def clamp_gradients(parameters: Iterable[Tensor], bound: float) -> None:
    """Clamp each entry of the gradients, dense or sparse, to the range from -bound to bound."""
    for gradient in _stored_values(parameters):
        gradient.clamp_(-bound, bound)


def _stored_values(parameters: Iterable[Tensor]) -> list[Tensor]:
    """The gradients, to be changed in place; for a sparse one the values of its stored rows."""
    values = []
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.grad = in_row_order(parameter.grad)
            sparse = parameter.grad.is_sparse
            values.append(parameter.grad._values() if sparse else parameter.grad)
    return values
