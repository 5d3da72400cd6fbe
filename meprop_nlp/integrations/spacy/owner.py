"""`ModelOwner`: a part of a pipeline with a model, which is saved and sent with the pipeline."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self
from weakref import WeakValueDictionary

from spacy.util import from_bytes, to_bytes

from meprop_nlp.errors import CheckpointError
from meprop_nlp.models.boxed import model_file
from meprop_nlp.models.file import read_header
from meprop_nlp.models.model import Model

_FILE = "model.safetensors"  # in the folder of a part of a saved pipeline

# Parts that name the same file share the model as long as one of them is there.
_shared: WeakValueDictionary[tuple[Any, ...], Model] = WeakValueDictionary()


class ModelOwner:
    """A part of a pipeline that owns a model, and has it in the pipeline's folder and bytes.

    Args:
        source: the model file, or the name of a model of the package.
        pretrained, treebank: as for `meprop_nlp.load`.

    Raises:
        CheckpointError: the file is there, and is no model.
    """

    def __init__(self, source: str, pretrained: str | None, treebank: str | None) -> None:
        self.source, self.pretrained, self.treebank = source, pretrained, treebank
        self._model: Model | None = None
        self._demand_model()

    # No property, and not called `model`: spaCy asks each part whether it has such an attribute, which
    # in Python 3.11 computes it.
    def loaded(self) -> Model:
        """Return the whole model, which is read when it is first needed.

        Raises:
            CheckpointError, ConfigError, DataError: as for `meprop_nlp.load`.
        """
        if self._model is None:
            self._use(_read(self.source, self.pretrained, self.treebank))
        assert self._model is not None
        return self._model

    def _use(self, model: Model) -> None:
        """Take a model for one's own; subclasses check that it has what they need."""
        self._model = model

    def _demand_model(self) -> None:
        """Raise CheckpointError if a file is there that is no model; its absence is no error yet.

        A pipeline that was saved is made from its configuration before its parts are read, also
        where the file is gone from which it was first made.
        """
        try:
            path = model_file(self.source)
        except CheckpointError:
            return
        if refusal := Model.refusal(read_header(path)):
            raise CheckpointError(f"{self.source}: {refusal}")

    def initialize(self, get_examples: Callable[[], Iterable[Any]], *, nlp: Any = None) -> None:
        """Read the model, which is trained already; `nlp.initialize` calls this."""
        self.loaded()

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Return the part as bytes.

        Args:
            exclude: `model` leaves the model out.
        """
        content: bytes = to_bytes({"model": lambda: self.loaded().to_bytes()}, exclude)
        return content

    def from_bytes(self, content: bytes, *, exclude: Iterable[str] = ()) -> Self:
        """Take the model that `to_bytes` returned.

        Raises:
            CheckpointError, ConfigError: it is damaged, or lacks what this part needs.
        """

        def use(model: bytes) -> None:
            kwargs = {"pretrained": self.pretrained, "treebank": self.treebank}
            self._use(Model.from_bytes(model, **kwargs))

        from_bytes(content, {"model": use}, exclude)
        return self

    def to_disk(self, path: str | os.PathLike[str], *, exclude: Iterable[str] = ()) -> None:
        """Write the part into a folder, which is made.

        Raises:
            DataError: it cannot be written.
        """
        if "model" not in exclude:
            self.loaded().save(Path(path) / _FILE)
        else:
            Path(path).mkdir(parents=True, exist_ok=True)

    def from_disk(self, path: str | os.PathLike[str], *, exclude: Iterable[str] = ()) -> Self:
        """Take the model of a folder that `to_disk` has written.

        Raises:
            CheckpointError, ConfigError: it is missing or damaged, or lacks what this part needs.
        """
        if "model" not in exclude:
            self._use(_read(os.fspath(Path(path) / _FILE), self.pretrained, self.treebank))
        return self


def _read(source: str, pretrained: str | None, treebank: str | None) -> Model:
    """Return the model of a file, or the same object again if it was read before and is in use."""
    path = Path(model_file(source))
    status = path.stat()
    key = (path.resolve(), status.st_mtime_ns, status.st_size, pretrained, treebank)
    model = _shared.get(key)
    if model is None:
        model = Model.load(path, pretrained=pretrained, treebank=treebank)
        _shared[key] = model
    return model
