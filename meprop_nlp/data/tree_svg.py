"""A dependency tree drawn as SVG: the words in a line, an arc above them for each HEAD."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from meprop_nlp.data.word import ROOT, Word

MOST_WORDS = 400  # are drawn; of a longer sentence, the beginning

# in pixels
_FORM, _LABEL = 15, 11  # the sizes of the letters
_GAP = 18  # between two words
_STEP = 22  # between two arcs, one above the other
_HIGHEST = 480  # all arcs; where they do not fit, the steps are smaller
_BEND = 6  # the radius of an arc's corners
_MARGIN = 8


class _Arc(NamedTuple):
    """An arc between two words, by their indices; level 1 is next to the words."""

    head: int
    dependent: int
    level: int


def tree_svg(words: Sequence[Word]) -> str:
    """Return the words with their tags, and the arcs between them, as an `<svg>` element.

    It takes the colour of the text around it, so that it can be read on light and on dark ground.
    Words of a script that is written from right to left stand from right to left. A word without
    HEAD has no arc.

    Args:
        words: those of one sentence, of which the first `MOST_WORDS` are drawn.
    """
    is_cut = len(words) > MOST_WORDS
    words = words[:MOST_WORDS]
    leftwards = _is_leftwards(word.form for word in words)
    places, width = _places(words, leftwards)
    arcs = _arcs(words)
    levels = max((arc.level for arc in arcs), default=0)
    has_root = any(word.head == ROOT for word in words)
    step = min(_STEP, _HIGHEST / max(levels, 1))
    top = _MARGIN + _LABEL
    base = top + levels * step + (_STEP if has_root else 0)

    parts: list[str] = []
    for place, word in zip(places, words, strict=True):
        parts.append(_text(place, base + 18, _FORM, word.form))
        tag = word.upos if word.upos != "_" else word.xpos
        if tag != "_":
            parts.append(_text(place, base + 34, _LABEL, tag, faint=True))
        if word.head == ROOT:
            parts.append(_line(f"M{place:g},{top:g} V{base:g}") + _arrow(place, base))
            parts.append(_text(place, top - 3, _LABEL, word.deprel))
    for arc in arcs:
        start, end, y = places[arc.head], places[arc.dependent], base - arc.level * step
        side = 1 if end > start else -1
        start += 4 * side  # beside the arrow that comes to the head
        bend = min(_BEND, step)
        parts.append(
            _line(
                f"M{start:g},{base:g} V{y + bend:g} Q{start:g},{y:g} {start + side * bend:g},{y:g} "
                f"H{end - side * bend:g} Q{end:g},{y:g} {end:g},{y + bend:g} V{base:g}"
            )
            + _arrow(end, base)
            + _text((start + end) / 2, y - 3, _LABEL, words[arc.dependent].deprel)
        )
    if is_cut:
        parts.append(_text(_MARGIN if leftwards else width - _MARGIN, base + 18, _FORM, "…"))
    height = base + 34 + _MARGIN
    direction = ' direction="rtl"' if leftwards else ""  # turns brackets round
    label = escape(_printable(" ".join(word.form for word in words)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}"{direction} '
        f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}" '
        f'font-family="sans-serif" fill="currentColor">{"".join(parts)}</svg>'
    )


def _arcs(words: Sequence[Word]) -> list[_Arc]:
    """Return the arcs between words, each above all shorter ones that it shares a place with."""
    ends = sorted(
        (abs(word.head - 1 - i), min(word.head - 1, i), word.head - 1, i)
        for i, word in enumerate(words)
        if 1 <= word.head <= len(words) and word.head - 1 != i
    )
    arcs: list[_Arc] = []
    highest = [0] * len(words)  # level between each word and the next
    for length, first, head, dependent in ends:
        level = 1 + max(highest[first : first + length])
        highest[first : first + length] = [level] * length
        arcs.append(_Arc(head, dependent, level))
    return arcs


def _places(words: Sequence[Word], leftwards: bool) -> tuple[list[float], float]:
    """Return the middle of each word, and the width of all: labels fit between neighbours."""
    widths = [max(_width(w.form, _FORM), _width(w.upos, _LABEL)) for w in words]
    for i, word in enumerate(words):
        label = _width(word.deprel, _LABEL)
        widths[i] = max(widths[i], label)
        if 1 <= word.head <= len(words):
            widths[word.head - 1] = max(widths[word.head - 1], label)
    places: list[float] = []
    x = float(_MARGIN)
    for width in widths:
        places.append(x + width / 2)
        x += width + _GAP
    whole = x + _MARGIN
    return ([whole - place for place in places] if leftwards else places), whole


def _width(text: str, size: int) -> float:
    """Return about how wide a text is, since only the browser knows its letters."""
    return size * sum(map(_share, text[:200]))


def _share(character: str) -> float:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 1 if unicodedata.east_asian_width(character) in "WF" else 0.62


def _is_leftwards(forms: Iterable[str]) -> bool:
    """Return whether the first letter that has a direction goes from right to left."""
    for form in forms:
        for character in form:
            direction = unicodedata.bidirectional(character)
            if direction in ("L", "R", "AL"):
                return direction != "L"
    return False


def _text(x: float, y: float, size: int, text: str, *, faint: bool = False) -> str:
    if text == "_" and size == _LABEL:
        return ""  # no label
    opacity = ' opacity="0.7"' if faint else ""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="middle"{opacity}>'
        f"{escape(_printable(text))}</text>"
    )


def _line(path: str) -> str:
    return f'<path d="{path}" fill="none" stroke="currentColor" opacity="0.6"/>'


def _arrow(x: float, y: float) -> str:
    return f'<path d="M{x - 3.5:g},{y - 6:g} H{x + 3.5:g} L{x:g},{y:g} Z"/>'


def _printable(text: str) -> str:
    """Return the text without what no XML may have: control characters, halves of characters."""
    return "".join(
        "\ufffd" if unicodedata.category(c) in ("Cc", "Cs") or c in "\ufffe\uffff" else c
        for c in text
    )
