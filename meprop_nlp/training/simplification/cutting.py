"""When a training cuts neurons, by which criterion, and whether the uncut network then teaches."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from torch import Tensor
from torch.optim import Optimizer

from meprop_nlp.config import SimplifyConfig
from meprop_nlp.errors import ConfigError
from meprop_nlp.nn.optimizers import restart
from meprop_nlp.simplify.criteria import scores_by
from meprop_nlp.simplify.schedules import CutSchedule
from meprop_nlp.simplify.simplifier import Simplifier
from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.simplification.importance import taylor_scores
from meprop_nlp.training.simplification.reconstruction import (
    demand_linear_readers,
    reconstruction_scores,
)
from meprop_nlp.training.simplification.teacher import DROPOUT_SHARE, Teacher
from meprop_nlp.training.simplification.widths import widths_of
from meprop_nlp.training.task import Task
from meprop_nlp.training.weights import load_weights


class Simplification:
    """The late cut: the whole network is trained to an end, cut once, and trained again.

    Hits, where they are the criterion, are counted in the last epoch of the whole network. In both
    parts of the training the learning rate falls to zero; the optimiser restarts between them.

    Args:
        task: its network is still whole.
        layers: the layers of it that may be cut.
        config: how far to cut, and by which criterion.
        epochs: of the whole training.
        stop: called while the teacher answers about all examples, which takes a while.

    Attributes:
        teacher: the network as it was before the cut, where `config.own_teacher` asks for it.

    Raises:
        ConfigError: no layer is wide enough to be cut, or the criterion does not fit the network.
    """

    def __init__(
        self,
        task: Task,
        layers: Sequence[SimplifiedLayer],
        config: SimplifyConfig,
        epochs: int,
        stop: Callable[[], bool],
    ) -> None:
        self._task, self._layers, self._config, self._epochs = task, layers, config, epochs
        self._stop = stop
        self._first = config.epochs_before(epochs)
        self.teacher: Teacher | None = None
        widest = max(widths_of(layers).values())
        if widest <= config.min_neurons:
            raise ConfigError(
                f"`min_neurons` is {config.min_neurons}, but no layer is wider than {widest}"
            )
        if config.criterion == "reconstruction":
            demand_linear_readers(layers)  # now rather than when the cut comes
        self._simplifier = Simplifier(
            layers,
            prune_rate=task.prune_rate if config.prune_rate is None else config.prune_rate,
            min_neurons=config.min_neurons,
        )

    def cuts_before(self, epoch: int) -> bool:
        """Return whether `begin_epoch` of this epoch cuts."""
        return epoch == self._first

    def begin_epoch(self, epoch: int, optimizer: Optimizer, *, resumed: bool) -> bool:
        """Cut or restart, as the schedule says, before an epoch; return whether neurons were cut.

        Args:
            resumed: whether this happened already, before the run was stopped in this epoch.
        """
        self._simplifier.counting = self._config.by_hits and epoch == self._first - 1
        if not self.cuts_before(epoch) or resumed:
            return False
        if self._config.own_teacher:
            self._make_teacher()
        widths = {part.name: part.width_at(self._config.keep) for part in self._layers}
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
        """Cut after a minibatch, as the schedule says; return whether neurons were cut."""
        return False

    def is_over(self, epoch: int) -> bool:
        """Whether the cut model exists by that epoch, so that training may stop."""
        return epoch > self._first

    def part_done(self, epoch: int, share: float) -> float:
        """Return which share of the present part of training is finished, for the learning rate.

        Args:
            epoch, share: the present epoch, and which share of it is finished.
        """
        start, end = (self._first, self._epochs) if epoch >= self._first else (0, self._first)
        return (epoch + share - start) / (end - start)

    def restore_teacher(self, arrays: Mapping[str, Tensor]) -> None:
        """Make the teacher again from stored weights, if any, while the task's network is whole."""
        if arrays:
            load_weights(self._make_teacher().network, arrays)

    def _make_teacher(self) -> Teacher:
        """Make the network as it is the teacher of the network that will be cut from it."""
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

    def cuts_before(self, epoch: int) -> bool:
        return False

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
