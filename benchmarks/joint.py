"""The joint model on real treebanks: dense, with meProp and simplified, over several seeds.

    python benchmarks/joint.py [--only EWT] [--seeds 1 2 3] [--folder models/joint] [--table]

Runs the command line as a user would. A run that was stopped goes on when the script is called
again: finished ones are in benchmarks/results/joint.json, and a training resumes from its
checkpoint. `--table` prints the table of what is finished. Test is scored once for each model. The
seconds are wall time and count only where nothing else ran (`alone` in the results; say so with
`--alone`).
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from conditions import conditions
from readme import markdown
from treebanks import call

from meprop_nlp.files import replacing
from meprop_nlp.training.checkpoint import checkpoint_path

RESULTS = Path(__file__).parent / "results" / "joint.json"
EWT, IMST = "ud-english-ewt", "ud-turkish-imst"
SCORES = ("upos", "xpos", "ufeats", "lemmas", "uas", "las", "clas", "mlas", "blex")

# name: (data folder, options of `train`)
RUNS: dict[str, tuple[str, list[str]]] = {
    "EWT, meProp": (EWT, []),
    "EWT, dense": (EWT, ["--k", "0"]),
    "EWT, simplified": (EWT, ["--simplify"]),
    "IMST, meProp": (IMST, []),
    "IMST, simplified": (IMST, ["--simplify"]),
}


def run(name: str, seed: int, data: Path, folder: Path, *, alone: bool) -> dict[str, Any]:
    """Train one model, score it on dev and test, and return all that came out."""
    treebank, options = RUNS[name]
    train, dev, test = (
        str(data / treebank / f"{part}.conllu") for part in ("train", "dev", "test")
    )
    model = folder / f"{name.lower().replace(', ', '-')}-{seed}.safetensors"
    resumed = ["--resume"] if checkpoint_path(model).exists() else []
    files = ["--train", train, "--dev", dev, "-o", str(model)]
    start = time.perf_counter()
    call("train", *files, "--seed", str(seed), *options, *resumed)
    seconds = time.perf_counter() - start
    info = json.loads(call("info", str(model), "--json"))
    log = model.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()
    epochs = [json.loads(line) for line in log]

    def scores(path: str, *more: str) -> dict[str, float]:
        printed = call("evaluate", path, "--model", str(model), "--json", *more)
        metrics = json.loads(printed)["metrics"]
        return {metric: metrics[metric]["f1"] for metric in SCORES if metrics.get(metric)}

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
        "dev, gold tags kept": scores(dev, "--keep", "upos,xpos,feats"),
        "alone": alone,
        "conditions": conditions(),
    }


def table(results: dict[str, list[dict[str, Any]]], part: str) -> str:
    """Return the mean scores of each run on a part, with the deviation over seeds."""
    rows = []
    for name, seeds in results.items():
        cells = []
        for score in SCORES:
            values = [seed[part][score] for seed in seeds if score in seed[part]]
            spread = f" ({stdev(values):.2f})" if len(values) > 1 else ""
            cells.append(f"{mean(values):.2f}{spread}" if values else "")
        neurons = " + ".join(map(str, seeds[0]["neurons"]))
        size = f"{mean(seed['bytes'] for seed in seeds) / 1e6:.1f} MB"
        rows.append([name, str(len(seeds)), *cells, neurons, size])
    return markdown(["", "seeds", *map(str.upper, SCORES), "neurons", "file"], rows)


def main() -> None:
    """Run what was asked for and add it to the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = os.environ.get("MEPROP_NLP_DATA", "../shared/data")
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--only", default="", help="run what has this in its name")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--folder", type=Path, default=Path("models/joint"))
    parser.add_argument("--alone", action="store_true", help="nothing else runs meanwhile")
    parser.add_argument("--table", action="store_true", help="only print the tables")
    arguments = parser.parse_args()

    def finished() -> dict[str, list[dict[str, Any]]]:
        return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}

    for seed in arguments.seeds:
        for name in RUNS:
            done = [found["seed"] for found in finished().get(name, [])]
            if arguments.table or arguments.only not in name or seed in done:
                continue
            result = run(name, seed, arguments.data, arguments.folder, alone=arguments.alone)
            results = finished()  # another process may have added to them
            results.setdefault(name, []).append(result)
            with replacing(RESULTS) as temporary:
                temporary.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    for part in ("dev", "dev, gold tags kept", "test"):
        print(f"{part}:\n{table(finished(), part)}\n")


if __name__ == "__main__":
    main()
