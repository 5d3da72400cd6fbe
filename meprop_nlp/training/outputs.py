"""`Outputs`: what a training leaves behind: the best model, a log, and a checkpoint meanwhile."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from meprop_nlp.errors import ConfigError
from meprop_nlp.files import replacing
from meprop_nlp.models.file import ModelFile, read_header, read_model_file, write_model_file
from meprop_nlp.models.packing import rounded
from meprop_nlp.training.checkpoint import Checkpoint, checkpoint_path, demand_checkpoint
from meprop_nlp.training.loop import Trainer
from meprop_nlp.training.records import EpochRecord, log_path

# in the header of the best model so far: without its checkpoint it is not taken for the result
UNFINISHED = "unfinished"


class Outputs:
    """Keeps the best model of a training, in a file or in memory.

    Args:
        trainer: the training.
        path: the model file; `.jsonl` and the checkpoint stand beside it. None: only the best model
            is kept, in memory.
        settings: everything that must be the same when the run is resumed; stored with the model.
    """

    def __init__(self, trainer: Trainer, path: Path | None, settings: Mapping[str, Any]) -> None:
        self._trainer, self._path, self._settings = trainer, path, settings
        self._best: ModelFile | None = None

    def keep(self, record: EpochRecord) -> None:
        """Store what an epoch has led to."""
        if record.kept:
            self._keep_model(record)
        if self._path:
            with replacing(log_path(self._path), durable=True) as temporary:
                lines = (json.dumps(entry) + "\n" for entry in self._trainer.progress.records)
                temporary.write_text("".join(lines), encoding="utf-8")
        self.save_checkpoint()

    def save_checkpoint(self) -> None:
        """Store the state of the training, where there is a file to resume it from."""
        if self._path:
            Checkpoint.of(self._trainer, self._settings).save(checkpoint_path(self._path))

    def resume(self) -> None:
        """Bring the trainer to the state that the checkpoint stores.

        Raises:
            CheckpointError, ConfigError: there is no checkpoint that fits.
        """
        checkpoint = Checkpoint.load(demand_checkpoint(self._path))
        checkpoint.demand_settings(self._settings)
        if checkpoint.progress["best_epoch"] and self._path and not self._path.exists():
            raise ConfigError(
                f"`resume`: the best model so far, {self._path}, is gone; "
                "start anew without `resume`"
            )
        checkpoint.restore(self._trainer)

    def finish(self) -> ModelFile:
        """Return the best model of a training that ended.

        The checkpoint stays: a run that is killed before its last file is written and its side
        files are removed can be resumed. `remove_checkpoint` is the last step.

        Raises:
            ConfigError: no epoch was trained.
        """
        if self._path is not None:
            file = read_model_file(self._path)
            if file.header.pop(UNFINISHED, False):
                write_model_file(self._path, file.header, file.arrays)
                file = read_model_file(self._path)
            return file
        if self._best is None:
            raise ConfigError("no epoch was trained; give at least one epoch")
        return self._best

    def _keep_model(self, record: EpochRecord) -> None:
        header = {
            **self._trainer.task.header(),
            "neurons": record.neurons,
            "scores": record.scores,
            "training": {**self._settings, "epoch": record.epoch},
        }
        with self._trainer.final_weights():
            arrays = self._trainer.task.arrays()
            if self._path is not None:
                header |= self._trainer.task.write_beside(self._path)
                write_model_file(self._path, {**header, UNFINISHED: True}, arrays)
            else:
                self._best = ModelFile(
                    header, rounded({name: array.copy() for name, array in arrays.items()})
                )


def is_finished(path: Path) -> bool:
    """Return whether a model file is the result of a training, not the best model so far."""
    return UNFINISHED not in read_header(path)


def remove_checkpoint(path: str | os.PathLike[str] | None) -> None:
    """Remove the checkpoint of a training whose files are all written: its last step."""
    if path is not None:
        checkpoint_path(Path(path)).unlink(missing_ok=True)
