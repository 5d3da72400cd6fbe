"""Bracketed trees in the format of the Penn Treebank (.mrg), read as a stream.

    for tree in read_trees("wsj_0001.mrg"):
        print(tree.label, tree.forms)

Labels are kept unchanged: function tags (`NP-SBJ-1`), gaps (`NP=2`), traces (`-NONE-`) and escaped
brackets (`-LRB-`). Nothing here is recursive, so a deep tree cannot exhaust the stack.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from meprop_nlp.data.lines import read_lines, visible
from meprop_nlp.data.source import Source, source_name
from meprop_nlp.errors import ConlluError, Problem, number_of

TRACE = "-NONE-"  # the tag of traces, which are not words

_PIECE = re.compile(r"[()]|[^() \t\f\v]+")


@dataclass(slots=True)
class Tree:
    """A constituency tree: its nodes in preorder, so the first is the top.

    Attributes:
        labels: the category and functions of a constituent, such as `NP-SBJ`, or the tag of a
            word. The label of the top is empty if the outer brackets hold several constituents.
        parents: the index of each node's parent; -1 for the top.
        forms: the form of a word; None for a constituent.
        path, line: where the tree begins; ignored in comparisons.
    """

    labels: list[str]
    parents: list[int]
    forms: list[str | None]
    path: str = field(default="<tree>", compare=False)
    line: int = field(default=1, compare=False)

    @property
    def label(self) -> str:
        """The label of the top node."""
        return self.labels[0]

    def children(self) -> list[list[int]]:
        """Return the indices of the children of each node, from left to right."""
        below: list[list[int]] = [[] for _ in self.labels]
        for node in range(1, len(self.labels)):
            below[self.parents[node]].append(node)
        return below

    def without_traces(self) -> Tree | None:
        """Return the tree without traces and empty constituents; None if nothing is left."""
        has_words = [
            form is not None and label != TRACE
            for form, label in zip(self.forms, self.labels, strict=True)
        ]
        for node in range(len(has_words) - 1, 0, -1):
            if has_words[node]:
                has_words[self.parents[node]] = True
        if not has_words[0]:
            return None
        kept = [node for node, has_word in enumerate(has_words) if has_word]
        new_index = {-1: -1} | {node: i for i, node in enumerate(kept)}
        return Tree(
            [self.labels[node] for node in kept],
            [new_index[self.parents[node]] for node in kept],
            [self.forms[node] for node in kept],
            self.path,
            self.line,
        )

    def __str__(self) -> str:
        """The tree on one line, with the outer brackets of the treebank."""
        below = self.children()
        pieces: list[str] = []
        agenda: list[int | str] = [0]
        while agenda:
            node = agenda.pop()
            if isinstance(node, str):
                pieces.append(node)
                continue
            pieces.append(f" ({self.labels[node]}")
            agenda.append(")")
            form = self.forms[node]
            if form is not None:
                pieces.append(f" {form}")
            agenda += reversed(below[node])
        text = "".join(pieces)
        return text[1:] if not self.label else f"({text} )"


def read_trees(source: Source, *, encoding: str = "utf-8") -> Iterator[Tree]:
    """Yield the trees of a file, one at a time; the arguments are as for `data.lines.read_lines`.

    Raises:
        ConlluError: at the first fault, with file and line: a bracket too many or too few, an
            empty constituent, a word without a tag, text outside of a tree, bytes that are not
            text.
        DataError: if the file cannot be opened or read at all.
    """
    return parse_trees(read_lines(source, encoding=encoding), path=source_name(source))


def parse_trees(lines: Iterable[str], *, path: str = "<trees>") -> Iterator[Tree]:
    """Yield the trees in the lines; the errors are those of `read_trees`."""
    tree = _OpenTree(path, 0)
    number = 0
    for number, line in enumerate(lines, start=1):
        if "\0" in line:
            raise tree.fault(number, "found a NUL character, expected text")
        for piece in _PIECE.findall(line):
            if piece == "(":
                if not tree.open:
                    tree = _OpenTree(path, number)
                tree.begin(number)
            elif piece != ")":
                tree.take(piece, number)
            elif tree.end(number):
                yield tree.finished()
    if tree.open:
        raise tree.fault(
            number,
            f"the file ends inside of the tree that begins in line {tree.line}, with "
            f"{number_of(len(tree.open), 'bracket')} open; is the file cut off, or a ) missing?",
        )


class _OpenTree:
    """A tree while it is being read; `open` lists the nodes whose brackets are not yet closed."""

    def __init__(self, path: str, line: int) -> None:
        self.path = path
        self.line = line
        self.labels: list[str] = []
        self.parents: list[int] = []
        self.forms: list[str | None] = []
        self.filled: list[bool] = []  # whether the node has a child
        self.open: list[int] = []

    def begin(self, line: int) -> None:
        """Read an opening bracket."""
        parent = self.open[-1] if self.open else -1
        if parent >= 0:
            if not self.labels[parent] and parent:
                raise self.fault(
                    line,
                    "found a bracket without a label inside of the tree that begins in line "
                    f"{self.line}, expected a category such as NP; is a ) missing before it?",
                )
            form = self.forms[parent]
            if form is not None:
                raise self.fault(
                    line,
                    f"found a constituent after {visible(form)!r} in the brackets of "
                    f"{visible(self.labels[parent])}, expected ); "
                    "write each word in brackets of its own, with its tag: (NN word)",
                )
            self.filled[parent] = True
        self.open.append(len(self.labels))
        self.labels.append("")
        self.parents.append(parent)
        self.forms.append(None)
        self.filled.append(False)

    def take(self, text: str, line: int) -> None:
        """Read a label, or the form of a word."""
        if not self.open:
            raise self.fault(
                line,
                f"found {visible(text)!r} outside of a tree, expected (; "
                "is this a file of bracketed trees?",
            )
        node = self.open[-1]
        if self.filled[node] or self.forms[node] is not None:
            raise self.fault(
                line,
                f"found {visible(text)!r}, a word without a tag, in the brackets of "
                f"{visible(self.labels[node])}; write (NN {text[:20]}), or close the bracket first",
            )
        if self.labels[node]:
            self.forms[node] = text
        else:
            self.labels[node] = text

    def end(self, line: int) -> bool:
        """Read a closing bracket; return whether it closes the tree."""
        if not self.open:
            raise self.fault(line, "found a ) too many, expected ( and a tree")
        node = self.open.pop()
        if self.forms[node] is None and not self.filled[node]:
            label = self.labels[node]
            found = f"the empty constituent ({visible(label)})" if label else "empty brackets ()"
            raise self.fault(line, f"found {found}, expected constituents or a tag and a word")
        return not self.open

    def finished(self) -> Tree:
        """Return the tree without its outer brackets."""
        drop = int(not self.labels[0] and self.parents.count(0) == 1)
        return Tree(
            self.labels[drop:],
            [parent - drop for parent in self.parents[drop:]],
            self.forms[drop:],
            self.path,
            self.line,
        )

    def fault(self, line: int, message: str) -> ConlluError:
        """Return the error for a fault in this line."""
        return ConlluError([Problem(self.path, line, message)])
