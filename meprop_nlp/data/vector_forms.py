"""`VectorForms`: the word forms that have a pretrained vector, and which of them a word is read as.

A word is looked up as it is, and else in lower case: many files of vectors are in lower case.
"""

from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.vocab import UNK, Vocab, nfc


def looked_up(form: str) -> tuple[str, str]:
    """Return the spellings under which a form's vector is looked up, in order.

    >>> looked_up("Zürich")
    ('Zürich', 'zürich')
    """
    return nfc(form), nfc(form.lower())


class VectorForms:
    """The forms that have a vector, numbered.

    Args:
        vocab: the forms, with `UNK` among them, whose number is that of all other forms.
    """

    def __init__(self, vocab: Vocab) -> None:
        self.vocab = vocab

    @classmethod
    def build(cls, forms: Iterable[str]) -> Self:
        """Number forms from 1 on, in this order; 0 stands for all others."""
        return cls(Vocab([UNK, *forms]))

    def __len__(self) -> int:
        return len(self.vocab)

    def rows(self, forms: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the number of each form, of its lower case, or of all other forms: (n,)."""
        own, lower = zip(*map(looked_up, forms), strict=True) if forms else ((), ())
        numbers = np.array(self.vocab.indices(own), np.int64)
        others = np.flatnonzero(numbers == self.vocab.unk_id)
        numbers[others] = self.vocab.indices([lower[n] for n in others])
        return numbers
