"""`page`: sentences as one HTML file to look at and search in, which needs nothing else.

The file holds the sentences as lines of CoNLL-U, and three scripts: `tree.js` draws a sentence,
`search.js` finds sentences, and `page.js` shows those that are in view. It loads nothing, and its
content security policy lets it run nothing but these scripts, whatever stands in the sentences.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

from meprop_nlp.data.conll.layout import CONLLU
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.scoring.names import SCORE_NAMES
from meprop_nlp.scoring.scores import METRICS, Scores
from meprop_nlp.views.differences import Compared
from meprop_nlp.views.inlined import slots_of, source_of, text_of

_SCRIPTS = ("tree.js", "search.js", "page.js")
# What may not stand in a script element, or is no line of JavaScript, or no character: JSON has
# escapes for all of it.
_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff\ufffe\uffff]")


def page(
    sentences: Iterable[Sentence | Compared], *, title: str, scores: Scores | None = None
) -> Iterator[str]:
    """Yield the parts of the HTML file.

    Args:
        sentences: in order; `Compared` where there is gold to compare with.
        title: what is shown, such as the name of the file.
        scores: those of the sentences, for the head of the page and its tables of confusions.
    """
    style = text_of("views", "page.css")
    script = "\n".join(text_of("views", name) for name in _SCRIPTS)
    texts = {
        "title": escape(title),
        "policy": (
            f"default-src 'none'; style-src {source_of(style)}; script-src {source_of(script)}; "
            "base-uri 'none'; form-action 'none'"
        ),
        "style": style,
        "script": script,
    }
    for before, slot in slots_of(text_of("views", "page.html")):
        yield before
        if slot == "data":
            yield from _data(sentences, title, scores)
        elif slot is not None:
            yield texts[slot]


def _data(
    sentences: Iterable[Sentence | Compared], title: str, scores: Scores | None
) -> Iterator[str]:
    """Yield the parts of the JSON: `{"title", "scores", "confusions", "sentences"}`.

    A sentence is its lines, or a list of its lines, what is wrong, and what is missing.
    """
    head = {
        "title": title,
        "scores": None if scores is None else _scores(scores),
        "confusions": {} if scores is None else _confusions(scores),
    }
    yield _json(head).removesuffix("}") + ',"sentences":[\n'
    for i, each in enumerate(sentences):
        content: Any
        if isinstance(each, Sentence):
            content = _block(each)
        else:
            content = [_block(each.sentence), each.wrong, each.missing]
        yield (",\n" if i else "") + _json(content)
    yield "\n]}"


def _block(sentence: Sentence) -> str:
    return sentence.to_text(CONLLU).rstrip("\n")


def _scores(scores: Scores) -> list[tuple[str, float | None]]:
    found = ((name, getattr(scores, name)) for name in METRICS if name in scores.annotated)
    return [(SCORE_NAMES[name], None if math.isnan(f1) else f1) for name, f1 in found]


def _confusions(scores: Scores) -> dict[str, list[tuple[str, str, int]]]:
    """Return the pairs of gold and system of each column, the most frequent first."""
    return {
        column: [
            (gold, system, n)
            for (gold, system), n in sorted(pairs.items(), key=lambda item: (-item[1], item[0]))
        ]
        for column, pairs in scores.pairs.items()
    }


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
