"""A dependency tree drawn as SVG: the words in a line, an arc above them for each HEAD.

`views/tree.js` draws the same in a browser, element for element; change both together.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

from meprop_nlp.data.word import ROOT, UNSET, EmptyNode, MultiwordToken, Word, tag_of

MOST_WORDS = 400  # are drawn, and as many empty nodes; of a longer sentence, the beginning

# For each word with a wrong value, by its id: the gold values of the wrong columns, such as
# `{"head": 2, "deprel": "obj"}`, where a gold head that is not among the words is UNSET. None: gold
# does not have the word.
Wrong = Mapping[int, Mapping[str, Any] | None]

# in pixels
_FORM, _LABEL, _TOKEN = 15, 11, 13  # the sizes of the letters
_GAP = 18  # between two words
_STEP = 22  # between two arcs, one above the other
_HIGHEST = 480  # all arcs; where they do not fit, the steps are smaller
_BEND = 6  # the radius of an arc's corners
_MARGIN = 8
_TAG, _GOLD_TAG = 34, 48  # from the arcs down to the tags, and to the gold tags below them
_BRACKET, _TOKEN_FORM = 8, 23  # from the tags down to the bracket of a token, and to its form

# What is wrong is dashed or underlined and what is gold is below or in italics, so that nobody has
# to tell the colours apart. Both can be read on light and on dark ground.
_WRONG = "#e5484d"
_GOLD = "#2b9a66"


class _Arc(NamedTuple):
    """An arc between two words, by their indices; level 1 is next to the words."""

    head: int
    dependent: int
    level: int


class _Style(NamedTuple):
    """How a line or a text stands out: the attributes of the lines, of arrows, and of texts."""

    line: str = 'stroke="currentColor" opacity="0.6"'
    arrow: str = ""
    text: str = ""


_PLAIN = _Style()
_FAINT = _Style(text=' opacity="0.7"')
_EMPTY = _Style(text=' opacity="0.7" class="empty"')
_WRONG_ARC = _Style(
    line=f'stroke="{_WRONG}" stroke-width="1.5" stroke-dasharray="5 3" class="wrong"',
    arrow=f' fill="{_WRONG}" class="wrong"',
    text=f' fill="{_WRONG}" class="wrong"',
)
_WRONG_TEXT = _Style(text=f' fill="{_WRONG}" text-decoration="underline" class="wrong"')
_GOLD_ARC = _Style(
    line=f'stroke="{_GOLD}" stroke-width="1.5" class="gold"',
    arrow=f' fill="{_GOLD}" class="gold"',
    text=f' fill="{_GOLD}" font-style="italic" class="gold"',
)


def tree_svg(
    words: Sequence[Word],
    wrong: Wrong | None = None,
    *,
    multiword_tokens: Sequence[MultiwordToken] = (),
    empty_nodes: Sequence[EmptyNode] = (),
) -> str:
    """Return the words with their tags, and the arcs between them, as an `<svg>` element.

    It takes the colour of the text around it, so that it can be read on light and on dark ground.
    Words of a script that is written from right to left stand from right to left. A word without
    HEAD has no arc. A bracket below the words of a multiword token has its form. An empty node is
    fainter and in parentheses; the tree, which is the basic one, has no arc for it.

    What `wrong` names is marked. A wrong arc is dashed, and the gold one is below the words. A
    wrong tag or relation is underlined, with the gold one beside it in italics; a word that gold
    does not have is underlined.

    Args:
        words: those of one sentence, of which the first `MOST_WORDS` are drawn.
        wrong: what is wrong in the words, and what would be right; None: nothing.
        multiword_tokens, empty_nodes: those of the sentence.
    """
    is_cut = len(words) > MOST_WORDS
    words = words[:MOST_WORDS]
    tokens = [token for token in multiword_tokens if token.first <= len(words)]
    nodes = [node for node in empty_nodes if node.after <= len(words)][:MOST_WORDS]
    wrong = wrong or {}
    columns = [wrong.get(word.id) or {} for word in words]
    heads = [word.head for word in words]
    gold_heads = [gold.get("head", UNSET) for gold in columns]
    tags = [_tag(word, gold) for word, gold in zip(words, columns, strict=True)]
    leftwards = _is_leftwards(word.form for word in words)
    widths = _widths(words, columns, tags, gold_heads, tokens)
    places, node_places, width = _places(widths, nodes, leftwards)

    arcs, gold_arcs = _arcs(heads), _arcs(gold_heads)
    top = _MARGIN + _LABEL
    step, height = _heights(arcs, heads)
    base = top + height
    below = base + (_GOLD_TAG if any(gold for _, gold in tags) else _TAG)
    floor = below + (_TOKEN_FORM if tokens else 0) + _MARGIN
    gold_step, gold_height = _heights(gold_arcs, gold_heads)
    bottom = floor + gold_height

    # lines first, so that no line lies over a text
    lines: list[str] = []
    texts: list[str] = []
    for i, (place, word) in enumerate(zip(places, words, strict=True)):
        is_unknown = word.id in wrong and wrong[word.id] is None
        style = _WRONG_TEXT if is_unknown else _PLAIN
        texts.append(_text(place, base + 18, _FORM, word.form, style))
        tag, gold_tag = tags[i]
        texts.append(_text(place, base + _TAG, _LABEL, tag, _WRONG_TEXT if gold_tag else _FAINT))
        texts.append(_text(place, base + _GOLD_TAG, _LABEL, gold_tag, _GOLD_ARC))
        if word.head == ROOT:
            style = _style_of_arc(columns[i])
            lines.append(_line(f"M{place:g},{top:g} V{base:g}", style))
            lines.append(_arrow(place, base, -1, style))
            texts.append(_label(place, top - 3, word, columns[i]))
        if gold_heads[i] == ROOT:
            lines.append(_line(f"M{place:g},{bottom:g} V{floor:g}", _GOLD_ARC))
            lines.append(_arrow(place, floor, 1, _GOLD_ARC))
            label = _gold_label(word, columns[i])
            texts.append(_text(place, bottom + _LABEL, _LABEL, label, _GOLD_ARC))
    for arc in arcs:
        gold, word = columns[arc.dependent], words[arc.dependent]
        middle, drawn = _bow(places, arc, base, -step, _style_of_arc(gold))
        lines += drawn
        texts.append(_label(middle, base - arc.level * step - 3, word, gold))
    for arc in gold_arcs:
        label = _gold_label(words[arc.dependent], columns[arc.dependent])
        middle, drawn = _bow(places, arc, floor, gold_step, _GOLD_ARC)
        lines += drawn
        y = floor + arc.level * gold_step + _LABEL
        texts.append(_text(middle, y, _LABEL, label, _GOLD_ARC))
    for place, node in zip(node_places, nodes, strict=True):
        texts.append(_text(place, base + 18, _FORM, _node_form(node), _EMPTY))
        texts.append(_text(place, base + _TAG, _LABEL, _node_tag(node), _FAINT))
    for token in tokens:
        bracketed = _words_of(token, words)
        left = min(places[i] - widths[i] / 2 for i in bracketed)
        right = max(places[i] + widths[i] / 2 for i in bracketed)
        y = below + _BRACKET
        lines.append(_line(f"M{left:g},{y - 4:g} V{y:g} H{right:g} V{y - 4:g}", _PLAIN))
        middle = (left + right) / 2
        texts.append(_text(middle, below + _TOKEN_FORM, _TOKEN, token.form, _PLAIN))
    if is_cut:
        place = _MARGIN if leftwards else width - _MARGIN
        texts.append(_text(place, base + 18, _FORM, "…", _PLAIN))
    height = bottom + (_LABEL + _MARGIN if bottom > floor else 0)
    direction = ' direction="rtl"' if leftwards else ""  # turns brackets round
    label = escape(_printable(" ".join(word.form for word in words)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}"{direction} '
        f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}" '
        f'font-family="sans-serif" fill="currentColor">{"".join(lines + texts)}</svg>'
    )


def _tag(word: Word, gold: Mapping[str, Any]) -> tuple[str, str]:
    """Return the tag to show below a word, and the gold tag if that is another."""
    column = "upos" if word.upos != "_" or "upos" in gold else "xpos"
    tag, gold_tag = getattr(word, column), gold.get(column, "")
    return ("" if tag == "_" else tag), gold_tag


def _shown_label(word: Word, gold: Mapping[str, Any]) -> tuple[str, str]:
    """Return the relation to show at a word's arc, and the gold one if that stands beside it."""
    label = "" if word.deprel == "_" else word.deprel
    return label, ("" if "head" in gold else gold.get("deprel", ""))


def _gold_label(word: Word, gold: Mapping[str, Any]) -> str:
    label: str = gold.get("deprel", word.deprel)
    return "" if label == "_" else label


def _style_of_arc(gold: Mapping[str, Any]) -> _Style:
    return _WRONG_ARC if "head" in gold else _PLAIN


def _arcs(heads: Sequence[int]) -> list[_Arc]:
    """Return the arcs between words, each above all shorter ones that it shares a place with."""
    ends = sorted(
        (abs(head - 1 - i), min(head - 1, i), head - 1, i)
        for i, head in enumerate(heads)
        if 1 <= head <= len(heads) and head - 1 != i
    )
    arcs: list[_Arc] = []
    highest = [0] * len(heads)  # level between each word and the next
    for length, first, head, dependent in ends:
        level = 1 + max(highest[first : first + length])
        highest[first : first + length] = [level] * length
        arcs.append(_Arc(head, dependent, level))
    return arcs


def _heights(arcs: Sequence[_Arc], heads: Sequence[int]) -> tuple[float, float]:
    """Return the step from arc to arc, and the height of all, with that of the root's arc."""
    levels = max((arc.level for arc in arcs), default=0)
    step = min(_STEP, _HIGHEST / max(levels, 1))
    return step, levels * step + (_STEP if ROOT in heads else 0)


def _widths(
    words: Sequence[Word],
    columns: Sequence[Mapping[str, Any]],
    tags: Sequence[tuple[str, str]],
    gold_heads: Sequence[int],
    tokens: Sequence[MultiwordToken],
) -> list[float]:
    """Return the width of each word's column: labels fit between neighbours, and tokens below."""
    widths = [
        max(_width(word.form, _FORM), *(_width(tag, _LABEL) for tag in shown))
        for word, shown in zip(words, tags, strict=True)
    ]
    for i, word in enumerate(words):
        label, gold_label = _shown_label(word, columns[i])
        space = _width(f"{label} {gold_label}" if gold_label else label, _LABEL)
        _widen(widths, i, word.head, space)
        if gold_heads[i] != UNSET:
            space = _width(_gold_label(word, columns[i]), _LABEL)
            _widen(widths, i, gold_heads[i], space)
    for token in tokens:
        bracketed = _words_of(token, words)
        n = len(bracketed)
        lack = _width(token.form, _TOKEN) - sum(widths[i] for i in bracketed) - (n - 1) * _GAP
        for i in bracketed:
            widths[i] += max(0, lack) / n
    return widths


def _places(
    widths: Sequence[float], nodes: Sequence[EmptyNode], leftwards: bool
) -> tuple[list[float], list[float], float]:
    """Return the middle of each word and of each empty node, and the width of all."""
    columns = [(i, 0, width) for i, width in enumerate(widths, start=1)]
    for i, node in enumerate(nodes, start=1):
        width = max(_width(_node_form(node), _FORM), _width(_node_tag(node), _LABEL))
        columns.append((node.after, i, width))
    middles: dict[tuple[int, int], float] = {}
    x = float(_MARGIN)
    for word, node_number, width in sorted(columns):
        middles[word, node_number] = x + width / 2
        x += width + _GAP
    whole = x + _MARGIN
    if leftwards:
        middles = {column: whole - middle for column, middle in middles.items()}
    places = [middles[i, 0] for i in range(1, len(widths) + 1)]
    return places, [middles[node.after, i] for i, node in enumerate(nodes, start=1)], whole


def _words_of(token: MultiwordToken, words: Sequence[Word]) -> range:
    """Return the places of a token's words among those that are drawn."""
    return range(token.first - 1, min(token.last, len(words)))


def _node_form(node: EmptyNode) -> str:
    return f"({node.form})"


def _node_tag(node: EmptyNode) -> str:
    """Return the tag to show below an empty node."""
    tag = tag_of(*node.columns[3:5])
    return "" if tag == "_" else tag


def _widen(widths: list[float], dependent: int, head: int, space: float) -> None:
    """Give both ends of an arc the space that its label needs."""
    widths[dependent] = max(widths[dependent], space)
    if 1 <= head <= len(widths):
        widths[head - 1] = max(widths[head - 1], space)


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


def _bow(
    places: Sequence[float], arc: _Arc, base: float, step: float, style: _Style
) -> tuple[float, list[str]]:
    """Return the middle of an arc between two words, and its line and arrow.

    Args:
        base: where the words are.
        step: from arc to arc; negative above the words.
    """
    start, end, y = places[arc.head], places[arc.dependent], base + arc.level * step
    side = 1 if end > start else -1
    start += 4 * side  # beside the arrow that comes to the head
    bend = min(_BEND, abs(step))
    turn = y + (bend if step < 0 else -bend)
    path = (
        f"M{start:g},{base:g} V{turn:g} Q{start:g},{y:g} {start + side * bend:g},{y:g} "
        f"H{end - side * bend:g} Q{end:g},{y:g} {end:g},{turn:g} V{base:g}"
    )
    arrow = _arrow(end, base, -1 if step < 0 else 1, style)
    return (start + end) / 2, [_line(path, style), arrow]


def _label(x: float, y: float, word: Word, gold: Mapping[str, Any]) -> str:
    """Return the relation at an arc of the words; beside it the gold one, if it is wrong."""
    label, gold_label = _shown_label(word, gold)
    if gold_label:
        wrong = f"<tspan{_WRONG_TEXT.text}>{escape(_printable(label))}</tspan>"
        right = f"<tspan{_GOLD_ARC.text}>{escape(_printable(gold_label))}</tspan>"
        return _text_element(x, y, _LABEL, f"{wrong} {right}", _PLAIN)
    style = _PLAIN
    if "head" in gold:
        style = _WRONG_TEXT if "deprel" in gold else _WRONG_ARC
    return _text(x, y, _LABEL, label, style)


def _text(x: float, y: float, size: int, text: str, style: _Style) -> str:
    """Return a text in the middle of a place; nothing for an empty one."""
    return _text_element(x, y, size, escape(_printable(text)), style) if text else ""


def _text_element(x: float, y: float, size: int, content: str, style: _Style) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="middle"{style.text}>'
        f"{content}</text>"
    )


def _line(path: str, style: _Style) -> str:
    return f'<path d="{path}" fill="none" {style.line}/>'


def _arrow(x: float, y: float, side: int, style: _Style) -> str:
    """Return the head of an arrow; side is -1 where it comes from above, and 1 from below."""
    return f'<path d="M{x - 3.5:g},{y + 6 * side:g} H{x + 3.5:g} L{x:g},{y:g} Z"{style.arrow}/>'


def _printable(text: str) -> str:
    """Return the text without what no XML may have: control characters, halves of characters."""
    return "".join(
        "\ufffd" if unicodedata.category(c) in ("Cc", "Cs") or c in "\ufffe\uffff" else c
        for c in text
    )
