"""Speed against score: models cut from 500 neurons down, beside small ones trained as such.

    python benchmarks/curve.py [--data data/ud-english-ewt] [--folder models/curve]

Trains the models that are not in the folder yet by the command line, and resumes an interrupted
training. Each model is scored on dev (the parser with gold tags) and timed on one thread; the
models of a task take turns. Writes benchmarks/results/curve.json, and curve.png and curve.svg
beside it with matplotlib (pip install -e .[plots]); `--draw` only draws. Takes an hour or two on
two cores, training included.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from conditions import FOLDER, arguments, conditions, refuse_without_core, save
from curve_plot import SCORE, draw
from decode_models import train
from decode_pace import at_least_words, documents_of, timed_models

from meprop_nlp.commands.tables import table
from meprop_nlp.data.sample.treebank import sample_treebank
from meprop_nlp.models.model import load

CUT, SMALL = "cut while training (meSimp)", "small from the start"
UNCUT, DEFAULT = "500 uncut", "default"

# by task: (how, name of the file, options of the training)
Runs = tuple[tuple[str, str, str], ...]
SMALL_RUNS: Runs = tuple(
    (SMALL, f"small-{hidden}", f"--hidden {hidden}") for hidden in (256, 100, 64, 32)
)
CUT_RUNS: Runs = tuple(
    (CUT, f"cut-{round(keep * 500)}", f"--simplify --keep {keep}") for keep in (0.512, 0.128, 0.064)
)
ALL_RUNS: Runs = ((UNCUT, "uncut", ""), (CUT, DEFAULT, "--simplify"), *CUT_RUNS, *SMALL_RUNS)
RUNS: dict[str, Runs] = {"parser": ALL_RUNS, "tagger": ALL_RUNS}
QUICK: Runs = (
    (UNCUT, "uncut", "--hidden 40 --epochs 2"),
    (CUT, DEFAULT, "--hidden 40 --epochs 3 --simplify --first-cut-epoch 1"),
    (SMALL, "small-8", "--hidden 8 --epochs 2"),
)


def options_of(words: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    treebanks = Path(os.environ.get("MEPROP_NLP_DATA", "data"))

    def more(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--data", type=Path, default=treebanks / "ud-english-ewt")
        parser.add_argument(
            "--folder", type=Path, default=Path("models/curve"), help="with the models"
        )
        parser.add_argument("--words", type=int, default=200_000, help="of dev, repeated, to time")
        parser.add_argument("--rounds", type=int, default=5, help="medians of so many rounds")
        parser.add_argument("--draw", action="store_true", help="only draw the stored results")

    options = arguments(__doc__.splitlines()[0], "curve", words, more)
    if options.quick:
        options.words, options.rounds, options.data = 2000, 2, None
    return options


def points(task: str, runs: Runs, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Train the models of a task that are missing; score and time all of them."""
    dev = sample_treebank("dev") if options.data is None else options.data / "dev.conllu"
    found, models = [], {}
    for how, name, settings in runs:
        path = options.folder / f"{task}-{name}.safetensors"
        command = f"train-{task} {settings}".strip()
        train(command, options.data, path)
        model = models[name] = load(path)
        neurons = model.file.header.get("neurons", {})
        found.append(
            {
                "task": task,
                "how": how,
                "name": name,
                "command": command,
                "neurons": list(neurons.values()),
                "bytes": path.stat().st_size,
                "score": round(getattr(model.evaluate(dev), SCORE[task].lower()), 2),
            }
        )
    with tempfile.TemporaryDirectory() as folder:
        repeated = Path(folder, "dev.conllu")
        at_least_words(dev, options.words, repeated)
        pace = timed_models(models, documents_of(repeated), options.rounds)
    for point in found:
        point["words_per_second"] = pace["words_per_second"][point["name"]]
        point["seconds"] = pace["seconds"][point["name"]]
    return found


def show(results: dict[str, Any]) -> None:
    """Print the points."""
    for task in RUNS:
        rows = [
            [
                point["command"],
                " + ".join(map(str, point["neurons"])),
                f"{point['score']:.2f}",
                f"{point['words_per_second']:,}",
                f"{point['bytes'] / 1e6:.1f}",
            ]
            for point in results["points"]
            if point["task"] == task
        ]
        print(f"\n{table([task, 'neurons', f'dev {SCORE[task]}', 'words/s', 'MB'], rows)}")


def main(words: Sequence[str] | None = None) -> None:
    """Train, measure, print, write and draw."""
    options = options_of(words)
    if options.draw:
        path = options.output or FOLDER / "results" / "curve.json"
        results = json.loads(path.read_text(encoding="utf-8"))
    else:
        refuse_without_core()
        measured = []
        for task, runs in RUNS.items():
            measured += points(task, QUICK if options.quick else runs, options)
        results = {"conditions": {**conditions(), "threads": 1}, "points": measured}
        save(results, options.output)
    show(results)
    if options.output is None and not options.draw:
        return
    if find_spec("matplotlib") is None:
        print("no picture: matplotlib is not installed, see pip install -e .[plots]")
        return
    draw(results, options.output or path)


if __name__ == "__main__":
    main()
