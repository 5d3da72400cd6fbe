"""The papers' schedule of simplification: in stages.

All functions depend on the epoch and batch only, so that training can stop and resume. Epochs and
batches count from 0.
"""

from dataclasses import dataclass

from meprop_nlp.errors import ConfigError


@dataclass(frozen=True, slots=True)
class CutSchedule:
    """The epochs and batches after which layers are simplified, by the papers.

    For `cycle` epochs the layers are simplified several times an epoch; then `cycle` epochs of
    normal meProp training follow. The two together are a stage (meSimp, section 3).

    Attributes:
        cycle: epochs of each half of a stage (reference: 5).
        cuts_per_epoch: how often, evenly spaced, the last time after the last batch (reference: 8);
            after each batch if an epoch has fewer.
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
        """Return the number of the stage that contains `epoch`, from 0; -1 before the first."""
        return max((epoch - self.first_cut_epoch) // (2 * self.cycle), -1)

    def cuts_in(self, epoch: int) -> bool:
        """Whether layers count hits and are simplified in `epoch`: in the first half of a stage."""
        since = epoch - self.first_cut_epoch
        return since >= 0 and since // self.cycle % 2 == 0

    def cuts_after(self, epoch: int, batch: int, n_batches: int) -> bool:
        """Whether to simplify after batch `batch` of the `n_batches` of `epoch`."""
        # Cut number m falls after the first batch that completes m / cuts_per_epoch of the epoch.
        cuts_before = batch * self.cuts_per_epoch // n_batches
        cuts = (batch + 1) * self.cuts_per_epoch // n_batches
        return self.cuts_in(epoch) and cuts > cuts_before

    def restarts_optimizer(self, epoch: int) -> bool:
        """Whether the optimiser restarts before `epoch`: at each start of a cycle after epoch 0."""
        since = epoch - self.first_cut_epoch
        return epoch > 0 and since >= 0 and since % self.cycle == 0
