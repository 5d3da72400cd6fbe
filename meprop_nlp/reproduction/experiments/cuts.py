"""The ways of cutting that `simplify` and `fair` compare, as settings; more are added here."""

from __future__ import annotations

from meprop_nlp.config import Criterion, SimplifyConfig

__all__ = ["default_cut", "gradual_cut", "paper_cut"]


def default_cut() -> SimplifyConfig:
    """Return what `--simplify` does."""
    return SimplifyConfig()


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


def gradual_cut(
    *, keep: float = SimplifyConfig().keep, criterion: Criterion = "hits"
) -> SimplifyConfig:
    """Return what `--simplify` does, down to another share of the neurons, or by other means."""
    return SimplifyConfig(schedule="gradual", keep=keep, criterion=criterion)
