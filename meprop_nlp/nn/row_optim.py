"""Adam and AdaGrad that know rows: gradients of embeddings hold only the rows that were read.

Settings, state and results are those of `torch.optim`; `lazy` alone changes them. Where all
parameters are on a GPU and all gradients dense, the step is left to `torch.optim`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from meprop_nlp.nn.optim_kernels import adagrad_step, adam_step

__all__ = ["SGD", "Adagrad", "Adam"]


def _called(closure: Callable[[], Any] | None) -> Any:
    """Return what a step's closure gives, which may compute gradients."""
    if closure is None:
        return None
    with torch.enable_grad():
        return closure()


class _ByRows(torch.optim.Optimizer):
    """A step that hands each parameter and its gradient to `_update`."""

    lazy: bool

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters that have a gradient."""
        loss = _called(closure)
        updates = [
            (group, parameter, parameter.grad)
            for group in self.param_groups
            for parameter in group["params"]
            if parameter.grad is not None
        ]
        if all(_is_for_torch(parameter, gradient) for _, parameter, gradient in updates):
            super().step()
            return loss
        for group, parameter, gradient in updates:
            self._update(parameter, gradient, group)
        return loss

    @abstractmethod
    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        """One parameter's step, in place; `group` holds its settings."""


class Adam(_ByRows, torch.optim.Adam):
    """Adam with row-sparse gradients.

    Args:
        params, lr, betas, eps, weight_decay: as in `torch.optim.Adam`.
        lazy: leave rows without a gradient alone, as `torch.optim.SparseAdam` does. Otherwise their
            moments decay and they move on, as in the papers: exact, but every row is touched.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        lazy: bool = False,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)
        self.lazy = lazy

    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.tensor(0.0)
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        state["step"] += 1
        adam_step(
            *(parameter, gradient, state["exp_avg"], state["exp_avg_sq"]),
            rate=group["lr"],
            betas=group["betas"],
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            step=state["step"].item(),
            lazy=self.lazy,
        )


class Adagrad(_ByRows, torch.optim.Adagrad):
    """AdaGrad with row-sparse gradients; see `Adam`. Lazy or not differs by weight decay only."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        lazy: bool = False,
    ) -> None:
        super().__init__(params, lr=lr, eps=eps, weight_decay=weight_decay)
        self.lazy = lazy

    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        state["step"] += 1
        adagrad_step(
            *(parameter, gradient, state["sum"]),
            rate=group["lr"],
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            lazy=self.lazy,
        )


def _is_for_torch(parameter: Tensor, gradient: Tensor) -> bool:
    """Whether PyTorch's own step is as good: a dense gradient on another device, odd strides."""
    elsewhere = parameter.device.type != "cpu" or not parameter.is_contiguous()
    return elsewhere and not gradient.is_sparse


class SGD(torch.optim.SGD):
    """`torch.optim.SGD`, which takes a weight decay beside sparse gradients too."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters that have a gradient; `closure` is called first."""
        loss = _called(closure)
        for group in self.param_groups:
            if group["weight_decay"]:  # every row decays
                for parameter in group["params"]:
                    if parameter.grad is not None and parameter.grad.is_sparse:
                        parameter.grad = parameter.grad.to_dense()
        super().step()
        return loss
