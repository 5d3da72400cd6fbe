"""The one training loop: minibatches, epochs, cycles of cutting, early stop, checkpoints, resume.

It yields records and prints nothing. It uses torch's global random numbers (dropout, random top-k),
seeded by `TrainingConfig.seed`, and numpy's for the order of the examples.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from meprop_nlp.config import SimplifyConfig, TrainingConfig
from meprop_nlp.errors import ConfigError, MePropError
from meprop_nlp.files import replacing
from meprop_nlp.models.file import ModelFile, write_model_file
from meprop_nlp.models.packing import rounded
from meprop_nlp.nn.clipping import clamp_gradients, clip_gradients
from meprop_nlp.nn.optimizers import make_optimizer
from meprop_nlp.training.checkpoint import (
    Checkpoint,
    Progress,
    checkpoint_path,
    neurons,
    restore,
    save_checkpoint,
)
from meprop_nlp.training.records import EpochRecord, Step, log_path
from meprop_nlp.training.simplification import make_simplification
from meprop_nlp.training.task import Task, arrays_of

__all__ = ["Trainer"]


class Trainer:
    """Trains a task's network and keeps its best state.

    Args:
        task: what to train; its network is trained in place.
        training: the loop's settings.
        simplify: when and what to cut; None keeps all neurons.
        output: where the best model goes, with `.jsonl` and checkpoint beside it; None: nowhere.
        settings: whatever else must be the same when a run is resumed.
        stop: asked between minibatches; on True a checkpoint is written, KeyboardInterrupt raised.

    Attributes:
        best: the best model, when there is no `output`.
    """

    def __init__(
        self,
        task: Task,
        *,
        training: TrainingConfig,
        simplify: SimplifyConfig | None = None,
        output: Path | None = None,
        settings: Mapping[str, Any] | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.task = task
        self.training = training
        self.output = output
        self.stop = stop
        self.settings = {"training": training.to_dict(), **(settings or {})}
        self.settings["simplify"] = simplify.to_dict() if simplify else None
        self.layers = task.simplified_layers()
        self.optimizer = make_optimizer(
            training.optimizer,
            task.network.parameters(),
            lr=training.learning_rate or task.learning_rates.get(training.optimizer),
            weight_decay=training.weight_decay,
            lazy=training.lazy,
        )
        self.base_lr = float(self.optimizer.param_groups[0]["lr"])
        self.simplification = (
            make_simplification(task, self.layers, simplify, training.epochs, stop)
            if simplify
            else None
        )
        self.best: ModelFile | None = None
        self.rng = np.random.default_rng(training.seed)
        self.progress = Progress(order=dict(self.rng.bit_generator.state))

    def run(self, *, resume: bool = False) -> Iterator[Step | EpochRecord]:
        """Train, and yield what happens.

        Raises:
            CheckpointError, ConfigError: `resume`, and there is no fitting checkpoint.
            MePropError: the loss is not finite.
            KeyboardInterrupt: `stop` said so; the checkpoint is written.
        """
        if resume:
            self._resume()
        progress = self.progress
        while progress.epoch < self.training.epochs and not self._out_of_patience():
            self._begin_epoch()
            yield from self._epoch()
            yield self._end_epoch()
        if self.output:
            checkpoint_path(self.output).unlink(missing_ok=True)

    def _begin_epoch(self) -> None:
        """Do what is due before an epoch's minibatches, once, however often it is resumed."""
        start, progress, resumed = time.perf_counter(), self.progress, self.progress.begun
        if self.simplification:
            progress.was_cut |= self.simplification.begin_epoch(
                progress.epoch, self.optimizer, resumed=resumed
            )
        # what a network meets that has just been cut is not what it will meet
        if not resumed and not progress.was_cut:
            self.task.network.train()
            self.task.begin_epoch(progress.epoch)
        progress.begun = True
        progress.seconds["all"] += time.perf_counter() - start

    def _epoch(self) -> Iterator[Step]:
        task, progress = self.task, self.progress
        n_batches = task.n_batches
        task.network.train()
        done = progress.batch
        start = time.perf_counter()
        for number, batch in enumerate(task.batches(self.rng)):
            if number < done:
                continue  # trained before the run was stopped
            if self.stop():
                self._save_checkpoint()
                raise KeyboardInterrupt
            progress.loss += self._step(batch)
            if self.simplification:
                progress.was_cut |= self.simplification.after_batch(
                    progress.epoch, number, n_batches, self.optimizer
                )
            progress.seconds["all"] += time.perf_counter() - start
            progress.batch = number + 1
            progress.n_words += batch.n_words
            yield Step(
                progress.epoch + 1,
                self.training.epochs,
                progress.batch,
                n_batches,
                progress.loss / progress.batch,
                progress.n_words / max(progress.seconds["all"], 1e-9),
            )
            start = time.perf_counter()

    def _step(self, batch: Any) -> float:
        """Forward, backward, update on one minibatch; return its loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        self.optimizer.zero_grad(set_to_none=True)
        clock = [self._clock()]
        teacher = self.simplification.teacher if self.simplification else None
        loss = self.task.loss(batch, teacher) if teacher else self.task.loss(batch)
        clock.append(self._clock())
        loss.backward()  # type: ignore[no-untyped-call]
        clock.append(self._clock())
        if self.training.clip:
            clip_gradients(self.task.network.parameters(), self.training.clip)
        if self.training.clip_value:
            clamp_gradients(self.task.network.parameters(), self.training.clip_value)
        self.optimizer.step()
        clock.append(self._clock())
        for name, before, after in zip(
            ("forward", "backward", "update"), clock[:-1], clock[1:], strict=True
        ):
            self.progress.seconds[name] += after - before
        value = float(loss.detach())
        if not np.isfinite(value):
            raise MePropError(
                f"the loss is {value} in epoch {self.progress.epoch + 1}; "
                "try a smaller --learning-rate"
            )
        return value

    def _clock(self) -> float:
        # work on a GPU is asynchronous: without waiting, all time would be the update's
        device = next(self.task.network.parameters()).device
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter()

    def _learning_rate(self) -> float:
        if not self.training.decay:
            return self.base_lr
        epoch, share = self.progress.epoch, self.progress.batch / self.task.n_batches
        if self.simplification:
            return self.base_lr * (1 - self.simplification.part_done(epoch, share))
        return self.base_lr * (1 - (epoch + share) / self.training.epochs)

    def _end_epoch(self) -> EpochRecord:
        progress = self.progress
        learning_rate = self._learning_rate()
        start = time.perf_counter()
        scores = self.task.evaluate()
        evaluate_seconds = time.perf_counter() - start
        # a model from before a cut is not the model that was asked for, however good
        score = float(np.mean([scores[n] for n in self.task.main_scores])) if scores else None
        best = (
            progress.best_score is None
            or progress.was_cut
            or score is None
            or score > progress.best_score
        )
        seconds = progress.seconds
        record = EpochRecord(
            epoch=progress.epoch + 1,
            loss=progress.loss / max(1, progress.batch),
            scores=scores,
            neurons=neurons(self.layers),
            best=best,
            learning_rate=learning_rate,
            forward_seconds=seconds["forward"],
            backward_seconds=seconds["backward"],
            update_seconds=seconds["update"],
            seconds=seconds["all"],
            evaluate_seconds=evaluate_seconds,
            words_per_second=progress.n_words / max(seconds["all"], 1e-9),
            n_batches=progress.batch,
        )
        progress.records.append(record.to_dict())
        if best:
            progress.best_score, progress.best_epoch = score, progress.epoch + 1
            self._keep_best(record)
        fresh = Progress(order={})
        for name in ("batch", "loss", "n_words", "seconds", "begun", "was_cut"):
            setattr(progress, name, getattr(fresh, name))
        progress.epoch += 1
        progress.order = dict(self.rng.bit_generator.state)
        if self.output:
            with replacing(log_path(self.output)) as temporary:
                lines = (json.dumps(entry) + "\n" for entry in progress.records)
                temporary.write_text("".join(lines), encoding="utf-8")
        self._save_checkpoint()
        return record

    def _keep_best(self, record: EpochRecord) -> None:
        arrays = arrays_of(self.task.network)
        if self.output is None:
            copies = {name: array.copy() for name, array in arrays.items()}
            self.best = ModelFile(self.header(record), rounded(copies))
            return
        write_model_file(self.output, self.header(record), arrays)

    def header(self, record: EpochRecord) -> dict[str, Any]:
        """Return the model file's header for the network as it is after `record`."""
        return {
            **self.task.header(),
            "neurons": record.neurons,
            "scores": record.scores,
            "training": {**self.settings, "epoch": record.epoch},
        }

    def _out_of_patience(self) -> bool:
        if self.simplification and not self.simplification.is_over(self.progress.epoch):
            return False
        waited = self.progress.epoch - self.progress.best_epoch
        return bool(self.training.patience) and waited >= self.training.patience

    def _save_checkpoint(self) -> None:
        if self.output:
            save_checkpoint(
                checkpoint_path(self.output),
                self.settings,
                self.progress.to_dict(),
                self.task.network,
                self.layers,
                self.optimizer,
                self.simplification.teacher_network() if self.simplification else None,
                self.task.state(),
            )

    def _resume(self) -> None:
        if self.output is None:
            raise ConfigError("a run can be resumed only when it has an output file")
        path = checkpoint_path(self.output)
        if not path.exists():
            raise ConfigError(
                f"--resume: there is no {path}; a run that ended has none; "
                "start anew without --resume"
            )
        checkpoint = Checkpoint.load(path)
        checkpoint.demand_settings(self.settings)
        if checkpoint.progress["best_epoch"] and not self.output.exists():
            raise ConfigError(
                f"--resume: the best model so far, {self.output}, is gone; "
                "start anew without --resume"
            )
        if self.simplification:
            self.simplification.restore_teacher(checkpoint.teacher())
        restore(checkpoint, self.task.network, self.layers, self.optimizer)
        self.task.restore(checkpoint.task())
        for name in Progress.__slots__:
            setattr(self.progress, name, checkpoint.progress[name])
        self.rng.bit_generator.state = self.progress.order
