"""`terminal_tree`: a tree in the terminal, a word a line, with the arcs beside the words.

     1  The    DET    ◄─┐    det
     2  dogs   NOUN   ◄─┴─┐  nsubj
     3  bark   VERB   ●───┤  root
     4  .      PUNCT  ◄───┘  punct

A head has one vertical line, which joins it with its dependents. From each dependent a line goes to
its head's vertical line, which is the outermost that it comes to; ends further in belong to its own
dependents. So a vertical line stands further out than those of the words it leads to. Where a line
crosses a vertical one that it has nothing to do with, it passes beneath: `─│─`.

A multiword token has a row of its own before its words, and so has an empty node where it stands in
the sentence, in parentheses; vertical lines pass by.

There are `MOST_COLUMNS` columns for vertical lines. A head for which none of them is free has no
line; its dependents have `…` in place of an arc, and their head's number beside it as ever.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect
from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.tree_svg import Wrong
from meprop_nlp.data.word import ROOT, UNSET, Word, tag_of

DEPENDENT, AT_ROOT, CUT, LEFT_OUT = "◄", "●", "↻", "…"
MOST_COLUMNS = 400  # for vertical lines, enough for any sentence of so many words
_GOES_DOWN = "│┐┬┤┼"  # the characters below which a vertical line goes on
_WIDEST = 40  # cells of a form or a tag; a longer one is cut
_LEFT_TO_RIGHT = "\u200e"  # keeps what follows a word from right to left where it is

_RED, _GREEN, _FAINT, _END = "\x1b[31m", "\x1b[32m", "\x1b[2m", "\x1b[0m"


def arc_lines(heads: Sequence[int]) -> list[str]:
    """Return the arcs beside each word, all of one width, given the heads of the words.

    A word whose head cannot be drawn, because the heads make a circle, has `↻` in place of an arc;
    one whose head's line would be too far out has `…`.
    """
    n = len(heads)
    joined = _without_circles(heads)
    dependents: list[list[int]] = [[] for _ in range(n)]
    for i, head in enumerate(joined):
        if head > ROOT:
            dependents[head - 1].append(i)
    columns = _columns(joined, dependents)
    left_out = [head > ROOT and columns[head - 1] is None for head in joined]
    joined = [UNSET if without else head for head, without in zip(joined, left_out, strict=True)]
    width = 2 * max((column + 1 for column in columns if column is not None), default=0) + 1
    beginning: list[list[_Line]] = [[] for _ in range(n)]  # the vertical lines from each word on
    for i, column in enumerate(columns):
        if column is not None:
            line = _Line(column, min([i, *dependents[i]]), max([i, *dependents[i]]), i)
            beginning[line.first].append(line)
    beside: list[_Line] = []  # the vertical lines at the present word
    rows = []
    for i, head in enumerate(joined):
        beside = [line for line in beside if line.last >= i] + beginning[i]
        row = [" "] * width
        # as far out as a line of this word goes
        end = columns[i] if head <= ROOT else columns[head - 1]
        if end is not None:
            row[: 2 * end + 2] = "─" * (2 * end + 2)
        if head > ROOT:
            row[0] = DEPENDENT
        elif left_out[i]:
            row[0] = LEFT_OUT
        elif heads[i] == ROOT:
            row[0] = AT_ROOT
        elif heads[i] > ROOT:
            row[0] = CUT
        for line in beside:
            is_end = i == line.head or head == line.head + 1
            outwards = i == line.head and head > ROOT  # its own line goes on to its head
            joint = _joint(up=i > line.first, down=i < line.last, on=outwards)
            row[2 * line.column + 2] = joint if is_end else "│"
        rows.append("".join(row))
    return rows


class _Line(NamedTuple):
    """The vertical line of a head, by the indices of words."""

    column: int
    first: int
    last: int
    head: int


def _joint(*, up: bool, down: bool, on: bool) -> str:
    """Return the character where a word's line comes to a vertical line, and whether it goes on."""
    return {
        (True, False): "┘┴",
        (False, True): "┐┬",
        (True, True): "┤┼",
    }[up, down][on]


def _without_circles(heads: Sequence[int]) -> list[int]:
    """Return the heads, UNSET for one word of each circle, and where a head is no word."""
    joined = [
        head if head <= len(heads) and head != i else UNSET for i, head in enumerate(heads, 1)
    ]
    state = [0] * len(heads)  # 1: on the present way up, 2: known to lead to a root
    for start in range(len(heads)):
        way = []
        i = start
        while state[i] == 0:
            state[i] = 1
            way.append(i)
            if joined[i] <= ROOT:
                break
            i = joined[i] - 1
        if joined[i] > ROOT and state[i] == 1:
            joined[way[-1]] = UNSET
        for each in way:
            state[each] = 2
    return joined


def _columns(heads: Sequence[int], dependents: Sequence[Sequence[int]]) -> list[int | None]:
    """Return the column of each word's vertical line, 0 next to the words; None: it has none.

    It is the first beyond those of its dependents in which no other line stands beside the same
    words. A word without dependents has none, nor one for which it would be beyond the last column.
    """
    columns: list[int | None] = [None] * len(heads)
    # the spans of each column, in order: no two of them overlap
    taken: list[list[tuple[int, int]]] = [[] for _ in range(MOST_COLUMNS)]
    for i in _from_the_leaves(heads, dependents):
        if not dependents[i]:
            continue
        first, last = min([i, *dependents[i]]), max([i, *dependents[i]])
        below = [column for j in dependents[i] if (column := columns[j]) is not None]
        column = max(below, default=-1) + 1
        while column < MOST_COLUMNS:
            place = bisect(taken[column], (last, len(heads)))  # of the first that begins after it
            if place == 0 or taken[column][place - 1][1] < first:
                taken[column].insert(place, (first, last))
                columns[i] = column
                break
            column += 1
    return columns


def _from_the_leaves(heads: Sequence[int], dependents: Sequence[Sequence[int]]) -> list[int]:
    """Return the words, each after its dependents; short spans come first, so they stand inside."""

    def span(i: int) -> int:
        places = [i, *dependents[i]]
        return max(places) - min(places)

    waits_for = [len(each) for each in dependents]  # so many dependents are not in the order yet
    ready = [(span(i), i) for i, n in enumerate(waits_for) if not n]
    heapify(ready)
    order: list[int] = []
    while ready:
        _, i = heappop(ready)
        order.append(i)
        head = heads[i] - 1
        if heads[i] > ROOT:
            waits_for[head] -= 1
            if not waits_for[head]:
                heappush(ready, (span(head), head))
    return order


def terminal_tree(
    sentence: Sentence,
    wrong: Wrong | None = None,
    missing: Sequence[str] = (),
    *,
    colours: bool = False,
) -> str:
    """Return a sentence as lines: comments, then each word with its tag, arcs, head and relation.

    Multiword tokens and empty nodes stand between the words, as in CoNLL-U.

    Args:
        sentence: what to draw.
        wrong: what is wrong in it, and what would be right: in the last column, after a cross.
        missing: gold words that it does not have.
        colours: whether to colour what is wrong, by escape sequences.
    """
    wrong = wrong or {}
    words = sentence.words
    arcs = arc_lines([word.head for word in words])
    # the rows in order: each begins with the word, or None
    rows: list[tuple[Word | None, list[str]]] = []
    others = _other_rows(sentence)
    passing = " " * len(arcs[0]) if arcs else ""
    rows += [(None, [*row, passing, "", ""]) for row in others.get(0, ())]
    for word, arc in zip(words, arcs, strict=True):
        tag = tag_of(word.upos, word.xpos)
        head = "_" if word.head == UNSET else str(word.head)
        rows.append((word, [str(word.id), word.form, tag, arc, head, word.deprel]))
        passing = "".join("│" if c in _GOES_DOWN else " " for c in arc)
        rows += [(None, [*row, passing, "", ""]) for row in others.get(word.id, ())]
    for _, row in rows:
        row[1:3] = [_shortened(_printable(text)) for text in row[1:3]]
        row[5] = _printable(row[5])
    widths = [max((cells(row[i]) for _, row in rows), default=0) for i in range(6)]
    title = [comment for comment in sentence.comments if comment.startswith("# sent_id")]
    lines = [_printable(line) for line in [*title, f"# text = {sentence.text}"]]
    if colours:
        lines = [f"{_FAINT}{line}{_END}" for line in lines]
    for shown, row in rows:
        fields = [
            row[0].rjust(widths[0]), _padded(row[1], widths[1]), _padded(row[2], widths[2]),
            row[3], row[4].rjust(widths[4]), _padded(row[5], widths[5]),
        ]  # fmt: skip
        line = "  ".join(fields)
        if shown is None:
            line = _coloured(line.rstrip(), _FAINT, colours)
        elif shown.id in wrong:
            line = _with_gold(line, shown, wrong[shown.id], colours=colours)
        lines.append(line.rstrip())
    if any(line.startswith(LEFT_OUT) for line in arcs):
        lines.append(f"# {LEFT_OUT} the arc would be too far out; the head's number is beside it")
    if missing:
        lines.append(
            _coloured(f"✗ gold has here too: {_printable(' '.join(missing))}", _GREEN, colours)
        )
    return "\n".join(lines) + "\n"


def _other_rows(sentence: Sentence) -> dict[int, list[list[str]]]:
    """Return id, form and tag of multiword tokens and empty nodes, by the word that they follow."""
    rows: dict[int, list[list[str]]] = {}
    for node in sentence.empty_nodes:
        tag = tag_of(*node.columns[3:5])
        rows.setdefault(node.after, []).append([node.columns[0], f"({node.form})", tag])
    for token in sentence.multiword_tokens:
        id = f"{token.first}-{token.last}"
        rows.setdefault(token.first - 1, []).append([id, token.form, ""])
    return rows


def _with_gold(line: str, word: Word, gold: Any, *, colours: bool) -> str:
    """Return the line of a word that is wrong, with what is right."""
    if gold is None:
        return _coloured(line, _RED, colours) + _coloured("  ✗ not in gold", _GREEN, colours)
    parts = []
    if "head" in gold or "deprel" in gold:
        head = gold.get("head", word.head)
        where = "elsewhere" if head == UNSET else str(head)
        parts.append(f"{where} {gold.get('deprel', word.deprel)}")
    parts += [str(gold[name]) for name in ("upos", "xpos", "feats") if name in gold]
    parts += [f"lemma {gold['lemma']}"] if "lemma" in gold else []
    said = _printable(", ".join(parts))
    return _coloured(line, _RED, colours) + _coloured(f"  ✗ gold: {said}", _GREEN, colours)


def _coloured(text: str, colour: str, colours: bool) -> str:
    return f"{colour}{text}{_END}" if colours else text


def cells(text: str) -> int:
    """Return how many cells of a terminal a text takes: two for a wide character, or none."""
    return sum(map(_cells_of, text))


def _cells_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _shortened(text: str) -> str:
    if cells(text) <= _WIDEST:
        return text
    kept = ""
    n = 0
    for character in text:
        n += _cells_of(character)
        if n >= _WIDEST:
            break
        kept += character
    return f"{kept}…"


def _padded(text: str, width: int) -> str:
    is_leftwards = any(unicodedata.bidirectional(c) in ("R", "AL") for c in text)
    mark = _LEFT_TO_RIGHT if is_leftwards else ""
    return text + mark + " " * (width - cells(text))


def _printable(text: str) -> str:
    """Return the text without what would steer the terminal."""
    return "".join(
        "\ufffd" if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text
    )
