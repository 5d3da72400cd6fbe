"""`Vocab`: strings to integers and back, fixed once built."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from meprop_nlp.errors import DataError

__all__ = ["UNK", "Vocab", "nfc"]

UNK = "<unk>"


def nfc(text: str) -> str:
    """`text` in Unicode normal form C, in which a letter and its accent are one character."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


class Vocab:
    """A fixed list of distinct strings, each known by its place.

    Strings are kept and looked up in Unicode normal form C, so that a composed and a decomposed
    spelling are one entry. A string that is not listed has the id of `<unk>` where that is one of
    the entries; where it is not, looking it up is a `KeyError`.
    """

    __slots__ = ("_ids", "_strings", "unk_id")

    def __init__(self, strings: Iterable[str]) -> None:
        """Take the strings in the given order.

        Raises:
            DataError: if one string (in normal form C) is given twice.
        """
        self._strings = tuple(strings)
        # a stored vocabulary is in normal form; asking once for all takes a tenth of the time
        if not unicodedata.is_normalized("NFC", "\n".join(self._strings)):
            self._strings = tuple(nfc(string) for string in self._strings)
        self._ids = {string: i for i, string in enumerate(self._strings)}
        if len(self._ids) != len(self._strings):
            twice = next(s for s, count in Counter(self._strings).items() if count > 1)
            raise DataError(f"a vocabulary lists {twice!r} twice; every entry must be distinct")
        self.unk_id: int | None = self._ids.get(UNK)

    @classmethod
    def build(
        cls,
        strings: Mapping[str, int] | Iterable[str],
        specials: Sequence[str] = (),
        min_count: int = 1,
    ) -> Vocab:
        """Count the strings and list them: `specials` first, then the most frequent first.

        Args:
            strings: counts, or the strings themselves to be counted.
            specials: entries that come first, in this order, whatever their count.
            min_count: strings seen fewer times are left out.
        """
        counts: Counter[str] = Counter()
        if isinstance(strings, Mapping):
            for string, count in strings.items():
                counts[nfc(string)] += count
        else:
            counts.update(nfc(string) for string in strings)
        for special in specials:
            counts.pop(nfc(special), None)
        kept = [(-count, string) for string, count in counts.items() if count >= min_count]
        return cls([*specials, *(string for _, string in sorted(kept))])

    @classmethod
    def from_list(cls, strings: Iterable[str]) -> Vocab:
        """The vocabulary that `to_list` wrote."""
        return cls(strings)

    def to_list(self) -> list[str]:
        """All strings in order; `from_list` takes them back."""
        return list(self._strings)

    def index(self, string: str) -> int:
        """The id of `string`, or of `<unk>`.

        Raises:
            KeyError: if the string is not listed and there is no `<unk>`.
        """
        found = self._ids.get(string if string.isascii() else nfc(string), self.unk_id)
        if found is None:
            raise KeyError(string)
        return found

    def __contains__(self, string: object) -> bool:
        return isinstance(string, str) and nfc(string) in self._ids

    def __getitem__(self, i: int) -> str:
        return self._strings[i]

    def __len__(self) -> int:
        return len(self._strings)

    def __iter__(self) -> Iterator[str]:
        return iter(self._strings)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocab) and self._strings == other._strings

    def __hash__(self) -> int:
        return hash(self._strings)

    def __repr__(self) -> str:
        return f"Vocab({len(self)} strings)"
