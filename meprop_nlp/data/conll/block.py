"""Parse a block, the lines between two empty lines, as a `Sentence` or a list of faults."""

import re
from functools import cached_property
from sys import intern
from typing import NamedTuple

from meprop_nlp.data.conll.layout import CONLLU, Layout, named_columns
from meprop_nlp.data.lines import visible
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.trees import find_cycle
from meprop_nlp.data.word import COLUMNS, UNSET, EmptyNode, MultiwordToken, Word
from meprop_nlp.errors import Problem

_INTEGER = re.compile(r"0|[1-9][0-9]{0,8}")
_INTERVAL = re.compile(r"([1-9][0-9]{0,8})-([1-9][0-9]{0,8})")
_WORD_LINE = re.compile(r"[0-9]+\t")
_EMPTY_NODE = re.compile(r"(0|[1-9][0-9]{0,8})\.([1-9][0-9]{0,8})")

# the common values: a lookup is faster than parsing
_HEADS = {str(i): i for i in range(512)} | {"_": UNSET}


class Fault(NamedTuple):
    """A fault in a block: the number of the line in the file, a code, and a message.

    The code is the id of the test of the Universal Dependencies validator, if it has one.
    """

    line: int
    code: str
    message: str
    sent_id: str | None = None

    def problem(self, path: str) -> Problem:
        """Return the fault as the `Problem` of an error."""
        return Problem(path, self.line, self.message, self.sent_id)


def parse_block(
    lines: list[str], first_line: int, layout: Layout, *, path: str, trees: bool | None
) -> Sentence | list[Fault]:
    """Parse the lines of one sentence.

    Args:
        lines: the block, without its empty line; at least one word line.
        first_line: the 1-based number of `lines[0]` in the file.
        layout: the layout of the file.
        path: the name of the file in messages.
        trees: what is demanded of the heads, see `read`.

    Returns:
        The sentence, or all of its faults.
    """
    others: list[tuple[str, ...]] = []
    if layout.columns:
        lines, others, faults = _in_ten_columns(lines, first_line, layout)
        if faults:
            return faults
    block = _Block(lines, first_line, CONLLU if layout.columns else layout)
    if layout.kind == "tab":
        block.read_tab()
    else:
        block.read_conll()
    sentence = Sentence(
        block.words,
        comments=block.comments,
        path=path,
        line=first_line,
        layout=layout,
        between=block.between,
        multiword_tokens=block.multiword,
        empty_nodes=block.empty,
        others=others,
        top=first_line + len(block.comments),
    )
    faults = block.faults or _header_faults(sentence) or _range_faults(sentence)
    if trees is not False and not faults and sentence.words:
        faults = tree_faults(sentence) if trees else circle_faults(sentence)
    if faults:
        return [fault._replace(sent_id=sentence.sent_id) for fault in sorted(faults)]
    return sentence


def tree_faults(sentence: Sentence) -> list[Fault]:
    """Return why the heads do not form a tree; several roots are not a fault here."""
    heads: list[int] = sentence.column("head")
    unset = next((i for i, head in enumerate(heads, start=1) if head == UNSET), None)
    if unset is not None:
        message = f"HEAD is '_', expected an integer from 0 to {len(heads)}: a full tree is needed"
        return [Fault(sentence.word_line(unset), "unknown-head", message)]
    return circle_faults(sentence)


def circle_faults(sentence: Sentence) -> list[Fault]:
    """Return why the heads are no part of a tree; some may be unset."""
    cycle = find_cycle(sentence.column("head"))
    if cycle:
        named = [f"{i} {visible(sentence.words[i - 1].form)!r}" for i in cycle[:5]]
        if len(cycle) > 5:
            named.append("...")
        path = " -> ".join([*named, str(cycle[0])])
        message = f"the heads go round in a circle: {path}; expected a tree"
        return [Fault(sentence.word_line(cycle[0]), "non-tree", message)]
    return []


def _in_ten_columns(
    lines: list[str], first_line: int, layout: Layout
) -> tuple[list[str], list[tuple[str, ...]], list[Fault]]:
    """Return lines of CoNLL-U Plus as CoNLL-U has them, their other values, and their faults."""
    places = [layout.place(name) for name in COLUMNS]
    other_places = [i for i in range(layout.width) if i not in places]
    plain: list[str] = []
    others: list[tuple[str, ...]] = []
    faults: list[Fault] = []
    for number, line in enumerate(lines, start=first_line):
        if line.startswith("#"):
            plain.append(line)
            continue
        fields = line.split("\t")
        if len(fields) != layout.width:
            message = _columns_message(fields, layout)
            faults.append(Fault(number, "number-of-columns", message))
            continue
        plain.append("\t".join("_" if i is None else fields[i] for i in places))
        others.append(tuple(fields[i] for i in other_places))
    return plain, others, faults


def _header_faults(sentence: Sentence) -> list[Fault]:
    """Return where comments name other columns than the file is read by."""
    layout = sentence.layout
    if layout.kind != "conllu" or not any("global.columns" in c for c in sentence.comments):
        return []
    read_by = layout.columns or tuple(name.upper() for name in COLUMNS)
    named = named_columns(sentence.comments)
    if named in (None, read_by):
        return []
    message = "`# global.columns` names other columns than the file began with, which are "
    message += f"{visible(' '.join(read_by))!r}; give each kind of columns a file of its own"
    return [Fault(sentence.line, "global-columns", message)]


def _range_faults(sentence: Sentence) -> list[Fault]:
    n = len(sentence.words)
    faults = [
        Fault(
            sentence.word_line(word.id),
            "unknown-head",
            f"HEAD is {str(word.head)!r}, expected an integer from 0 to {n}",
        )
        for word in sentence.words
        if word.head > n
    ]
    for token in sentence.multiword_tokens:
        if token.last > n:
            name = f"{token.first}-{token.last}"
            message = f"multiword token {name} goes beyond the last word, which is {n}"
            line = sentence.token_line(token)
            faults.append(Fault(line, "word-interval-out", message))
    return faults


class _Block:
    """The parts of a sentence while its lines are being read."""

    def __init__(self, lines: list[str], first_line: int, layout: Layout) -> None:
        self.lines = lines
        self.first_line = first_line
        self.layout = layout
        self.words: list[Word] = []
        self.comments: list[str] = []
        self.between: list[tuple[int, str]] = []
        self.multiword: list[MultiwordToken] = []
        self.empty: list[EmptyNode] = []
        self.faults: list[Fault] = []
        self.expected = 1  # id of the next word

    def read_conll(self) -> None:
        """Read CoNLL-U or CoNLL-X lines."""
        width = self.layout.width
        words = self.words
        expected = "1"
        for number, line in enumerate(self.lines, start=self.first_line):
            fields = line.split("\t")
            if fields[0] != expected or len(fields) != width:
                if not self._other_line(line, fields, number):
                    expected = str(self.expected)
                    continue
                self.expected = int(fields[0])
            form, head_text = fields[1], fields[6]
            head = _HEADS.get(head_text)
            if head is None:
                head = self._head(head_text, number)
            if "\0" in line or not form or form.isspace():
                self._check_content(line, form, number)
            word = Word(len(words) + 1, form, fields[2], head=head)
            word.upos, word.xpos, word.feats = map(intern, fields[3:6])
            word.deprel = intern(fields[7])
            if width == 10:
                word.deps, word.misc = fields[8], fields[9]
            words.append(word)
            self.expected += 1
            expected = str(self.expected)

    def read_tab(self) -> None:
        """Read FORM, FORM TAG, FORM TAG HEAD or FORM TAG HEAD DEPREL lines."""
        width = self.layout.width
        for number, line in enumerate(self.lines, start=self.first_line):
            fields = line.split("\t")
            if len(fields) != width:
                if line.startswith("#"):
                    self._comment(line)
                else:
                    self._fault(number, "number-of-columns", _columns_message(fields, self.layout))
                continue
            self._check_content(line, fields[0], number)
            head = self._head(fields[2], number) if width > 2 else UNSET
            word = Word(len(self.words) + 1, fields[0], head=head)
            if width > 1:
                word.xpos = intern(fields[1])
            if width > 3:
                word.deprel = intern(fields[3])
            self.words.append(word)

    def _other_line(self, line: str, fields: list[str], number: int) -> bool:
        """Read a line that is not the expected word; return whether to read it as a word anyway."""
        if line.startswith("#"):
            self._comment(line)
            return False
        if len(fields) != self.layout.width:
            self._fault(number, "number-of-columns", _columns_message(fields, self.layout))
            # it is a word all the same, so the next id is no second fault
            self.expected += fields[0] == str(self.expected)
            return False
        if self.layout.kind == "conllu":
            interval = _INTERVAL.fullmatch(fields[0])
            if interval:
                self._multiword(int(interval[1]), int(interval[2]), line, number)
                return False
            empty = _EMPTY_NODE.fullmatch(fields[0])
            if empty:
                self._empty(int(empty[1]), line, number)
                return False
        message = f"ID is {visible(fields[0])!r}, expected {self.expected}"
        if fields[0] == "1":
            message += "; is the empty line between two sentences missing?"
        self._fault(number, "word-id-sequence", message)
        # continue from the id in the file, so that one gap is one fault
        return bool(_INTEGER.fullmatch(fields[0]))

    def _comment(self, line: str) -> None:
        if self.words or self.between:
            self.between.append((len(self.words), line))
        else:
            self.comments.append(line)

    def _multiword(self, first: int, last: int, line: str, number: int) -> None:
        covered = self.multiword[-1].last if self.multiword else 0
        name = f"multiword token {first}-{last}"
        if last < first:
            self._fault(number, "reversed-word-interval", f"{name} ends before it begins")
        elif first <= covered:
            message = f"{name} overlaps the one before it, which ends at word {covered}"
            self._fault(number, "overlapping-word-intervals", message)
        elif first != self.expected:
            message = f"{name} stands before word {self.expected}, expected it before word {first}"
            self._fault(number, "misplaced-word-interval", message)
        else:
            self.multiword.append(MultiwordToken(first, last, tuple(line.split("\t"))))
        self.between.append((len(self.words), line))
        self._check_content(line, line.split("\t", 2)[1], number)

    def _empty(self, after: int, line: str, number: int) -> None:
        if after != self.expected - 1:
            message = f"an empty node of word {after} stands after word {self.expected - 1}"
            self._fault(number, "misplaced-empty-node", message)
        self.empty.append(EmptyNode(after, tuple(line.split("\t"))))
        self.between.append((len(self.words), line))

    def _head(self, text: str, number: int) -> int:
        if text == "_":
            return UNSET
        if _INTEGER.fullmatch(text):
            return int(text)
        message = f"HEAD is {visible(text)!r}, expected an integer from 0 to {self._n_words}"
        self._fault(number, "unknown-head", message)
        return UNSET

    @cached_property
    def _n_words(self) -> int:
        """How many words the block is meant to have."""
        if self.layout.kind == "tab":
            return len(self.lines)
        return sum(1 for line in self.lines if _WORD_LINE.match(line))

    def _check_content(self, line: str, form: str, number: int) -> None:
        # a no-break space may be a word, but a column of plain spaces is empty
        if not form.strip(" "):
            self._fault(number, "empty-column", "FORM is empty, expected a word (or _ for none)")
        if "\0" in line:
            hint = "is the file UTF-16 or not text?"
            self._fault(number, "invalid-character", f"a NUL byte in {visible(line)!r}; {hint}")

    def _fault(self, line: int, code: str, message: str) -> None:
        self.faults.append(Fault(line, code, message))


def _columns_message(fields: list[str], layout: Layout) -> str:
    line = "\t".join(fields)
    n = len(fields)
    found = f"found {n} column{'s' if n != 1 else ''} in {visible(line)!r}"
    # such a layout is known by as little as a tab in the first line, which a text may have
    if layout.kind == "tab" and len(line.split(" ")) != layout.width:
        hint = 'for text with tabs in it, give the input format "text"'
        return f"{found}, expected {layout.width}; {hint}"
    if n == 1 and " " in line:
        return f"{found}, expected {layout.width}; spaces between columns, CoNLL uses one tab"
    return f"{found}, expected {layout.width}"
