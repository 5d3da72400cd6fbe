"""`Hooks`: how a caller follows and stops a training."""

from collections.abc import Callable
from dataclasses import dataclass

from meprop_nlp.training.records import EpochRecord, Note, Step


@dataclass(frozen=True, slots=True)
class Hooks:
    """The functions through which a caller follows and stops a training.

    Attributes:
        on_record: called with each Note, Step and EpochRecord.
        stop: called between minibatches; when it returns True the run is saved, and
            KeyboardInterrupt raised.
    """

    on_record: Callable[[Note | Step | EpochRecord], None] = lambda record: None
    stop: Callable[[], bool] = lambda: False
