"""Character n-grams of a word form, hashed to the rows of one table.

They let a network read a form that it has never seen by its parts (Bojanowski et al. 2017). A form
that is shorter than an n-gram has none of that length; every form has at least one.
"""

import zlib
from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.vocab import nfc

SIZES = (2, 3, 4, 5)
MOST = 60  # n-grams of a form that are used; a longer one is hardly a word


def marked(form: str) -> str:
    """Return the text that a form's n-grams are cut from."""
    return f"<{nfc(form).lower()}>"


def hashed_ngrams(form: str, n_rows: int) -> list[int]:
    """Return the rows of a form's n-grams, with its beginning and end marked."""
    text = marked(form)
    grams = (text[i : i + n] for n in SIZES for i in range(len(text) - n + 1))
    rows = [zlib.crc32(gram.encode("utf-8", "surrogatepass")) % n_rows for gram in grams]
    return rows[:MOST]


def ngram_bags(
    forms: Sequence[str], n_rows: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the rows of all forms' n-grams one after the other, and where each form's begin.

    Returns:
        rows: (G,) the rows of all forms.
        bounds: (forms + 1,) the index of each form's first row, and G at the end.
    """
    bags = [hashed_ngrams(form, n_rows) for form in forms]
    bounds = np.array([0, *accumulate(map(len, bags))], np.int64)
    return np.array([row for bag in bags for row in bag], np.int64), bounds
