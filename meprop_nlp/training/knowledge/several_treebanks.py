"""`SeveralTreebanks`: which treebank each training sentence is of, where there are several.

A network that reads an embedding of the treebank learns what treebanks share together, and their
differences apart (Stymne et al. 2018).
"""

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import ConfigError
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.treebanks import Treebank, read_treebank


class SeveralTreebanks(NamedTuple):
    """The treebanks of a training.

    Attributes:
        names: of the treebanks, without repetition.
        numbers: (sentences,) the place of each training sentence's treebank among them.
    """

    names: list[str]
    numbers: npt.NDArray[np.int64]

    def repetitions(self, lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return how often an epoch has each sentence: (sentences,).

        A treebank with 1/n of the words of the largest is repeated sqrt(n) times, rounded: the
        small ones count more than their size, and are still learnt by heart less soon than if they
        counted as much as the large ones.

        Args:
            lengths: (sentences,) the number of words of each sentence.
        """
        words = np.bincount(self.numbers, lengths, len(self.names))
        times = np.rint(np.sqrt(words.max() / np.maximum(words, 1))).astype(np.int64)
        repeated: npt.NDArray[np.int64] = times[self.numbers]
        return repeated


def read_treebanks(
    source: Treebank,
    names: Sequence[str],
    hooks: Hooks,
    *,
    trees: bool | None,
    input_format: str = "auto",
) -> tuple[list[Sentence], SeveralTreebanks]:
    """Return the sentences of several files, and which treebank each is of.

    Args:
        source: as many files as there are names.
        names: the name of each file's treebank; two files may be of one treebank.
        hooks, trees, input_format: see `read_treebank`.

    Raises:
        ConfigError: there is not one name for each file.
        ConlluError, DataError: a file is faulty, or has no sentence.
    """
    if isinstance(source, str | os.PathLike):
        source = [source]
    files = list(source) if isinstance(source, Sequence) else []
    if len(files) != len(names):
        found = f"{len(names)} for {len(files) or 1} training files"
        raise ConfigError(
            f"`treebank_id` is given {found}, expected one for each, in the same order"
        )
    numbers = {name: n for n, name in enumerate(dict.fromkeys(names))}
    sentences: list[Sentence] = []
    of: list[int] = []
    for file, name in zip(files, names, strict=True):
        found_here = read_treebank(
            [file], f"train, {name}", hooks, trees=trees, input_format=input_format
        )
        sentences += found_here
        of += [numbers[name]] * len(found_here)
    return sentences, SeveralTreebanks(list(numbers), np.array(of, np.int64))
