"""`Cell`: one training, with all its settings; experiments that need the same share it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Self

from meprop_nlp.config import MePropConfig, SimplifyConfig, TrainingConfig
from meprop_nlp.errors import ConfigError
from meprop_nlp.reproduction.corpus import Corpus
from meprop_nlp.settings import Config

__all__ = ["Cell"]

# of a run, not of what comes out of it
_OF_THE_RUN = ("threads", "device")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One training.

    Attributes:
        task: a name in `tasks.TASKS`.
        corpus: what it is trained and scored on.
        config: the task's own settings.
        meprop, simplify, training: the others; `simplify` None: nothing is cut.
    """

    task: str
    corpus: Corpus
    config: Config
    meprop: MePropConfig
    simplify: SimplifyConfig | None = None
    training: TrainingConfig

    def changed(self, **changes: Any) -> Self:
        """Return a cell with other settings, each named as in its configuration.

        `simplify` is a whole SimplifyConfig or None.

        Raises:
            ConfigError: no configuration has such a setting, or a value is out of range.
        """
        parts: dict[str, Any] = {}
        if "simplify" in changes:
            parts["simplify"] = changes.pop("simplify")
        for part in ("meprop", "training", "config"):
            config: Any = getattr(self, part)
            own = {n: changes.pop(n) for n in list(changes) if n in config.__dataclass_fields__}
            if own:
                parts[part] = dataclasses.replace(config, **own)
        if changes:
            raise ConfigError(f"{self.task} has no setting {', '.join(sorted(changes))}")
        return dataclasses.replace(self, **parts)

    def settings(self) -> dict[str, Any]:
        """Return all settings as JSON has them, without those that only say how it is run."""
        training = self.training.to_dict()
        for name in _OF_THE_RUN:
            del training[name]
        return {
            "config": self.config.to_dict(),
            "meprop": self.meprop.to_dict(),
            "simplify": self.simplify.to_dict() if self.simplify else None,
            "training": training,
        }

    def arguments(self) -> dict[str, Any]:
        """Return the settings as a model's `train` takes them."""
        return {n: getattr(self, n) for n in ("config", "meprop", "simplify", "training")}

    @property
    def name(self) -> str:
        """Readable, and different for other settings or data.

        Settings at their defaults do not enter, so that a setting which is new in a later version
        leaves the names of what was trained before as they are; `fits` tells changed defaults.
        """
        told = {
            part: _without_defaults(config)
            for part in ("config", "meprop", "simplify", "training")
            if (config := getattr(self, part)) is not None
        }
        text = json.dumps([self.task, self.corpus.fingerprint, told], sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        k, mode = self.meprop.k, self.meprop.topk_mode
        parts = [
            *dict.fromkeys([self.task, self.corpus.name]),
            *([f"h{hidden}"] if (hidden := getattr(self.config, "hidden", None)) else []),
            "dense" if not k else f"k{k}" if mode == "example" else f"{mode}{k}",
            *(["cut"] if self.simplify else []),
            self.training.optimizer,
            f"e{self.training.epochs}",
            f"s{self.training.seed}",
            digest,
        ]
        return "-".join(parts)

    def fits(self, settings: dict[str, Any]) -> bool:
        """Whether stored settings are these, as far as both versions know them."""

        def same(mine: Any, theirs: Any) -> bool:
            if isinstance(mine, dict) and isinstance(theirs, dict):
                return all(same(mine[name], theirs[name]) for name in mine.keys() & theirs.keys())
            return bool(mine == theirs)

        return same(self.settings(), settings)


def _without_defaults(config: Config) -> dict[str, Any]:
    defaults = type(config)().to_dict()
    return {
        name: value
        for name, value in config.to_dict().items()
        if value != defaults[name] and name not in _OF_THE_RUN
    }
