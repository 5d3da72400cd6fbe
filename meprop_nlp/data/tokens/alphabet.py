"""`Alphabet`: the characters of a running text as numbers, for the network that finds its tokens.

A character that the training text has often has a number of its own. Any other has the number of
its Unicode category, so that a letter, a digit or a dash of another script is known as one.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

# every category that `unicodedata` knows; their order is part of the model files
CATEGORIES = (
    "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi",
    "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn",
)  # fmt: skip
SPACE, PARAGRAPH = " ", "\n"  # what white space is read as

_N_CODES = 0x110000


class Alphabet:
    """Numbers characters: first come the categories, then the characters that are known.

    Args:
        characters: those with numbers of their own; `SPACE` and `PARAGRAPH` are added to them.

    Attributes:
        characters: those with numbers of their own.
        category_of: (numbers,) the place in `CATEGORIES` of each number.
    """

    def __init__(self, characters: Iterable[str]) -> None:
        self.characters = list(dict.fromkeys([SPACE, PARAGRAPH, *characters]))
        known = [_category(ord(character)) for character in self.characters]
        self.category_of = np.array([*range(len(CATEGORIES)), *known], np.int64)
        # the number of each code point, plus 1; 0 where it has not been looked up
        self._table = np.zeros(_N_CODES, np.int32)
        for number, character in enumerate(self.characters, start=len(CATEGORIES)):
            self._table[ord(character)] = number + 1

    @classmethod
    def build(cls, text: str, *, min_count: int = 5) -> "Alphabet":
        """Return an alphabet that knows the characters that occur at least `min_count` times."""
        counts = Counter(text)
        return cls(sorted(c for c, n in counts.items() if n >= min_count and not c.isspace()))

    def __len__(self) -> int:
        """Return how many numbers there are."""
        return len(self.category_of)

    def number(self, character: str) -> int:
        """Return the number of one character."""
        return int(self.numbers(np.array([ord(character)], np.uint32))[0])

    def numbers(self, codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.int32]:
        """Return the numbers of code points: (n,)."""
        found = self._table[codes]
        if not found.all():
            # each number is the same whichever thread writes it
            for code in np.unique(codes[found == 0]).tolist():
                self._table[code] = _category(code) + 1
            found = self._table[codes]
        numbers: npt.NDArray[np.int32] = found - 1
        return numbers


def code_points(text: str) -> npt.NDArray[np.uint32]:
    """Return the code points of a text: (n,)."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def white_space(codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    """Return which code points `str.isspace` takes for white space: (n,)."""
    small = codes < len(_SMALL_SPACES)
    found = _SMALL_SPACES[np.where(small, codes, 0)] & small
    if not small.all():
        found |= np.isin(codes, _LARGE_SPACES)
    spaces: npt.NDArray[np.bool_] = found
    return spaces


def _category(code: int) -> int:
    return _PLACES[unicodedata.category(chr(code))]


_PLACES = {category: place for place, category in enumerate(CATEGORIES)}
_SMALL_SPACES = np.array([chr(code).isspace() for code in range(0x100)])
# no character beyond these is white space
_LARGE_SPACES = np.array([code for code in range(0x100, 0x3100) if chr(code).isspace()], np.uint32)
