"""How fast tagging and parsing go: cut and uncut models, whole files, start, memory, peers.

    python benchmarks/bench_decode.py --train [--data data/ud-english-ewt]
    python benchmarks/bench_decode.py --tagger T --parser P --default-tagger U --default-parser Q

Annotates UD English EWT's test file, repeated up to --words. First the trees and tags are compared
with NumPy's. Programs that are compared take turns. spaCy and UDPipe are measured too if they are
installed and a model is given. Takes about half an hour, and as long again to train the models;
nothing else should run meanwhile. Writes benchmarks/results/decode.json.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from conditions import arguments, conditions, refuse_without_core, save
from decode_checks import check
from decode_models import DEFAULT, SMALL, Pair, add_options, load_pair, model_paths, uncut_parser
from decode_pace import at_least_words, documents_of, timed, timed_models
from decode_table import comparison, peers_table, report
from peers import measure_peers

from meprop_nlp.commands.processes import peak_bytes, seconds
from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.conll.writing import write, write_pieces
from meprop_nlp.data.sample.treebank import sample_treebank
from meprop_nlp.models.annotate import annotate

THREADS = 2
SMALL_FILE_WORDS = 200
STARTS = 7  # fresh processes on the small file, except in a quick run


def options_of(words: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    treebanks = Path(os.environ.get("MEPROP_NLP_DATA", "data"))

    def more(parser: argparse.ArgumentParser) -> None:
        add_options(parser)
        parser.add_argument("--data", type=Path, default=treebanks / "ud-english-ewt")
        parser.add_argument(
            "--words", type=int, default=2_000_000, help="size of the repeated file"
        )
        parser.add_argument("--rounds", type=int, default=5, help="medians of so many rounds")
        parser.add_argument("--peer-words", type=int, default=200_000, help="for the peers")
        parser.add_argument("--spacy-model", type=Path, default=Path("../shared/peers/spacy-ewt"))
        parser.add_argument("--udpipe-model", type=Path, metavar="FILE")

    options = arguments(__doc__.splitlines()[0], "decode", words, more)
    if options.quick:
        options.words, options.rounds, options.peer_words = 2000, 1, 1000
    return options


def first_words(path: Path, n_words: int, target: Path) -> int:
    """Write a file's first sentences with at least `n_words`; return the number of words."""
    taken, count = [], 0
    for sentence in read(path):
        if count >= n_words:
            break
        taken.append(sentence)
        count += len(sentence)
    write(taken, target)
    return count


def in_memory(path: Path, pairs: Mapping[str, Pair], uncut: Any, rounds: int) -> dict[str, Any]:
    """Time parsing alone and tagging alone, on one thread, of documents in memory."""
    documents = documents_of(path)
    parsers = {name: pair.parser for name, pair in pairs.items()} | {"uncut": uncut}
    taggers = {name: pair.tagger for name, pair in pairs.items()}
    return {
        "parse": timed_models(parsers, documents, rounds),
        "tag": timed_models(taggers, documents, rounds),
    }


def read_and_write(path: Path, target: Path) -> None:
    """Copy a file through the native reader and writer, on one thread."""
    write_pieces((piece.text for piece in annotate(path, [])), target)


def command(pair: Pair, path: Path, target: Path) -> list[str | Path]:
    """Return the command line that tags and parses a file."""
    models: list[str | Path] = ["--model", pair.parser_path, "--tagger", pair.tagger_path]
    return ["parse", *models, "--threads", str(THREADS), "--quiet", path, "-o", target]


def whole_files(
    path: Path, words: int, pairs: Mapping[str, Pair], rounds: int, folder: Path
) -> dict[str, Any]:
    """Time copying a file, and tagging and parsing it in a new process; measure its memory."""
    target = folder / "out.conllu"
    read_and_write(path, target)
    if target.read_bytes() != path.read_bytes():
        raise SystemExit("the copy of the file differs from it; nothing is timed")
    small = folder / "small.conllu"
    starts = max(rounds, STARTS) if rounds > 1 else 1
    small_words = first_words(path, SMALL_FILE_WORDS, small)

    def processes(source: Path) -> dict[str, Callable[[], object]]:
        return {n: partial(seconds, command(pair, source, target)) for n, pair in pairs.items()}

    return {
        "copy": timed({"core": partial(read_and_write, path, target)}, rounds, words),
        "file": timed(processes(path), rounds, words),
        "small": {**timed(processes(small), starts, small_words), "words": small_words},
        "peak_bytes": {
            name: peak_bytes(command(pair, path, target), folder / "status")
            for name, pair in pairs.items()
        },
    }


def main(words: Sequence[str] | None = None) -> None:
    """Check, measure, print and write."""
    refuse_without_core()
    options = options_of(words)
    paths = model_paths(options, options.data)
    pairs = {SMALL: load_pair(paths, ""), DEFAULT: load_pair(paths, "default_")}
    uncut, weights = uncut_parser(paths, pairs[DEFAULT].parser)
    parts = ("dev", "test")
    files = [sample_treebank(p) if options.quick else options.data / f"{p}.conllu" for p in parts]
    named = {
        f"{name}, {model.task}": model
        for name, pair in pairs.items()
        for model in (pair.tagger, pair.parser)
    }
    checks = check({**named, "uncut, parser": uncut}, files)
    results: dict[str, Any] = {
        "conditions": {**conditions(), "threads": THREADS, "rounds": options.rounds},
        "models": {name: pair.described() for name, pair in pairs.items()},
        "uncut": {"neurons": uncut.file.arrays["layers.0.bias"].size, "weights": weights},
        "checks": checks,
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        big, some = folder / "big.conllu", folder / "some.conllu"
        results["words"] = at_least_words(files[1], options.words, big)
        results |= in_memory(big, pairs, uncut, options.rounds)
        results |= whole_files(big, results["words"], pairs, options.rounds, folder)
        at_least_words(files[1], options.peer_words, some)
        systems = {name: [pair.tagger, pair.parser] for name, pair in pairs.items()}
        results["peers"] = measure_peers(some, files[0], systems, options, THREADS)
    results["table"], results["peers_table"] = comparison(results), peers_table(results)
    report(results)
    save(results, options.output)


if __name__ == "__main__":
    main()
