"""Bracketed trees as the Penn Treebank keeps them (.mrg), read as a stream.

    for tree in read_trees("wsj_0001.mrg"):
        print(tree.label, tree.forms)

What the labels say is left as it stands: function tags (`NP-SBJ-1`), gaps (`NP=2`), traces
(`-NONE-`) and escaped brackets (`-LRB-`). Nothing here calls itself, so that a tree may be deep.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from meprop_nlp.data.lines import read_lines, visible
from meprop_nlp.data.source import Source, source_name
from meprop_nlp.errors import ConlluError, Problem

__all__ = ["TRACE", "Tree", "parse_trees", "read_trees"]

TRACE = "-NONE-"  # the tag of what is not pronounced

_PIECE = re.compile(r"[()]|[^() \t\f\v]+")


@dataclass(slots=True)
class Tree:
    """A constituency tree: its nodes in preorder, the first of them the top.

    Attributes:
        labels: a constituent's category and functions, such as `NP-SBJ`, or a word's tag. The
            top's is empty where several constituents stand in one pair of brackets.
        parents: the place of the node that each node hangs on; -1 for the top.
        forms: a word's form; None for a constituent.
        path, line: where the tree begins; not compared.
    """

    labels: list[str]
    parents: list[int]
    forms: list[str | None]
    path: str = field(default="<tree>", compare=False)
    line: int = field(default=1, compare=False)

    @property
    def label(self) -> str:
        """The label of the top."""
        return self.labels[0]

    def children(self) -> list[list[int]]:
        """For each node the places of those that hang on it, from left to right."""
        below: list[list[int]] = [[] for _ in self.labels]
        for node in range(1, len(self.labels)):
            below[self.parents[node]].append(node)
        return below

    def without_traces(self) -> Tree | None:
        """The tree less its traces and the constituents that hold nothing else; None if all is."""
        spoken = [
            form is not None and label != TRACE
            for form, label in zip(self.forms, self.labels, strict=True)
        ]
        for node in range(len(spoken) - 1, 0, -1):
            if spoken[node]:
                spoken[self.parents[node]] = True
        if not spoken[0]:
            return None
        place = {-1: -1}
        for node, kept in enumerate(spoken):
            if kept:
                place[node] = len(place) - 1
        kept_nodes = [node for node, kept in enumerate(spoken) if kept]
        return Tree(
            [self.labels[node] for node in kept_nodes],
            [place[self.parents[node]] for node in kept_nodes],
            [self.forms[node] for node in kept_nodes],
            self.path,
            self.line,
        )

    def __str__(self) -> str:
        """The tree in one line, in the outer brackets that the treebank gives it."""
        below = self.children()
        pieces: list[str] = []
        to_do: list[int | str] = [0]
        while to_do:
            node = to_do.pop()
            if isinstance(node, str):
                pieces.append(node)
                continue
            pieces.append(f" ({self.labels[node]}")
            to_do.append(")")
            form = self.forms[node]
            if form is not None:
                pieces.append(f" {form}")
            to_do += reversed(below[node])
        text = "".join(pieces)
        return text[1:] if not self.label else f"({text} )"


def read_trees(source: Source, *, encoding: str = "utf-8") -> Iterator[Tree]:
    """Yield the trees of a file, one at a time.

    Args:
        source: a path (plain, gzip, xz or bzip2), `-` for standard input, or an open file.
        encoding: as for `open`.

    Raises:
        ConlluError: at the first thing in it that is no tree, with file and line: a bracket too
            many or too few, an empty constituent, a word without a tag, text outside of a tree,
            bytes that are not text.
        DataError: if the file cannot be opened or read at all.
    """
    return parse_trees(read_lines(source, encoding=encoding), path=source_name(source))


def parse_trees(lines: Iterable[str], *, path: str = "<trees>") -> Iterator[Tree]:
    """Yield the trees that stand in the lines; errors as of `read_trees`."""
    tree = _OpenTree(path, 0)
    number = 0
    for number, line in enumerate(lines, start=1):
        if "\0" in line:
            raise _fault(path, number, "found a NUL character, expected text")
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
        raise _fault(
            path,
            number,
            f"the file ends inside of the tree that begins in line {tree.line}, with "
            f"{_count(len(tree.open), 'bracket')} open; is the file cut off, or a ) missing?",
        )


class _OpenTree:
    """A tree while it is being read; `open` are its nodes that wait for their closing bracket."""

    def __init__(self, path: str, line: int) -> None:
        self.path = path
        self.line = line
        self.labels: list[str] = []
        self.parents: list[int] = []
        self.forms: list[str | None] = []
        self.filled: list[bool] = []  # whether the node has a child
        self.open: list[int] = []

    def begin(self, line: int) -> None:
        """Take an opening bracket."""
        parent = self.open[-1] if self.open else -1
        if parent >= 0:
            if not self.labels[parent] and parent:
                raise _fault(
                    self.path,
                    line,
                    "found a bracket without a label inside of the tree that begins in line "
                    f"{self.line}, expected a category such as NP; is a ) missing before it?",
                )
            form = self.forms[parent]
            if form is not None:
                raise _fault(
                    self.path,
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
        """Take a label, or a word's form."""
        if not self.open:
            raise _fault(
                self.path,
                line,
                f"found {visible(text)!r} outside of a tree, expected (; "
                "is this a file of bracketed trees?",
            )
        node = self.open[-1]
        if self.filled[node] or self.forms[node] is not None:
            raise _fault(
                self.path,
                line,
                f"found {visible(text)!r}, a word without a tag, in the brackets of "
                f"{visible(self.labels[node])}; write (NN {text[:20]}), or close the bracket first",
            )
        if self.labels[node]:
            self.forms[node] = text
        else:
            self.labels[node] = text

    def end(self, line: int) -> bool:
        """Take a closing bracket; return whether it closes the tree."""
        if not self.open:
            raise _fault(self.path, line, "found a ) too many, expected ( and a tree")
        node = self.open.pop()
        if self.forms[node] is None and not self.filled[node]:
            label = self.labels[node]
            found = f"the empty constituent ({visible(label)})" if label else "empty brackets ()"
            raise _fault(
                self.path, line, f"found {found}, expected constituents or a tag and a word"
            )
        return not self.open

    def finished(self) -> Tree:
        """The tree, out of its outer brackets."""
        drop = int(not self.labels[0] and self.parents.count(0) == 1)
        return Tree(
            self.labels[drop:],
            [parent - drop for parent in self.parents[drop:]],
            self.forms[drop:],
            self.path,
            self.line,
        )


def _fault(path: str, line: int, message: str) -> ConlluError:
    return ConlluError([Problem(path, line, message)])


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
