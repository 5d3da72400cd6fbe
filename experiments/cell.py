"""`Cell`: one training with all its settings, which several experiments may share."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Self

from experiments.data import Corpus
from experiments.mnist.classifier import ClassifierConfig
from meprop_nlp.config import (
    MePropConfig,
    ParserConfig,
    SimplifyConfig,
    TaggerConfig,
    TrainingConfig,
)
from meprop_nlp.errors import ConfigError

TASKS = ("parsing", "tagging", "mnist")
CONFIGS = {"parsing": ParserConfig, "tagging": TaggerConfig, "mnist": ClassifierConfig}
# settings that have no effect on the result
OF_THE_RUN = {"threads", "device"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One training."""

    task: str  # one of TASKS
    corpus: Corpus
    config: Any  # of the class in CONFIGS
    meprop: MePropConfig
    simplify: SimplifyConfig | None = None  # None: nothing is cut
    training: TrainingConfig

    def changed(self, **changes: Any) -> Self:
        """Return the cell with other settings, by name; `simplify` is replaced as a whole."""
        parts = {"simplify": changes.pop("simplify", self.simplify)}
        for part in ("meprop", "training", "config"):
            config: Any = getattr(self, part)
            own = {n: changes.pop(n) for n in list(changes) if n in config.__dataclass_fields__}
            parts[part] = dataclasses.replace(config, **own)
        if changes:
            raise ConfigError(f"{self.task} has no setting {', '.join(sorted(changes))}")
        return dataclasses.replace(self, **parts)

    def shrunk(self, by: int) -> Self:
        """Return a small copy for a try-out: width and k divided by `by`, and two epochs."""
        if by == 1:
            return self
        k = self.meprop.k and max(1, round(self.meprop.k / by))
        hidden = max(1, round(self.config.hidden / by))
        return self.changed(k=k, hidden=hidden, epochs=min(2, self.training.epochs))

    def settings(self) -> dict[str, Any]:
        """Return all settings as JSON values."""
        parts = {name: getattr(self, name) for name in ("config", "meprop", "simplify", "training")}
        return {name: part and part.to_dict() for name, part in parts.items()}

    @property
    def key(self) -> str:
        """What identifies the cell: its task, data and settings."""
        return key_of(self.task, self.corpus.fingerprint, self.settings())

    @property
    def name(self) -> str:
        """A readable name for the cell and its files."""
        k, mode = self.meprop.k, self.meprop.topk_mode
        method = "dense" if not k else f"k{k}" if mode == "example" else f"{mode}{k}"
        if self.simplify:
            method += "-cut"
        digest = hashlib.sha256(self.key.encode()).hexdigest()[:8]
        return (
            f"{self.task}-{self.corpus.name}-h{self.config.hidden}-{method}-"
            f"{self.training.optimizer}-e{self.training.epochs}-s{self.training.seed}-{digest}"
        )


def key_of(task: str, fingerprint: str, settings: dict[str, Any]) -> str:
    """Return the key of a cell, given its settings as this version or an earlier one stored them.

    Settings that are missing are at their defaults, and settings that no longer exist are ignored.
    """
    classes = {
        "config": CONFIGS[task],
        "meprop": MePropConfig,
        "simplify": SimplifyConfig,
        "training": TrainingConfig,
    }
    known: dict[str, Any] = {}
    for part, stored in settings.items():
        defaults = classes[part]().to_dict()
        names = defaults.keys() - OF_THE_RUN
        known[part] = stored and {name: stored.get(name, defaults[name]) for name in names}
    return json.dumps([task, fingerprint, known], sort_keys=True)
