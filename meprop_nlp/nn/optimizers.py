"""The papers' optimisers, for gradients of which some hold rows: Adam, AdaGrad and SGD.

Settings, state and results are those of `torch.optim`; `lazy` alone changes them. Where all
parameters are on a GPU and all gradients dense, the step is left to `torch.optim`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from meprop_nlp.config import OPTIMIZERS, OptimizerName
from meprop_nlp.errors import ConfigError
from meprop_nlp.nn.optim_kernels import adagrad_step, adam_step, in_row_order

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "clamp_gradients",
    "clip_gradients",
    "make_optimizer",
    "restart",
]


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


def make_optimizer(
    name: OptimizerName,
    params: Iterable[Tensor] | Iterable[dict[str, Any]],
    *,
    lr: float | None = None,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float | None = None,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    lazy: bool = False,
) -> torch.optim.Optimizer:
    """An optimiser with the defaults of meProp's experiments (section 3).

    Args:
        name: `adam`, `adagrad` or `sgd`.
        params: parameters or parameter groups, as `torch.optim` takes them.
        lr: learning rate; None is 0.001 for Adam, 0.01 for AdaGrad (the paper: 0.1 on MNIST), and
            0.1 for SGD (ours; the paper has none).
        betas: Adam's decay rates.
        eps: None is 1e-8 for Adam and 1e-6 for AdaGrad.
        momentum: of SGD.
        weight_decay: L2 penalty, added to the gradient.
        lazy: see `Adam`; SGD without momentum and decay leaves rows without gradient
            alone anyway.

    Raises:
        ConfigError: unknown name, or a value the optimiser refuses.
    """
    try:
        if name == "adam":
            return Adam(
                params,
                lr=1e-3 if lr is None else lr,
                betas=betas,
                eps=1e-8 if eps is None else eps,
                weight_decay=weight_decay,
                lazy=lazy,
            )
        if name == "adagrad":
            return Adagrad(
                params,
                lr=1e-2 if lr is None else lr,
                eps=1e-6 if eps is None else eps,
                weight_decay=weight_decay,
                lazy=lazy,
            )
        if name == "sgd":
            return SGD(
                params,
                lr=1e-1 if lr is None else lr,
                momentum=momentum,
                weight_decay=weight_decay,
            )
    except ValueError as error:
        raise ConfigError(f"optimizer {name}: {error}") from error
    raise ConfigError(f"optimizer is {name!r}, expected one of {', '.join(OPTIMIZERS)}")


def clip_gradients(parameters: Iterable[Tensor], max_norm: float) -> float:
    """Scale all gradients down so that their joint norm is at most `max_norm`; return what it was.

    Like `torch.nn.utils.clip_grad_norm_`, but gradients may be sparse.
    """
    gradients = _entries(parameters)
    if not gradients:
        return 0.0
    norms = [torch.linalg.vector_norm(gradient) for gradient in gradients]
    norm = float(torch.linalg.vector_norm(torch.stack(norms)))
    if norm > max_norm:
        for gradient in gradients:
            gradient.mul_(max_norm / (norm + 1e-6))
    return norm


def clamp_gradients(parameters: Iterable[Tensor], bound: float) -> None:
    """Bring each entry of the gradients into -bound to bound; they may be sparse."""
    for gradient in _entries(parameters):
        gradient.clamp_(-bound, bound)


def _entries(parameters: Iterable[Tensor]) -> list[Tensor]:
    """Return what can be changed in place of each gradient: of a sparse one, the rows it has."""
    gradients = []
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.grad = in_row_order(parameter.grad)
            sparse = parameter.grad.is_sparse
            gradients.append(parameter.grad._values() if sparse else parameter.grad)
    return gradients


def restart(optimizer: torch.optim.Optimizer) -> None:
    """Forget all moments and step counts, as if the optimiser had just been made.

    meSimp restarts the optimiser at the boundary of a cycle. Settings such as the learning rate
    stay as they are.
    """
    if not isinstance(optimizer, torch.optim.Adagrad):
        optimizer.state.clear()
        return
    # AdaGrad alone makes its state when it is built; older versions of PyTorch never make it again.
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            state = optimizer.state[parameter]
            state["step"].zero_()
            state["sum"].fill_(group["initial_accumulator_value"])
