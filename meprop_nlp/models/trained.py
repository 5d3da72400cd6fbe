"""What every trained model is, whatever it predicts: loaded from a file, saved to one."""

from __future__ import annotations

import os
from typing import Any, ClassVar, Self

from meprop_nlp.errors import CheckpointError, MePropError
from meprop_nlp.models.file import ModelFile, read_model_file, write_model_file

__all__ = ["TrainedModel"]


class TrainedModel:
    """A trained model over plain arrays; subclasses say for which task.

    Attributes:
        model: the model file's content.
    """

    task: ClassVar[str]

    def __init__(self, model: ModelFile) -> None:
        self.model = model

    def __reduce__(self) -> tuple[Any, ...]:
        # what the core holds, and its locks, stay in their process
        return type(self), (self.model,)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a model file.

        Raises:
            CheckpointError: the file is damaged, too new, or a model for another task.
        """
        model = read_model_file(path)
        kind, task = model.header.get("kind"), model.header.get("task")
        if kind == "checkpoint":
            raise CheckpointError(
                f"{os.fspath(path)}: is a checkpoint of a training run, expected its model; "
                "go on training with --resume"
            )
        if task != cls.task:
            raise CheckpointError(f"{os.fspath(path)}: is a {task}, expected a {cls.task}")
        try:
            return cls(model)
        except CheckpointError as error:
            raise CheckpointError(f"{os.fspath(path)}: {error}; train it anew") from None
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise CheckpointError(
                f"{os.fspath(path)}: the model is incomplete ({error!r}); train it anew"
            ) from None
        except MePropError as error:
            raise CheckpointError(
                f"{os.fspath(path)}: the model was made by another version: {error}; train it anew"
            ) from None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a file, at once or not at all.

        Raises:
            DataError: the place cannot be written to.
        """
        header = {k: v for k, v in self.model.header.items() if k != "checksum"}
        write_model_file(path, header, self.model.arrays)
