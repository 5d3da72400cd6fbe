"""`Vocab`: strings to integers and back; immutable."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from meprop_nlp.errors import DataError

UNK = "<unk>"
# A stored vocabulary of more strings stays packed, in an eighth of the memory; its strings are
# looked up in three times the time.
LARGEST_UNPACKED = 30_000
_LONGEST_UNPACKED = 1 << 20  # bytes
_PIECE = 1 << 18  # bytes of a packed vocabulary that are read together


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
        """Rebuild a vocabulary from `to_list`; a vocabulary is returned as it is."""
        return strings if isinstance(strings, Vocab) else cls(strings)

    @classmethod
    def from_lines(cls, lines: bytes) -> Vocab:
        """Return the vocabulary of a text in UTF-8 that has a string a line, as files store it.

        Raises:
            DataError: the text is no UTF-8, a string is empty or not in normal form C, or two are
                the same.
        """
        if len(lines) <= _LONGEST_UNPACKED and lines.count(b"\n") < LARGEST_UNPACKED:
            try:
                vocab = Vocab(lines.decode().split("\n"))
            except UnicodeDecodeError:
                raise DataError("a vocabulary is not UTF-8") from None
            if "" in vocab:
                raise DataError("a vocabulary has an empty entry")
            return vocab
        return _PackedVocab(lines)

    def joined(self, other: Iterable[str]) -> Vocab:
        """Return a vocabulary of these strings, then of the others that are not among them."""
        known = set(self)
        return Vocab([*self, *(string for string in other if nfc(string) not in known)])

    def to_list(self) -> list[str]:
        """Return all strings in order, for `from_list`."""
        return list(self)

    def index(self, string: str) -> int:
        """Return the id of `string`, or of `<unk>`.

        Raises:
            KeyError: if the string is not listed and there is no `<unk>`.
        """
        found = self._ids.get(string if string.isascii() else nfc(string), self.unk_id)
        if found is None:
            raise KeyError(string)
        return found

    def indices(self, strings: Sequence[str]) -> list[int]:
        """Return the ids of strings; see `index`."""
        return [self.index(string) for string in strings]

    def __contains__(self, string: object) -> bool:
        return isinstance(string, str) and nfc(string) in self._ids

    def __getitem__(self, i: int) -> str:
        return self._strings[i]

    def __len__(self) -> int:
        return len(self._strings)

    def __iter__(self) -> Iterator[str]:
        return iter(self._strings)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocab) and self.to_list() == other.to_list()

    def __hash__(self) -> int:
        return hash((len(self), self.unk_id))

    def __repr__(self) -> str:
        return f"Vocab({len(self)} strings)"


class _PackedVocab(Vocab):
    """A vocabulary that is kept as a text, with a hash of each string instead of an object."""

    __slots__ = ("_hashes", "_lines", "_order", "_starts")

    def __init__(self, lines: bytes) -> None:
        """Read the strings, a line each; errors are as for `from_lines`."""
        _demand_normal(lines)
        codes = np.frombuffer(lines, np.uint8)
        ends = np.flatnonzero(codes == ord("\n"))
        # of each string, and of what would follow the last
        self._starts = np.concatenate([[0], ends + 1, [len(lines) + 1]]).astype(np.uint32)
        del ends
        sizes = np.diff(self._starts)
        if not (sizes > 1).all():
            raise DataError("a vocabulary has an empty entry")
        hashes = _hashes(codes, self._starts, sizes - 1)
        order = hashes.argsort()
        self._lines, self._order, self._hashes = lines, order.astype(np.uint32), hashes[order]
        twice = np.flatnonzero(self._hashes[1:] == self._hashes[:-1])
        if len(twice):
            first, second = (self[int(number)] for number in self._order[twice[0] :][:2])
            if first != second:
                raise DataError("a vocabulary has long entries that are all but the same")
            raise DataError(f"a vocabulary lists {first!r} twice; every entry must be distinct")
        (found,) = self._found([UNK])
        self.unk_id = None if found < 0 else found

    def index(self, string: str) -> int:
        return self.indices([string])[0]

    def indices(self, strings: Sequence[str]) -> list[int]:
        found = self._found([nfc(string) for string in strings])
        unknown = self.unk_id
        if unknown is None and -1 in found:
            raise KeyError(strings[found.index(-1)])
        return [unknown if number < 0 else number for number in found]  # type: ignore[misc]

    def _found(self, strings: Sequence[str]) -> list[int]:
        """Return the ids of strings in normal form C, -1 for one that is not listed."""
        # no string of a vocabulary has a line break
        texts = [string.encode("utf-8", "surrogatepass") or b"\n" for string in strings]
        if not texts:
            return []
        sizes = np.array([len(text) for text in texts], np.int64)
        starts = np.cumsum(sizes) - sizes
        hashes = _hashes(np.frombuffer(b"".join(texts), np.uint8), starts, sizes)
        places = np.minimum(self._hashes.searchsorted(hashes), len(self._hashes) - 1)
        found: list[int] = self._order[places].tolist()
        same: list[bool] = (self._hashes[places] == hashes).tolist()
        return [
            number if equal and self._text(number) == text else -1
            for number, equal, text in zip(found, same, texts, strict=True)
        ]

    def _text(self, i: int) -> bytes:
        return self._lines[self._starts[i] : self._starts[i + 1] - 1]

    def __contains__(self, string: object) -> bool:
        return isinstance(string, str) and self._found([nfc(string)]) != [-1]

    def __getitem__(self, i: int) -> str:
        if not -len(self) <= i < len(self):
            raise IndexError(i)
        return self._text(i % len(self)).decode()

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), 1000):
            stop = min(start + 1000, len(self))
            yield from (
                self._lines[self._starts[start] : self._starts[stop] - 1].decode().split("\n")
            )


def _demand_normal(lines: bytes) -> None:
    """Raise DataError unless a text is UTF-8 in normal form C."""
    start = 0
    while start < len(lines):
        stop = lines.find(b"\n", start + _PIECE)
        stop = len(lines) if stop < 0 else stop
        piece = lines[start:stop]
        if not piece.isascii():
            try:
                is_normal = unicodedata.is_normalized("NFC", piece.decode())
            except UnicodeDecodeError:
                raise DataError("a vocabulary is not UTF-8") from None
            if not is_normal:
                raise DataError("a vocabulary is not in Unicode normal form C")
        start = stop + 1


# Powers of an odd number modulo 2^64: what the bytes of a string are multiplied by, in turn.
_HASHED = 4096  # bytes of a string
_POWERS = np.cumprod(np.full(1024, 0x9E3779B97F4A7C15, np.uint64))


def _hashes(
    codes: npt.NDArray[np.uint8], starts: npt.NDArray[Any], sizes: npt.NDArray[Any]
) -> npt.NDArray[np.uint64]:
    """Return a hash of each string, of its beginning and its size: (n,).

    Args:
        codes: UTF-8.
        starts, sizes: (n,) where the strings begin, in order, and how many bytes they have, not 0.
    """
    hashes = np.empty(len(sizes), np.uint64)
    first = 0
    while first < len(sizes):
        begin = int(starts[first])
        last = max(first + 1, int(starts[: len(sizes)].searchsorted(begin + _PIECE)))
        whole = sizes[first:last].astype(np.int64)
        part = np.minimum(whole, _HASHED)
        offsets = np.cumsum(part) - part
        places = np.arange(int(part.sum())) - np.repeat(offsets, part)
        at = places + np.repeat(starts[first:last].astype(np.int64), part)
        terms = (codes[at].astype(np.uint64) + np.uint64(1)) * _POWERS[places % len(_POWERS)]
        hashes[first:last] = np.add.reduceat(terms, offsets) + whole.astype(np.uint64) * _POWERS[1]
        first = last
    return hashes
