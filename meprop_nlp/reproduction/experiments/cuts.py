"""The ways of cutting that `simplify` and `fair` compare, as settings; more are added here."""

from __future__ import annotations

from math import ceil
from typing import Any

from meprop_nlp.config import LATE_TRAINING, SIMPLIFY_EPOCHS, Criterion, SimplifyConfig
from meprop_nlp.reproduction.settings import Scale

__all__ = ["late_cut", "paper_cut", "paper_cycle"]

_DEFAULT = SimplifyConfig()


def paper_cycle(epochs: int) -> int:
    """Return the epochs of each half of a stage, where two whole stages take as many as `epochs`.

    They take a few more where that is not a multiple of four, so as not to end on a cut. The
    reference has 20 epochs and a cycle of 5 (meSimp, section 3).
    """
    return ceil(epochs / 4)


def paper_cut(k: int, prune_rate: float, cycle: int) -> dict[str, Any]:
    """Return the settings of a cell that is cut as the papers do, in two stages: cuts in the first
    quarter of the epochs and the third."""
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


def late_cut(
    scale: Scale,
    k: int,
    *,
    keep: float = _DEFAULT.keep,
    criterion: Criterion = _DEFAULT.criterion,
    teacher: bool = True,
) -> dict[str, Any]:
    """Return the settings of a cell that does what `--simplify` does, or a little else."""
    simplify = SimplifyConfig(keep=keep, criterion=criterion, teacher=teacher)
    epochs = scale.epochs_of(SIMPLIFY_EPOCHS)
    return {"k": k, "simplify": simplify, "epochs": epochs, **LATE_TRAINING}
