"""The experiments of the papers, and the objections to them: what each trains and what it asks."""

from __future__ import annotations

from meprop_nlp.reproduction.experiment import Experiment
from meprop_nlp.reproduction.experiments.fair import FAIR
from meprop_nlp.reproduction.experiments.gpu import GPU
from meprop_nlp.reproduction.experiments.kept import KEPT, SELECTION, WIDTH
from meprop_nlp.reproduction.experiments.main import MAIN
from meprop_nlp.reproduction.experiments.networks import ACTIVATION, DROPOUT, LAYERS
from meprop_nlp.reproduction.experiments.oracles import HYBRID
from meprop_nlp.reproduction.experiments.simplify import SIMPLIFY

__all__ = ["EXPERIMENTS"]

_ALL = (MAIN, KEPT, SELECTION, WIDTH, DROPOUT, ACTIVATION, LAYERS, GPU, SIMPLIFY, FAIR, HYBRID)
EXPERIMENTS: dict[str, Experiment] = {experiment.name: experiment for experiment in _ALL}
