"""An optimiser's state as plain tensors and settings, for a checkpoint."""

from typing import Any

import torch
from torch import Tensor

from meprop_nlp.errors import CheckpointError


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
