"""`Sentence`: one block of a CoNLL file in memory.

A sentence keeps all columns of its words and all lines between them, so writing it reproduces the
block that it was read from. Files are read by `conll/reading.py`.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, overload

from meprop_nlp.data.conll.layout import CONLLU, TAB_COLUMNS, Layout, named_columns
from meprop_nlp.data.lines import demand_text, shortened
from meprop_nlp.data.tree_svg import tree_svg
from meprop_nlp.data.word import COLUMNS, UNSET, EmptyNode, MultiwordToken, Word
from meprop_nlp.errors import DataError, number_of


class Sentence:
    """One sentence: its words, and everything else in its block of lines.

    It is a sequence of its words: `for word in sentence`, `sentence[0].upos`, `len(sentence)`.
    `print(sentence)` shows its lines, and a notebook its tree.

    Attributes:
        words: the syntactic words, ids 1 to n.
        multiword_tokens, empty_nodes: the lines with ids such as `3-4` and `3.1`. Changing these
            lists does not change what is written.
        comments: the comment lines above the words. A comment between words stays where it is in
            the text, but is not listed here.
        path: the file it was read from; `<stdin>` for standard input, `<words>` for a sentence
            made in memory.
        line: the 1-based number of the block's first line in that file.
        layout: the layout it was read in and will be written in.
    """

    __slots__ = (
        "_between", "_others", "_top", "comments", "empty_nodes", "layout", "line",
        "multiword_tokens", "path", "words",
    )  # fmt: skip

    def __init__(
        self,
        words: list[Word],
        *,
        comments: Iterable[str] = (),
        path: str = "<words>",
        line: int = 1,
        layout: Layout = CONLLU,
        between: Sequence[tuple[int, str]] = (),
        multiword_tokens: Sequence[MultiwordToken] = (),
        empty_nodes: Sequence[EmptyNode] = (),
        others: Sequence[tuple[str, ...]] = (),
        top: int | None = None,
    ) -> None:
        """Create a sentence from the parts of its block, as `read` does; see also `from_words`.

        Args:
            between: (number of words before the line, line) for every line among the words that
                is not a word line: multiword tokens, empty nodes and comments, in order.
            others: of CoNLL-U Plus: of each line that is no comment, the values of the columns that
                CoNLL-U does not have. `between` and the tokens have the columns of CoNLL-U.
            top: the number of the first line below the leading comments; None: `line` plus the
                number of comments.

        Raises:
            DataError: `words` are not of type Word.
        """
        if words and not isinstance(words[0], Word):
            raise DataError(
                f"`words[0]` is of type {type(words[0]).__name__}, expected a Word; make a "
                "sentence of words with Sentence.from_words"
            )
        self.words = words
        self.comments = list(comments)
        self.path = path
        self.line = line
        self.layout = layout
        self.multiword_tokens = list(multiword_tokens)
        self.empty_nodes = list(empty_nodes)
        self._between = tuple(between)
        self._others = tuple(others)
        self._top = line + len(self.comments) if top is None else top

    @classmethod
    def from_words(cls, forms: Iterable[str], **columns: Sequence[str | int]) -> Sentence:
        """Create a sentence from lists: `from_words(["It", "rains"], upos=["PRON", "VERB"])`.

        Args:
            forms: one form per word.
            columns: further columns by name, each with one value per word.

        Raises:
            DataError: if there are no words, if a column's name or length is wrong, or if a value
                cannot be written to a CoNLL file. A form with half of a pair of surrogates, which
                is not text, is refused too.
        """
        words = [Word(i, form) for i, form in enumerate(forms, start=1)]
        sentence = cls(words)
        if not words:
            raise DataError("a sentence needs at least one word, found none")
        for word in words:
            if isinstance(word.form, str) and not word.form.isascii():
                demand_text(word.form, f"the form of word {word.id}")
        return sentence.with_columns(form=sentence.forms, **columns)

    @property
    def forms(self) -> list[str]:
        """The forms of the words."""
        return [word.form for word in self.words]

    @property
    def sent_id(self) -> str | None:
        """The value of the `# sent_id = ...` comment, or None."""
        return self._comment("sent_id")

    @property
    def has_enhanced_graph(self) -> bool:
        """Whether a word has a value in DEPS, or there is an empty node; in CoNLL-U only."""
        if self.layout.kind != "conllu":
            return False
        return bool(self.empty_nodes) or any(word.deps != "_" for word in self.words)

    @property
    def text(self) -> str:
        """The value of the `# text = ...` comment, or else `joined_text()`."""
        given = self._comment("text")
        return self.joined_text() if given is None else given

    def joined_text(self) -> str:
        """Join the tokens with spaces, except after those with SpaceAfter=No in MISC."""
        pieces: list[str] = []
        for form, misc in self.tokens():
            pieces.append(form)
            if "SpaceAfter=No" not in misc.split("|"):
                pieces.append(" ")
        return "".join(pieces).rstrip(" ")

    def tokens(self) -> list[tuple[str, str]]:
        """Return (form, misc) of each surface token: multiword tokens, and words outside them."""
        if not self.multiword_tokens:
            return [(word.form, word.misc) for word in self.words]
        tokens: list[tuple[str, str]] = []
        starts = {token.first: token for token in self.multiword_tokens}
        covered = 0
        for word in self.words:
            token = starts.get(word.id)
            if token is not None:
                tokens.append((token.form, token.columns[9]))
                covered = token.last
            elif word.id > covered:
                tokens.append((word.form, word.misc))
        return tokens

    def word_line(self, word_id: int) -> int:
        """Return the number of the line in the file that holds this word."""
        n_others = bisect_left(self._between, word_id, key=itemgetter(0))  # lines before it
        return self._top + word_id - 1 + n_others

    def token_line(self, token: MultiwordToken) -> int:
        """Return the number of the line in the file that holds this multiword token."""
        lines_before, words_before = next(
            (i, words_before)
            for i, (words_before, line) in enumerate(self._between)
            if line.split("\t", 1)[0] == f"{token.first}-{token.last}"
        )
        return self._top + words_before + lines_before

    def lines(self) -> list[tuple[int, str]]:
        """Return the lines of the block, each with its number in the file.

        A comment that an empty line parts from the block has the number of the block's first line.
        """
        lines = self.to_text().split("\n")[:-2]
        first = self._top - len(self.comments)
        return [(max(self.line, first + i), line) for i, line in enumerate(lines)]

    def empty_node_lines(self) -> list[tuple[int, Sequence[str]]]:
        """Return the columns of each empty node, with the number of its line in the file."""
        nodes = iter(self.empty_nodes)
        return [
            (self._top + words_before + i, next(nodes).columns)
            for i, (words_before, line) in enumerate(self._between)
            if "." in line.split("\t", 1)[0] and not line.startswith("#")
        ]

    def column(self, name: str) -> list[Any]:
        """Return one column of all words: integers for `id` and `head`, strings for the others.

        Raises:
            DataError: if there is no such column.
        """
        if name not in COLUMNS:
            raise DataError(f"no column {name!r}; the columns are {', '.join(COLUMNS)}")
        return [getattr(word, name) for word in self.words]

    def with_columns(self, **columns: Sequence[str | int] | None) -> Sentence:
        """Return a copy of the sentence with other values in these columns.

        The rest of the text does not change, with three exceptions. In CoNLL-X, a new HEAD or
        DEPREL sets PHEAD and PDEPREL to `_` (unless `deps` and `misc` are given), since they
        described the old tree. A tab layout is widened to show the new columns; it has room for one
        tag, which is XPOS, or a new UPOS if no XPOS is given. CoNLL-U Plus gets the columns that it
        lacks at the end of its lines. A column that is None stays as it is.

        Raises:
            DataError: if a column's name or length is wrong, or a value cannot be written to a
                CoNLL file.
        """
        words = [word.copy() for word in self.words]
        given = {name: values for name, values in columns.items() if values is not None}
        layout = self.layout
        if layout.kind == "tab":
            # a tab layout has one tag: the new UPOS replaces the tag that was read
            given = {"xpos": ["_"] * len(words), **given} if "upos" in given else given
            layout = layout._replace(width=max(layout.width, *map(_tab_width, given)))
        if layout.columns:
            new = [name.upper() for name in given if layout.place(name) is None]
            names = (*layout.columns, *new)
            layout = layout._replace(width=len(names), columns=names)
        for name, values in given.items():
            self._check_column(name, values)
            for word, value in zip(words, values, strict=True):
                setattr(word, name, value)
        if self.layout.kind == "conllx" and given.keys() & {"head", "deprel"}:
            for name in {"deps", "misc"} - given.keys():
                for word in words:
                    setattr(word, name, "_")
        return Sentence(
            words,
            comments=self.comments,
            path=self.path,
            line=self.line,
            layout=layout,
            between=self._between,
            multiword_tokens=self.multiword_tokens,
            empty_nodes=self.empty_nodes,
            others=self._others,
            top=self._top,
        )

    def to_text(self, layout: Layout | None = None) -> str:
        """Return the block of lines with its final empty line.

        Args:
            layout: the layout to write; None: the layout the sentence was read in. Comments,
                multiword tokens and empty nodes are left out when a CoNLL-U sentence is written
                in another layout.
        """
        if layout is None:
            layout = self.layout
        if layout.columns or self.layout.columns:
            return self._plus_text(layout)
        return "\n".join(self._plain_lines(layout))

    def _plain_lines(self, layout: Layout) -> list[str]:
        """Return the lines of `to_text` in a layout that is not CoNLL-U Plus."""
        lines = list(self.comments) if layout.kind == self.layout.kind or layout == CONLLU else []
        keep_between = bool(self._between) and layout.kind == self.layout.kind
        between = iter(self._between if keep_between else ())
        before, other = next(between, (-1, ""))
        for word in self.words:
            while before == word.id - 1:
                lines.append(other)
                before, other = next(between, (-1, ""))
            lines.append(_word_line(word, layout, same=layout.kind == self.layout.kind))
        while before >= 0:
            lines.append(other)
            before, other = next(between, (-1, ""))
        lines.append("\n")
        return lines

    def _plus_text(self, layout: Layout) -> str:
        """Return the text of `to_text` from or to CoNLL-U Plus."""
        if not layout.columns:
            lines = self._plain_lines(layout)
            return "\n".join(line for line in lines if named_columns([line]) is None)
        others = iter(self._others if self.layout.columns else ())
        places = [layout.place(name) for name in COLUMNS]
        other_places = [i for i in range(layout.width) if i not in places]
        lines = []
        for line in self._plain_lines(CONLLU):
            if line.startswith("#"):
                named = named_columns([line])
                lines.append(line if named in (None, layout.columns) else layout.header)
                continue
            if line == "\n":
                lines.append(line)
                continue
            fields = ["_"] * layout.width
            for place, value in zip(places, line.split("\t"), strict=True):
                if place is not None:
                    fields[place] = value
            for place, value in zip(other_places, next(others, ()), strict=False):
                fields[place] = value
            lines.append("\t".join(fields))
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the sentence as `--output-format json` writes it: `id`, `text` and `tokens`.

        `id` is the `sent_id`, or None. A token has the columns that have a value, see
        `Word.to_dict`; a multiword token stands before its words, with their ids as its own:
        `"id": [3, 4]`. DEPS and MISC are there only where the sentence was read from CoNLL-U. Empty
        nodes are listed apart in `empty_nodes`, where there are any. Comments are left out.
        """
        starts = {token.first: token for token in self.multiword_tokens}
        tokens: list[dict[str, Any]] = []
        for word in self.words:
            if word.id in starts:
                tokens.append(starts[word.id].to_dict())
            tokens.append(word.to_dict())
        if self.layout.kind != "conllu":  # in CoNLL-X the columns hold PHEAD and PDEPREL
            for token in tokens:
                token.pop("deps", None)
                token.pop("misc", None)
        found: dict[str, Any] = {"id": self.sent_id, "text": self.text, "tokens": tokens}
        if self.empty_nodes:
            found["empty_nodes"] = [node.to_dict() for node in self.empty_nodes]
        return found

    def to_json(self) -> str:
        """Return `to_dict()` as JSON in one line."""
        return _JSON.encode(self.to_dict())

    def __str__(self) -> str:
        return self.to_text()

    def __len__(self) -> int:
        return len(self.words)

    def __iter__(self) -> Iterator[Word]:
        return iter(self.words)

    @overload
    def __getitem__(self, place: int) -> Word: ...

    @overload
    def __getitem__(self, place: slice) -> list[Word]: ...

    def __getitem__(self, place: int | slice) -> Word | list[Word]:
        """Return the word at an index, from 0, or the list of the words of a slice."""
        return self.words[place]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sentence):
            return NotImplemented
        return str(self) == str(other)

    __hash__ = None  # type: ignore[assignment]  # sentences are mutable

    def __repr__(self) -> str:
        start = shortened(" ".join(word.form for word in self.words[:40]))
        return f"<Sentence of {number_of(len(self), 'word')}, {self.path}:{self.line}: {start!r}>"

    def _repr_html_(self) -> str:
        """Return the tree for a notebook, which shows it in place of the `repr`."""
        drawing = tree_svg(
            self.words, multiword_tokens=self.multiword_tokens, empty_nodes=self.empty_nodes
        )
        return f'<div style="overflow-x: auto">{drawing}</div>'

    def _comment(self, key: str) -> str | None:
        for comment in reversed(self.comments):
            name, equals, value = comment[1:].partition("=")
            if equals and name.strip(" ") == key:
                return value.strip(" ")
        return None

    def _check_column(self, name: str, values: Sequence[str | int]) -> None:
        if name == "id" or name not in COLUMNS:
            raise DataError(f"no column {name!r} to set; choose from {', '.join(COLUMNS[1:])}")
        if len(values) != len(self.words):
            raise DataError(
                f"column {name!r} has {len(values)} values for a sentence of {len(self)} words"
            )
        for word, value in zip(self.words, values, strict=True):
            if name == "head":
                if not isinstance(value, int) or not UNSET <= value <= len(self.words):
                    raise DataError(
                        f"the head of word {word.id} is {value!r}, expected an integer "
                        f"from 0 to {len(self.words)}, or {UNSET} for none"
                    )
            elif not isinstance(value, str) or not value or not _FORBIDDEN.isdisjoint(value):
                raise DataError(
                    f"the {name} of word {word.id} is {value!r}, expected text of at least one "
                    "character without tab, line break or NUL"
                )
            # a no-break space may be a word, but a column of plain spaces is empty
            elif name == "form" and not value.strip(" "):
                raise DataError(
                    f"the form of word {word.id} is {value!r}, expected a word, not spaces alone"
                )


_JSON = json.JSONEncoder(ensure_ascii=False)
_FORBIDDEN = frozenset("\t\n\r\0")


def _tab_width(name: str) -> int:
    """Return how many columns a tab layout needs to show this column; 1 if it never shows it."""
    return TAB_COLUMNS.index(name) + 1 if name in TAB_COLUMNS else 1


def _word_line(word: Word, layout: Layout, *, same: bool) -> str:
    head = "_" if word.head == UNSET else str(word.head)
    if layout.kind == "tab":
        # a tab layout has room for one tag: the language-specific one if there is one
        tag = word.xpos if word.xpos != "_" else word.upos
        return "\t".join((word.form, tag, head, word.deprel)[: layout.width])
    deps, misc = (word.deps, word.misc) if same else ("_", "_")
    fields = (
        str(word.id), word.form, word.lemma, word.upos, word.xpos,
        word.feats, head, word.deprel, deps, misc,
    )  # fmt: skip
    return "\t".join(fields[: layout.width])
