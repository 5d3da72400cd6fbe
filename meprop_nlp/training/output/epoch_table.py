"""`EpochTable`: the epochs of a training as the rows of a table, in 80 columns."""

from collections import deque
from collections.abc import Iterator

from meprop_nlp.scoring.names import SCORE_NAMES
from meprop_nlp.training.records import EpochRecord

WIDTH = 80
BEST = "*"  # marks the best epoch so far
_RECENT = 3  # epochs whose pace tells the time left
_MEAN = "mean"
_EPOCH, _LOSS = "epoch", "loss"
_LEFT_OUT = ("time", _LOSS, "left")  # the columns that go first where the scores need the room


class EpochTable:
    """Writes a row for each epoch, and the header before the first and where the scores change.

    The columns are the epoch, the mean loss in nats per decision, the scores on dev in percent, the
    mean of those by which the best epoch is chosen where they are several, the time of the epoch
    with its scoring, and the time left if no epoch is saved by stopping early.
    """

    def __init__(self) -> None:
        self._header = ""
        self._neurons: dict[str, int] = {}
        self._times: deque[float] = deque(maxlen=_RECENT)

    def lines(self, record: EpochRecord, n_epochs: int | None = None) -> Iterator[str]:
        """Yield the lines of an epoch, its row last.

        Args:
            n_epochs: how many epochs there will be, where that is known.
        """
        if self._neurons and record.neurons != self._neurons:
            before, after = sum(self._neurons.values()), sum(record.neurons.values())
            left = "+".join(map(str, record.neurons.values()))
            yield f"cut: {after:,} of {before:,} neurons are left, {left}"
        self._neurons = dict(record.neurons)
        self._times.append(record.seconds + record.evaluate_seconds)
        cells = self._cells(record, n_epochs)
        widths = {name: _width(name) for name in cells}
        widths[_EPOCH] = max(len(_EPOCH), 2 * len(f"{n_epochs or ''}")) + 1
        for name in _LEFT_OUT:
            if sum(widths.values()) > WIDTH:
                cells.pop(name, None)
                widths.pop(name, None)
        header = "".join(f"{name:>{width}}" for name, width in widths.items()).rstrip()
        if header != self._header:
            self._header = header
            yield header
        yield "".join(f"{cells[name]:>{width}}" for name, width in widths.items()).rstrip()

    def _cells(self, record: EpochRecord, n_epochs: int | None) -> dict[str, str]:
        of_all = f"/{n_epochs}" if n_epochs else ""
        cells = {
            "epoch": f"{record.epoch}{of_all}",
            _LOSS: f"{record.loss:.{4 if record.loss < 10 else 2}f}",
        }
        for name, value in record.scores.items():
            cells[SCORE_NAMES[name]] = "-" if value is None else f"{value:.2f}"
        if record.score is not None and len(record.main_scores) > 1:
            cells[_MEAN] = f"{record.score:.2f}"
        cells["time"] = duration(self._times[-1])
        if n_epochs:
            pace = sum(self._times) / len(self._times)
            cells["left"] = duration(pace * max(0, n_epochs - record.epoch))
        return cells | {"": BEST if record.best else ""}


def _width(name: str) -> int:
    """Return the width of a column with the space before it."""
    return 2 if not name else max(len(name) + 1, 8 if name in (_LOSS, "left") else 7)


def duration(seconds: float) -> str:
    """Return a time as people say it: `0.4 s`, `12 s`, `34 min`, `5.2 h`, `9 days`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    if seconds < 99.5 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 99.95 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.0f} days"
