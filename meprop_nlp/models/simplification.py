"""Simplification in a training: the schedule's dates, the simplifier's cuts."""

from __future__ import annotations

from collections.abc import Sequence

from torch.optim import Optimizer

from meprop_nlp.config import SimplifyConfig
from meprop_nlp.errors import ConfigError
from meprop_nlp.models.checkpoint import neurons
from meprop_nlp.nn.optim import restart
from meprop_nlp.nn.schedules import CutSchedule, GradualSchedule
from meprop_nlp.nn.simplify import SimplifiedLayer, Simplifier

__all__ = ["Simplification"]


class Simplification:
    """What a training does to simplify its network (meSimp, section 3).

    Args:
        layers: what may be cut, still whole.
        config: when, how far and by what.
        prune_rate: where `config` leaves it to the task.

    Raises:
        ConfigError: no layer is wide enough to be cut.
    """

    def __init__(
        self, layers: Sequence[SimplifiedLayer], config: SimplifyConfig, prune_rate: float
    ) -> None:
        self._whole = neurons(layers)
        widest = max(self._whole.values())
        if widest <= config.min_neurons:
            raise ConfigError(
                f"--min-neurons is {config.min_neurons}, but no layer is wider than {widest}"
            )
        when = {
            "cycle": config.cycle,
            "cuts_per_epoch": config.cuts_per_epoch,
            "first_cut_epoch": config.first_cut_epoch,
        }
        self._schedule = (
            CutSchedule(**when)
            if config.schedule == "paper"
            else GradualSchedule(**when, keep=config.keep)
        )
        self._simplifier = Simplifier(
            layers,
            prune_rate=prune_rate if config.prune_rate is None else config.prune_rate,
            criterion=config.criterion,
            min_neurons=config.min_neurons,
        )

    def begin_epoch(self, epoch: int, optimizer: Optimizer, *, resumed: bool) -> None:
        """Restart the optimiser where the schedule says so, and count hits where cuts follow."""
        if self._schedule.restarts_optimizer(epoch) and not resumed:
            restart(optimizer)
        self._simplifier.counting = self._schedule.cuts_in(epoch)

    def after_batch(self, epoch: int, batch: int, n_batches: int, optimizer: Optimizer) -> bool:
        """Cut, if it is time to; return whether neurons have gone."""
        if not self._schedule.cuts_after(epoch, batch, n_batches):
            return False
        share = self._schedule.share_left(epoch, batch, n_batches)
        widths = share and {name: max(1, round(share * n)) for name, n in self._whole.items()}
        records = self._simplifier.step(optimizer, widths=widths or None)
        return any(cut.before != cut.after for cut in records)

    def is_over(self, epoch: int) -> bool:
        """Whether a first stage is over: before, the model that was asked for is not there."""
        return self._schedule.stage(epoch) >= 1
