"""The joint model on real treebanks: dense, with meProp and simplified, over several seeds.

    python benchmarks/joint.py [--only EWT] [--seeds 1 2 3] [--folder models/joint] [--table]
    python benchmarks/joint.py --reliability models/model.safetensors test.conllu

Runs the command line as a user would. A run that was stopped goes on when the script is called
again: finished ones are in benchmarks/results/joint.json, and a training resumes from its
checkpoint. `--table` prints the table of what is finished. Test is scored once for each model. The
seconds are wall time and count only where nothing else ran (`alone` in the results; say so with
`--alone`). `--reliability` prints for each kind of confidence and each range of it the number of
words, the mean confidence and the share of right answers, in per cent: a calibrated model has the
same in both.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from conditions import conditions, save, stored
from tables.joint import joint_table
from tables.markdown import markdown
from tables.published import EWT, IMST, JOINT
from treebanks import call, model_name

from meprop_nlp.config import TAG_COLUMNS
from meprop_nlp.data.conll.reading import read
from meprop_nlp.models.model import load
from meprop_nlp.training.checkpoint import checkpoint_path
from meprop_nlp.training.knowledge.ensemble import networks_of, teacher_path
from meprop_nlp.training.measured.calibration import answers
from meprop_nlp.training.tokenizer import has_begun_tokenizer

EDGES = (0.0, 0.5, 0.7, 0.9, 0.95, 0.99, 1.0)  # of confidence
RESULTS = Path(__file__).parent / "results" / "joint.json"

# name: (data folder, options of `train`)
RUNS: dict[str, tuple[str, list[str]]] = {
    "EWT, meProp": (EWT, []),
    "EWT, dense": (EWT, ["--k", "0"]),
    "EWT, simplified": (EWT, ["--simplify"]),
    "IMST, meProp": (IMST, []),
    "IMST, simplified": (IMST, ["--simplify"]),
}


class Split(NamedTuple):
    """The files of a training.

    Attributes:
        train: what to learn from, one or several.
        dev, test: what to score on.
    """

    train: list[str]
    dev: str
    test: str

    @classmethod
    def of(cls, treebank: Path, ending: str = "conllu") -> Split:
        """Return the files of a folder."""
        train, dev, test = (str(treebank / f"{part}.{ending}") for part in ("train", "dev", "test"))
        return cls([train], dev, test)


def model_path(folder: Path, name: str, seed: int) -> Path:
    """Return where the model of a run is kept."""
    return folder / f"{model_name(name)}-{seed}.safetensors"


def is_begun(model: Path) -> bool:
    """Whether a training of this model was stopped: it has a checkpoint, tokenizer or teacher."""
    checkpoints = (checkpoint_path(path) for path in networks_of(model, 1))
    left = [*checkpoints, teacher_path(model, 1)]
    return has_begun_tokenizer(model) or any(path.exists() for path in left)


def run(
    name: str,
    seed: int,
    split: Split,
    options: list[str],
    folder: Path,
    *,
    alone: bool,
    evaluating: Sequence[str] = (),
) -> dict[str, Any]:
    """Train one model, score it on dev and test, and return all that came out.

    `evaluating` are further options of `evaluate`.
    """
    dev, test = split.dev, split.test
    model = model_path(folder, name, seed)
    resumed = ["--resume"] if is_begun(model) else []
    files = [word for path in split.train for word in ("--train", path)]
    files += ["--dev", dev, "-o", str(model)]
    start = time.perf_counter()
    call("train", *files, "--seed", str(seed), *options, *resumed)
    seconds = time.perf_counter() - start
    info = json.loads(call("info", str(model), "--json"))
    log = model.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()
    epochs = [json.loads(line) for line in log]

    tags = [name for name in TAG_COLUMNS if f"{name}_values" in info]

    def scores(path: str, *more: str) -> dict[str, float]:
        printed = call("evaluate", path, "--model", str(model), "--json", *more, *evaluating)
        metrics = json.loads(printed)["metrics"]
        return {metric: metrics[metric]["f1"] for metric in JOINT if metrics.get(metric)}

    return {
        "seed": seed,
        "command": " ".join(["meprop-nlp train", *options]),
        "neurons": list(info["neurons"].values()),
        "bytes": info["bytes"],
        "best_epoch": info["training"]["epoch"],
        "epochs": len(epochs),
        "seconds": None if resumed or not alone else seconds,
        "seconds_of_epochs": sum(epoch["seconds"] for epoch in epochs),
        "dev": scores(dev),
        "test": scores(test),
        "dev, gold tags kept": scores(dev, "--keep", ",".join(tags)),
        "alone": alone,
        "conditions": conditions(),
    }


def finished(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the runs in a file of results, by name."""
    runs: dict[str, list[dict[str, Any]]] = stored(path).get("runs", {})
    return runs


def add_result(path: Path, name: str, result: dict[str, Any]) -> None:
    """Add a run to a file of results, to which another process may have added."""
    results = stored(path)
    results.setdefault("runs", {}).setdefault(name, []).append(result)
    save(results, path)


def reliability(model: str, gold: str) -> str:
    """Return the table of a model on a gold file."""
    found = answers(load(model), list(read(gold, trees=True)))
    rows = []
    for kind, (confidence, is_right) in found.items():
        places = np.clip(np.searchsorted(EDGES, confidence, side="right") - 1, 0, len(EDGES) - 2)
        for n, (low, high) in enumerate(pairwise(EDGES)):
            chosen = places == n
            if chosen.any():
                sure, right = 100 * confidence[chosen].mean(), 100 * is_right[chosen].mean()
                span = f"{low:g} to {high:g}"
                rows.append([kind, span, f"{chosen.sum():,}", f"{sure:.1f}", f"{right:.1f}"])
        sure, right = 100 * confidence.mean(), 100 * is_right.mean()
        rows.append([kind, "all", f"{len(confidence):,}", f"{sure:.1f}", f"{right:.1f}"])
    return markdown(["", "confidence", "words", "mean", "right"], rows)


def main() -> None:
    """Run what was asked for and add it to the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = os.environ.get("MEPROP_NLP_DATA", "data")
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--only", default="", help="run what has this in its name")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--folder", type=Path, default=Path("models/joint"))
    parser.add_argument("--alone", action="store_true", help="nothing else runs meanwhile")
    parser.add_argument("--table", action="store_true", help="only print the tables")
    parser.add_argument("--reliability", nargs=2, metavar=("MODEL", "GOLD"))
    arguments = parser.parse_args()
    if arguments.reliability:
        print(reliability(*arguments.reliability))
        return

    for seed in arguments.seeds:
        for name in RUNS:
            done = [found["seed"] for found in finished(RESULTS).get(name, [])]
            if arguments.table or arguments.only not in name or seed in done:
                continue
            treebank, options = RUNS[name]
            split = Split.of(arguments.data / treebank)
            result = run(name, seed, split, options, arguments.folder, alone=arguments.alone)
            add_result(RESULTS, name, result)
    for part in ("dev", "dev, gold tags kept", "test"):
        print(f"{part}:\n{joint_table(finished(RESULTS), part)}\n")


if __name__ == "__main__":
    main()
