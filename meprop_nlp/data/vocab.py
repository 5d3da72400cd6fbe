"""`Vocab`: strings to integers and back; immutable."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from meprop_nlp.errors import DataError

UNK = "<unk>"


def nfc(text: str) -> str:
    """Return `text` in Unicode normal form C, where a letter and its accent are one character."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


class Vocab:
    """An immutable list of distinct strings; the id of a string is its index.

    Strings are stored and looked up in Unicode normal form C, so composed and decomposed spellings
    are the same entry. If `<unk>` is an entry, its id stands for every string that is not listed;
    otherwise looking up such a string raises `KeyError`.
    """

    __slots__ = ("_ids", "_strings", "unk_id")

    def __init__(self, strings: Iterable[str]) -> None:
        """Create a vocabulary of the strings, in this order.

        Raises:
            DataError: if two strings are the same in normal form C.
        """
        self._strings = tuple(strings)
        # stored vocabularies are normalized; one check of all strings takes a tenth of the time
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
        """Build a vocabulary of the `specials`, followed by the strings by decreasing frequency.

        Args:
            strings: the count of each string, or the strings, to be counted.
            specials: the first entries, in this order, whatever their counts.
            min_count: rarer strings are left out.
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
        """Rebuild a vocabulary from `to_list`."""
        return cls(strings)

    def joined(self, other: Iterable[str]) -> Vocab:
        """Return a vocabulary of these strings, then of the others that are not among them."""
        return Vocab([*self, *(string for string in other if string not in self)])

    def to_list(self) -> list[str]:
        """Return all strings in order, for `from_list`."""
        return list(self._strings)

    def index(self, string: str) -> int:
        """Return the id of `string`, or of `<unk>`.

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
