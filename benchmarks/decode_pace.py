"""Timing for the decoding benchmarks: on a long file, in memory, with the models taking turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from conditions import interleaved, quartiles

from meprop_nlp.data.conll.chunks import Document, read_chunks
from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.conll.writing import write
from meprop_nlp.models.words import DocumentWords


def at_least_words(path: Path, n_words: int, target: Path) -> int:
    """Write enough whole copies of a file to have `n_words`; return the number of words."""
    sentences = list(read(path))
    once = sum(map(len, sentences))
    copies = -(-n_words // once)
    write(chain.from_iterable([sentences] * copies), target)
    return copies * once


def documents_of(path: Path) -> list[Document]:
    """Read a file as native documents."""
    documents = [chunk.document() for chunk in read_chunks(path)]
    if None in documents:
        raise SystemExit(f"{path}: the core cannot read all of it, so it cannot be timed")
    return documents


def timed_models(
    models: Mapping[str, Any], documents: Sequence[Document], rounds: int
) -> dict[str, Any]:
    """Time taggers or parsers in turn, on one thread; return the same as `timed`."""

    def run(model: Any) -> None:
        for document in documents:
            model.annotate(DocumentWords(document))

    words = sum(document.n_words for document in documents)
    return timed({name: partial(run, model) for name, model in models.items()}, rounds, words)


def timed(functions: Mapping[str, Callable[[], object]], rounds: int, words: int) -> dict[str, Any]:
    """Time functions in turn; return words/s and the quartiles of the seconds, both by name."""
    samples = interleaved(functions, rounds, warm_up=1)
    seconds_of = {name: quartiles(times) for name, times in samples.items()}
    return {
        "words_per_second": {name: round(words / q[1]) for name, q in seconds_of.items()},
        "seconds": {name: [round(s, 4) for s in q] for name, q in seconds_of.items()},
    }
