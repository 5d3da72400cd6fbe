"""`Word`, `MultiwordToken` and `EmptyNode`, and the special values of HEAD."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

UNSET = -1  # no HEAD: `_` in the file
ROOT = 0  # HEAD of a root

COLUMNS = (
    "id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc",
)  # fmt: skip
# the values of UPOS
UNIVERSAL_TAGS = frozenset({
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN",
    "PUNCT", "SCONJ", "SYM", "VERB", "X",
})  # fmt: skip


class Word:
    """One syntactic word.

    Attributes:
        id: 1-based position in the sentence.
        form, lemma, upos, xpos, feats, deprel, deps, misc: the text of the columns; `_` where there
            is no value. In CoNLL-X, `deps` and `misc` hold PHEAD and PDEPREL.
        head: the id of the head, `ROOT` (0), or `UNSET` (-1) where the column is `_`.
    """

    __slots__ = COLUMNS

    def __init__(
        self,
        id: int,
        form: str,
        lemma: str = "_",
        upos: str = "_",
        xpos: str = "_",
        feats: str = "_",
        head: int = UNSET,
        deprel: str = "_",
        deps: str = "_",
        misc: str = "_",
    ) -> None:
        self.id = id
        self.form = form
        self.lemma = lemma
        self.upos = upos
        self.xpos = xpos
        self.feats = feats
        self.head = head
        self.deprel = deprel
        self.deps = deps
        self.misc = misc

    def copy(self) -> Word:
        """Return a copy of the word."""
        return Word(
            self.id, self.form, self.lemma, self.upos, self.xpos,
            self.feats, self.head, self.deprel, self.deps, self.misc,
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return the columns that have a value: `{"id": 1, "form": "It", "upos": "PRON"}`.

        `id` and `head` are integers, all others are texts, FEATS and MISC as they stand in a file.
        """
        given: dict[str, Any] = {"id": self.id, "form": self.form}
        for name in COLUMNS[2:]:
            value = getattr(self, name)
            if value not in ("_", UNSET):
                given[name] = value
        return given

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Word):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in COLUMNS)

    __hash__ = None  # type: ignore[assignment]  # words are mutable

    def __repr__(self) -> str:
        given = list(self.to_dict().items())[2:]
        further = "".join(f", {name}={value!r}" for name, value in given)
        return f"Word({self.id}, {self.form!r}{further})"


def lacking(columns: Sequence[str]) -> str:
    """Return the names of missing columns, as they stand after `no`: `UPOS and no XPOS`."""
    return " and no ".join(column.upper() for column in columns)


def tag_of(upos: str, xpos: str) -> str:
    """Return the tag to show where there is room for one: UPOS, or XPOS where UPOS is `_`."""
    return upos if upos != "_" else xpos


class MultiwordToken(NamedTuple):
    """A surface token that spans the words `first` to `last`; `columns` is its split line."""

    first: int
    last: int
    columns: tuple[str, ...]

    @property
    def form(self) -> str:
        """The surface form."""
        return self.columns[1]

    def to_dict(self) -> dict[str, Any]:
        """Return the columns that have a value, with the id as `[first, last]`."""
        named = zip(COLUMNS[2:], self.columns[2:], strict=False)
        given = {name: value for name, value in named if value != "_"}
        return {"id": [self.first, self.last], "form": self.form, **given}


class EmptyNode(NamedTuple):
    """An empty node of the enhanced graph after word `after`; `columns` is its split line."""

    after: int
    columns: tuple[str, ...]

    @property
    def form(self) -> str:
        """The form, which is often `_`."""
        return self.columns[1]

    def to_dict(self) -> dict[str, str]:
        """Return the columns that have a value, and always the form."""
        named = zip(COLUMNS, self.columns, strict=True)
        return {name: value for name, value in named if value != "_" or name == "form"}
