"""The ways of cutting that `simplify` and `fair` compare, as settings; more are added here."""

from __future__ import annotations

from typing import Any

from meprop_nlp.config import SIMPLIFY_EPOCHS, Criterion, SimplifyConfig
from meprop_nlp.reproduction.settings import Scale

__all__ = ["late_cut", "paper_cut"]

_DEFAULT = SimplifyConfig()


def paper_cut(prune_rate: float, epochs: int) -> SimplifyConfig:
    """Return the reference's schedule: cuts from the first epoch on, two stages in all.

    The reference has 20 epochs and a cycle of 5 (meSimp, section 3).
    """
    return SimplifyConfig(
        schedule="paper",
        prune_rate=prune_rate,
        cycle=max(1, epochs // 4),
        cuts_per_epoch=8,
        first_cut_epoch=0,
        min_neurons=1,
    )


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
    return {"k": k, "simplify": simplify, "epochs": epochs, "lazy": True, "patience": 0}
