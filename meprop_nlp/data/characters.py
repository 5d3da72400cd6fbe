"""`Characters`: word forms as numbers of their characters, for a network that spells them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.vocab import UNK, Vocab, nfc

START, END = "<s>", "</s>"
# Of a longer form only so many characters of its beginning and of its end are read.
LONGEST_PART = 16


class Characters:
    """The characters of the training forms, numbered; a rare one is read as unknown.

    Args:
        vocab: the characters, with `UNK`, `START` and `END` among them.
    """

    def __init__(self, vocab: Vocab) -> None:
        self.vocab = vocab

    @classmethod
    def build(cls, forms: Iterable[str], *, min_count: int = 2) -> "Characters":
        """Number the characters that occur at least `min_count` times in distinct forms."""
        counts = Counter(character for form in forms for character in _shortened(form))
        return cls(Vocab.build(counts, specials=(UNK, START, END), min_count=min_count))

    def joined(self, other: "Characters") -> "Characters":
        """Return the characters of both."""
        return Characters(self.vocab.joined(other.vocab))

    def __len__(self) -> int:
        return len(self.vocab)

    def spell(self, forms: Sequence[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the numbers of all forms' characters, each form between `START` and `END`.

        Returns:
            numbers: (C,) of all forms one after the other.
            bounds: (forms + 1,) the index of each form's `START`, and C at the end.
        """
        index = self.vocab.index
        start, end = index(START), index(END)
        spelled = [[start, *map(index, _shortened(form)), end] for form in forms]
        bounds = np.array([0, *accumulate(map(len, spelled))], np.int64)
        return np.array([number for form in spelled for number in form], np.int64), bounds


def _shortened(form: str) -> str:
    form = nfc(form)
    if len(form) <= 2 * LONGEST_PART:
        return form
    return form[:LONGEST_PART] + form[-LONGEST_PART:]
