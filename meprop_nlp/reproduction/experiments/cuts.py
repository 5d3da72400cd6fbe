"""The ways of cutting that `simplify` and `fair` compare, as settings; more are added here."""

from __future__ import annotations

from meprop_nlp.config import SimplifyConfig

__all__ = ["HAS_GRADUAL", "default_cut", "gradual_cut", "paper_cut"]

_FIELDS = SimplifyConfig.__dataclass_fields__
# a version without it cuts by the papers' schedule alone
HAS_GRADUAL = "criterion" in _FIELDS


def default_cut() -> SimplifyConfig:
    """Return what `--simplify` does."""
    return SimplifyConfig()


def paper_cut(prune_rate: float, epochs: int) -> SimplifyConfig:
    """Return the reference's schedule: cuts from the first epoch on, two stages in all.

    The reference has 20 epochs and a cycle of 5 (meSimp, section 3).
    """
    settings = {
        "prune_rate": prune_rate,
        "cycle": max(1, epochs // 4),
        "first_cut_epoch": 0,
        "min_neurons": 1,
    }
    return SimplifyConfig.from_dict(
        {**settings, "schedule": "paper"} if "schedule" in _FIELDS else settings
    )


def gradual_cut(keep: float | None = None, criterion: str = "") -> SimplifyConfig:
    """Return the gradual schedule, down to a share of the neurons, chosen by a criterion.

    Unless given, both are the defaults. Needs `HAS_GRADUAL`.
    """
    settings = {"keep": keep, "criterion": criterion or None}
    return SimplifyConfig.from_dict({n: v for n, v in settings.items() if v is not None})
