"""The keys of the reference code's JSON settings: their defaults, and what each may be.

Read in lancopku/meProp, `nnmnist/Config.cs`, of the first code and of the reworked one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["CHOICES", "FILES", "FIRST", "KEYS", "RANGES", "REWORKED"]

FILES = {
    "TrainFile": "train_images",
    "TrainLabelFile": "train_labels",
    "TestFile": "test_images",
    "TestLabelFile": "test_labels",
}
_BOTH: dict[str, Any] = {
    "MaxEpoch": 20,
    "LearningRate": 0.001,
    "LabelCount": 10,
    "Eps": 1e-6,
    "L2RegFactor": 0.0,
    "ClipBound": 5.0,
    "HiddenSize": 500,
    "NetType": "mlp",
    "OptType": "adam",
    **dict.fromkeys(FILES),
}
FIRST: dict[str, Any] = {
    **_BOTH,
    "MinibatchSize": 10,
    "IterPerEpoch": 11,
    "DecayRate": 0.9,
    "TrainTop": 30,
    "RandomSeed": 1300012976,
    "Layer": 3,
    "DropProb": 0.0,
    "TrainingThreads": 1,
    "TrainType": "minibatch",
    "DataSeqScale": 1.0,
}
REWORKED: dict[str, Any] = {
    **_BOTH,
    "MinibatchSize": 100,
    "IterPerEpoch": 8,
    "DecayRate": 0.09,
    "TrainTop": 160,
    "RandomSeed": -1,
    "Layers": 3,
    "Prune": 0.1,
    "TrainCycle": 5,
}
KEYS = {key.lower(): key for key in FIRST | REWORKED}
CHOICES = {
    "NetType": ("mlp", "mlptop", "mlprand", "mlpvar"),
    "OptType": ("sgd", "adagrad", "adam"),
    "TrainType": ("minibatch", "sequential"),
}
# What a number must be, and in words.
RANGES: dict[str, tuple[Callable[[float], bool], str]] = {
    **dict.fromkeys(
        ("HiddenSize", "MinibatchSize", "MaxEpoch", "IterPerEpoch", "TrainCycle"),
        (lambda n: n >= 1, "a whole number of at least 1"),
    ),
    "TrainTop": (lambda n: n >= 0, "a whole number of at least 0"),
    **dict.fromkeys(("Layers", "Layer"), (lambda n: 2 <= n <= 10, "a whole number from 2 to 10")),
    "TrainingThreads": (lambda n: 1 <= n <= 256, "a whole number from 1 to 256"),
    "LabelCount": (lambda n: n == 10, "10, the classes of MNIST"),
    "RandomSeed": (lambda n: n < 2**31, "a whole number below 2^31"),
    "LearningRate": (lambda x: x > 0, "more than 0"),
    **dict.fromkeys(("ClipBound", "Eps", "DecayRate"), (lambda x: True, "a number")),
    "L2RegFactor": (lambda x: x >= 0, "at least 0"),
    **dict.fromkeys(
        ("Prune", "DropProb"),
        (lambda x: 0 <= x < 1, "a number from 0 up to, not including, 1"),
    ),
    "DataSeqScale": (lambda x: 0 < x <= 1, "more than 0, at most 1"),
}
