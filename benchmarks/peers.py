"""spaCy and UDPipe on the same words, each in two processes with half of the words.

The peers get the words as lists, or texts, and return trees in memory; only that is timed. Our
models read a file and write CoNLL-U, on as many threads.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from conditions import interleaved, quartiles

from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.models.annotate import annotate
from meprop_nlp.models.model import Model
from meprop_nlp.scoring.metrics import evaluate

ROUNDS = 3  # a peer's round takes some seconds
BATCH_SIZE = 1000  # of spaCy's pipe


class Spacy:
    """A pipeline of spaCy."""

    def __init__(self, path: str) -> None:
        import spacy

        self._nlp = spacy.load(path)

    def prepare(self, sentences: Sequence[Sequence[str]]) -> None:
        """Make the documents that `run` annotates, one for each sentence."""
        from spacy.tokens import Doc

        self._docs = [Doc(self._nlp.vocab, words=list(words)) for words in sentences]
        for doc in self._docs:
            doc[0].is_sent_start = True

    def run(self) -> None:
        """Annotate the prepared sentences."""
        self._docs = list(self._nlp.pipe(self._docs, batch_size=BATCH_SIZE))

    def columns(self) -> Iterator[dict[str, list[Any]]]:
        """Yield the predicted CoNLL-U columns of each sentence."""
        for doc in self._docs:
            yield {
                "upos": [token.pos_ for token in doc],
                "xpos": [token.tag_ for token in doc],
                "head": [0 if token.head.i == token.i else token.head.i + 1 for token in doc],
                "deprel": ["root" if t.head.i == t.i else t.dep_ for t in doc],
            }


class SpacyOfTexts:
    """A pipeline of spaCy, with the tokenizer of its language."""

    def __init__(self, path: str) -> None:
        import spacy

        self._nlp = spacy.load(path)

    def prepare(self, texts: Sequence[str]) -> None:
        """Keep the texts that `run` annotates."""
        self._texts = texts

    def run(self) -> None:
        """Annotate the texts, and drop the documents, so that memory is not what is timed."""
        for _ in self._nlp.pipe(self._texts, batch_size=BATCH_SIZE):
            pass


class Udpipe:
    """A model of UDPipe 1 with a tagger and a parser."""

    def __init__(self, path: str) -> None:
        from ufal import udpipe

        self._model = udpipe.Model.load(path)
        if not self._model:
            raise SystemExit(f"{path}: is no model of UDPipe")

    def prepare(self, sentences: Sequence[Sequence[str]]) -> None:
        """Make the sentences that `run` annotates."""
        from ufal import udpipe

        self._sentences = []
        for words in sentences:
            sentence = udpipe.Sentence()
            for word in words:
                sentence.addWord(word)
            self._sentences.append(sentence)

    def run(self) -> None:
        """Annotate the prepared sentences."""
        for sentence in self._sentences:
            self._model.tag(sentence, "")
            self._model.parse(sentence, "")

    def columns(self) -> Iterator[dict[str, list[Any]]]:
        """Yield the predicted CoNLL-U columns of each sentence."""
        for sentence in self._sentences:
            words = list(sentence.words)[1:]  # the first is the root
            yield {
                "upos": [word.upostag for word in words],
                "xpos": [word.xpostag for word in words],
                "head": [word.head for word in words],
                "deprel": [word.deprel for word in words],
            }


Kind = type[Spacy] | type[SpacyOfTexts] | type[Udpipe]
# the class, the package it needs, and the option that names its model
PEERS: dict[str, tuple[Kind, str, str]] = {
    "spaCy": (Spacy, "spacy", "spacy_model"),
    "UDPipe": (Udpipe, "ufal.udpipe", "udpipe_model"),
}
PEERS_OF_TEXT: dict[str, tuple[Kind, str, str]] = {"spaCy": (SpacyOfTexts, "spacy", "spacy_model")}


class InProcess:
    """A peer in a process of its own, which keeps the model loaded."""

    def __init__(self, kind: Kind, path: Path) -> None:
        self._pool = ProcessPoolExecutor(
            1, mp_context=get_context("spawn"), initializer=_load, initargs=(kind, str(path))
        )

    def start(self, method: str, *given: Any) -> Any:
        """Call a method of the peer there; return the future."""
        return self._pool.submit(_call, method, given)

    def end(self) -> None:
        """End the process."""
        self._pool.shutdown()


_peer: Any = None  # of a process that `InProcess` started


def _load(kind: Kind, path: str) -> None:
    global _peer
    _peer = kind(path)


def _call(method: str, given: Sequence[Any]) -> Any:
    made = getattr(_peer, method)(*given)
    return None if made is None else list(made)


def in_all(processes: Sequence[InProcess], method: str, given: Sequence[Sequence[Any]]) -> None:
    """Call a method in each process at once, and wait."""
    futures = [process.start(method, *each) for process, each in zip(processes, given, strict=True)]
    for future in futures:
        future.result()


def installed(
    options: argparse.Namespace, peers: Mapping[str, tuple[Kind, str, str]] = PEERS
) -> Iterator[tuple[str, Any, Path]]:
    """Yield the peers that can be measured; print why another cannot."""
    for name, (kind, package, option) in peers.items():
        path = getattr(options, option)
        if options.quick:
            print(f"{name} is left out of a quick run")
        elif find_spec(package.partition(".")[0]) is None:
            print(f"{name} is left out: not installed, see pip install -e .[peers]")
        elif path is None or not path.exists():
            print(f"{name} is left out: no model, give --{option.replace('_', '-')}")
        else:
            yield name, kind, path


def measure_peers(
    path: Path,
    dev: Path,
    systems: Mapping[str, Sequence[Model]],
    options: argparse.Namespace,
    threads: int,
    shorter: Mapping[str, Path] | None = None,
) -> dict[str, Any]:
    """Time our models and the peers in turn on a file; score all on dev, with predicted tags.

    A system of ours is the models that run one after the other. `shorter` has, by name, the files
    that slow ones annotate instead.
    """
    sentences = [sentence.column("form") for sentence in read(path)]
    n_words = sum(map(len, sentences))
    shorter = shorter or {}
    words_of = {name: sum(map(len, read(file))) for name, file in shorter.items()}
    shares = [sentences[i::threads] for i in range(threads)]
    functions: dict[str, Callable[..., object]] = {}
    before: dict[str, Callable[[], object]] = {}
    scores: dict[str, Any] = {}
    for system, models in systems.items():
        functions[system] = partial(_run_models, shorter.get(system, path), models, threads)
        before[system] = lambda: None
        annotated: Iterable[Sentence] = read(dev)
        for model in models:
            annotated = model.pipe(annotated)
        scores[system] = _scores(read(dev), annotated)
    running: list[InProcess] = []
    try:
        for name, kind, place in installed(options):
            processes = [InProcess(kind, place) for _ in range(threads)]
            running += processes
            scores[name] = score(processes[0], dev)
            print(f"{name} on {dev.name}: {scores[name]}", flush=True)
            functions[name] = partial(run_peer, processes)
            before[name] = partial(in_all, processes, "prepare", [(share,) for share in shares])
        samples = interleaved(functions, min(ROUNDS, options.rounds), warm_up=1, before=before)
    finally:
        for process in running:
            process.end()
    seconds = {name: quartiles(times) for name, times in samples.items()}
    return {
        "words": n_words,
        "words_per_second": {
            name: round(words_of.get(name, n_words) / q[1]) for name, q in seconds.items()
        },
        "seconds": {name: [round(s, 4) for s in q] for name, q in seconds.items()},
        "dev": scores,
    }


def score(process: InProcess, dev: Path) -> dict[str, float]:
    """Return a peer's scores on gold words with its own tags."""
    gold: list[Sentence] = list(read(dev))
    process.start("prepare", [sentence.column("form") for sentence in gold]).result()
    process.start("run").result()
    columns = process.start("columns").result()
    system = (s.with_columns(**predicted) for s, predicted in zip(gold, columns, strict=True))
    return _scores(gold, system)


def _scores(gold: Iterable[Sentence], system: Iterable[Sentence]) -> dict[str, float]:
    scores = evaluate(gold, system)
    return {name: round(getattr(scores, name), 2) for name in ("upos", "uas", "las")}


def _run_models(path: Path, models: Sequence[Model], threads: int, _: None) -> None:
    with path.with_suffix(".out").open("wb") as output:
        for piece in annotate(path, models, threads=threads):
            output.write(piece.text)


def run_peer(processes: Sequence[InProcess], _: None) -> None:
    """Let all processes annotate what they have prepared."""
    in_all(processes, "run", [()] * len(processes))
