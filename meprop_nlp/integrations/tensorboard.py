"""`TensorBoard`: a callback that writes the epochs of a training for TensorBoard to draw."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from meprop_nlp.errors import ConfigError, DataError, is_lack_of, missing_extra
from meprop_nlp.scoring.names import SCORE_NAMES
from meprop_nlp.training.records import EpochRecord

_ENDING = ".meprop-nlp"
# an event: its length, a checksum of that, the event, a checksum of it
_HEAD, _TAIL = struct.Struct("<QI"), 4


class TensorBoard:
    """Writes the scalars of each epoch into a folder, as an event file.

    A training that is resumed goes on in the file that it began; a new one begins a file of its
    own, so a folder is best given to one training.

    >>> Tagger.train("train.conllu", "dev.conllu", callbacks=TensorBoard("runs/tagger"))
    ... # doctest: +SKIP

    Args:
        folder: is made when the first epoch ends.

    Raises:
        ConfigError: tensorboard is not installed, or the folder is a file.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        try:
            import tensorboard.compat.proto.event_pb2
            import tensorboard.summary.writer.record_writer  # noqa: F401
        except ModuleNotFoundError as error:
            if not is_lack_of(error, "tensorboard"):
                raise
            raise ConfigError(
                missing_extra("TensorBoard", "tensorboard", "`tensorboard`")
            ) from None
        self._folder = Path(folder)
        if self._folder.exists() and not self._folder.is_dir():
            raise ConfigError(f"`tensorboard` is {self._folder}, a file, expected a folder")
        self._path: Path | None = None

    def __call__(self, record: EpochRecord) -> None:
        """Write an epoch.

        Raises:
            DataError: the folder or its file cannot be written.
        """
        try:
            if self._path is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._path = self._begun(record.epoch) or self._new()
            with self._path.open("ab") as file:
                _write(file, step=record.epoch, values=dict(scalars(record)))
        except OSError as error:
            raise DataError(f"{error.filename or self._folder}: {error.strerror}") from None

    def _begun(self, epoch: int) -> Path | None:
        """Return the file that this training goes on in, without an event that was cut off."""
        if epoch == 1:
            return None
        for path in sorted(self._folder.glob(f"*{_ENDING}"), reverse=True):
            step, end = _last_step(path.read_bytes())
            if 0 < step < epoch:
                os.truncate(path, end)
                return path
        return None

    def _new(self) -> Path:
        now = f"{time.time():.6f}"  # TensorBoard orders files by their names
        path = self._folder / f"events.out.tfevents.{now}.{socket.gethostname()}{_ENDING}"
        with path.open("xb") as file:
            _write(file, file_version="brain.Event:2")
        return path


def scalars(record: EpochRecord) -> Iterator[tuple[str, float]]:
    """Yield the numbers of an epoch that are drawn, each with its name, such as `loss/tags`."""
    yield "loss/all", record.loss
    for head, loss in record.losses.items():
        yield f"loss/{head}", loss
    for name, score in record.scores.items():
        if score is not None:
            yield f"dev/{SCORE_NAMES.get(name, name)}", score
    if record.score is not None:
        yield "dev/mean", record.score
    yield "speed/words a second", record.words_per_second
    for part in ("forward", "backward", "update"):
        yield f"seconds/{part}", getattr(record, f"{part}_seconds")
    yield "seconds/epoch", record.seconds
    yield "seconds/evaluation", record.evaluate_seconds
    yield "training/learning rate", record.learning_rate
    if record.k is not None:
        yield "network/k", record.k
    yield "network/weights", record.n_weights
    for layer, width in record.neurons.items():
        yield f"network/neurons {layer}", width


def _write(
    file: IO[bytes], *, step: int = 0, values: dict[str, float] | None = None, **more: Any
) -> None:
    """Append an event to a file, in one piece."""
    from io import BytesIO

    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    if values is not None:
        more["summary"] = Summary(
            value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        )
    event = Event(wall_time=time.time(), step=step, **more)
    buffer = BytesIO()
    RecordWriter(buffer).write(event.SerializeToString())
    file.write(buffer.getvalue())


def _last_step(data: bytes) -> tuple[int, int]:
    """Return the step of the last whole event of a file, and where that ends."""
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto.event_pb2 import Event

    step = start = 0
    while start + _HEAD.size <= len(data):
        length, _ = _HEAD.unpack_from(data, start)
        end = start + _HEAD.size + length + _TAIL
        if end > len(data):
            break
        try:
            step = Event.FromString(data[start + _HEAD.size : end - _TAIL]).step
        except DecodeError:
            break
        start = end
    return step, start
