"""The experiments by name: the papers' tables, and the objections to them."""

from collections.abc import Sequence

from experiments.papers.fair import FAIR
from experiments.papers.main import MAIN
from experiments.papers.oracles import HYBRID
from experiments.papers.simplify import SIMPLIFY
from experiments.papers.sweeps import ACTIVATION, DROPOUT, KEPT, LAYERS, SELECTION, WIDTH
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
