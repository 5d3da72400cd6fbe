"""Horizontal text: a sentence a line, with spaces between its words.

A space within a form is written as a no-break space, which separates no words when it is read.
"""

import re

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import DataError

MOST_WORDS = 10_000  # of a sentence; the memory for its tree grows with their square

_LINE_END = re.compile(r"\r\n|\n|\r")
_SPACES = re.compile(r"[ \t]+")
_NO_BREAK_SPACE = "\u00a0"


def to_horizontal(sentence: Sentence) -> str:
    """Return the forms of the tokens as a line: multiword tokens, and the words outside them."""
    forms = [form.replace(" ", _NO_BREAK_SPACE) for form, _ in sentence.tokens()]
    return " ".join(forms) + "\n"


def horizontal_to_conllu(text: str, *, path: str = "<text>", first_line: int = 1) -> str:
    """Return lines of words as CoNLL-U in which only ID and FORM are filled.

    The words of a line are separated by spaces or tabs; empty lines are no sentences. `path` and
    `first_line` are of the text in messages.

    Raises:
        DataError: a sentence has more than `MOST_WORDS` words.
    """
    lines = enumerate(_LINE_END.split(text), start=first_line)
    sentences = ((_SPACES.split(line.strip(" \t")), number) for number, line in lines)
    return "".join(
        bare_conllu(forms, f"{path}:{number}") for forms, number in sentences if forms != [""]
    )


def bare_conllu(forms: list[str], place: str) -> str:
    """Return a sentence of CoNLL-U with the forms of its words and nothing else.

    Args:
        place: the file and the line in messages.

    Raises:
        DataError: there are more than `MOST_WORDS`.
    """
    if len(forms) > MOST_WORDS:
        raise DataError(
            f"{place}: a sentence of {len(forms):,} words, expected at most {MOST_WORDS:,}; is "
            "there a line break or an empty line after each sentence? Running text has the input "
            'format "text"'
        )
    rest = "\t_" * 8
    lines = [f"{number}\t{form}{rest}\n" for number, form in enumerate(forms, start=1)]
    return "".join(lines) + "\n"
