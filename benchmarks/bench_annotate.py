"""The pace of joint models, CoNLL-U file to file with all heads, beside spaCy's.

    python benchmarks/bench_annotate.py uncut=models/model.safetensors cut=models/small.safetensors

Annotates UD English EWT's test and dev files, repeated up to --words, on two threads; spaCy, from
words to trees in memory, in two processes. They take turns. Nothing else should run meanwhile. Adds
"pace" to benchmarks/results/joint.json.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from conditions import arguments, conditions, refuse_without_core, save, stored
from decode_pace import at_least_words
from peers import measure_peers
from tables.joint import PACE, pace_rows

from meprop_nlp.commands.tables import table
from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.conll.writing import write
from meprop_nlp.data.sample.treebank import sample_treebank
from meprop_nlp.models.model import load

THREADS = 2


def pace_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of what is annotated, how often, and beside what."""
    treebanks = Path(os.environ.get("MEPROP_NLP_DATA", "data"))
    parser.add_argument("--data", type=Path, default=treebanks / "ud-english-ewt")
    parser.add_argument("--words", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3, help="medians of so many rounds")
    parser.add_argument("--spacy-model", type=Path, default=Path("../shared/peers/spacy-ewt"))
    parser.add_argument("--udpipe-model", type=Path, metavar="FILE")


def options_of(words: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""

    def more(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("models", nargs="+", metavar="NAME=FILE")
        pace_options(parser)

    options = arguments(__doc__.splitlines()[0], "joint", words, more)
    if options.quick:
        options.words, options.rounds = 1000, 1
    return options


def long_file(options: argparse.Namespace, folder: str) -> tuple[Path, Path]:
    """Write the file that is annotated, test and dev repeated; return it, and dev."""
    parts = ("test", "dev")
    files = [sample_treebank(p) if options.quick else options.data / f"{p}.conllu" for p in parts]
    once, long = Path(folder, "once.conllu"), Path(folder, "long.conllu")
    write(chain.from_iterable(map(read, files)), once)
    at_least_words(once, options.words, long)
    return long, files[1]


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print and write."""
    refuse_without_core()
    options = options_of(words)
    paths = {name: Path(path) for name, _, path in (m.partition("=") for m in options.models)}
    with tempfile.TemporaryDirectory() as folder:
        long, dev = long_file(options, folder)
        systems = {name: [load(path)] for name, path in paths.items()}
        pace = measure_peers(long, dev, systems, options, THREADS)
    pace["bytes"] = {name: path.stat().st_size for name, path in paths.items()}
    pace["conditions"] = {**conditions(), "threads": THREADS, "rounds": options.rounds}
    print(table(PACE, pace_rows(pace)))
    if options.output:
        save({**stored(options.output), "pace": pace}, options.output)


if __name__ == "__main__":
    main()
