"""The pace from running text to trees, file to file with all heads, beside spaCy's.

    python benchmarks/bench_text.py box=en default=models/model.safetensors

Annotates the text of UD English EWT's test and dev files, repeated up to --words, on two threads;
spaCy, with its rule tokenizer and from texts to trees in memory, in two processes. They take turns,
with the tokenizers alone on one thread. Words are those of the treebank. Then measures the time
from the start of Python to the first tree, and the memory that --megabytes of text from a pipe
take. Nothing else should run meanwhile. Adds "pace" to benchmarks/results/raw_text.json.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from math import ceil
from pathlib import Path
from threading import Thread
from typing import Any

from conditions import (
    arguments,
    conditions,
    interleaved,
    quartiles,
    refuse_without_core,
    save,
    stored,
)
from peers import PEERS_OF_TEXT, InProcess, in_all, installed, run_peer
from raw_text import demand_same_text, named
from tables.texts import PACE_OF_TEXT, text_pace_rows

from meprop_nlp.commands.processes import peak_bytes
from meprop_nlp.commands.tables import table
from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.conll.writing import write_pieces
from meprop_nlp.data.sample.treebank import sample_treebank
from meprop_nlp.data.text import read_texts
from meprop_nlp.data.tokens.boundaries import raw_text
from meprop_nlp.models.annotate import annotate
from meprop_nlp.models.boxed import model_file
from meprop_nlp.models.model import Model, load

THREADS = 2
STARTS = 5  # of Python, at least, unless the run is quick
TOKENIZER = " (tokenizer)"  # ends the names of what is timed
SENTENCE = "Time flies like an arrow."
FIRST_TREE = """
import sys, time
start = time.perf_counter()
from meprop_nlp import load
model, text = sys.argv[1:]
print(load(model)(text)[0].to_text())
print(time.perf_counter() - start, file=sys.stderr)
"""


def options_of(words: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    treebanks = Path(os.environ.get("MEPROP_NLP_DATA", "data"))

    def more(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("models", nargs="+", metavar="NAME=MODEL")
        parser.add_argument("--data", type=Path, default=treebanks / "ud-english-ewt")
        parser.add_argument("--words", type=int, default=200_000)
        parser.add_argument("--rounds", type=int, default=3, help="medians of so many rounds")
        parser.add_argument("--megabytes", type=float, default=100, help="to measure memory with")
        parser.add_argument("--spacy-model", type=Path, default=Path("../shared/peers/spacy-ewt"))

    options = arguments(__doc__.splitlines()[0], "raw_text", words, more)
    if options.quick:
        options.words, options.rounds, options.megabytes = 1000, 1, 0.1
    return options


def to_file(source: Path, model: Model, target: Path, _: object = None) -> None:
    """Annotate a text file and write CoNLL-U."""
    pieces = annotate(source, [model], input_format="text", threads=THREADS)
    write_pieces((piece.text for piece in pieces), target)


def tokenize(model: Model, texts: Sequence[str], _: object = None) -> None:
    """Find the words of texts, on one thread."""
    assert model.tokenizer is not None
    for text in texts:
        model.tokenizer.conllu(text)


def timed(
    source: Path, n_words: int, models: Mapping[str, Model], options: argparse.Namespace
) -> dict[str, Any]:
    """Time models, their tokenizers, and spaCy on a text, in turns."""
    texts = [chunk.text for chunk in read_texts(source)]
    paragraphs = "".join(texts).split("\n\n")
    shares = [(paragraphs[i::THREADS],) for i in range(THREADS)]
    functions: dict[str, Callable[..., object]] = {}
    for name, model in models.items():
        functions[name] = partial(to_file, source, model, source.with_suffix(".conllu"))
        functions[name + TOKENIZER] = partial(tokenize, model, texts)
    before: dict[str, Callable[[], object]] = dict.fromkeys(functions, lambda: None)
    running: list[InProcess] = []
    try:
        for name, kind, path in installed(options, PEERS_OF_TEXT):
            processes = [InProcess(kind, path) for _ in range(THREADS)]
            running += processes
            functions[name] = partial(run_peer, processes)
            before[name] = partial(in_all, processes, "prepare", shares)
        samples = interleaved(functions, options.rounds, warm_up=1, before=before)
    finally:
        for process in running:
            process.end()
    paces: dict[str, dict[str, Any]] = {
        which: {"words_per_second": {}, "seconds": {}} for which in ("system", "tokenizer")
    }
    for name, times in samples.items():
        pace = paces["tokenizer" if name.endswith(TOKENIZER) else "system"]
        seconds = quartiles(times)
        pace["words_per_second"][name.removesuffix(TOKENIZER)] = round(n_words / seconds[1])
        pace["seconds"][name.removesuffix(TOKENIZER)] = [round(s, 4) for s in seconds]
    return {"words": n_words, **paces["system"], "tokenizer": paces["tokenizer"]}


def first_trees(models: Mapping[str, str], starts: int) -> dict[str, Any]:
    """Time a new Python up to its first tree, in turns.

    Returns:
        quartiles of the seconds by model: `process`, of all of it; `load`, from the import of the
        package to the tree.
    """
    within: dict[str, list[float]] = {name: [] for name in models}

    def start(name: str, model: str) -> None:
        command = [sys.executable, "-c", FIRST_TREE, model, SENTENCE]
        ended = subprocess.run(command, check=True, capture_output=True, text=True)
        within[name].append(float(ended.stderr))

    starting = {name: partial(start, name, model) for name, model in models.items()}
    samples = interleaved(starting, starts, warm_up=1)
    return {
        "process": {name: quartiles(times) for name, times in samples.items()},
        "load": {name: quartiles(times[1:]) for name, times in within.items()},
    }


def peak(model: str, text: bytes, megabytes: float, folder: Path) -> int | None:
    """Return the memory that annotating a text takes at most, which comes through a pipe.

    Args:
        text: what is repeated, whole.
        megabytes: how long the whole text is at least.
    """
    pipe, copies = folder / "pipe", ceil(megabytes * 1e6 / len(text))
    os.mkfifo(pipe)

    def feed() -> None:
        with suppress(BrokenPipeError), pipe.open("wb") as stream:
            for _ in range(copies):
                stream.write(text)

    # a daemon: where the command fails before it opens the pipe, nobody waits for the feeder
    Thread(target=feed, daemon=True).start()
    command = ["annotate", str(pipe), "--model", model, "--input-format", "text", "--quiet"]
    try:
        return peak_bytes([*command, "--threads", str(THREADS)], folder / "status")
    finally:
        pipe.unlink()


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print and write."""
    refuse_without_core()
    options = options_of(words)
    names = named(options.models)
    models = {name: load(model) for name, model in names.items()}
    for name, model in models.items():
        if model.tokenizer is None:
            raise SystemExit(f"{names[name]}: the model has no tokenizer")
    parts = ("test", "dev")
    files = [sample_treebank(p) if options.quick else options.data / f"{p}.conllu" for p in parts]
    sentences = list(chain.from_iterable(map(read, files)))
    once, n_words = raw_text(sentences), sum(map(len, sentences))
    copies = -(-options.words // n_words)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        source = folder / "text.txt"
        source.write_bytes(once.encode())
        for name, model in models.items():
            to_file(source, model, folder / "once.conllu")
            demand_same_text(read(folder / "once.conllu"), once, name)
        source.write_bytes("\n".join([once] * copies).encode())
        pace = timed(source, copies * n_words, models, options)
        pace["first_tree"] = first_trees(names, 1 if options.quick else STARTS)
        repeated = f"{once}\n".encode()
        peaks = {n: peak(m, repeated, options.megabytes, folder) for n, m in names.items()}
    pace["peak"] = {"megabytes": options.megabytes, "bytes": peaks}
    pace["bytes"] = {name: Path(model_file(m)).stat().st_size for name, m in names.items()}
    pace["conditions"] = {**conditions(), "threads": THREADS, "rounds": options.rounds}
    print(table(PACE_OF_TEXT, text_pace_rows(pace)))
    if options.output:
        save({**stored(options.output), "pace": pace}, options.output)


if __name__ == "__main__":
    main()
