"""What CoNLL-U forbids in the lines of a sentence, and `read` takes all the same.

The codes are those of level 1 of the validator of Universal Dependencies.
"""

import re
import unicodedata
from collections.abc import Iterator

from meprop_nlp.data.conll.block import Fault
from meprop_nlp.data.lines import visible
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import COLUMNS

_SPACE = re.compile(r"\s")
_TWO_SPACES = re.compile(r"\s\s")
_SPACED = {"form", "lemma", "misc"}  # the columns in which single spaces are allowed


def format_faults(sentence: Sentence) -> Iterator[Fault]:
    """Yield what is wrong with the lines of a sentence of CoNLL-U."""
    names = sentence.layout.columns or tuple(name.upper() for name in COLUMNS)
    ids = names.index("ID")
    for number, line in sentence.lines():
        yield from _character_faults(line, number)
        if not line.startswith("#"):
            yield from _space_faults(line.split("\t"), names, ids, number)
    yield from _order_faults(sentence, ids)


def _character_faults(line: str, number: int) -> Iterator[Fault]:
    if line.isascii():
        return
    if "\ufffd" in line:
        message = f"U+FFFD in {visible(line)!r}, which stands for bytes that were no UTF-8"
        yield Fault(number, "invalid-utf", message)
    if not unicodedata.is_normalized("NFC", line):
        word = next(part for part in re.split(r"[\t ]", line) if part != _composed(part))
        message = f"{visible(word)!r} is not in Unicode normal form C"
        yield Fault(number, "unicode-normalization", message)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _space_faults(
    fields: list[str], names: tuple[str, ...], ids: int, number: int
) -> Iterator[Fault]:
    is_token = "-" in fields[ids]
    for name, value in zip(names, fields, strict=True):
        column = name.lower()
        if not value:
            yield Fault(number, "empty-column", f"{name} is empty, expected _ for none")
            continue
        if not _SPACE.search(value):
            continue
        shown = visible(value)
        if is_token and column in ("form", "lemma"):
            message = f"{name} of a multiword token is {shown!r}, with a space"
            yield Fault(number, "invalid-whitespace-mwt", message)
        elif column not in _SPACED:
            message = f"{name} is {shown!r}, with a space"
            yield Fault(number, "invalid-whitespace", message)
        else:
            if value[0].isspace():
                message = f"{name} is {shown!r}, with a space at its beginning"
                yield Fault(number, "leading-whitespace", message)
            if value[-1].isspace():
                message = f"{name} is {shown!r}, with a space at its end"
                yield Fault(number, "trailing-whitespace", message)
            if _TWO_SPACES.search(value):
                message = f"{name} is {shown!r}, with two spaces together"
                yield Fault(number, "repeated-whitespace", message)


def _order_faults(sentence: Sentence, ids: int) -> Iterator[Fault]:
    """Yield comments among the words, and empty nodes that are not where their ids say.

    `ids` is the place of the ID in a line.
    """
    nodes = token = 0  # empty nodes since the last other line, first word of the last token
    for number, line in sentence.lines()[len(sentence.comments) :]:
        if line.startswith("#"):
            message = f"the comment {visible(line)!r} stands among the words, expected above them"
            yield Fault(number, "misplaced-comment", message)
            continue
        word_id = line.split("\t")[ids]
        after, dot, place = word_id.partition(".")
        if not dot:
            nodes = 0
            token = int(word_id.partition("-")[0]) if "-" in word_id else token
            continue
        nodes += 1
        if int(place) != nodes:
            message = f"the empty node {word_id} stands where {after}.{nodes} is expected"
            yield Fault(number, "misplaced-empty-node", message)
        if int(after) < token:
            message = f"the empty node {word_id} stands below the multiword token of word {token}"
            message += ", expected above it"
            yield Fault(number, "misplaced-empty-node", message)
