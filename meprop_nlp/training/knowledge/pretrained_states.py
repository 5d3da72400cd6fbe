"""`PretrainedStates`: the states of a training's words by a pretrained encoder, on disk.

The encoder is frozen, so it reads each sentence once. The states are kept in files of whole
sentences, each named by a checksum of the encoder and of these sentences, and written completely or
not at all. A run that was stopped goes on with the next file, and trainings share what they can.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
import weakref
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from meprop_nlp.errors import DataError, number_of
from meprop_nlp.files import demand_writable, remove_unfinished, replacing
from meprop_nlp.models.encoder_folder import EncoderCard
from meprop_nlp.models.parts import Array
from meprop_nlp.models.pretrained import PretrainedEncoder
from meprop_nlp.models.word_states import RoundedStates, StateBatches
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.records import Note

FORMAT = 1  # of the files; part of their names
FILE_WORDS = 8192  # a file has all sentences that begin before so many words
BATCH_WORDS = 1000  # read from disk at a time by `batches`
_CHECKSUM_BYTES = 4
_NOTE_SECONDS = 60.0

Forms = tuple[str, ...]


class PretrainedStates:
    """The states of the words of some sentences; they are computed where they are not on disk yet.

    Args:
        encoder: computes them.
        treebanks: the forms of their sentences; the files of one treebank do not depend on those
            after it.
        cache: the folder for the files; None: a temporary one, which is removed with this object.
        hooks: receive Notes on what is computed; `stop` is called between batches.

    Attributes:
        card: the encoder.

    Raises:
        DataError: the files cannot be written, or the states are not finite.
        KeyboardInterrupt: `hooks.stop` returned True; the files that are complete stay.
    """

    def __init__(
        self,
        encoder: PretrainedEncoder,
        treebanks: Iterable[Iterable[Sequence[str]]],
        cache: str | os.PathLike[str] | None,
        hooks: Hooks,
    ) -> None:
        self.card = encoder.card
        if cache is None:
            cache = tempfile.mkdtemp(prefix="meprop-nlp-")
            weakref.finalize(self, shutil.rmtree, cache, ignore_errors=True)
        folder = Path(cache)
        self._firsts: dict[Forms, int] = {}  # the row of each sentence's first word
        groups = list(self._grouped(treebanks))
        self._bounds = np.cumsum([0, *(sum(map(len, group)) for group in groups)])
        paths = [folder / f"{_name(self.card, group)}.states" for group in groups]
        self._files: list[npt.NDArray[np.void]] = _Computation(encoder, hooks).files(groups, paths)

    def _grouped(self, treebanks: Iterable[Iterable[Sequence[str]]]) -> Iterator[list[Forms]]:
        """Yield the distinct sentences of each file, and number their words."""
        n_words = 0
        for treebank in treebanks:
            group: list[Forms] = []
            n_group = 0
            for sentence in treebank:
                forms = tuple(sentence)
                if not forms or forms in self._firsts:
                    continue
                self._firsts[forms] = n_words
                n_words += len(forms)
                n_group += len(forms)
                group.append(forms)
                if n_group >= FILE_WORDS:
                    yield group
                    group, n_group = [], 0
            if group:
                yield group

    def rows(self, sentences: Sequence[Sequence[str]]) -> npt.NDArray[np.int64]:
        """Return the number of each word's states, for `read`: (words,).

        Args:
            sentences: the forms of sentences, which must be among those of the treebanks.
        """
        ranges = [
            np.arange(first, first + len(forms))
            for forms in map(tuple, sentences)
            if forms
            for first in (self._firsts[forms],)
        ]
        return np.concatenate([np.zeros(0, np.int64), *ranges])

    def read(self, rows: npt.NDArray[np.int64]) -> Array:
        """Return the states of these numbers: (n, layers, width) float32."""
        states = np.empty((len(rows), self.card.layers, self.card.width), np.float32)
        file_of = np.searchsorted(self._bounds, rows, side="right") - 1
        for number in np.unique(file_of):
            places = np.flatnonzero(file_of == number)
            found = self._files[number][rows[places] - self._bounds[number]]
            states[places] = RoundedStates(found["digits"], found["steps"]).values()
        return states

    def batches(self, sentences: Sequence[Sequence[str]]) -> StateBatches:
        """Yield the states of all words; see `WordStates`."""
        rows = self.rows(sentences)
        for first in range(0, len(rows), BATCH_WORDS):
            words = np.arange(first, min(first + BATCH_WORDS, len(rows)))
            yield words, self.read(rows[words])


class _Computation:
    """Opens the files that are there, and computes the others.

    Args:
        encoder: computes the states.
        hooks: see `PretrainedStates`.
    """

    def __init__(self, encoder: PretrainedEncoder, hooks: Hooks) -> None:
        self._encoder, self._hooks, self._card = encoder, hooks, encoder.card
        self._n_done = self._n_words = 0

    def files(
        self, groups: Sequence[Sequence[Forms]], paths: Sequence[Path]
    ) -> list[npt.NDArray[np.void]]:
        """Return the rows of each file, whose sentences are given.

        Raises:
            DataError, KeyboardInterrupt: see `PretrainedStates`.
        """
        found = [self._opened(path, group) for path, group in zip(paths, groups, strict=True)]
        sizes = [sum(map(len, group)) for group in groups]
        missing = [n for n, rows in enumerate(found) if rows is None]
        self._n_words = sum(sizes[n] for n in missing)
        there = sum(sizes) - self._n_words
        self._note(
            f"{self._card.layers} layers of {self._card.width} for {number_of(sum(sizes), 'word')}"
            + (f", {there:,} of them computed before" if there else "")
        )
        self._started = self._noted = time.perf_counter()
        for n in missing:
            demand_writable(paths[n])
            remove_unfinished([paths[n]])
            self._compute(groups[n], paths[n])
            found[n] = self._opened(paths[n], groups[n])
        if missing:
            seconds = time.perf_counter() - self._started
            self._note(
                f"{number_of(self._n_words, 'word')} in {seconds:,.0f} s, {self._speed():,.0f} "
                "words/s"
            )
        complete = [rows for rows in found if rows is not None]
        if len(complete) < len(found):
            raise DataError(f"{paths[0].parent}: a file of states changed while it was read")
        return complete

    def _opened(self, path: Path, sentences: Sequence[Forms]) -> npt.NDArray[np.void] | None:
        """Return the rows of a file, mapped into memory; None if it is not there or damaged."""
        if not path.is_file():
            return None
        row = _row_type(self._card)
        n_bytes = sum(map(len, sentences)) * row.itemsize
        if path.stat().st_size == n_bytes + _CHECKSUM_BYTES:
            content = np.memmap(path, np.uint8, "r")
            stored = int.from_bytes(content[n_bytes:].tobytes(), "little")
            if zlib.crc32(content[:n_bytes].data) == stored:
                return content[:n_bytes].view(row)
        self._note(f"{path} is damaged, and is computed anew", warning=True)
        return None

    def _compute(self, sentences: Sequence[Forms], path: Path) -> None:
        """Compute the states of sentences, and write their file."""
        rows = np.zeros(sum(map(len, sentences)), _row_type(self._card))
        for words, states in self._encoder.batches(sentences):
            rounded = RoundedStates.of(states)
            rows["digits"][words], rows["steps"][words] = rounded.digits, rounded.steps
            self._n_done += len(words)
            self._note_progress()
            if self._hooks.stop():
                raise KeyboardInterrupt
        content = rows.view(np.uint8).data
        with replacing(path) as temporary, temporary.open("wb") as stream:
            stream.write(content)
            stream.write(zlib.crc32(content).to_bytes(_CHECKSUM_BYTES, "little"))

    def _note_progress(self) -> None:
        """Say now and then how far the computation is."""
        if time.perf_counter() - self._noted >= _NOTE_SECONDS:
            self._noted = time.perf_counter()
            share = self._n_done / self._n_words
            self._note(f"{share:.0%} of the words, {self._speed():,.0f} words/s")

    def _speed(self) -> float:
        """Return the words computed in a second."""
        return self._n_done / max(time.perf_counter() - self._started, 1e-9)

    def _note(self, text: str, *, warning: bool = False) -> None:
        self._hooks.on_record(Note(f"{self._card.name}: {text}", warning=warning))


def _row_type(card: EncoderCard) -> np.dtype[np.void]:
    """Return the type of a word's states on disk."""
    shapes = (card.layers, card.width)
    return np.dtype([("steps", "<f4", shapes[:1]), ("digits", "i1", shapes)])


def _name(card: EncoderCard, sentences: Sequence[Forms]) -> str:
    """Return the name of the file for some sentences: a checksum of all that settles its content.

    A form has neither tab nor line break.
    """
    total = hashlib.sha256(f"{FORMAT} {card.fingerprint}\n".encode())
    for forms in sentences:
        total.update(("\t".join(forms) + "\n").encode("utf-8", "surrogatepass"))
    return total.hexdigest()[:32]
