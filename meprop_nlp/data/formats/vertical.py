"""Vertical text: a word a line, and an empty line after each sentence."""

import re

from meprop_nlp.data.formats.horizontal import bare_conllu
from meprop_nlp.data.lines import visible
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import DataError

_LINE_END = re.compile(r"\r\n|\n|\r")


def to_vertical(sentence: Sentence) -> str:
    """Return a line for each token, a multiword token or a word outside them, and an empty line."""
    return "".join(f"{form}\n" for form, _ in sentence.tokens()) + "\n"


def vertical_to_conllu(text: str, *, path: str = "<text>", first_line: int = 1) -> str:
    """Return lines of one word as CoNLL-U in which only ID and FORM are filled.

    A word may have spaces in it. `path` and `first_line` are of the text in messages.

    Raises:
        DataError: a line has several columns, or a sentence more than `MOST_WORDS` words.
    """
    sentences: list[str] = []
    forms: list[str] = []
    for number, line in enumerate([*_LINE_END.split(text), ""], start=first_line):
        form = line.strip(" \t")
        if "\t" in form:
            raise DataError(
                f"{path}:{number}: a tab in {visible(line)!r}, expected one word; several columns "
                "are another `input_format`: tab, conllu or conllx"
            )
        if form:
            forms.append(form)
        elif forms:
            sentences.append(bare_conllu(forms, f"{path}:{number - len(forms)}"))
            forms = []
    return "".join(sentences)
