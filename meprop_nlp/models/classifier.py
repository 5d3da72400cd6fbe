"""A trained image classifier in NumPy: a few products of matrices, which no core would speed up."""

from __future__ import annotations

import os
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from meprop_nlp.config import ClassifierConfig
from meprop_nlp.data.mnist import N_CLASSES, SIDE, Images
from meprop_nlp.errors import CheckpointError, DataError, MePropError
from meprop_nlp.models.file import ModelFile, read_model_file, write_model_file
from meprop_nlp.models.parts import Array, naming_file, take

__all__ = ["FrozenClassifier"]

_PIECE = 1000  # images at once, so that memory does not grow with their number


class FrozenClassifier:
    """A classifier of 28 x 28 images that only predicts. Made by `load`, or by `freeze`.

    Attributes:
        config: the settings it was trained with.
        layers: (weight (inputs, outputs), bias), the first to the last.
    """

    task = "classifier"

    def __init__(self, model: ModelFile) -> None:
        self.model = model
        self.config = ClassifierConfig.from_dict(model.header["config"])
        self.layers: list[tuple[Array, Array]] = []
        inputs = SIDE * SIDE
        for n in range(self.config.layers):
            outputs = N_CLASSES if n == self.config.layers - 1 else None
            weight = take(model.arrays, f"layers.{n}.weight", outputs, inputs)
            inputs = len(weight)
            self.layers.append((weight.T, take(model.arrays, f"layers.{n}.bias", inputs)))

    def __reduce__(self) -> tuple[Any, ...]:
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
                "go on training with `resume`"
            )
        if task != cls.task:
            raise CheckpointError(f"{os.fspath(path)}: is a {task}, expected a {cls.task}")
        with naming_file(path):
            return cls(model)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a file, at once or not at all.

        Raises:
            DataError: the place cannot be written to.
        """
        header = {k: v for k, v in self.model.header.items() if k != "checksum"}
        write_model_file(path, header, self.model.arrays)

    def scores(self, pixels: npt.NDArray[Any]) -> Array:
        """Return each class's score for each image, before the softmax: (N, 10).

        Args:
            pixels: (N, 28, 28) or (N, 784) uint8 from 0 to 255, or floats from 0 to 1.

        Raises:
            DataError: the array has another shape or type, or values out of range.
            MePropError: the weights give scores that are not finite.
        """
        rows = _rows(pixels)
        scores = np.empty((len(rows), N_CLASSES), np.float32)
        with np.errstate(all="ignore"):  # what overflows is found in the scores
            for start in range(0, len(rows), _PIECE):
                x = rows[start : start + _PIECE].astype(np.float32)
                if rows.dtype == np.uint8:
                    x /= 255
                for weight, bias in self.layers[:-1]:
                    x = np.maximum(x @ weight + bias, 0)
                weight, bias = self.layers[-1]
                scores[start : start + _PIECE] = x @ weight + bias
        if not np.isfinite(scores).all():
            raise MePropError("the classifier's weights give scores that are not finite")
        return scores

    def predict(self, pixels: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        """Return the class of each image: (N,) 0 to 9; as `scores` otherwise."""
        classes: npt.NDArray[np.uint8] = self.scores(pixels).argmax(1).astype(np.uint8)
        return classes

    def evaluate(self, gold: Images) -> float:
        """Return the accuracy on labelled images, in percent.

        Raises:
            DataError: there are none.
        """
        if not len(gold):
            raise DataError("no images to evaluate on")
        return 100 * int((self.predict(gold.pixels) == gold.labels).sum()) / len(gold)


def _rows(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return images as rows: (N, 784)."""
    if pixels.shape[1:] not in ((SIDE, SIDE), (SIDE * SIDE,)):
        shape = " x ".join(map(str, pixels.shape))
        raise DataError(f"the images are {shape}, expected N x {SIDE} x {SIDE}")
    if pixels.dtype != np.uint8:
        if not np.issubdtype(pixels.dtype, np.floating):
            raise DataError(f"the pixels are {pixels.dtype}, expected uint8 or floats")
        if not ((pixels >= 0) & (pixels <= 1)).all():  # NaN is neither
            raise DataError("a pixel is not from 0 to 1, as floats must be")
    return pixels.reshape(len(pixels), SIDE * SIDE)
