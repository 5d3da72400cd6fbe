"""`Hooks`: how a caller follows and stops a training; and `calling`, callbacks as one of them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from meprop_nlp.errors import ConfigError
from meprop_nlp.training.records import EpochRecord, Note, Step

Callback = Callable[[EpochRecord], object]


@dataclass(frozen=True, slots=True)
class Hooks:
    """The functions through which a caller follows and stops a training.

    Attributes:
        on_record: called with each Note, Step and EpochRecord.
        on_epoch: called after each epoch of the model itself, not of the tokenizer or of models
            that it learns from; the epoch's files are written by then. When it returns True the
            training ends, and the best model so far is its result.
        stop: called between minibatches; when it returns True the run is saved, and
            KeyboardInterrupt raised.
    """

    on_record: Callable[[Note | Step | EpochRecord], None] = lambda record: None
    on_epoch: Callable[[EpochRecord], bool] = lambda record: False
    stop: Callable[[], bool] = lambda: False


def calling(callbacks: Callback | Iterable[Callback]) -> Callable[[EpochRecord], bool]:
    """Return what calls each callback, and says whether one of them ends the training.

    A callback ends it by returning True itself; other values have no effect. All callbacks are
    called at each epoch, in order. What one of them raises ends the training as an error.

    Raises:
        ConfigError: one of them cannot be called.
    """
    given: Sequence[object]
    if callable(callbacks):
        given = [callbacks]
    else:
        given = list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]
    called: list[Callback] = []
    for one in given:
        if not callable(one):
            raise ConfigError(
                f"`callbacks` has an object of type {type(one).__name__}, expected functions of an "
                "EpochRecord, or objects that can be called like one"
            )
        called.append(one)

    def on_epoch(record: EpochRecord) -> bool:
        return any([callback(record) is True for callback in called])

    return on_epoch
