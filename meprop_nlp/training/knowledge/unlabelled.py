"""Sentences without annotation, for teachers to annotate."""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain

from meprop_nlp.data.conll.reading import good_blocks, parse_lines
from meprop_nlp.data.lines import read_lines
from meprop_nlp.data.recognition import looks_like_text
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import DataError
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.records import Note

LONGEST = 200  # words; longer lines are mostly no sentences, and take memory by their square
MOST_ERRORS = 100  # that are reported
FEWEST = 5  # times that a form must occur to get a row of its own


def read_unlabelled(
    paths: Sequence[str | os.PathLike[str]], hooks: Hooks, *, most_words: int | None = None
) -> list[list[str]]:
    """Return the forms of the sentences of files; report their number.

    A file has a sentence a line, with spaces between the words, where # begins a line that is no
    sentence; or it is CoNLL, see `data.recognition`. Sentences of over LONGEST words are left out.
    The files are read as a stream.

    Args:
        most_words: how many words are kept; of longer files every second sentence is, or every
            fourth and so on, from their beginning to their end.

    Raises:
        DataError: a file cannot be read, has no sentence, or a word that CoNLL cannot hold.
    """
    sample = _Sample(most_words)
    n_long = 0
    for path in paths:
        before, n_long_before = sample.n_seen, n_long
        for line, forms in _forms(path):
            if len(forms) > LONGEST:
                n_long += 1
            elif forms:
                try:
                    sample.add(forms)
                except DataError as error:
                    raise DataError(f"{os.fspath(path)}:{line}: {error}") from None
        if sample.n_seen == before and n_long > n_long_before:
            raise DataError(
                f"{os.fspath(path)}: each of its {n_long - n_long_before:,} sentences has over "
                f"{LONGEST} words, and such are left out; expected a sentence a line"
            )
        if sample.n_seen == before:
            raise DataError(
                f"{os.fspath(path)}: no sentences; expected a sentence a line, with spaces between "
                "the words, or CoNLL"
            )
    text = f"unlabelled: {len(sample.sentences):,} sentences, {sample.n_words:,} words"
    if sample.step > 1:
        nth = "nd" if sample.step % 10 == 2 and sample.step % 100 != 12 else "th"
        text += f"; every {sample.step}{nth} sentence is kept, since the epochs draw no more"
    if n_long:
        text += f"; {n_long:,} of over {LONGEST} words are left out"
    hooks.on_record(Note(text))
    return sample.sentences


class _Sample:
    """Sentences that are kept of a stream: one of so many that they have `most_words` at most."""

    def __init__(self, most_words: int | None) -> None:
        self._most_words = most_words
        self.sentences: list[list[str]] = []
        self.n_words = self.n_seen = 0
        self.step = 1  # one of so many is kept

    def add(self, forms: list[str]) -> None:
        """Take the next sentence of the stream, or leave it out."""
        self.n_seen += 1
        if (self.n_seen - 1) % self.step:
            return
        # each form is in memory once
        self.sentences.append(list(map(sys.intern, Sentence.from_words(forms).forms)))
        self.n_words += len(forms)
        while self._most_words and self.n_words > self._most_words and len(self.sentences) > 1:
            del self.sentences[1::2]
            self.n_words = sum(map(len, self.sentences))
            self.step *= 2


def frequent_forms(sentences: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the forms that occur FEWEST times or more, as often as they occur."""
    counts = Counter(form for sentence in sentences for form in sentence)
    for form, count in counts.items():
        if count >= FEWEST:
            yield from [form] * count


def _forms(path: str | os.PathLike[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the line and the forms of each sentence."""
    lines, name = read_lines(path), os.fspath(path)
    begun: list[str] = []  # up to the first line that tells what the file is
    first = ""
    for line in lines:
        begun.append(line)
        if line.strip() and line[0] != "#":
            first = line
            break
    lines = chain(begun, lines)  # a pipe can be read only once
    if first and not looks_like_text(first, name, is_whole=True):
        for sentence in good_blocks(parse_lines(lines, path=name), name, "fail", MOST_ERRORS, None):
            yield sentence.line, sentence.forms
        return
    for number, line in enumerate(lines, start=1):
        if line[:1] != "#":
            yield number, line.split()
