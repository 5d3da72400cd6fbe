"""The words of the grammar, read from `lexicon.ini`, and their inflection."""

from __future__ import annotations

import re
from configparser import ConfigParser
from pathlib import Path
from typing import Any


def _value(text: str) -> tuple[Any, ...]:
    """The words of a list; for a list with commas, its entries as tuples of words."""
    if "," not in text:
        return tuple(text.split())
    return tuple(tuple(entry.split()) for entry in text.split(","))


class _Ini(ConfigParser):
    def optionxform(self, optionstr: str) -> str:
        return optionstr  # with its capitals


_INI = _Ini(interpolation=None, delimiters=("=",))
_INI.read(Path(__file__).with_name("lexicon.ini"), encoding="utf-8")
LEXICON = {name: {key: _value(text) for key, text in _INI[name].items()} for name in _INI}
WEIGHTS = {
    key: {choice: float(weight) for choice, weight in entries}
    for key, entries in LEXICON["weights"].items()
}
IRREGULAR: dict[str, dict[str, list[str]]] = {
    key: {word: forms for word, *forms in entries} for key, entries in LEXICON["irregular"].items()
}


def article(following: str) -> str:
    """`a` or `an`, whichever the following word requires."""
    word = following.lower()
    if word.startswith(("use", "uni", "one")):
        return "a"
    return "an" if word.startswith((*"aeiou", "hour", "honest")) else "a"


def s_form(word: str) -> str:
    """The plural of a noun, or the third person singular of a verb."""
    if word in IRREGULAR["s"]:
        return IRREGULAR["s"][word][0]
    stem = _with_i(word)
    return stem + ("es" if stem != word or word.endswith(("s", "x", "z", "ch", "sh")) else "s")


def verb_form(lemma: str, xpos: str) -> str:
    """The form of a verb for a Penn tag; for `be`, the third person singular."""
    if xpos in {"VB", "VBP", "MD"}:
        return lemma
    if xpos == "VBZ":
        return s_form(lemma)
    stem = lemma + lemma[-1] if lemma in LEXICON["spelling"]["doubled"] else lemma
    if xpos == "VBG":
        silent = lemma.endswith("e") and not lemma.endswith("ee") and lemma != "be"
        return (stem[:-1] if silent else stem) + "ing"
    if lemma in IRREGULAR["verbs"]:
        past, *participle = IRREGULAR["verbs"][lemma]
        return participle[0] if participle and xpos == "VBN" else past
    return _with_e(stem, "ed")


def compared(adjective: str, ending: str) -> str:
    """The form in `er` or `est`; empty if the adjective is compared with `more` and `most`."""
    if adjective in IRREGULAR["comparison"]:
        return IRREGULAR["comparison"][adjective][ending == "est"]
    return _with_e(adjective, ending) if adjective in LEXICON["spelling"]["compared"] else ""


def _with_i(word: str) -> str:
    """The word, with `i` for a final `y` after a consonant."""
    return re.sub("(?<![aeiou])y$", "i", word)


def _with_e(stem: str, ending: str) -> str:
    """The stem with an ending that begins with `e`."""
    return _with_i(stem).removesuffix("e") + ending
