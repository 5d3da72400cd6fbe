"""The experiments by name: the tables of the papers, and objections to them."""

from collections.abc import Sequence

from experiments.papers.cuts import FAIR, SIMPLIFY
from experiments.papers.sweeps import ACTIVATION, DROPOUT, KEPT, LAYERS, SELECTION, WIDTH
from experiments.papers.whole import HYBRID, MAIN
from experiments.table import Table

EXPERIMENTS: dict[str, Sequence[Table]] = {
    "main": MAIN,
    "k": KEPT,
    "selection": SELECTION,
    "width": WIDTH,
    "dropout": DROPOUT,
    "activation": ACTIVATION,
    "layers": LAYERS,
    "gpu": (),  # measured by benchmarks/bench_gpu.py
    "simplify": SIMPLIFY,
    "fair": FAIR,
    "hybrid": HYBRID,
}
