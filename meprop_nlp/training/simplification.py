"""Simplification in a training: when it cuts, by what, and who teaches what is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from torch import Tensor, nn
from torch.optim import Optimizer

from meprop_nlp.config import SimplifyConfig
from meprop_nlp.errors import ConfigError
from meprop_nlp.nn.optimizers import restart
from meprop_nlp.simplify.criteria import scores_by
from meprop_nlp.simplify.schedules import CutSchedule
from meprop_nlp.simplify.simplifier import Simplifier
from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.checkpoint import load_network, neurons
from meprop_nlp.training.importance import taylor_scores
from meprop_nlp.training.reconstruction import reconstruction_scores
from meprop_nlp.training.task import Task
from meprop_nlp.training.teacher import DROPOUT_SHARE, Teacher

__all__ = ["Simplification", "make_simplification"]


class Simplification:
    """The late cut: the whole network is trained to an end, cut once, and what is left trained on.

    Hits, where they decide, are counted in the last epoch of the whole network. Both parts of the
    training have the learning rate fall to zero, and the optimiser restarts between them.

    Args:
        task: its network is still whole.
        layers: what may be cut of it.
        config: how far and by what.
        epochs: of the whole training.
        stop: asked while the teacher answers about all examples, which takes a while.

    Attributes:
        teacher: the whole network, once it has been cut, where it is to teach.

    Raises:
        ConfigError: no layer is wide enough to be cut.
    """

    def __init__(
        self,
        task: Task,
        layers: Sequence[SimplifiedLayer],
        config: SimplifyConfig,
        epochs: int,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._task, self._layers, self._config, self._epochs = task, layers, config, epochs
        self._stop = stop
        self._first = config.epochs_before(epochs)
        self._whole = neurons(layers)
        self.teacher: Teacher | None = None
        widest = max(self._whole.values())
        if widest <= config.min_neurons:
            raise ConfigError(
                f"--min-neurons is {config.min_neurons}, but no layer is wider than {widest}"
            )
        self._simplifier = Simplifier(
            layers,
            prune_rate=task.prune_rate if config.prune_rate is None else config.prune_rate,
            min_neurons=config.min_neurons,
        )

    def begin_epoch(self, epoch: int, optimizer: Optimizer, *, resumed: bool) -> bool:
        """Do what is due before an epoch; return whether neurons have gone.

        Args:
            resumed: this was done for the epoch before the run was stopped.
        """
        self._simplifier.counting = self._config.by_hits and epoch == self._first - 1
        if epoch != self._first or resumed:
            return False
        if self._config.teacher:
            self._be_taught()
        widths = {name: max(1, round(self._config.keep * n)) for name, n in self._whole.items()}
        records = self._simplifier.step(optimizer, widths=widths, scores=self._scores())
        restart(optimizer)
        return any(cut.before != cut.after for cut in records)

    def _scores(self) -> dict[str, Tensor]:
        criterion = self._config.criterion
        if criterion == "reconstruction":
            return reconstruction_scores(self._task, self._layers)
        if criterion == "taylor":
            return taylor_scores(self._task, self._layers)
        return {part.name: scores_by(criterion, part.layer) for part in self._layers}

    def after_batch(self, epoch: int, batch: int, n_batches: int, optimizer: Optimizer) -> bool:
        """Cut, if it is time to; return whether neurons have gone."""
        return False

    def is_over(self, epoch: int) -> bool:
        """Whether the model that was asked for is there by then, so that training may stop."""
        return epoch > self._first

    def part_done(self, epoch: int, share: float) -> float:
        """Return how much of its part of the training is done: the learning rate falls with it.

        Args:
            share: of `epoch` that is done.
        """
        start, end = (self._first, self._epochs) if epoch >= self._first else (0, self._first)
        return (epoch + share - start) / (end - start)

    def teacher_network(self) -> nn.Module | None:
        """Return the network before it was cut, where it is still asked."""
        return self.teacher.network if self.teacher else None

    def restore_teacher(self, arrays: Mapping[str, Tensor]) -> None:
        """Bring a stored teacher, if any, back while the task's network is whole."""
        if arrays:
            load_network(self._be_taught().network, arrays)

    def _be_taught(self) -> Teacher:
        """Make the network as it is the teacher of what will be left of it."""
        self.teacher = Teacher(self._task.network, self._stop)
        self._task.network.dropout_share = DROPOUT_SHARE  # type: ignore[assignment]
        return self.teacher


class StagedSimplification(Simplification):
    """The papers' cuts, in stages, by the prune rate (meSimp, section 3)."""

    @cached_property
    def _schedule(self) -> CutSchedule:
        return CutSchedule(
            cycle=self._config.cycle,
            cuts_per_epoch=self._config.cuts_per_epoch,
            first_cut_epoch=self._first,
        )

    def begin_epoch(self, epoch: int, optimizer: Optimizer, *, resumed: bool) -> bool:
        if self._schedule.restarts_optimizer(epoch) and not resumed:
            restart(optimizer)
        self._simplifier.counting = self._schedule.cuts_in(epoch)
        return False

    def after_batch(self, epoch: int, batch: int, n_batches: int, optimizer: Optimizer) -> bool:
        if not self._schedule.cuts_after(epoch, batch, n_batches):
            return False
        return any(cut.before != cut.after for cut in self._simplifier.step(optimizer))

    def is_over(self, epoch: int) -> bool:
        return self._schedule.stage(epoch) >= 1

    def part_done(self, epoch: int, share: float) -> float:
        return (epoch + share) / self._epochs


def make_simplification(
    task: Task,
    layers: Sequence[SimplifiedLayer],
    config: SimplifyConfig,
    epochs: int,
    stop: Callable[[], bool] = lambda: False,
) -> Simplification:
    """Return the simplification that `config.schedule` names."""
    kind = StagedSimplification if config.schedule == "paper" else Simplification
    return kind(task, layers, config, epochs, stop)
