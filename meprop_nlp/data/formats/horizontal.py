"""Horizontal text: a sentence a line, with spaces between its words.

A space within a form is written as a no-break space, which separates no words when it is read.
"""

import re

from meprop_nlp.data.sentence import Sentence

_LINE_END = re.compile(r"\r\n|\n|\r")
_SPACES = re.compile(r"[ \t]+")
_NO_BREAK_SPACE = "\u00a0"


def to_horizontal(sentence: Sentence) -> str:
    """Return the forms of the tokens as a line: multiword tokens, and the words outside them."""
    forms = [form.replace(" ", _NO_BREAK_SPACE) for form, _ in sentence.tokens()]
    return " ".join(forms) + "\n"


def horizontal_to_conllu(text: str) -> str:
    """Return lines of words as CoNLL-U in which only ID and FORM are filled.

    The words of a line are separated by spaces or tabs; empty lines are no sentences.
    """
    sentences = (_SPACES.split(line.strip(" \t")) for line in _LINE_END.split(text))
    return "".join(bare_conllu(forms) for forms in sentences if forms != [""])


def bare_conllu(forms: list[str]) -> str:
    """Return a sentence of CoNLL-U with the forms of its words and nothing else."""
    rest = "\t_" * 8
    lines = [f"{number}\t{form}{rest}\n" for number, form in enumerate(forms, start=1)]
    return "".join(lines) + "\n"
