"""Training stopped in the middle, as a file: all that is needed to go on as if nothing happened.

The same container as a model (models/file.py): plain arrays and JSON, no pickle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor, nn

from meprop_nlp.errors import CheckpointError, ConfigError
from meprop_nlp.models.file import read_model_file, write_model_file
from meprop_nlp.simplify.cut import CutPlan
from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.optimizer_state import load_optimizer_tensors, optimizer_tensors

__all__ = [
    "Checkpoint",
    "Progress",
    "checkpoint_path",
    "load_network",
    "neurons",
    "restore",
    "save_checkpoint",
    "shrink",
]


def checkpoint_path(output: Path) -> Path:
    """Return where the training of a model keeps its checkpoint."""
    return output.with_name(output.name.removesuffix(".safetensors") + ".checkpoint.safetensors")


@dataclass(slots=True)
class Progress:
    """How far training is; all of it goes into the checkpoint.

    Attributes:
        epoch, batch: how many are done; `batch` in the present epoch.
        order: state of the random numbers that order the examples, at the epoch's start.
        loss, n_words, seconds: sums over the epoch so far.
        begun: whether what is due before the epoch's first minibatch is done.
        was_cut: whether neurons have gone in this epoch.
        best_score, best_epoch: of the best model so far; epochs count from 1 here, 0 is none.
        records: an EpochRecord's values for each epoch done.
    """

    order: dict[str, Any]
    epoch: int = 0
    batch: int = 0
    loss: float = 0.0
    n_words: int = 0
    seconds: dict[str, float] = field(
        default_factory=lambda: {"forward": 0.0, "backward": 0.0, "update": 0.0, "all": 0.0}
    )
    begun: bool = False
    was_cut: bool = False
    best_score: float | None = None
    best_epoch: int = 0
    records: list[dict[str, Any]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the values as JSON has them."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint file holds."""

    settings: dict[str, Any]
    progress: dict[str, Any]
    arrays: dict[str, npt.NDArray[Any]]

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Read a checkpoint.

        Raises:
            CheckpointError: the file is missing, damaged, or no checkpoint.
        """
        stored = read_model_file(path)
        if stored.header.get("kind") != "checkpoint":
            raise CheckpointError(f"{path}: is a model, expected a checkpoint of its training")
        return cls(stored.header["settings"], stored.header["progress"], stored.arrays)

    def teacher(self) -> dict[str, Tensor]:
        """Return the weights of the network before it was cut; empty where there is no teacher."""
        return _under("teacher/", self.arrays)

    def task(self) -> dict[str, npt.NDArray[Any]]:
        """Return what the task's examples are made from; empty where they never change."""
        return {name: tensor.numpy() for name, tensor in _under("task/", self.arrays).items()}

    def demand_settings(self, settings: Mapping[str, Any]) -> None:
        """Raise ConfigError when training would go on with other settings or other data."""
        old, new = _flat(self.settings), _flat(settings)
        found = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
        if found:
            differences = "; ".join(
                f"{name} was {old.get(name)!r}, is {new.get(name)!r}" for name in found
            )
            raise ConfigError(
                f"--resume goes on with the settings the run was started with; {differences}; "
                "start anew without --resume"
            )


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings by dotted name, as `training.epochs`."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


def neurons(layers: Sequence[SimplifiedLayer]) -> dict[str, int]:
    """Return the present width of each layer that can be simplified."""
    return {part.name: part.layer.hits.shape[0] for part in layers}


def save_checkpoint(
    path: Path,
    settings: Mapping[str, Any],
    progress: Mapping[str, Any],
    network: nn.Module,
    layers: Sequence[SimplifiedLayer],
    optimizer: torch.optim.Optimizer,
    teacher: nn.Module | None = None,
    task: Mapping[str, npt.NDArray[Any]] | None = None,
) -> None:
    """Write the state of training: weights and hit counts, optimiser, random numbers, progress.

    Where there are any, the teacher's weights too, and what the task's examples are made from.
    """
    tensors, optimizer_state = optimizer_tensors(optimizer)
    arrays = {f"network/{name}": _array(tensor) for name, tensor in network.state_dict().items()}
    arrays |= {f"optimizer/{name}": _array(tensor) for name, tensor in tensors.items()}
    if teacher is not None:
        arrays |= {f"teacher/{name}": _array(t) for name, t in teacher.state_dict().items()}
    arrays |= {f"task/{name}": array for name, array in (task or {}).items()}
    arrays["random/cpu"] = _array(torch.get_rng_state())
    if device := _on_gpu(network):
        arrays["random/cuda"] = _array(torch.cuda.get_rng_state(device))
    header = {
        "kind": "checkpoint",
        "settings": dict(settings),
        "progress": {**progress, "neurons": neurons(layers), "optimizer": optimizer_state},
    }
    write_model_file(path, header, arrays)


def restore(
    checkpoint: Checkpoint,
    network: nn.Module,
    layers: Sequence[SimplifiedLayer],
    optimizer: torch.optim.Optimizer,
) -> None:
    """Bring a freshly built network, its optimiser and the random numbers to the stored state.

    Raises:
        CheckpointError: it does not fit the network.
        ConfigError: it is of a run on a GPU and the network is not on one, or the other way round.
    """
    device, was_on_gpu = _on_gpu(network), "random/cuda" in checkpoint.arrays
    if bool(device) != was_on_gpu:
        before, now = ("a GPU", "the CPU") if was_on_gpu else ("the CPU", "a GPU")
        raise ConfigError(
            f"--resume goes on where the run was started, on {before}, and this one is on {now}; "
            f"give --device {'cuda' if was_on_gpu else 'cpu'}, or start anew without --resume"
        )
    shrink(layers, checkpoint.progress["neurons"], optimizer)
    load_network(network, _under("network/", checkpoint.arrays))
    load_optimizer_tensors(
        optimizer, _under("optimizer/", checkpoint.arrays), checkpoint.progress["optimizer"]
    )
    torch.set_rng_state(torch.from_numpy(checkpoint.arrays["random/cpu"].copy()))
    if device:
        state = torch.from_numpy(checkpoint.arrays["random/cuda"].copy())
        torch.cuda.set_rng_state(state, device)


def shrink(
    layers: Sequence[SimplifiedLayer], widths: Mapping[str, int], *optimizers: torch.optim.Optimizer
) -> None:
    """Cut freshly built layers to the stored widths; which neurons stay does not matter yet."""
    plan = CutPlan()
    for part in layers:
        plan.keep_neurons(part.layer, torch.arange(widths[part.name]), part.consumers)
    plan.apply(*optimizers)
    for part in layers:
        for consumer in part.consumers:
            consumer.offset = plan.moved_offset(consumer)


def load_network(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copy stored values into a network of the same shape."""
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


def _on_gpu(network: nn.Module) -> torch.device | None:
    device = next(network.parameters()).device
    return device if device.type == "cuda" else None


def _array(tensor: Tensor) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = tensor.detach().cpu().numpy()
    return array


def _under(prefix: str, arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): torch.from_numpy(array.copy())
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
