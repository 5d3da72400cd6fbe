"""`WordStates`: where a model has the states of words by its pretrained encoder from.

A trained model asks the encoder itself, `FolderStates`; a training has them on disk, rounded to
eight bits. A model reads them rounded in the same way, so that its scores in training are its own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from meprop_nlp.files import replacing_folder
from meprop_nlp.models.encoder_folder import EncoderCard, demand_replaceable_folder, encoder_path
from meprop_nlp.models.parts import Array
from meprop_nlp.models.pretrained import PretrainedEncoder

LEVELS = 127

StateBatches = Iterator[tuple[npt.NDArray[np.int64], Array]]
"""Numbers of some words, (n,), and their states, (n, layers, width), until all words had theirs."""


class WordStates(Protocol):
    """Gives the hidden states of a pretrained encoder for the words of sentences.

    Attributes:
        card: the encoder.
    """

    card: EncoderCard

    def batches(self, sentences: Sequence[Sequence[str]]) -> StateBatches:
        """Yield the states of all words; see `PretrainedEncoder.batches`."""


class RoundedStates(NamedTuple):
    """States rounded, in each layer of each word, to 127ths of the largest value.

    The error is 0.8 to 1.8 per cent of a value's standard deviation with MiniLM, far less than what
    dropout changes, and float16 would take twice the room.

    Attributes:
        digits: (n, layers, width) int8.
        steps: (n, layers) float32, what the digits are to be multiplied by.
    """

    digits: npt.NDArray[np.int8]
    steps: Array

    @classmethod
    def of(cls, states: Array) -> RoundedStates:
        """Round states: (n, layers, width)."""
        steps = np.abs(states).max(2, initial=0) / np.float32(LEVELS)
        steps = np.maximum(steps, np.finfo(np.float32).tiny)  # a word without pieces has zeros
        return cls(np.rint(states / steps[..., None]).astype(np.int8), steps)

    def values(self) -> Array:
        """Return the rounded states: (n, layers, width) float32."""
        values: Array = self.digits * self.steps[..., None]
        return values


class FolderStates:
    """The states by an encoder in a folder, which is loaded when it is first asked.

    Safe to use from several threads.

    Args:
        card: the encoder that is needed.
        folder: where it is; None: where the card says.
        device: where it runs, as torch names it.
    """

    def __init__(
        self,
        card: EncoderCard,
        folder: str | os.PathLike[str] | None = None,
        *,
        device: str = "cpu",
    ) -> None:
        self.card, self.folder, self._device = card, folder, device
        self._encoder: PretrainedEncoder | None = None
        self._lock = Lock()

    def demand_folder(self) -> None:
        """Check that the encoder can be found.

        Raises:
            ConfigError: it is not there, or the folder holds another encoder.
            DataError: the folder lacks a file.
        """
        found = self.card.find(self.folder)
        self.card.demand(found.name, found.fingerprint(), found.path)

    def copied_beside(self, model: Path) -> EncoderCard:
        """Copy a fine-tuned encoder into the folder beside a model file; return its card there.

        Raises:
            ConfigError, DataError: it is not there, or cannot be written.
        """
        found, target = self.card.find(self.folder), encoder_path(model)
        if target.resolve() != found.path.resolve():
            demand_replaceable_folder(target)
            with replacing_folder(target) as new:
                shutil.copytree(found.path, new, dirs_exist_ok=True)
        return replace(self.card, folder=os.fspath(target))

    def batches(self, sentences: Sequence[Sequence[str]]) -> StateBatches:
        """Yield the states of all words, rounded; see `PretrainedEncoder.batches`.

        Raises:
            ConfigError, DataError: also as for `demand_folder` and `PretrainedEncoder`.
        """
        with self._lock:
            if self._encoder is None:
                path = self.card.find(self.folder).path
                encoder = PretrainedEncoder(path, device=self._device)
                self.card.demand(encoder.card.name, encoder.card.fingerprint, path)
                self._encoder = encoder
        for words, states in self._encoder.batches(sentences):
            yield words, RoundedStates.of(states).values()


def states_of(
    header: Mapping[str, Any],
    folder: str | os.PathLike[str] | None = None,
    *,
    device: str = "cpu",
) -> FolderStates | None:
    """Return what gives the states to a model; None if it was trained without any.

    Args:
        header: of the model file.
        folder: of the encoder; None: the folder that the header names.
        device: where the encoder runs, as torch names it.

    Raises:
        CheckpointError: the header is incomplete.
    """
    if "pretrained" not in header:
        return None
    return FolderStates(EncoderCard.from_dict(header["pretrained"]), folder, device=device)
