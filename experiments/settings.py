"""The settings of cells: the papers', and the defaults of the train commands."""

from math import ceil
from typing import Any

from experiments.cell import CONFIGS, Cell
from experiments.data import SWEEP, Corpus
from experiments.mnist.classifier import TRAINING as MNIST_TRAINING
from meprop_nlp.config import (
    KEPT_SHARES,
    LATE_TRAINING,
    MePropConfig,
    SimplifyConfig,
    TrainingConfig,
)

PAPERS, DEFAULTS = "papers", "defaults"
HIDDEN = 500
PAPERS_K = {"parsing": 20, "tagging": 10, "mnist": 80}
MODELS = {"parsing": "parser", "tagging": "tagger"}
DEFAULT_K = {task: round(KEPT_SHARES[model] * HIDDEN) for task, model in MODELS.items()}
RATES = {"adam": 1e-3, "adagrad": 1e-2}
PAPERS_RATES = {"parsing": RATES, "tagging": RATES, "mnist": {"adam": 1e-3, "adagrad": 1e-1}}
# meProp, section 4.1 and Table 1: hidden 500, constant rate, no clipping, no dropout (of embeddings
# neither, as their rate is half of the other). All settings are listed, so that our defaults may
# change. Minibatches are the papers' only for MNIST: their parser has 10,000 of 1.9 million
# transitions, where EWT has 0.4 million, and with their single sentences an epoch of the tagger
# takes minutes. They do not name the parser's activation; with tanh both dense and meProp can be
# trained without dropout.
PAPERS_NETWORKS: dict[str, dict[str, Any]] = {
    "parsing": {
        "layers": 1,
        "activation": "tanh",
        "embedding_dim": 50,
        "transition_system": "arc-standard",
        "oracle": "static",
        "word_dropout": 0.0,
        "batch_size": 1000,
    },
    "tagging": {
        "columns": ("xpos",),
        "word_dim": 50,
        "feature_dim": 20,
        "word_dropout": 0.0,
        "batch_size": 16,
    },
    "mnist": {"layers": 3, "sparse_output": True, "batch_size": MNIST_TRAINING.batch_size},
}
# at a constant rate, enough for dense and meProp to pass their best dev score
EPOCHS = {"parsing": 10, "tagging": 6, "mnist": MNIST_TRAINING.epochs}
SWEEP_EPOCHS = 10


def base_cell(task: str, part: str, kind: str, corpus: Corpus, *, seed: int, threads: int) -> Cell:
    """Return the dense network that the rows of a table change; see `Table` for the arguments."""
    cell = Cell(
        task=task,
        corpus=corpus,
        config=CONFIGS[task](),
        meprop=MePropConfig(),
        training=MNIST_TRAINING if task == "mnist" else TrainingConfig(),
    ).changed(hidden=HIDDEN, seed=seed, threads=threads)
    if kind == DEFAULTS:
        return cell
    return cell.changed(
        **PAPERS_NETWORKS[task],
        dropout=0.0,
        optimizer="adam",
        learning_rate=PAPERS_RATES[task]["adam"],
        decay=False,
        clip=0.0,
        patience=0,
        epochs=SWEEP_EPOCHS if part == SWEEP else EPOCHS[task],
    )


def paper_cycle(task: str) -> int:
    """Return the epochs of half a stage, for two whole stages in all epochs or a few more.

    The last half has no cuts. The reference has 20 epochs and a cycle of 5 (meSimp, section 3).
    """
    return ceil(EPOCHS[task] / 4)


def paper_cut(task: str, k: int, prune_rate: float) -> dict[str, Any]:
    """Return the changes for meSimp as in the papers: two stages, each cut in its first half."""
    cycle = paper_cycle(task)
    simplify = SimplifyConfig(
        schedule="paper",
        criterion="hits",
        prune_rate=prune_rate,
        cycle=cycle,
        cuts_per_epoch=8,
        first_cut_epoch=0,
        min_neurons=1,
    )
    return {"k": k, "simplify": simplify, "epochs": 4 * cycle}


def late_cut(task: str, k: int, **simplify: Any) -> dict[str, Any]:
    """Return the changes for what `--simplify` does, with some of its settings changed."""
    return {"k": k, "simplify": SimplifyConfig(**simplify), **late_training(task)}


def late_training(task: str) -> dict[str, Any]:
    """Return the changes that `--simplify` makes to a training."""
    return LATE_TRAINING[MODELS[task]]
