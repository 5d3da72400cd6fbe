"""`--config`: the JSON settings of the papers' reference code, with the same meaning here.

README.md in this folder says what each key means. There are two versions of the settings: those of
the first code of 2017, and those of the reworked code with meSimp. The keys show which version a
file is, and a missing key has the default of that version. Keys and values may be in any case.
"""

import json
import secrets
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NamedTuple

from experiments.console import Display
from meprop_nlp.errors import ConfigError

FILES = ("TrainFile", "TrainLabelFile", "TestFile", "TestLabelFile")
ABSENT = object()


class Key(NamedTuple):
    """A key: its defaults, and which values it may have; whole numbers if the default is one."""

    first: Any
    reworked: Any
    holds: Callable[[Any], bool]
    expected: str


def _one_of(*names: str) -> tuple[Callable[[Any], bool], str]:
    return lambda name: name in names, "one of " + ", ".join(names)


_POSITIVE = (lambda n: n >= 1, "a whole number of at least 1")
_LAYERS = (lambda n: 2 <= n <= 10, "a whole number from 2 to 10")
_SHARE = (lambda x: 0 <= x < 1, "a number from 0 up to, not including, 1")
_NUMBER = (lambda x: True, "a number")
KEYS: dict[str, Key] = {
    "NetType": Key("mlp", "mlp", *_one_of("mlp", "mlptop", "mlprand", "mlpvar")),
    "TrainTop": Key(30, 160, lambda n: n >= 0, "a whole number of at least 0"),
    "HiddenSize": Key(500, 500, *_POSITIVE),
    "Layer": Key(3, ABSENT, *_LAYERS),
    "Layers": Key(ABSENT, 3, *_LAYERS),
    "MinibatchSize": Key(10, 100, *_POSITIVE),
    "MaxEpoch": Key(20, 20, *_POSITIVE),
    "IterPerEpoch": Key(11, 8, *_POSITIVE),
    "OptType": Key("adam", "adam", *_one_of("sgd", "adagrad", "adam")),
    "LearningRate": Key(0.001, 0.001, lambda x: x > 0, "more than 0"),
    "DecayRate": Key(0.9, 0.09, *_NUMBER),
    "Eps": Key(1e-6, 1e-6, *_NUMBER),
    "L2RegFactor": Key(0.0, 0.0, lambda x: x >= 0, "at least 0"),
    "ClipBound": Key(5.0, 5.0, *_NUMBER),
    "Prune": Key(ABSENT, 0.1, *_SHARE),
    "TrainCycle": Key(ABSENT, 5, *_POSITIVE),
    "DropProb": Key(0.0, ABSENT, *_SHARE),
    "RandomSeed": Key(1300012976, -1, lambda n: n < 2**31, "a whole number below 2^31"),
    "TrainingThreads": Key(1, ABSENT, lambda n: 1 <= n <= 256, "a whole number from 1 to 256"),
    "TrainType": Key("minibatch", ABSENT, *_one_of("minibatch", "sequential")),
    "LabelCount": Key(10, 10, lambda n: n == 10, "10, the classes of MNIST"),
    "DataSeqScale": Key(1.0, ABSENT, lambda x: 0 < x <= 1, "more than 0, at most 1"),
    **dict.fromkeys(FILES, Key(None, None, lambda name: True, "the name of a file")),
}
FIRST = {name: key.first for name, key in KEYS.items() if key.first is not ABSENT}
REWORKED = {name: key.reworked for name, key in KEYS.items() if key.reworked is not ABSENT}


class ReferenceConfig:
    """Settings of the reference code, read from a file; ConfigError if they cannot be used."""

    def __init__(self, path: Path, given: Collection[str] = ()) -> None:
        self._path = path
        self._values = self._read()
        for name in self._values:
            self._check(name)
        # values of options by name, except for options given on the command line
        self.options = {n: v for n, v in self._options(given).items() if n not in given}

    def report(self, display: Display) -> None:
        """Warn of settings that have no effect, and show the seed that was drawn."""
        values, path = self._values, self._path
        if values["OptType"] == "adam" and values["LearningRate"] != 0.001:
            display.warn(f"{path}: LearningRate has no effect on Adam, as in the reference: 0.001")
        if values["OptType"] == "adagrad" and values["Eps"] != 1e-6:
            display.warn(f"{path}: Eps has no effect here: it is 1e-6")
        if values.get("DataSeqScale", 1) != 1:
            display.warn(f"{path}: DataSeqScale has no effect, as in the reference code")
        for name in FILES:
            if values[name]:
                display.warn(f"{path}: {name} has no effect: the images are those of --data")
        if values["RandomSeed"] < 0 and "seed" in self.options:
            seed = self.options["seed"]
            display.say(
                f"{path}: RandomSeed is below 0: --seed {seed} was drawn; give it to repeat"
            )

    def _read(self) -> dict[str, Any]:
        """Return a value for each key of the version that the file is."""
        try:
            stored = json.loads(self._path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise self._error(f"cannot be read: {error.strerror or error}") from None
        except (ValueError, RecursionError) as error:
            raise self._error(f"is not JSON: {error}") from None
        if not isinstance(stored, dict):
            raise self._error("expected a JSON object of settings")
        names = {name.lower(): name for name in KEYS}
        found = {names.get(str(name).lower(), str(name)): value for name, value in stored.items()}
        version = REWORKED if found.keys().isdisjoint(FIRST.keys() - REWORKED) else FIRST
        unknown = [name for name in found if name not in version]
        if unknown:
            known = ", ".join(sorted(version))
            raise self._error(f"unknown {', '.join(unknown)}; beside the others known are {known}")
        return {**version, **found}

    def _check(self, name: str) -> None:
        key, value, default = KEYS[name], self._values[name], (FIRST | REWORKED)[name]
        if isinstance(value, str) and name not in FILES:
            value = value.lower()
        if isinstance(default, int | float):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            fits = number and abs(value) < float("inf") and value == type(default)(value)
            value = type(default)(value) if fits else value
        else:
            fits = isinstance(value, str) or value is default
        self._demand(name, fits and key.holds(value), key.expected)
        self._values[name] = value

    def _options(self, given: Collection[str]) -> dict[str, Any]:
        values = self._values
        first, net, optimizer = "Layer" in values, values["NetType"], values["OptType"]
        k, hidden, seed = values["TrainTop"], values["HiddenSize"], values["RandomSeed"]
        constant = optimizer != "sgd" or values["DecayRate"] == 1
        self._demand("DecayRate", constant, "1 with OptType sgd: here its rate is constant")
        known = not first or net != "mlpvar"
        self._demand("NetType", known, "mlp, mlptop or mlprand in the first version of the code")
        self._demand("TrainTop", net == "mlp" or k >= 1, "a whole number of at least 1")
        fits = net == "mlp" or k <= hidden or not {"k", "hidden"}.isdisjoint(given)
        self._demand("TrainTop", fits, f"at most HiddenSize, {hidden}")
        batch_size = 1 if values.get("TrainType") == "sequential" else values["MinibatchSize"]
        # how many times larger gradients are there: the reworked code sums them over a minibatch
        larger = 1 if first else batch_size
        rate, decay = values["LearningRate"], values["L2RegFactor"] / larger
        options = {
            "hidden": hidden,
            "layers": values["Layer" if first else "Layers"],
            "dropout": values.get("DropProb", 0.0),
            "sparse_output": False,
            "k": None if net == "mlp" else k,
            "topk_mode": "random" if net == "mlprand" else "example",
            "batch_size": batch_size,
            "epochs": values["MaxEpoch"],
            "optimizer": optimizer,
            "learning_rate": {"adam": 0.001, "adagrad": rate, "sgd": rate * larger}[optimizer],
            "decay": False,
            "patience": 0,
            "clip": 0.0,
            "clip_value": max(0.0, values["ClipBound"]) / larger,
            "weight_decay": 0.0 if optimizer == "sgd" and not first else decay,
            "threads": values.get("TrainingThreads", 0),
            "seed": seed if seed >= 0 else secrets.randbelow(2**31),
        }
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

    def _demand(self, key: str, holds: bool, expected: str) -> None:
        if not holds:
            raise self._error(f"{key} is {self._values[key]!r}, expected {expected}")

    def _error(self, text: str) -> ConfigError:
        return ConfigError(f"--config {self._path}: {text}")
