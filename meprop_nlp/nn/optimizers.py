"""The papers' optimisers: Adam, AdaGrad and SGD, for gradients of which some store only rows.

Settings, state and results are those of `torch.optim`; only `lazy` changes them. Where the kernels
would gain nothing, `torch.optim` makes the step.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from meprop_nlp.config import OPTIMIZERS, OptimizerName
from meprop_nlp.errors import ConfigError
from meprop_nlp.nn.backends import choose
from meprop_nlp.nn.backends.reference_optimizers import AdagradSettings, AdamSettings


def _loss_of(closure: Callable[[], Any] | None) -> Any:
    """Call a step's closure with gradients on, and return its loss."""
    if closure is None:
        return None
    with torch.enable_grad():
        return closure()


class _ByRows(torch.optim.Optimizer):
    """An optimiser that updates one parameter after the other."""

    lazy: bool

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters that have a gradient; `closure` is called first."""
        loss = _loss_of(closure)
        updates = [
            (group, parameter, parameter.grad)
            for group in self.param_groups
            for parameter in group["params"]
            if parameter.grad is not None
        ]
        if all(choose.torch_updates(parameter, gradient) for _, parameter, gradient in updates):
            super().step()
            return loss
        for group, parameter, gradient in updates:
            self._update(parameter, gradient, group)
        return loss

    @abstractmethod
    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        """Update one parameter in place, with the settings of its group."""


class Adam(_ByRows, torch.optim.Adam):
    """Adam with row-sparse gradients.

    Args:
        params, lr, betas, eps, weight_decay: as in `torch.optim.Adam`.
        lazy: do not update rows without a gradient, as in `torch.optim.SparseAdam`. Otherwise their
            moments decay and the rows keep moving, as in the papers: exact, but slower, because
            every row is touched.
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
        settings = AdamSettings(
            rate=group["lr"],
            betas=group["betas"],
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            lazy=self.lazy,
        )
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        updates = choose.updates(parameter, gradient, mean, square)
        updates.adam(parameter, gradient, mean, square, state["step"].item(), settings)


class Adagrad(_ByRows, torch.optim.Adagrad):
    """AdaGrad with row-sparse gradients; see `Adam`. `lazy` matters only with a weight decay."""

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
        settings = AdagradSettings(
            rate=group["lr"],
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            lazy=self.lazy,
        )
        updates = choose.updates(parameter, gradient, state["sum"])
        updates.adagrad(parameter, gradient, state["sum"], settings)


class SGD(torch.optim.SGD):
    """`torch.optim.SGD` that also takes a weight decay together with sparse gradients."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters that have a gradient; `closure` is called first."""
        loss = _loss_of(closure)
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
    """Make an optimiser with the defaults of meProp's experiments (section 3).

    Args:
        name: `adam`, `adagrad` or `sgd`.
        params: parameters or parameter groups, as `torch.optim` takes them.
        lr: learning rate; None is 0.001 for Adam, 0.01 for AdaGrad (the paper: 0.1 on MNIST), and
            0.1 for SGD (our choice; the paper does not use SGD).
        betas: Adam's decay rates.
        eps: None is 1e-8 for Adam and 1e-6 for AdaGrad.
        momentum: of SGD.
        weight_decay: L2 penalty, added to the gradient.
        lazy: see `Adam`. It has no effect on SGD, which without momentum and weight decay updates
            only rows with a gradient anyway.

    Raises:
        ConfigError: unknown name, or a value that the optimiser refuses.
    """
    given = {key: value for key, value in (("lr", lr), ("eps", eps)) if value is not None}
    try:
        if name == "adam":
            return Adam(params, betas=betas, weight_decay=weight_decay, lazy=lazy, **given)
        if name == "adagrad":
            return Adagrad(params, weight_decay=weight_decay, lazy=lazy, **given)
        if name == "sgd":
            rate = 1e-1 if lr is None else lr
            return SGD(params, lr=rate, momentum=momentum, weight_decay=weight_decay)
    except ValueError as error:
        raise ConfigError(f"optimizer {name}: {error}") from error
    raise ConfigError(f"`optimizer` is {name!r}, expected one of {', '.join(OPTIMIZERS)}")


def restart(optimizer: torch.optim.Optimizer) -> None:
    """Forget all moments and step counts, as if the optimiser had just been made.

    meSimp restarts the optimiser at the boundary of a cycle. Settings such as the learning rate do
    not change.
    """
    if not isinstance(optimizer, torch.optim.Adagrad):
        optimizer.state.clear()
        return
    # AdaGrad makes its state when it is built, and older versions of PyTorch never make it again.
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            state = optimizer.state[parameter]
            state["step"].zero_()
            state["sum"].fill_(group["initial_accumulator_value"])
