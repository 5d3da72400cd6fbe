"""`Progress`: how far a training is."""

from dataclasses import dataclass, field
from typing import Any

_OF_AN_EPOCH = ("order", "batch", "loss", "losses", "n_words", "seconds", "begun", "was_cut")


@dataclass(slots=True)
class Progress:
    """How far a training is; all of it is stored in the checkpoint.

    Attributes:
        order: state of the random numbers that order the examples, at the start of the epoch.
        epoch, batch: how many are finished; `batch` in the present epoch.
        loss, n_words, seconds: sums over the epoch so far; seconds by part.
        losses: by head, the sum of its loss and the number of its minibatches.
        begun: whether the work that precedes the epoch's first minibatch is finished.
        was_cut: whether neurons were cut in this epoch.
        best_score, best_epoch: of the best model so far; epochs count from 1 here, 0 is none.
        records: the values of an EpochRecord for each finished epoch.
    """

    order: dict[str, Any]
    epoch: int = 0
    batch: int = 0
    loss: float = 0.0
    n_words: int = 0
    losses: dict[str, list[float]] = field(default_factory=dict)
    seconds: dict[str, float] = field(
        default_factory=lambda: {"forward": 0.0, "backward": 0.0, "update": 0.0, "all": 0.0}
    )
    begun: bool = False
    was_cut: bool = False
    best_score: float | None = None
    best_epoch: int = 0
    records: list[dict[str, Any]] = field(default_factory=list)

    def next_epoch(self, order: dict[str, Any]) -> None:
        """Go on to the next epoch: its sums start at zero."""
        fresh = Progress(order)
        for name in _OF_AN_EPOCH:
            setattr(self, name, getattr(fresh, name))
        self.epoch += 1

    def to_dict(self) -> dict[str, Any]:
        """Return the values as JSON has them."""
        return {name: getattr(self, name) for name in self.__slots__}

    def load(self, stored: dict[str, Any]) -> None:
        """Take the values that `to_dict` returned."""
        for name in self.__slots__:
            if name != "losses" or name in stored:  # older checkpoints lack it
                setattr(self, name, stored[name])
