"""`ServedModels`: the models that are served, by the names that clients know them under."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from meprop_nlp.errors import ConfigError
from meprop_nlp.models.boxed import ENGLISH, boxed_models
from meprop_nlp.models.model import Model
from meprop_nlp.models.tokenizer import Tokenizer
from meprop_nlp.serve.errors import RequestError

ENDING = ".safetensors"
# what UDPipe's clients call the language and the treebank of a model of the package
_BOXED_NAMES = {ENGLISH: ("english-ewt", "en", "en_ewt", "eng")}


class ModelChoice(NamedTuple):
    """A model to serve: its names, of which the first is shown, and its file."""

    names: tuple[str, ...]
    path: Path


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model that is served.

    Attributes:
        names: what clients call it; the first one is shown to them.
        model: the model.
        acknowledgements: what users should cite or heed, such as its licence.
    """

    names: tuple[str, ...]
    model: Model
    acknowledgements: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name that is shown."""
        return self.names[0]

    @property
    def tokenizer(self) -> Tokenizer | None:
        """What makes words of running text, if the model can."""
        found = self.model.tokenizer
        return found if isinstance(found, Tokenizer) else None

    @property
    def tagging(self) -> tuple[str, ...]:
        """The heads that UDPipe's `tagger` stands for: all but that of the tree."""
        return tuple(name for name in self.model.heads if name != "tree")

    @property
    def components(self) -> list[str]:
        """What UDPipe calls the parts of the model: tokenizer, tagger, parser."""
        return [
            *(["tokenizer"] if self.tokenizer is not None else []),
            *(["tagger"] if self.tagging else []),
            *(["parser"] if "tree" in self.model.heads else []),
        ]


class ServedModels:
    """The models that are served; the first is the default.

    As in UDPipe, a model is found by each of its names and by what is left of a name when parts
    are taken off its end: `english-ewt` is found by `english` too. Of several the first one is.

    Args:
        models: at least one.

    Raises:
        ConfigError: two models are shown under one name.
    """

    def __init__(self, models: Sequence[ServedModel]) -> None:
        self.models = tuple(models)
        shown = [one.name for one in self.models]
        for name in shown:
            if shown.count(name) > 1:
                raise ConfigError(
                    f"two models are called {name}; give `model` a name of its own: NAME=FILE"
                )
        self._by_name: dict[str, ServedModel] = {}
        for one in self.models:
            for name in one.names:
                self._by_name.setdefault(name, one)
        for one in self.models:
            for name in one.names:
                for prefix in _prefixes(name):
                    self._by_name.setdefault(prefix, one)

    @property
    def default(self) -> ServedModel:
        """The model of a request that names none."""
        return self.models[0]

    def find(self, name: str | None) -> ServedModel:
        """Return the model of this name; the default for None and for an empty text.

        Raises:
            RequestError: there is none.
        """
        if not name:
            return self.default
        found = self._by_name.get(name)
        if found is None:
            raise RequestError(400, f"The requested model '{name}' does not exist.")
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return what UDPipe's `/models` answers."""
        return {
            "models": {one.name: one.components for one in self.models},
            "default_model": self.default.name,
        }


def model_choice(text: str) -> ModelChoice:
    """Return the model that an option names: `en`, `FILE`, `NAME=FILE` or `NAME:ALIAS=FILE`.

    Raises:
        ConfigError: a name is empty.
    """
    names, equals, file = text.partition("=")
    boxed = boxed_models()
    if not equals or Path(text).exists():
        if text in boxed:
            return ModelChoice(_BOXED_NAMES.get(text, (text,)), boxed[text])
        return ModelChoice((Path(text).name.removesuffix(ENDING),), Path(text))
    given = tuple(names.split(":"))
    if not all(given) or not file:
        raise ConfigError(f"`model` is {text!r}, expected FILE, NAME=FILE or NAME:ALIAS=FILE")
    return ModelChoice(given, boxed.get(file) or Path(file))


def _prefixes(name: str) -> list[str]:
    """Return what is left of a name when parts are taken off its end: the longest first."""
    parts = name.split("-")
    return ["-".join(parts[:n]) for n in range(len(parts) - 1, 0, -1)]
