"""Options of meProp and meSimp, which all trainings share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from meprop_nlp.commands.help import MEPROP
from meprop_nlp.commands.options import choices, option
from meprop_nlp.config import KEPT_SHARES, PRUNE_RATES, TOPK_MODES


def _by_task(values: Mapping[str, float]) -> str:
    tagger, parser = values["tagger"], values["parser"]
    return f"{tagger:g}" if tagger == parser else f"{tagger:g} (tagger) or {parser:g} (parser)"


K = Annotated[
    int | None,
    option(
        MEPROP,
        "--k",
        help="Entries of each gradient that survive (meProp); 0 or none: plain backpropagation. "
        f"With --simplify, unless given, {_by_task(KEPT_SHARES)} of --hidden.",
    ),
]
TopK = Annotated[
    str,
    option(
        MEPROP,
        "--topk-mode",
        metavar="MODE",
        help="Whose top k: of each example, unified over the minibatch, or k at random "
        "(for comparison): " + choices(TOPK_MODES) + ".",
    ),
]
Simplify = Annotated[
    bool, option(MEPROP, "--simplify", help="Cut most neurons while training (meSimp).")
]
Schedule = Annotated[
    str,
    option(
        MEPROP,
        metavar="NAME",
        help="When --simplify cuts: late, once the whole network has learnt, down to --keep; or "
        "paper, from early on and in stages, whoever is below --prune-rate (meSimp, section 3).",
    ),
]
Keep = Annotated[float, option(MEPROP, help="The share of the neurons that the late cut leaves.")]
Criterion = Annotated[
    str,
    option(
        MEPROP,
        metavar="NAME",
        help="By what the late cut chooses: magnitude, of a neuron's incoming weights; for "
        "comparison reconstruction, from which neurons the layer's effect on those after it can "
        "best be made up, taylor, what the loss would lose with a neuron, hits, how often it is in "
        "the top k, or random.",
    ),
]
PruneRate = Annotated[
    float | None,
    option(
        MEPROP,
        help="With --schedule paper: a neuron in the top k of a smaller share is cut; "
        f"{_by_task(PRUNE_RATES)} unless given.",
    ),
]
Cycle = Annotated[
    int,
    option(
        MEPROP,
        help="With --schedule paper: epochs of cutting, then as many of plain training, and again.",
    ),
]
CutsPerEpoch = Annotated[
    int, option(MEPROP, help="With --schedule paper: how often an epoch of cutting cuts.")
]
FirstCutEpoch = Annotated[
    int | None,
    option(
        MEPROP,
        help="Epochs before the first cut; unless given, a third of --epochs, or 1 with --schedule "
        "paper.",
    ),
]
Teacher = Annotated[
    bool,
    option(
        MEPROP,
        help="After the late cut, learn from the answers of the whole network too, with a third of "
        "the dropout; tagger and parser do so also on words swapped for others of the same tag, "
        "and with all of their word dropout.",
    ),
]
MinNeurons = Annotated[int, option(MEPROP, help="No layer is cut below this.")]
