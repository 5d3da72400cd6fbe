"""Training the unfinished cells of a plan, one after the other; each result is stored at once."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.conditions import conditions
from experiments.cell import Cell
from experiments.conditions import seconds_of_others
from experiments.console import Display
from experiments.data import images_of
from experiments.mnist.classifier import accuracy
from experiments.mnist.train import train as train_mnist
from experiments.plan import Plan
from experiments.results import Result, Results
from meprop_nlp.data.trees import is_labelled
from meprop_nlp.errors import CheckpointError, ConfigError, MePropError
from meprop_nlp.models.speed import measure
from meprop_nlp.training.checkpoint import checkpoint_path
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.parser import DependencyParser
from meprop_nlp.training.records import Note, log_path
from meprop_nlp.training.tagger import Tagger

# of measuring the speed of decoding: rounds, of which the median counts, and seconds of a round
ROUNDS, SECONDS = 3, 0.1
TIMES = ("forward_seconds", "backward_seconds", "update_seconds", "seconds")


def run(
    plan: Plan, display: Display, *, stop: Callable[[], bool], max_minutes: float | None = None
) -> list[str]:
    """Train every unfinished cell, but start none after `max_minutes`.

    A cell that `stop` interrupts is resumed the next time. Return the names of cells that could not
    be trained.
    """
    started, trained, failed = time.monotonic(), 0, []
    outlook = plan.outlook()
    hooks = Hooks(on_record=display, stop=stop)
    for cell in plan.cells():
        if cell is None or cell.name in failed or plan.results.get(cell) is not None:
            continue
        minutes = (time.monotonic() - started) / 60
        if max_minutes is not None and minutes >= max_minutes:
            break
        display.title = f"{cell.name}: "
        try:
            result = train_cell(cell, plan.results, hooks)
        except MePropError as error:
            failed.append(cell.name)
            display.say(f"error: {cell.name}: {error}", always=True)
            continue
        trained += 1
        main, finished, total = result["main"], outlook.finished + trained, sum(outlook)
        minutes = (time.monotonic() - started) / 60 / trained * (total - finished)
        display.say(
            f"{finished}/{total} {cell.name}: dev {main} {result['dev'][main]:.2f}, "
            f"{result['wall_seconds']:.0f} s; about {minutes:,.0f} min left"
        )
    return failed


def train_cell(cell: Cell, results: Results, hooks: Hooks) -> Result:
    """Train a cell or resume its training, score the model, and store the result."""
    path = results.work(cell)
    start, others = time.perf_counter(), seconds_of_others()
    resume = checkpoint_path(path).exists()
    try:
        model = _train(cell, path, hooks, resume=resume)
    except (CheckpointError, ConfigError) as error:
        if not resume:
            raise
        hooks.on_record(Note(f"{cell.name} starts anew: {error}", warning=True))
        results.clear_work(cell)
        model = _train(cell, path, hooks, resume=False)
    others = (seconds_of_others() - others) / (time.perf_counter() - start)
    log = log_path(path).read_text(encoding="utf-8")
    epochs = [json.loads(line) for line in log.splitlines()]
    best = max(epoch["epoch"] for epoch in epochs if epoch["best"])
    result = {
        "task": cell.task,
        "corpus": {"name": cell.corpus.name, "fingerprint": cell.corpus.fingerprint},
        "settings": cell.settings(),
        **_scores(cell, model),
        "best_epoch": best,
        "iterations_to_best": sum(e["n_batches"] for e in epochs if e["epoch"] <= best),
        "neurons": epochs[best - 1]["neurons"],
        "bytes": path.stat().st_size,
        # of a minibatch, as medians over the epochs
        "step_seconds": {n: median(e[n] / max(1, e["n_batches"]) for e in epochs) for n in TIMES},
        "training_seconds": sum(epoch["seconds"] for epoch in epochs),
        # of the last run, if the training was resumed
        "wall_seconds": time.perf_counter() - start,
        # with the number of cores that other processes kept busy
        "conditions": {**conditions(), "others": max(0.0, round(others, 2))},
        "epochs": epochs,
    }
    results.add(cell, result)
    return result


def _train(cell: Cell, output: Path, hooks: Hooks, *, resume: bool) -> Any:
    """Return the best model on dev, which is also written to `output`."""
    corpus = cell.corpus
    train: Any = {"parsing": DependencyParser.train, "tagging": Tagger.train, "mnist": train_mnist}
    mnist = cell.task == "mnist"
    data: Any = images_of(corpus)[:2] if mnist else map(corpus.treebank, ("train", "dev"))
    return train[cell.task](
        *data,
        config=cell.config,
        meprop=cell.meprop,
        simplify=cell.simplify,
        training=cell.training,
        output=output,
        resume=resume,
        hooks=hooks,
    )


def _scores(cell: Cell, model: Any) -> dict[str, Any]:
    """Return the scores on dev and test, the name of the main score, and the speed of decoding."""
    corpus, parsing = cell.corpus, cell.task == "parsing"
    if cell.task == "mnist":
        dev, test = ({"accuracy": accuracy(model.arrays, x)} for x in images_of(corpus)[1:])
        return {"main": "accuracy", "dev": dev, "test": test, "decode_words_per_second": None}
    found = {}
    for role in ("dev", "test"):
        exclude_punct = parsing and corpus.exclude_punct
        scores = model.evaluate(corpus.treebank(role), exclude_punct=exclude_punct)
        names = sorted(scores.annotated - {"words"})
        found[role] = {name: float(getattr(scores, name)) for name in names}
    labelled = parsing and is_labelled(model.file.header["labels"])
    order = ("las",) if labelled else ("uas", "upos", "xpos", "ufeats")
    main = next(name for name in order if name in found["dev"])
    speeds = measure(corpus.files["dev"], [model], rounds=ROUNDS, seconds=SECONDS)
    words = speeds.words_per_second["parsing" if parsing else "tagging"][1]
    return {"main": main, **found, "decode_words_per_second": words}
