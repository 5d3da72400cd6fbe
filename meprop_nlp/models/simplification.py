"""Simplification in a training: the schedule's dates, the simplifier's cuts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn
from torch.optim import Optimizer

from meprop_nlp.config import SimplifyConfig
from meprop_nlp.errors import ConfigError
from meprop_nlp.models.checkpoint import load_network, neurons
from meprop_nlp.models.task import Task
from meprop_nlp.models.teacher import Teacher
from meprop_nlp.nn.optim import restart
from meprop_nlp.nn.schedules import CutSchedule, GradualSchedule
from meprop_nlp.nn.simplify import SimplifiedLayer, Simplifier

__all__ = ["Simplification"]


class Simplification:
    """What a training does to simplify its network (meSimp, section 3).

    Args:
        task: its network is still whole.
        layers: what may be cut of it.
        config: when, how far and by what.
        epochs: of the whole training.

    Attributes:
        teacher: the network as it was before the first cut, from then on, where there is one.

    Raises:
        ConfigError: no layer is wide enough to be cut.
    """

    def __init__(
        self, task: Task, layers: Sequence[SimplifiedLayer], config: SimplifyConfig, epochs: int
    ) -> None:
        self._task, self._config, self._epochs = task, config, epochs
        self._gradual = config.schedule == "gradual"
        self.teacher: Teacher | None = None
        self._whole = neurons(layers)
        widest = max(self._whole.values())
        if widest <= config.min_neurons:
            raise ConfigError(
                f"--min-neurons is {config.min_neurons}, but no layer is wider than {widest}"
            )
        self._first = config.epochs_before(epochs)
        cycle = config.cycle or (1 if self._gradual else 2)
        when = {
            "cycle": cycle,
            "cuts_per_epoch": config.cuts_per_epoch,
            "first_cut_epoch": self._first,
        }
        self._schedule = (
            GradualSchedule(**when, keep=config.keep) if self._gradual else CutSchedule(**when)
        )
        self._simplifier = Simplifier(
            layers,
            prune_rate=task.prune_rate if config.prune_rate is None else config.prune_rate,
            criterion=config.criterion,
            min_neurons=config.min_neurons,
        )

    def begin_epoch(self, epoch: int, optimizer: Optimizer, *, resumed: bool) -> None:
        """Restart the optimiser where the schedule says so, and count hits where cuts follow."""
        if epoch == self._first and self._config.teacher and self._gradual and not resumed:
            self.teacher = Teacher(self._task.network)
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

    def part_done(self, epoch: int, share: float) -> float:
        """Return how much of its part of the training is done: the learning rate falls with it.

        With the gradual schedule the uncut network and the cut one are each trained to an end.

        Args:
            share: of `epoch` that is done.
        """
        first = self._first if self._gradual else 0
        start, end = (first, self._epochs) if epoch >= first else (0, first)
        return (epoch + share - start) / (end - start)

    def teacher_network(self) -> nn.Module | None:
        """Return the network before it was cut, where it is still asked."""
        return self.teacher.network if self.teacher else None

    def restore_teacher(self, arrays: Mapping[str, Tensor]) -> None:
        """Bring a stored teacher, if any, back while the task's network is whole."""
        if arrays:
            self.teacher = Teacher(self._task.network)
            load_network(self.teacher.network, arrays)
