"""The sentences that a training reads: train and dev, from files or from memory."""

import os
import zlib
from collections.abc import Iterable, Sequence

from meprop_nlp.data.annotation import Annotation
from meprop_nlp.data.conll.reading import read, too_long
from meprop_nlp.data.report import TreebankReport
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import ConlluError, DataError, Problem, number_of
from meprop_nlp.scoring.spans import token_forms
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.records import Note

HELD_OUT = 10  # one sentence of so many
_NAMES = {
    "upos": "UPOS", "xpos": "XPOS", "feats": "FEATS", "lemma": "lemmas", "head": "heads",
    "deprel": "labels",
}  # fmt: skip

Treebank = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | Iterable[Sentence]


def paths_of(source: Treebank | None) -> list[str | os.PathLike[str]]:
    """Return the files of a treebank, as far as it is given as files."""
    if isinstance(source, str | os.PathLike):
        return [source]
    # sentences that are read one by one must not be used up here
    given = source if isinstance(source, list | tuple) else ()
    return [path for path in given if isinstance(path, str | os.PathLike)]


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
        trees: what is demanded of the heads, see `data.conll.reading.read`.
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
        sentences += read(item, trees=trees, input_format=input_format, report=report)
    sentences = [sentence for sentence in sentences if len(sentence)]
    if not sentences:
        raise DataError(f"no sentences in {', '.join(names) or f'the {role} data'}")
    hooks.on_record(Note(f"{role}: {report}"))
    for warning in report.warnings:
        hooks.on_record(Note(f"{role}: {warning}", warning=True))
    return sentences


def note_partial(role: str, sentences: Sequence[Sentence], hooks: Hooks) -> None:
    """Report the columns in which only some words are annotated.

    Args:
        role: `train` or `dev`.
        hooks: receive a Note, unless each column is annotated everywhere or nowhere.
    """
    annotation = Annotation(sentences)
    counts = annotation.partial()
    if role == "dev":  # any lemma is right where there is none in gold
        counts.pop("lemma", None)
    if counts.get("deprel") == counts.get("head"):
        counts.pop("deprel", None)
    if not counts:
        return
    parts = []
    for column, count in counts.items():
        share = f"{min(99.9, 100 * count / annotation.n_words):.1f} %"
        if role == "dev":
            parts.append(f"{_NAMES[column]} of {number_of(count, 'word')} ({share})")
        else:
            parts.append(f"{_NAMES[column]} of {share}" + " of the words" * (not parts))
    text = f"{role}: partly annotated: {', '.join(parts)}"
    if role == "dev":
        text += "; the scores count these words"
    hooks.on_record(Note(text))


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


def demand_scorable(sentences: Iterable[Sentence], most_words: int) -> None:
    """Refuse dev sentences that a model could not be scored on, before it learns.

    Args:
        most_words: how many words a sentence may have.

    Raises:
        ConlluError: a token is nothing but spaces, or a sentence has too many words.
    """
    for sentence in sentences:
        token_forms(sentence)
        if len(sentence) > most_words:
            message = too_long(len(sentence), most_words)
            raise ConlluError([Problem(sentence.path, sentence.line, message, sentence.sent_id)])


def fingerprint(sentences: Sequence[Sentence]) -> dict[str, int]:
    """Return the number of sentences and a checksum, which tell one treebank from another."""
    checksum = 0
    for sentence in sentences:
        checksum = zlib.crc32(str(sentence).encode(), checksum)
    return {"sentences": len(sentences), "checksum": checksum}
