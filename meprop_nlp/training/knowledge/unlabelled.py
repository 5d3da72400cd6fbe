"""Sentences without annotation, for teachers to annotate."""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain

from meprop_nlp.data.conll.reading import good_blocks, parse_lines
from meprop_nlp.data.lines import read_lines
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import DataError
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.records import Note

LONGEST = 200  # words; longer lines are mostly no sentences, and take memory by their square
MOST_ERRORS = 100  # that are reported
FEWEST = 5  # times that a form must occur to get a row of its own


def read_unlabelled(paths: Sequence[str | os.PathLike[str]], hooks: Hooks) -> list[list[str]]:
    """Return the forms of the sentences of files; report their number.

    A file has a sentence a line, with spaces between the words, where # begins a line that is no
    sentence; or it is CoNLL, which has tabs. Sentences of over LONGEST words are left out.

    Raises:
        DataError: a file cannot be read, or has no sentence.
    """
    sentences: list[list[str]] = []
    n_long = 0
    for path in paths:
        before = len(sentences)
        for forms in _forms(path):
            if len(forms) > LONGEST:
                n_long += 1
            elif forms:
                # each form is in memory once
                sentences.append(list(map(sys.intern, Sentence.from_words(forms).forms)))
        if len(sentences) == before:
            raise DataError(
                f"{os.fspath(path)}: no sentences; expected a sentence a line, with spaces between "
                "the words, or CoNLL"
            )
    n_words = sum(map(len, sentences))
    text = f"unlabelled: {len(sentences):,} sentences, {n_words:,} words"
    if n_long:
        text += f"; {n_long:,} of over {LONGEST} words are left out"
    hooks.on_record(Note(text))
    return sentences


def frequent_forms(sentences: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the forms that occur FEWEST times or more, as often as they occur."""
    counts = Counter(form for sentence in sentences for form in sentence)
    for form, count in counts.items():
        if count >= FEWEST:
            yield from [form] * count


def _forms(path: str | os.PathLike[str]) -> Iterator[list[str]]:
    """Yield the forms of each sentence."""
    lines = read_lines(path)
    begun: list[str] = []  # up to the first line that tells what the file is
    for line in lines:
        begun.append(line)
        if line and line[0] != "#":
            break
    lines = chain(begun, lines)  # a pipe can be read only once
    if begun and "\t" in begun[-1]:
        name = os.fspath(path)
        for sentence in good_blocks(parse_lines(lines, path=name), name, "fail", MOST_ERRORS, None):
            yield sentence.forms
        return
    for line in lines:
        if line[:1] != "#":
            yield line.split()
