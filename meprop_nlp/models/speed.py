"""Measure how fast models annotate a file: words/s of each step, and of all steps together.

    speeds = measure("test.conllu", [load("parser.safetensors")], threads=(1, 2))
    speeds.words_per_second["parsing"][1]

Everything happens in memory and after a first pass, so that the row caches hold the file's words:
it is the speed on a long file. The time that a process needs to start is not included.
"""

import io
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from statistics import median
from typing import Any, TypeVar

import numpy as np

from meprop_nlp.data.conll.chunks import CHUNK_BYTES, Chunk, Document, read_chunks, read_documents
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import DataError
from meprop_nlp.models.annotate import annotate, write
from meprop_nlp.models.batches import in_batches
from meprop_nlp.models.encoder import States
from meprop_nlp.models.model import Model
from meprop_nlp.models.prediction import Prediction
from meprop_nlp.models.words import DocumentWords, PredictedWords, SentenceWords, Words
from meprop_nlp.native import core, kernels_in_use, why_missing

LARGEST = 64 << 20  # most bytes of the file to hold in memory
SECONDS = 0.25  # least duration of annotating the text once, on one thread
CHUNKS_PER_THREAD = 2

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Speeds:
    """The speeds that were measured.

    Attributes:
        words, sentences: the numbers of words and sentences in the file.
        timed_words: the words of one round: a small file repeated, or the beginning of a large one.
        rounds: how often each step was timed; the steps take turns.
        words_per_second: medians by step (reading, encoding, tagging, lemmatizing, parsing,
            writing, together) and by number of threads; without the steps that the models lack.
    """

    words: int
    sentences: int
    timed_words: int
    rounds: int
    words_per_second: dict[str, dict[int, float]]


def decoding_kernels() -> str:
    """Return a short description of the kernels that tagging and parsing use."""
    return kernels_in_use() if core() is not None else f"NumPy: {why_missing()}"


def measure(
    path: str | os.PathLike[str],
    models: Sequence[Model],
    *,
    threads: Sequence[int] = (1,),
    rounds: int = 5,
    seconds: float = SECONDS,
    input_format: str = "auto",
) -> Speeds:
    """Time each step of annotating a file of UTF-8.

    Args:
        path: a file, which is read more than once.
        models: the models that annotate it, one after the other.
        threads: the numbers of threads to measure with.
        rounds: how often to time each step.
        seconds: the least time that annotating the timed text should take.
        input_format: as for `conll.read`.

    Raises:
        ConlluError, DataError: the file has faults, cannot be read, or has no sentences.
        MePropError: the weights give scores that are not finite.
    """
    n_sentences, n_words = _counts(path, input_format)
    if not n_sentences:
        raise DataError(f"no sentences in {os.fspath(path)}")
    least = CHUNKS_PER_THREAD * max(threads)
    parts = _beginning(path, input_format)
    together = partial(annotate, models=models, input_format=input_format)
    _long_enough(parts, together, seconds, least)  # fills the row caches, which is not timed
    text = _long_enough(parts, together, seconds, least)
    steps, timed_words = _steps(text, models, input_format)
    samples: dict[tuple[str, int], list[float]] = {}
    for _ in range(rounds):
        for name, step in steps.items():
            for n in threads:
                start = time.perf_counter()
                step(n)
                samples.setdefault((name, n), []).append(time.perf_counter() - start)
    speeds = {name: {n: timed_words / median(samples[name, n]) for n in threads} for name in steps}
    return Speeds(n_words, n_sentences, timed_words, rounds, speeds)


def _counts(path: str | os.PathLike[str], input_format: str) -> tuple[int, int]:
    """Return the numbers of sentences and words; raise the file's faults."""
    n_sentences = n_words = 0
    for item in read_documents(path, input_format=input_format):
        if isinstance(item, Sentence):
            n_sentences += 1
            n_words += len(item)
        else:
            n_sentences += item.n_sentences
            n_words += item.n_words
    return n_sentences, n_words


def _beginning(path: str | os.PathLike[str], input_format: str) -> list[bytes]:
    """Return parts of the size of a chunk: the beginning of the file, or all of it repeated."""
    parts: list[bytes] = []
    for chunk in read_chunks(path, input_format=input_format):
        parts.append(chunk.text())
        if sum(map(len, parts)) > LARGEST:
            break
    whole = b"".join(parts)
    return [whole * (1 + CHUNK_BYTES // len(whole))] if len(whole) < CHUNK_BYTES else parts


def _long_enough(
    parts: Sequence[bytes], together: Callable[[Any], Iterable[Any]], seconds: float, least: int
) -> bytes:
    """Return enough parts, at least `least`, that annotating them takes `seconds`."""
    taken: list[bytes] = []
    start = time.perf_counter()
    for part in cycle(parts):
        deque(together(io.BytesIO(part)), maxlen=0)
        taken.append(part)
        if time.perf_counter() - start >= seconds and len(taken) >= least:
            break
    return b"".join(taken)


def _steps(
    text: bytes, models: Sequence[Model], input_format: str
) -> tuple[dict[str, Callable[[int], object]], int]:
    """Return each step as a function of the number of threads, and the number of words."""

    def chunked() -> Iterator[Chunk]:
        return read_chunks(io.BytesIO(text), input_format=input_format)

    # several models may have steps of one name
    parts: dict[str, list[Callable[[int], object]]] = {}
    parts["reading"] = [lambda n: _run(_read, chunked(), n)]
    batches = [batch for chunk in chunked() for batch in _read(chunk)]
    words = [_words(batch) for batch in batches]
    predictions = [Prediction() for _ in batches]
    for model in models:
        states: list[States | None] = [None for _ in batches]
        if model.encoder is not None:
            encode = partial(_called, model.encoder)
            given = [(some,) for some in words]
            parts.setdefault("encoding", []).append(partial(_run, encode, given))
            states = list(map(encode, given))
        for head in model.running_heads:
            read = [PredictedWords(*pair) for pair in zip(words, predictions, strict=True)]
            step = list(zip(read, states, strict=True))
            annotate_with = partial(_called, head.annotate)
            parts.setdefault(head.activity, []).append(partial(_run, annotate_with, step))
            later = map(annotate_with, step)
            predictions = [one | two for one, two in zip(predictions, later, strict=True)]
    writers = [
        partial(_written, batch) if isinstance(batch, list) else partial(write, batch, prediction)
        for batch, prediction in zip(batches, predictions, strict=True)
    ]
    parts["writing"] = [lambda n: _run(lambda writer: writer(), writers, n)]
    parts["together"] = [
        lambda n: deque(
            annotate(io.BytesIO(text), models, input_format=input_format, threads=n), maxlen=0
        )
    ]
    steps: dict[str, Callable[[int], object]] = {
        name: partial(_each, own) for name, own in parts.items()
    }
    return steps, sum(int(some.bounds[-1]) for some in words)


def _each(parts: Sequence[Callable[[int], object]], n: int) -> None:
    for part in parts:
        part(n)


@np.errstate(all="ignore")  # an overflow shows in the scores, as in `Model.annotate`
def _called(function: Callable[..., T], arguments: Sequence[Any]) -> T:
    return function(*arguments)


def _read(chunk: Chunk) -> list[Document | list[Sentence]]:
    document = chunk.document()
    if document is not None:
        return [document]
    sentences = (block for block in chunk.blocks() if isinstance(block, Sentence))
    return list(in_batches(sentences))


def _words(batch: Document | list[Sentence]) -> Words:
    return SentenceWords(batch) if isinstance(batch, list) else DocumentWords(batch)


def _written(sentences: Sequence[Sentence]) -> bytes:
    """Write sentences as `annotate` does; the predictions would not change the time."""
    return "".join(sentence.to_text() for sentence in sentences).encode("utf-8", "surrogatepass")


def _run(work: Callable[[T], Any], items: Iterable[T], threads: int) -> None:
    if threads == 1:
        deque(map(work, items), maxlen=0)
        return
    with ThreadPoolExecutor(threads) as pool:
        deque(pool.map(work, items), maxlen=0)
