"""The pace of a teacher that reads a transformer, of its students and of plain models.

    python benchmarks/bench_teachers.py MiniLM=FILE taught=FILE 'taught, simplified=FILE' plain=FILE

CoNLL-U file to file with all heads, on --threads threads, beside spaCy's, as in bench_annotate.py.
A model that reads a transformer annotates about --slow-words words, every so many-th sentence, and
the transformer reads them each time. They take turns; nothing else should run meanwhile. Adds
"pace" to benchmarks/results/teachers.json, of which readme.py makes the table of docs/teachers.md,
and teachers_plot.py the picture.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from bench_annotate import THREADS, long_file, pace_options
from conditions import arguments, conditions, refuse_without_core, save, stored
from peers import measure_peers
from tables.joint import PACE, pace_rows
from tables.teachers import RECIPE

from meprop_nlp.commands.tables import table
from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.conll.writing import write
from meprop_nlp.models.file import read_model_file
from meprop_nlp.models.model import Model, load
from meprop_nlp.models.word_states import FolderStates

NAMES = [name for name in RECIPE if name != "spaCy"]


def named_model(word: str) -> tuple[str, Path]:
    """Return the name and the file of NAME=FILE.

    Raises:
        ArgumentTypeError: the recipe has no such name.
    """
    name, equals, path = word.partition("=")
    if name not in NAMES or not equals:
        raise argparse.ArgumentTypeError(
            f"is {word}, expected NAME=FILE with one of these names: {'; '.join(NAMES)}"
        )
    return name, Path(path)


def options_of(words: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""

    def more(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("models", nargs="+", metavar="NAME=FILE", type=named_model)
        parser.add_argument("--pretrained", type=Path, help="where the transformer is by now")
        parser.add_argument("--slow-words", type=int, default=5000, help="with a transformer")
        parser.set_defaults(threads=THREADS)
        pace_options(parser)

    options = arguments(__doc__.splitlines()[0], "teachers", words, more)
    if options.quick:
        options.words, options.slow_words, options.rounds = 1000, 200, 1
    return options


def model_of(path: Path, pretrained: Path | None) -> Model:
    """Load a model, with its transformer from a folder if it reads one."""
    reads_one = "pretrained" in read_model_file(path).header
    return load(path, pretrained=pretrained if reads_one else None)


def transformer_bytes(model: Model) -> int:
    """Return the bytes of the weights of the transformer that a model reads; 0: it reads none."""
    if not isinstance(model.states, FolderStates):
        return 0
    found = model.states.card.find(model.states.folder)
    return sum(path.stat().st_size for path in found.weights)


def some_sentences(path: Path, n_words: int, target: Path) -> int:
    """Write about `n_words` of a file, every so many-th sentence; return how many words."""
    sentences = list(read(path))
    step = max(1, sum(map(len, sentences)) // n_words)
    write(sentences[::step], target)
    return sum(map(len, sentences[::step]))


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print and write."""
    refuse_without_core()
    options = options_of(words)
    paths = dict(options.models)
    models = {name: model_of(path, options.pretrained) for name, path in paths.items()}
    transformers = {name: transformer_bytes(model) for name, model in models.items()}
    transformers = {name: size for name, size in transformers.items() if size}
    torch.set_num_threads(options.threads)  # a transformer's, one call at a time
    with tempfile.TemporaryDirectory() as folder:
        long, dev = long_file(options, folder)
        short = Path(folder, "short.conllu")
        slow_words = some_sentences(long, options.slow_words, short)
        pace = measure_peers(
            long,
            dev,
            {name: [model] for name, model in models.items()},
            options,
            options.threads,
            dict.fromkeys(transformers, short),
        )
    pace |= {
        "slow_words": slow_words,
        "bytes": {name: path.stat().st_size for name, path in paths.items()},
        "transformer_bytes": transformers,
        "conditions": {**conditions(), "threads": options.threads, "rounds": options.rounds},
    }
    print(table(PACE, pace_rows(pace)))
    if options.output:
        save({**stored(options.output), "pace": pace}, options.output)


if __name__ == "__main__":
    main()
