"""`train-mnist --config`: the JSON settings of the papers' reference code, meaning the same here.

lancopku/meProp and lancopku/meSimp (C#) train MNIST by such a file. There are two versions of it,
of 2017's first code and of the reworked one with meSimp; which one a file is, its keys tell, and a
key that it leaves out has that version's default. Names of keys and values may be in any case.

| key | here |
|---|---|
| NetType | mlp: no --k; mlptop: --k TrainTop; mlprand: --topk-mode random; mlpvar: \
--simplify --schedule paper |
| TrainTop | --k; the reference never sparsifies the output layer: --dense-output |
| HiddenSize, Layers (first: Layer) | --hidden, --layers; both count the output layer |
| MinibatchSize, MaxEpoch | --batch-size, --epochs |
| OptType | --optimizer |
| LearningRate | --learning-rate; Adam ignores it, as in the reference, whose Adam has 0.001 |
| ClipBound | --clip-value: each entry of the gradient |
| L2RegFactor | --weight-decay; SGD of the reworked code ignores it |
| Prune, TrainCycle, IterPerEpoch | of mlpvar: --prune-rate, --cycle, --cuts-per-epoch; cutting \
begins in the first epoch, and no layer has a least width |
| DropProb (first) | --dropout |
| RandomSeed | --seed; below 0: one that is drawn, and told |
| TrainFile, TrainLabelFile, TestFile, TestLabelFile | paths from where the command runs; else \
files in --data |
| TrainingThreads (first) | --threads |
| TrainType (first) | minibatch; sequential is --batch-size 1; lockFree is refused |
| LabelCount | must be 10 |
| DecayRate | of SGD: must be 1, a constant rate; nothing else reads it |
| Eps | of AdaGrad: 1e-6 whatever it says, with a warning; nothing else reads it |
| DataSeqScale (first) | nothing reads it, there or here: a warning unless it is 1 |

The reworked code adds the gradients of a minibatch up where we take their mean: bounds, L2 and
SGD's rate are converted by MinibatchSize. What a key cannot say differs all the same: weights start
as PyTorch's linear layers do, dev is scored once an epoch, not IterPerEpoch times, test once at the
end, the optimiser restarts once between cycles, not eight times in an epoch, bounds are applied
before the L2 penalty is added, and dropout scales what it keeps, in training alone.

Options on the command line win over the file.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from meprop_nlp.commands.reference_keys import CHOICES, FILES, FIRST, KEYS, RANGES, REWORKED
from meprop_nlp.data.mnist import usual_names
from meprop_nlp.errors import ConfigError

__all__ = ["ReferenceConfig", "read_reference_config"]


@dataclass(frozen=True, slots=True)
class ReferenceConfig:
    """What a file of the reference code means here.

    Attributes:
        path: the file.
        options: values of the options of `train-mnist`, by name.
        files: the names of data files that it gives, by key.
        notes: what the user should know, one sentence each.
        warnings: what the file asks for and does not get, one sentence each.
    """

    path: Path
    options: dict[str, Any]
    files: dict[str, str]
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def data_files(self, directory: Path, *, here: bool) -> dict[str, Path]:
        """Return the data files that are named, by what they are (see `data.mnist.read_mnist`).

        A file of MNIST's usual name that is missing is left out: the folder may have it under
        another of these.

        Args:
            directory: where the data are, unless
            here: a path is tried from the current folder first, as the reference code does.

        Raises:
            ConfigError: a file is in neither place.
        """
        found = {}
        for key, name in self.files.items():
            places = [Path(name)] if here else []
            for place in [*places, directory / name]:
                if place.is_file():
                    found[FILES[key]] = place
                    break
            else:
                if Path(name).name not in usual_names(FILES[key]):
                    raise ConfigError(
                        f"--config {self.path}: {key} is {name!r}, expected a file"
                        f"{' of this folder or' if here else ''} of {directory}"
                    )
        return found


def read_reference_config(path: Path, given: Collection[str] = ()) -> ReferenceConfig:
    """Read a file of the reference code.

    Args:
        given: names of the options that the command line sets; they win.

    Raises:
        ConfigError: the file cannot be read, a key is unknown or of another version, a value is
            out of range, or asks for what is not there here.
    """
    values = _values(path)
    files = {key: values[key] for key in FILES if values[key]}
    config = ReferenceConfig(path, _options(path, values), files)
    _tell(config, path, values)
    for name in given:
        config.options.pop(name, None)
    if values["RandomSeed"] < 0 and "seed" in config.options:
        config.notes.append(
            f"{path}: RandomSeed is {values['RandomSeed']}: --seed {config.options['seed']} was "
            "drawn; give it to repeat or resume this run"
        )
    if config.options.get("k") is not None and "hidden" in config.options:
        _demand(
            values["TrainTop"] <= values["HiddenSize"],
            *(path, "TrainTop", values, f"at most HiddenSize, {values['HiddenSize']}"),
        )
    return config


def _values(path: Path) -> dict[str, Any]:
    """Return a value for each key of the file's version, each checked."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"--config {path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"--config {path}: is not JSON: {error}") from None
    if not isinstance(stored, dict):
        raise ConfigError(f"--config {path}: expected a JSON object of settings")
    unknown = [key for key in stored if key.lower() not in KEYS]
    if unknown:
        raise ConfigError(
            f"--config {path}: unknown {', '.join(unknown)}; known are "
            + ", ".join(sorted(KEYS.values()))
        )
    found = {KEYS[key.lower()]: value for key, value in stored.items()}
    first, reworked = found.keys() - REWORKED.keys(), found.keys() - FIRST.keys()
    if first and reworked:
        raise ConfigError(
            f"--config {path}: {', '.join(sorted(first))} are of the first version of the "
            f"reference code, {', '.join(sorted(reworked))} of the reworked one; expected keys of "
            "one of them"
        )
    values = {**(FIRST if first else REWORKED), **found}
    for key in values:
        _check(path, key, values)
    return values


def _check(path: Path, key: str, values: dict[str, Any]) -> None:
    value = values[key]
    if key in CHOICES:
        names = CHOICES[key]
        known = isinstance(value, str) and value.lower() in names
        _demand(known, path, key, values, "one of " + ", ".join(names))
        values[key] = value.lower()
    elif key in FILES:
        _demand(value is None or isinstance(value, str), path, key, values, "the name of a file")
    else:
        holds, expected = RANGES[key]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        finite = number and abs(value) < float("inf")
        whole = isinstance((FIRST | REWORKED)[key], int)
        fits = finite and (not whole or value == int(value)) and holds(value)
        _demand(fits, path, key, values, expected)
        values[key] = int(value) if whole else float(value)


def _demand(holds: bool, path: Path, key: str, values: dict[str, Any], expected: str) -> None:
    if not holds:
        raise ConfigError(f"--config {path}: {key} is {values[key]!r}, expected {expected}")


def _options(path: Path, values: dict[str, Any]) -> dict[str, Any]:
    first, net, optimizer = "Layer" in values, values["NetType"], values["OptType"]
    batch_size = 1 if values.get("TrainType") == "sequential" else values["MinibatchSize"]
    added_up = 1 if first else batch_size  # by how much the reference's gradients are larger
    steady = optimizer != "sgd" or values["DecayRate"] == 1
    _demand(steady, path, "DecayRate", values, "1 with OptType sgd: here its rate is constant")
    _demand(not first or net != "mlpvar", path, "NetType", values, "mlp, mlptop or mlprand, as "
            "the first version of the reference code has them")  # fmt: skip
    chosen = net == "mlp" or values["TrainTop"] >= 1
    _demand(chosen, path, "TrainTop", values, "a whole number of at least 1")
    options = {
        "hidden": values["HiddenSize"],
        "layers": values["Layer" if first else "Layers"],
        "dropout": values.get("DropProb", 0.0),
        "sparse_output": False,
        "k": None if net == "mlp" else values["TrainTop"],
        "topk_mode": "random" if net == "mlprand" else "example",
        "batch_size": batch_size,
        "epochs": values["MaxEpoch"],
        "optimizer": optimizer,
        "learning_rate": {
            "adam": 0.001,
            "adagrad": values["LearningRate"],
            "sgd": values["LearningRate"] * added_up,
        }[optimizer],
        "decay": False,
        "patience": 0,
        "clip": 0.0,
        "clip_value": max(0.0, values["ClipBound"]) / added_up,
        "weight_decay": values["L2RegFactor"] / added_up,
        "seed": values["RandomSeed"],
    }
    if optimizer == "sgd" and not first:
        options["weight_decay"] = 0.0
    if options["seed"] < 0:
        options["seed"] = secrets.randbelow(2**31)
    if first:
        options["threads"] = values["TrainingThreads"]
    if net == "mlpvar":
        options |= {
            "simplify": True,
            "schedule": "paper",
            "prune_rate": values["Prune"],
            "cycle": values["TrainCycle"],
            "cuts_per_epoch": values["IterPerEpoch"],
            "first_cut_epoch": 0,
            "min_neurons": 1,
        }
    return options


def _tell(config: ReferenceConfig, path: Path, values: dict[str, Any]) -> None:
    """Say what the file asks for and does not get."""
    if values["OptType"] == "adam" and values["LearningRate"] != 0.001:
        config.warnings.append(
            f"{path}: LearningRate {values['LearningRate']:g} has no effect on Adam, as in the "
            "reference code: it is 0.001; give --learning-rate to change it"
        )
    if values["OptType"] == "adagrad" and values["Eps"] != 1e-6:
        config.warnings.append(f"{path}: Eps {values['Eps']:g} has no effect here: it is 1e-6")
    if values.get("DataSeqScale", 1) != 1:
        config.warnings.append(f"{path}: DataSeqScale has no effect, as in the reference code")
    if values["IterPerEpoch"] > 1:
        config.notes.append(
            f"{path}: IterPerEpoch {values['IterPerEpoch']}: here dev is scored once an epoch"
        )
