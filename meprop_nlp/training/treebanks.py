"""The sentences that a training reads: train and dev, from files or from memory."""

import os
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.report import TreebankReport
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import UNSET
from meprop_nlp.errors import DataError, number_of
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.records import Note

HELD_OUT = 10  # one sentence of so many

Treebank = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | Iterable[Sentence]


def read_treebank(
    source: Treebank,
    role: str,
    hooks: Hooks,
    *,
    trees: bool | None,
    input_format: str = "auto",
) -> list[Sentence]:
    """Return the sentences of one file, of several, or given as Sentences; report what was found.

    Args:
        role: `train` or `dev`, for the report.
        hooks: receive a Note on the treebank, and one for each warning.
        trees: whether every sentence must have a full tree; None: if the first of a file has one.
        input_format: see `data.conll.reading.read`.

    Raises:
        ConlluError, DataError: a file is faulty, or there is no sentence in any of them.
    """
    if isinstance(source, str | os.PathLike):
        source = [source]
    report = TreebankReport()
    sentences: list[Sentence] = []
    names: list[str] = []
    for item in source:
        if isinstance(item, Sentence):
            sentences.append(item)
            report.add(item)
            continue
        names.append(os.fspath(item))
        demanded = begins_with_tree(item, input_format) if trees is None else trees
        sentences += read(item, trees=demanded, input_format=input_format, report=report)
    sentences = [sentence for sentence in sentences if len(sentence)]
    if not sentences:
        raise DataError(f"no sentences in {', '.join(names) or f'the {role} data'}")
    hooks.on_record(Note(f"{role}: {report}"))
    for warning in report.warnings:
        hooks.on_record(Note(f"{role}: {warning}", warning=True))
    return sentences


def begins_with_tree(path: str | os.PathLike[str], input_format: str) -> bool:
    """Return whether the first sentence of a file has heads; True for a pipe, read only once."""
    if not Path(path).is_file():
        return True
    first = next(iter(read(path, input_format=input_format)), None)
    return first is not None and has_tree(first)


def has_tree(sentence: Sentence) -> bool:
    """Return whether all words of a sentence have a head."""
    return UNSET not in sentence.column("head")


def hold_out(sentences: Sequence[Sentence], hooks: Hooks) -> tuple[list[Sentence], list[Sentence]]:
    """Return the sentences to train on, and every tenth sentence as dev data.

    Args:
        hooks: receive a Note that says so; a warning if there are fewer than ten sentences, of
            which none is held out.
    """
    dev = list(sentences[HELD_OUT - 1 :: HELD_OUT])
    if not dev:
        text = (
            f"no dev data, and {number_of(len(sentences), 'sentence')} are too few to hold any "
            "out: the model of the last epoch is kept"
        )
        hooks.on_record(Note(text, warning=True))
        return list(sentences), dev
    train = [sentence for n, sentence in enumerate(sentences, start=1) if n % HELD_OUT]
    text = (
        "dev: none given, so every tenth training sentence is held out to choose the best epoch: "
        f"{len(dev):,} of {number_of(len(sentences), 'sentence')}"
    )
    hooks.on_record(Note(text))
    return train, dev


def fingerprint(sentences: Sequence[Sentence]) -> dict[str, int]:
    """Return the number of sentences and a checksum, which tell one treebank from another."""
    checksum = 0
    for sentence in sentences:
        checksum = zlib.crc32(str(sentence).encode(), checksum)
    return {"sentences": len(sentences), "checksum": checksum}
