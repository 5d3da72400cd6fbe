"""When neurons go, by the papers: in stages.

Pure functions of the epoch and batch, so that training can stop and resume. Epochs and batches
count from 0.
"""

from __future__ import annotations

from dataclasses import dataclass

from meprop_nlp.errors import ConfigError


@dataclass(frozen=True, slots=True)
class CutSchedule:
    """The papers': several simplifications an epoch, by the prune rate, with pauses.

    `cycle` epochs in which the layers are simplified several times, then `cycle` epochs of normal
    meProp training; the pair is a stage (meSimp, section 3).

    Attributes:
        cycle: epochs of each half of a stage (reference: 5).
        cuts_per_epoch: evenly spaced, the last after the epoch's last batch (reference: 8); where
            an epoch has fewer batches, one after each.
        first_cut_epoch: epochs of normal training before the first stage.

    Raises:
        ConfigError: a value out of range.
    """

    cycle: int = 5
    cuts_per_epoch: int = 8
    first_cut_epoch: int = 0

    def __post_init__(self) -> None:
        for name, least in (("cycle", 1), ("cuts_per_epoch", 1), ("first_cut_epoch", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"`{name}` is {getattr(self, name)}, expected at least {least}")

    def stage(self, epoch: int) -> int:
        """The number of the stage `epoch` is in, from 0; -1 before the first."""
        return max((epoch - self.first_cut_epoch) // (2 * self.cycle), -1)

    def cuts_in(self, epoch: int) -> bool:
        """Whether `epoch` is in the first half of a stage: the layers are simplified and count."""
        since = epoch - self.first_cut_epoch
        return since >= 0 and since // self.cycle % 2 == 0

    def cuts_after(self, epoch: int, batch: int, n_batches: int) -> bool:
        """Whether to simplify after batch `batch` of the `n_batches` of `epoch`."""
        # Cut number m falls after the first batch that completes m / cuts_per_epoch of the epoch.
        done = batch * self.cuts_per_epoch // n_batches
        return self.cuts_in(epoch) and (batch + 1) * self.cuts_per_epoch // n_batches > done

    def restarts_optimizer(self, epoch: int) -> bool:
        """Whether the optimiser restarts before `epoch`: each begins a cycle, but for the first."""
        since = epoch - self.first_cut_epoch
        return epoch > 0 and since >= 0 and since % self.cycle == 0
