"""Whole trainings and single steps: PyTorch's dense layers, meProp, and meProp with meSimp.

    python benchmarks/bench_training.py [--data data] [--only parser] [--seeds 1]

Every whole training runs in a process of its own, one after the other, on UD English EWT; what
counts is the time until the epoch with the best dev score ends, start and reading included. Steps
are timed in one process, in turn. Nothing else should run beside it. Results go to
benchmarks/results/training.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from statistics import mean, median
from typing import Any

from conditions import conditions, interleaved, refuse_without_core, save, stored

RESULTS = Path(__file__).parent / "results" / "training.json"

# the settings of each variant, as fields of the configurations
Settings = dict[str, dict[str, Any]]
VARIANTS: dict[str, dict[str, Settings]] = {
    "parser": {
        "dense PyTorch": {},
        "plain backprop": {},
        "meProp, k 50": {"meprop": {"k": 50}},
        "meProp, k 50, lazy": {"meprop": {"k": 50}, "training": {"lazy": True}},
        # --simplify --schedule paper --lazy --k 60 --prune-rate 0.025 --cycle 3
        "meProp + meSimp, lazy": {
            "meprop": {"k": 60},
            "simplify": {"schedule": "paper", "prune_rate": 0.025, "cycle": 3},
            "training": {"lazy": True},
        },
    },
    "tagger": {
        "dense PyTorch": {},
        "meProp, k 50": {"meprop": {"k": 50}},
        "meProp + meSimp": {"meprop": {"k": 50}, "simplify": {"schedule": "paper"}},
    },
}
SCORE = {"parser": "las", "tagger": "upos"}
PEER = {"parser": 83.5, "tagger": 94.16}  # LAS of the first issue; UPOS of spaCy


def make_trainer(task: str, variant: str, settings: Settings, data: Path, seed: int) -> Any:
    """Build a trainer, dense in PyTorch's own layers or ours."""
    import torch
    from dense_pytorch import make_dense

    from meprop_nlp.config import Settings, SimplifyConfig
    from meprop_nlp.data.conll.reading import read
    from meprop_nlp.threads import usable_threads
    from meprop_nlp.training.heads.tags import TaggerTask
    from meprop_nlp.training.heads.tree import ParserTask
    from meprop_nlp.training.loop import Trainer

    torch.set_num_threads(usable_threads())
    torch.manual_seed(seed)
    train, dev = (list(read(data / f"{part}.conllu", trees=True)) for part in ("train", "dev"))
    given = {**settings.get("config", {}), **settings.get("meprop", {})}
    given |= {"seed": seed, "device": "cpu", **settings.get("training", {})}
    made = Settings.of(task, **given)
    task_class = ParserTask if task == "parser" else TaggerTask
    simplify = SimplifyConfig(**settings["simplify"]) if "simplify" in settings else None
    trainer = Trainer(
        task_class(train, dev, made, torch.device("cpu")),
        training=made.training,
        simplify=simplify,
    )
    if variant == "dense PyTorch":
        make_dense(trainer)
    return trainer


def whole(task: str, variant: str, data: Path, seed: int, start: float) -> dict[str, Any]:
    """Train once, in this process, which began at `start`; return seconds, scores and memory."""
    from meprop_nlp.training.records import EpochRecord

    trainer = make_trainer(task, variant, VARIANTS[task][variant], data, seed)
    ends = []
    epochs = []
    for record in trainer.run():
        if isinstance(record, EpochRecord):
            ends.append(time.perf_counter() - start)
            epochs.append(record)
    scores = [epoch.scores[SCORE[task]] for epoch in epochs]
    # a model from before the last cut is not the model that was asked for
    best = max(i for i, epoch in enumerate(epochs) if epoch.best)
    reached = [e for e, score in zip(ends, scores, strict=True) if (score or 0) >= PEER[task]]
    parts = ("forward_seconds", "backward_seconds", "update_seconds", "evaluate_seconds")
    return {
        "scores": scores,
        "best": scores[best],
        "seconds_to_best": ends[best],
        "seconds_to_peer": reached[0] if reached else None,
        "seconds": ends[-1],
        "neurons": list(epochs[-1].neurons.values()),
        "start_seconds": ends[0] - epochs[0].seconds - epochs[0].evaluate_seconds,
        **{part: sum(getattr(epoch, part) for epoch in epochs) for part in parts},
        "peak_bytes": peak_bytes(),
    }


def peak_bytes() -> int:
    """Return the most memory that this program had; getrusage would count its parent's too."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(peak) * 1024


def in_process(task: str, variant: str, data: Path, seed: int) -> dict[str, Any]:
    """Run `whole` in a process of its own."""
    # the clock is the machine's, so the child's start counts
    cell = [task, variant, str(seed), str(time.perf_counter())]
    command = [sys.executable, __file__, "--data", str(data), "--cell", *cell]
    print(f"{task}, {variant}, seed {seed} ...", file=sys.stderr, flush=True)
    done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def steps(task: str, data: Path, batch_size: int, k: int, repeats: int) -> dict[str, Any]:
    """Forward, backward and update of one minibatch, dense PyTorch and meProp in turn."""
    import numpy as np

    variants = {"dense PyTorch": {}, "meProp": {"meprop": {"k": k}}}
    functions = {}
    for variant, settings in variants.items():
        sized = {**settings, "training": {"batch_size": batch_size}}
        trainer = make_trainer(task, variant, sized, data, seed=1)
        trainer.task.network.train()
        batches = cycle(list(trainer.task.batches(np.random.default_rng(1)))[:20])

        def step(trainer: Any = trainer, batches: Iterator[Any] = batches) -> None:
            trainer._step(next(batches))

        functions[variant] = step
    seconds = interleaved(functions, repeats)
    return {name: sorted(times) for name, times in seconds.items()}


def table(task: str, runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return the rows of the README's table of whole trainings: means over the seeds."""
    columns = ["", "seeds", "neurons", f"dev {SCORE[task].upper()}", "seconds to best dev"]
    columns += ["against dense", "forward", "backward", "update", "rest"]
    columns += [f"seconds to {PEER[task]}", "peak MB"]
    dense = mean(run["seconds_to_best"] for run in runs["dense PyTorch"])
    rows = []
    for variant, results in runs.items():
        average = {key: mean(run[key] for run in results) for key in (
            "best", "seconds_to_best", "forward_seconds", "backward_seconds", "update_seconds",
            "seconds",
        )}  # fmt: skip
        parts = [average[f"{part}_seconds"] for part in ("forward", "backward", "update")]
        by_layer = zip(*(run["neurons"] for run in results), strict=True)
        rows.append([
            variant,
            str(len(results)),
            " + ".join(f"{mean(widths):.0f}" for widths in by_layer),
            f"{average['best']:.2f}",
            f"{average['seconds_to_best']:.0f}",
            f"{dense / average['seconds_to_best']:.1f}x",
            *(f"{part:.0f}" for part in parts),
            f"{average['seconds'] - sum(parts):.0f}",
            _seconds_to_peer(results),
            f"{max(run['peak_bytes'] for run in results) / 1e6:.0f}",
        ])  # fmt: skip
    return {"columns": columns, "rows": rows}


def _seconds_to_peer(results: list[dict[str, Any]]) -> str:
    """Return the mean time to the peer's score, where every run reached it."""
    times = [run["seconds_to_peer"] for run in results]
    return "never" if None in times else f"{mean(times):.0f}"


def step_table(cells: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the rows of the README's table of single steps."""
    rows = []
    for name, seconds in cells.items():
        dense, sparse = median(seconds["dense PyTorch"]), median(seconds["meProp"])
        rows.append([name, f"{dense * 1e3:.1f}", f"{sparse * 1e3:.1f}", f"{dense / sparse:.1f}x"])
    return {"columns": ["one step", "dense PyTorch, ms", "meProp, ms", "ratio"], "rows": rows}


def main() -> None:
    """Run what was asked for and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(os.environ.get("MEPROP_NLP_DATA", "data")) / "ud-english-ewt"
    parser.add_argument("--data", type=Path, default=default, help="folder of train and dev")
    parser.add_argument("--only", choices=["parser", "tagger", "step"])
    parser.add_argument("--variant", default="", help="run those with this in their name again")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--cell", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    refuse_without_core()
    if arguments.cell:
        task, variant, seed, start = arguments.cell
        result = whole(task, variant, arguments.data, int(seed), float(start))
        print(json.dumps(result))
        return
    old = stored(RESULTS)
    about = {**conditions(), "seeds": arguments.seeds}
    results = {**old}
    if arguments.only in (None, "step"):
        cells = {
            "parser, 1,000 transitions, k 20": steps("parser", arguments.data, 1000, 20, 60),
            "tagger, 32 sentences, k 10": steps("tagger", arguments.data, 32, 10, 40),
        }
        results["step"] = {"conditions": about, **step_table(cells), "seconds": cells}
    for task in ("parser", "tagger"):
        if arguments.only in (None, task):
            runs: dict[str, list[dict[str, Any]]] = {
                name: [] if arguments.variant in name else old[task]["runs"][name]
                for name in VARIANTS[task]
            }
            again = [name for name in runs if arguments.variant in name]
            for seed in range(1, arguments.seeds + 1):
                for variant in again:
                    runs[variant].append(in_process(task, variant, arguments.data, seed))
            results[task] = {"conditions": about, **table(task, runs), "runs": runs}
    save(results, RESULTS)
    for name in ("step", "parser", "tagger"):
        for row in [results[name]["columns"], *results[name]["rows"]] if name in results else []:
            print(*row, sep="\t")


if __name__ == "__main__":
    main()
