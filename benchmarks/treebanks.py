"""The README's table: tagger and parser on real treebanks, dense, with meProp and with meSimp.

    python benchmarks/treebanks.py [--data data] [--only parser] [--folder models/ewt]

Runs the command line as a user would, one training after the other, and writes what came out to
benchmarks/results/treebanks.json; benchmarks/readme.py makes the table of it. Takes about half an
hour. The seconds are wall time: leave it a core of its own for each thread (OMP_NUM_THREADS).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from conditions import conditions, save, stored

from meprop_nlp.training.checkpoint import checkpoint_path

RESULTS = Path(__file__).parent / "results" / "treebanks.json"
PUNCTUATION = ["--exclude-punct"]

# whose tags EWT's parsers are scored with beside gold ones
TAGGER = "EWT tagger, meProp"

# name: (command, data folder, file ending, options, how the model is scored)
RUNS: dict[str, tuple[str, str, str, list[str], list[str]]] = {
    "EWT tagger, dense": ("tagger", "ud-english-ewt", "conllu", [], []),
    TAGGER: ("tagger", "ud-english-ewt", "conllu", ["--k", "50"], []),
    "EWT tagger, meSimp": ("tagger", "ud-english-ewt", "conllu", ["--simplify"], []),
    "EWT parser, dense": ("parser", "ud-english-ewt", "conllu", [], []),
    "EWT parser, meProp": ("parser", "ud-english-ewt", "conllu", ["--k", "50"], []),
    "EWT parser, meSimp": ("parser", "ud-english-ewt", "conllu", ["--simplify"], []),
    "PTB sample parser, dense": ("parser", "ptb-sample", "conllx", [], PUNCTUATION),
    "PTB sample parser, meSimp": ("parser", "ptb-sample", "conllx", ["--simplify"], PUNCTUATION),
}


def call(*words: str) -> str:
    """Run a command of meprop-nlp and return what it printed; exit with its status if it fails."""
    print("$ meprop-nlp", *words, flush=True)
    command = [sys.executable, "-m", "meprop_nlp.cli", *words]
    done = subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE)
    if done.returncode:
        raise SystemExit(done.returncode)
    return done.stdout


def model_name(name: str) -> str:
    """Return the name of a run as it is in the name of its model's file."""
    return name.lower().replace(", ", "-").replace(" ", "-")


def model_path(folder: Path, name: str) -> Path:
    """Return where the model of a run is kept."""
    return folder / f"{model_name(name)}.safetensors"


def run(name: str, data: Path, folder: Path) -> dict[str, Any]:
    """Train one model, score it on dev and test, and return all that came out."""
    tagger = model_path(folder, TAGGER)
    is_tagged = name.startswith("EWT parser")
    if is_tagged and not tagger.exists():
        raise SystemExit(f"there is no {tagger}; run with --only {TAGGER!r} first")
    task, treebank, ending, options, scoring = RUNS[name]
    train, dev, test = (
        str(data / treebank / f"{part}.{ending}") for part in ("train", "dev", "test")
    )
    model = model_path(folder, name)
    resumed = ["--resume"] if checkpoint_path(model).exists() else []
    start = time.perf_counter()
    call(f"train-{task}", "--train", train, "--dev", dev, "-o", str(model), *options, *resumed)
    seconds = time.perf_counter() - start
    info = json.loads(call("info", str(model), "--json"))
    log = model.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()
    epochs = [json.loads(line) for line in log]

    def scores(*options: str) -> dict[str, dict[str, float]]:
        found = {}
        for part, path in (("dev", dev), ("test", test)):
            printed = call("evaluate", path, "--model", str(model), "--json", *options)
            metrics = json.loads(printed)["metrics"]
            found[part] = {name: value["f1"] for name, value in metrics.items() if value}
        return found

    return {
        "command": " ".join([f"meprop-nlp train-{task}", *options]),
        "neurons": list(info["neurons"].values()),
        "bytes": info["bytes"],
        "best_epoch": info["training"]["epoch"],
        "epochs": len(epochs),
        "seconds": None if resumed else seconds,
        **{
            part: sum(epoch[part] for epoch in epochs)
            for part in ("forward_seconds", "backward_seconds", "update_seconds")
        },
        **scores(*scoring),
        **({"tagged": scores("--tagger", str(tagger))} if is_tagged else {}),
    }


def main() -> None:
    """Run what was asked for and add it to the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = os.environ.get("MEPROP_NLP_DATA", "data")
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--only", default="", help="run what has this in its name")
    parser.add_argument("--folder", type=Path, default=Path("models/benchmark"))
    arguments = parser.parse_args()
    for name in RUNS:
        if arguments.only not in name:
            continue
        result = {
            **run(name, arguments.data, arguments.folder),
            "conditions": {**conditions(), "n": 1},
        }
        save({**stored(RESULTS), name: result}, RESULTS)


if __name__ == "__main__":
    main()
