"""`Checkpoint`: the state of a training as a file, from which it goes on as if never stopped.

The container is that of a model (models/file.py): plain arrays and JSON, no pickle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor, nn

from meprop_nlp.errors import CheckpointError, ConfigError
from meprop_nlp.models.file import read_model_file, write_model_file
from meprop_nlp.training.loop import Trainer
from meprop_nlp.training.optimizer_state import load_optimizer_tensors, optimizer_tensors
from meprop_nlp.training.simplification.widths import shrink, widths_of
from meprop_nlp.training.weights import load_weights


def checkpoint_path(output: Path) -> Path:
    """Return where the training of a model keeps its checkpoint."""
    return output.with_name(output.name.removesuffix(".safetensors") + ".checkpoint.safetensors")


def demand_checkpoint(output: Path | None) -> Path:
    """Return the checkpoint that the training of a model goes on from.

    Raises:
        ConfigError: there is none.
    """
    if output is None:
        raise ConfigError("a run can be resumed only when it has an output file")
    path = checkpoint_path(output)
    if not path.exists():
        raise ConfigError(
            f"`resume`: there is no {path}; a run that ended has none; start anew without `resume`"
        )
    return path


def demand_same_parts(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise ConfigError as `demand_same`, comparing only what `now` has."""
    demand_same({name: before.get(name) for name in now}, now)


def demand_same(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise ConfigError when a run would be resumed with other settings or other data."""
    if found := differences(before, now):
        raise ConfigError(
            f"`resume` goes on with the settings the run was started with; {found}; "
            "start anew without `resume`"
        )


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return in words how settings differ; nothing if they do not."""
    old, new = _flat(before), _flat(now)
    found = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return "; ".join(f"{name} was {old.get(name)!r}, is {new.get(name)!r}" for name in found)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a training.

    Attributes:
        settings: what must be the same when the run goes on: settings, and checksums of the data.
        progress: the values of `Progress`, the layers' widths and the optimiser's settings.
        arrays: weights and hit counts (network/), the weights' average (average/), the optimiser's
            moments (optimizer/), the teacher's weights (teacher/), what the task's examples are
            made from (task/), and the state of torch's random numbers (random/).
    """

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
        return cls(stored.header["settings"], stored.header["progress"], dict(stored.arrays))

    @classmethod
    def of(cls, trainer: Trainer, settings: Mapping[str, Any]) -> Checkpoint:
        """Take the state of a training between two minibatches."""
        network = trainer.task.network
        teacher = trainer.simplification.teacher if trainer.simplification else None
        moments, optimizer = optimizer_tensors(trainer.optimizer)
        parts = {"network": network.state_dict(), "optimizer": moments}
        if teacher:
            parts["teacher"] = teacher.network.state_dict()
        if trainer.average:
            parts["average"] = trainer.average.tensors
        arrays = {
            f"{part}/{name}": tensor.detach().cpu().numpy()
            for part, tensors in parts.items()
            for name, tensor in tensors.items()
        }
        arrays |= {f"task/{name}": array for name, array in trainer.task.state().items()}
        arrays["random/cpu"] = torch.get_rng_state().numpy()
        if device := _gpu_of(network):
            arrays["random/cuda"] = torch.cuda.get_rng_state(device).numpy()
        progress = trainer.progress.to_dict()
        progress |= {"neurons": widths_of(trainer.layers), "optimizer": optimizer}
        if trainer.average:
            progress["averaged"] = trainer.average.n_updates
        return cls(dict(settings), progress, arrays)

    def save(self, path: Path) -> None:
        """Write the checkpoint, at once or not at all."""
        header = {"kind": "checkpoint", "settings": self.settings, "progress": self.progress}
        write_model_file(path, header, self.arrays)

    def demand_settings(self, settings: Mapping[str, Any]) -> None:
        """Raise ConfigError when training would go on with other settings or other data."""
        demand_same(self.settings, settings)

    def restore(self, trainer: Trainer) -> None:
        """Bring a newly built trainer, and torch's random numbers, to the stored state.

        Raises:
            CheckpointError: the stored state does not fit the network.
            ConfigError: the run was on a GPU and the network is not, or the other way round.
        """
        network = trainer.task.network
        device, was_on_gpu = _gpu_of(network), "random/cuda" in self.arrays
        if bool(device) != was_on_gpu:
            before, now = ("a GPU", "the CPU") if was_on_gpu else ("the CPU", "a GPU")
            raise ConfigError(
                f"`resume` goes on where the run was started, on {before}, and this one is on "
                f"{now}; give `device` {'cuda' if was_on_gpu else 'cpu'}, or start anew without "
                "`resume`"
            )
        if trainer.simplification:  # while the network still has the teacher's widths
            trainer.simplification.restore_teacher(self._tensors("teacher/"))
        shrink(trainer.layers, self.progress["neurons"], trainer.optimizer)
        load_weights(network, self._tensors("network/"))
        if trainer.average:
            trainer.average.start()  # in the network's present widths
            trainer.average.load(self._tensors("average/"), self.progress["averaged"])
        load_optimizer_tensors(
            trainer.optimizer, self._tensors("optimizer/"), self.progress["optimizer"]
        )
        torch.set_rng_state(torch.from_numpy(self.arrays["random/cpu"].copy()))
        if device:
            state = torch.from_numpy(self.arrays["random/cuda"].copy())
            torch.cuda.set_rng_state(state, device)
        examples = self._tensors("task/")
        trainer.task.restore({name: tensor.numpy() for name, tensor in examples.items()})
        trainer.progress.load(self.progress)
        trainer.rng.bit_generator.state = trainer.progress.order

    def _tensors(self, prefix: str) -> dict[str, Tensor]:
        return {
            name.removeprefix(prefix): torch.from_numpy(array.copy())
            for name, array in self.arrays.items()
            if name.startswith(prefix)
        }


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings by dotted name, such as `training.epochs`."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


def _gpu_of(network: nn.Module) -> torch.device | None:
    device = next(network.parameters()).device
    return device if device.type == "cuda" else None
