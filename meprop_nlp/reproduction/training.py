"""Training one cell: from its settings to everything that is kept of it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from statistics import median
from typing import Any

from meprop_nlp.errors import CheckpointError, ConfigError
from meprop_nlp.reproduction.cell import Cell
from meprop_nlp.reproduction.conditions import Load, conditions
from meprop_nlp.reproduction.store import Result, Store
from meprop_nlp.reproduction.tasks import TASKS
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.records import Note

__all__ = ["train_cell"]

_PARTS = ("forward_seconds", "backward_seconds", "update_seconds", "seconds")


def train_cell(cell: Cell, store: Store, hooks: Hooks) -> Result:
    """Train a cell, or go on with one that was stopped, score it, and keep the result.

    Raises:
        MePropError: settings or data cannot be used, or the training failed.
        KeyboardInterrupt: `hooks.stop` said so; the checkpoint is written.
    """
    from meprop_nlp.training.checkpoint import checkpoint_path
    from meprop_nlp.training.records import log_path

    task, model = TASKS[cell.task], store.work(cell)
    start, load = time.perf_counter(), Load()
    resume = checkpoint_path(model).exists()
    try:
        task.train(cell, model, resume=resume, hooks=hooks)
    except (CheckpointError, ConfigError) as error:
        if not resume:
            raise
        hooks.on_record(Note(f"{cell.name} begins anew: {error}", warning=True))
        store.clear_work(cell)
        task.train(cell, model, resume=False, hooks=hooks)
    others = load.others()
    lines = log_path(model).read_text(encoding="utf-8").splitlines()
    epochs = [json.loads(line) for line in lines]
    scored = task.score(cell, model)
    best = max(epoch["epoch"] for epoch in epochs if epoch["best"])
    result = {
        "task": cell.task,
        "corpus": {
            "name": cell.corpus.name,
            "fingerprint": cell.corpus.fingerprint,
            "exclude_punct": "uas" in scored.dev and cell.corpus.exclude_punct,
        },
        "settings": cell.settings(),
        "main": scored.main,
        "dev": scored.dev,
        "test": scored.test,
        "best_epoch": best,
        "iterations_to_best": sum(e["n_batches"] for e in epochs if e["epoch"] <= best),
        "neurons": epochs[best - 1]["neurons"],
        "bytes": model.stat().st_size,
        "step_seconds": _step_seconds(epochs),
        "training_seconds": sum(epoch["seconds"] for epoch in epochs),
        "evaluate_seconds": sum(epoch["evaluate_seconds"] for epoch in epochs),
        "wall_seconds": time.perf_counter()
        - start,  # of the last run, where the cell was stopped and went on
        "decode_words_per_second": scored.words_per_second,
        "conditions": {**conditions(), "others": others},
        "epochs": epochs,
    }
    store.put(cell, result)
    return result


def _step_seconds(epochs: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return seconds per minibatch, medians over the epochs; `seconds` is the whole step."""
    return {
        part: median(epoch[part] / max(1, epoch["n_batches"]) for epoch in epochs)
        for part in _PARTS
    }
