"""The border to the native core for the optimisers: one step for one parameter.

A gradient may hold only some rows. The plain PyTorch form of each step stands beside it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from meprop_nlp.nn.core import core_for

__all__ = ["adagrad_step", "adam_step", "in_row_order"]


def adam_step(
    parameter: Tensor,
    gradient: Tensor,
    mean: Tensor,
    square: Tensor,
    *,
    rate: float,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float,
    step: float,
    lazy: bool,
) -> None:
    """One step of Adam, in place; `torch.optim.Adam`'s formulas.

    Args:
        parameter, mean, square: of one shape, contiguous.
        gradient: dense, or sparse in its first dimension. Rows it lacks are zero: they still decay
            the moments, and so move the parameter; with `lazy` they are left alone.
        step: counts from 1.
    """
    core = core_for(parameter, mean, square)
    rows, values = _rows_and_values(gradient)
    if core is not None and values.dtype == parameter.dtype:
        core.adam(
            *(_as_matrix(parameter), rows, _as_matrix(values.contiguous())),
            *(_as_matrix(mean), _as_matrix(square), rate, *betas, eps, weight_decay, step, lazy),
            torch.get_num_threads(),
        )
        return
    p, m, v, g = parameter, mean, square, gradient
    if rows is not None and lazy:
        p, m, v, g = parameter[rows], mean[rows], square[rows], values
    elif rows is not None:
        g = gradient.to_dense()
    if weight_decay:
        g = g.add(p, alpha=weight_decay)
    m.lerp_(g, 1 - betas[0])
    v.mul_(betas[1]).addcmul_(g, g, value=1 - betas[1])
    root = (1 - betas[1] ** step) ** 0.5
    p.addcdiv_(m, (v.sqrt() / root).add_(eps), value=-rate / (1 - betas[0] ** step))
    if rows is not None and lazy:
        parameter[rows], mean[rows], square[rows] = p, m, v


def adagrad_step(
    parameter: Tensor,
    gradient: Tensor,
    square_sum: Tensor,
    *,
    rate: float,
    eps: float,
    weight_decay: float,
    lazy: bool,
) -> None:
    """One step of AdaGrad, in place; see `adam_step`. Rows without gradient move by decay only."""
    core = core_for(parameter, square_sum)
    rows, values = _rows_and_values(gradient)
    if core is not None and values.dtype == parameter.dtype:
        core.adagrad(
            *(_as_matrix(parameter), rows, _as_matrix(values.contiguous())),
            *(_as_matrix(square_sum), rate, eps, weight_decay, lazy),
            torch.get_num_threads(),
        )
        return
    p, s, g = parameter, square_sum, gradient
    if rows is not None and lazy:
        p, s, g = parameter[rows], square_sum[rows], values
    elif rows is not None:
        g = gradient.to_dense()
    if weight_decay:
        g = g.add(p, alpha=weight_decay)
    s.addcmul_(g, g)
    p.addcdiv_(g, s.sqrt().add_(eps), value=-rate)
    if rows is not None and lazy:
        parameter[rows], square_sum[rows] = p, s


def in_row_order(gradient: Tensor) -> Tensor:
    """The gradient itself, or coalesced where it is sparse and its rows are not in order.

    Autograd forgets that our gradients are coalesced; to look costs less than to do it again.
    """
    if not gradient.is_sparse or gradient.is_coalesced():
        return gradient
    return gradient.coalesce() if bool((gradient._indices()[0].diff() <= 0).any()) else gradient


def _rows_and_values(gradient: Tensor) -> tuple[Tensor | None, Tensor]:
    if not gradient.is_sparse:
        return None, gradient
    gradient = in_row_order(gradient)
    return gradient._indices()[0].contiguous(), gradient._values()


def _as_matrix(tensor: Tensor) -> Tensor:
    """A view with two dimensions, the first being the rows of a table."""
    return tensor.flatten(1) if tensor.dim() > 1 else tensor.view(-1, 1)
