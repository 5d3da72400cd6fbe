"""The papers' optimisers, restarting them, and their state as plain tensors and settings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from meprop_nlp.config import OPTIMIZERS, OptimizerName
from meprop_nlp.errors import CheckpointError, ConfigError
from meprop_nlp.nn.optim_kernels import in_row_order
from meprop_nlp.nn.row_optim import SGD, Adagrad, Adam


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
        lazy: see `row_optim.Adam`; SGD without momentum and decay leaves rows without gradient
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


def optimizer_tensors(
    optimizer: torch.optim.Optimizer,
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The optimiser's state as tensors named `<parameter number>.<name>`, and its settings.

    Returns:
        tensors: detached and contiguous, for a safetensors file.
        settings: JSON-able; the parameter groups and any state that is not a tensor.
    """
    snapshot = optimizer.state_dict()
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, dict[str, Any]] = {}
    for index, state in snapshot["state"].items():
        for name, value in state.items():
            if isinstance(value, Tensor):
                tensors[f"{index}.{name}"] = value.detach().contiguous()
            else:
                numbers.setdefault(str(index), {})[name] = value
    groups = [
        {key: _plain(value) for key, value in group.items()} for group in snapshot["param_groups"]
    ]
    return tensors, {"groups": groups, "numbers": numbers}


def load_optimizer_tensors(
    optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], settings: dict[str, Any]
) -> None:
    """Give `optimizer` the state that `optimizer_tensors` took from another of the same kind.

    Args:
        optimizer: over parameters of the same number, order and shapes.
        tensors, settings: as `optimizer_tensors` returned them, or as read from a file.

    Raises:
        CheckpointError: the state belongs to other parameters or is damaged; `optimizer` is as
            before.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Any]] = {}
    try:
        for key, tensor in tensors.items():
            number, _, name = key.partition(".")
            index = int(number)
            shape = parameters[index].shape
            if tensor.dim() > 0 and tensor.shape != shape:
                raise CheckpointError(
                    f"optimizer state {key} has shape {tuple(tensor.shape)}, expected "
                    f"{tuple(shape)}, the shape of its parameter"
                )
            # Copied, so that the optimiser does not write into what the caller holds.
            state.setdefault(index, {})[name] = tensor.clone()
        for number, values in settings["numbers"].items():
            state.setdefault(int(number), {}).update(values)
        groups = [
            {key: tuple(v) if key == "betas" else v for key, v in group.items()}
            for group in settings["groups"]
        ]
        kinds = [(len(group["params"]), set(group)) for group in groups]
    except (IndexError, KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"the optimizer state cannot be read: {error!r}") from error
    wanted = [(len(group["params"]), set(group)) for group in optimizer.param_groups]
    if kinds != wanted:
        raise CheckpointError(
            "the optimizer state is of another optimizer or of other parameters: its groups have "
            f"{[n for n, _ in kinds]} parameters, expected {[n for n, _ in wanted]}, with the same "
            "settings"
        )
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _plain(value: Any) -> Any:
    """A setting as JSON has it: tensors as numbers, tuples as lists."""
    if isinstance(value, Tensor):
        return value.item()
    return list(value) if isinstance(value, tuple) else value
