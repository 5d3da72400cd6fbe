"""Reads the sentences written by hand: `handwritten.txt`, one word per line, numbered.

A sentence is its text after `# `, then lines `number form lemma xpos head deprel`; an empty line
ends it. `=` as the lemma stands for the form in lower case. A `+` before the form: written as one
token with the word before it. Spaces come from the text, UPOS and FEATS from `features.py`.
"""

from __future__ import annotations

from pathlib import Path

from .conllu import text_of
from .words import Word

__all__ = ["PATH", "read"]

PATH = Path(__file__).with_name("handwritten.txt")


def read(path: Path = PATH) -> list[list[Word]]:
    """All sentences of the file.

    Raises:
        ValueError: a line has not six fields, is numbered wrongly, or does not fit its text.
    """
    blocks = path.read_text(encoding="utf-8").strip().split("\n\n")
    return [_sentence(block.splitlines()) for block in blocks]


def _sentence(lines: list[str]) -> list[Word]:
    text = next(line for line in lines if line.startswith("# ")).removeprefix("# ")
    rows = [line.split() for line in lines if not line.startswith("#")]
    words = []
    for place, row in enumerate(rows, start=1):
        if len(row) != 6 or row[0] != str(place):
            raise ValueError(f"{text!r}: row {place} is {row}, expected number and five fields")
        form, lemma = row[1].removeprefix("+"), row[2]
        glued = row[1] != form
        lemma = form.lower() if lemma == "=" else lemma
        words.append(Word(form, lemma, row[3], row[5], glued=glued))
    for word, row in zip(words, rows, strict=True):
        word.head = None if row[4] == "0" else words[int(row[4]) - 1]
    _align(words, text)
    return words


def _align(words: list[Word], text: str) -> None:
    rest = text
    for word in words:
        if not rest.startswith(word.form):
            raise ValueError(f"{text!r}: {word.form!r} is not where the text has {rest[:20]!r}")
        rest = rest.removeprefix(word.form)
        word.space_after = rest.startswith(" ") or not rest
        rest = rest.removeprefix(" ")
    if text_of(words) != text:
        raise ValueError(f"{text!r}: the words spell {text_of(words)!r}")
