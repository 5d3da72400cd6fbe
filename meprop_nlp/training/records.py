"""What training reports: a Note on the data, a Step per minibatch, an EpochRecord per epoch."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the user should know, about the data or what was made of it."""

    text: str
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One minibatch is finished: what a progress bar needs.

    Attributes:
        epoch, batch: 1-based.
        n_epochs, n_batches: how many there will be; of batches, in this epoch.
        loss: mean loss of the epoch so far, nats per decision.
        words_per_second: of this epoch so far.
    """

    epoch: int
    n_epochs: int
    batch: int
    n_batches: int
    loss: float
    words_per_second: float


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """One epoch is finished; stored as one line of the `.jsonl` file beside the model.

    The papers report back-propagation time only, so forward, backward and update stand apart;
    `seconds` is the whole epoch, minibatches made and cuts included, without the evaluation on dev.

    Attributes:
        epoch: 1-based.
        loss: mean training loss, nats per decision.
        scores: dev scores by name, in percent; empty without a dev file. None is the score of what
            the dev file does not have, such as trees.
        score: the mean of those scores by which the best epoch is chosen, as far as there are any;
            None without any, as without a dev file.
        main_scores: the names of those scores.
        neurons: width of each layer that can be simplified.
        best: whether this is the best model so far by `score`; after a cut, of the smaller ones.
        kept: whether this model is saved: the best one; without a score, the last.
        learning_rate: at the end of the epoch.
        n_batches: minibatches of the epoch.
        losses: the parts of `loss` by head, and `early` of the early outputs, where a network has
            several; each is the mean over the minibatches that it learns from.
        k: entries kept of each gradient in the first of the layers of `neurons`; None: all.
        n_weights: numbers that are trained.
    """

    epoch: int
    loss: float
    scores: dict[str, float | None]
    score: float | None
    neurons: dict[str, int]
    best: bool
    kept: bool
    learning_rate: float
    forward_seconds: float
    backward_seconds: float
    update_seconds: float
    seconds: float
    evaluate_seconds: float
    words_per_second: float
    n_batches: int
    losses: dict[str, float] = field(default_factory=dict)
    k: int | None = None
    n_weights: int = 0
    main_scores: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON-able values."""
        return dataclasses.asdict(self)


def log_path(output: Path) -> Path:
    """Return where the training of a model writes one JSON line per epoch."""
    return output.with_name(output.name.removesuffix(".safetensors") + ".jsonl")
