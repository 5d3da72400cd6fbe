"""`Trainer`: the training loop. It yields records; it writes no files and prints nothing.

Dropout and random top-k draw from torch's global random numbers, which the caller seeds; the order
of the examples comes from numpy's, seeded by `TrainingConfig.seed`.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor

from meprop_nlp.config import SimplifyConfig, TrainingConfig
from meprop_nlp.errors import MePropError
from meprop_nlp.nn.clipping import clamp_gradients, clip_gradients
from meprop_nlp.nn.optimizers import make_optimizer
from meprop_nlp.training.averaging import WeightAverage
from meprop_nlp.training.distribution.ranks import ALONE, Ranks
from meprop_nlp.training.progress import Progress
from meprop_nlp.training.records import EpochRecord, Step
from meprop_nlp.training.simplification.cutting import Simplification, StagedSimplification
from meprop_nlp.training.simplification.widths import widths_of
from meprop_nlp.training.stopwatch import Stopwatch
from meprop_nlp.training.task import Task


class Trainer:
    """Trains a task's network in place, epoch after epoch.

    Args:
        task: what to train.
        training: the loop's settings.
        simplify: when and what to cut; None keeps all neurons.
        stop: called before each minibatch; when it returns True, `run` ends.
        ranks: the processes that train the network together; of a minibatch each takes a share.

    Attributes:
        progress: how far the training is. With the network, the optimiser, the task's examples and
            torch's random numbers it is all that a resumed run needs.
        stopped: whether `run` ended because `stop` returned True.
    """

    def __init__(
        self,
        task: Task,
        *,
        training: TrainingConfig,
        simplify: SimplifyConfig | None = None,
        stop: Callable[[], bool] = lambda: False,
        ranks: Ranks = ALONE,
    ) -> None:
        self.task, self.training, self.stop, self.ranks = task, training, stop, ranks
        self.layers = task.simplified_layers()
        self.optimizer = make_optimizer(
            training.optimizer,
            task.parameter_groups(),
            lr=training.learning_rate or task.learning_rates.get(training.optimizer),
            betas=(0.9, training.beta2),
            weight_decay=training.weight_decay,
            lazy=training.lazy,
        )
        self.average = WeightAverage(task.network, training.average) if training.average else None
        self._rates = [float(group["lr"]) for group in self.optimizer.param_groups]
        self.base_lr = self._rates[0]
        self.simplification: Simplification | None = None
        if simplify:
            kind = StagedSimplification if simplify.schedule == "paper" else Simplification
            self.simplification = kind(task, self.layers, simplify, training.epochs, stop)
        self.rng = np.random.default_rng(training.seed)
        self.progress = Progress(order=dict(self.rng.bit_generator.state))
        self.stopped = False

    def run(self) -> Iterator[Step | EpochRecord]:
        """Train, and yield a Step after each minibatch and an EpochRecord after each epoch.

        A run whose `progress` was restored goes on with the first minibatch that is missing.

        Raises:
            MePropError: the loss is not finite.
            KeyboardInterrupt: `stop` returned True while a teacher answered about all examples.
        """
        task, progress = self.task, self.progress
        while progress.epoch < self.training.epochs and not self._out_of_patience():
            clock = Stopwatch(progress.seconds)
            clock.start()
            self._begin_epoch()
            clock.lap("all")
            task.network.train()
            n_trained, n_batches = progress.batch, task.n_batches
            clock.start()
            for number, batch in enumerate(task.batches(self.rng)):
                if number < n_trained:
                    continue  # before the run was stopped
                if self.ranks.any(self.stop()):
                    self._gather_losses()
                    self.stopped = True
                    return
                progress.loss += self._step(batch)
                if self.simplification:
                    self._note_cut(
                        self.simplification.after_batch(
                            progress.epoch, number, n_batches, self.optimizer
                        )
                    )
                clock.lap("all")
                progress.batch = number + 1
                progress.n_words += batch.n_words
                yield Step(
                    epoch=progress.epoch + 1,
                    n_epochs=self.training.epochs,
                    batch=progress.batch,
                    n_batches=n_batches,
                    loss=progress.loss / progress.batch,
                    words_per_second=progress.n_words / max(progress.seconds["all"], 1e-9),
                )
                clock.start()
            yield self._end_epoch()

    def _begin_epoch(self) -> None:
        """Cut, where the schedule says so, or make the epoch's examples; once, even if resumed."""
        progress, resumed = self.progress, self.progress.begun
        if self.ranks.are_several:
            self.ranks.seed(self.training.seed, progress.epoch)
        if self.simplification:
            if self.average and not resumed and self.simplification.cuts_before(progress.epoch):
                self.average.take()  # what is cut, and what then teaches, is the better network
            was_cut = self.simplification.begin_epoch(
                progress.epoch, self.optimizer, resumed=resumed
            )
            self._note_cut(was_cut)
        # a network that has just been cut would make examples that it never meets once it has
        # recovered, so the old ones stay for this epoch
        if not resumed and not progress.was_cut:
            self.task.network.train()
            self.task.begin_epoch(progress.epoch)
        progress.begun = True

    def _step(self, batch: Any) -> float:
        """Forward, backward and update on one minibatch; return its loss."""
        network, training = self.task.network, self.training
        for group, peak in zip(self.optimizer.param_groups, self._rates, strict=True):
            group["lr"] = self._learning_rate(peak)
        self.optimizer.zero_grad(set_to_none=True)
        clock = Stopwatch(self.progress.seconds, next(network.parameters()).device)
        clock.start()
        teacher = self.simplification.teacher if self.simplification else None
        part, weight = self._share(batch)
        before = [count.clone() for count in self._counts()]
        loss = None
        if part is not None:
            loss = self.task.loss(part, teacher) if teacher else self.task.loss(part)
        clock.lap("forward")
        if loss is not None:
            loss.backward()  # type: ignore[no-untyped-call]
        if self.ranks.are_several:
            self.ranks.sum_gradients(network.parameters(), weight)
            if before:
                self.ranks.sum_counts(self._counts(), before)
        clock.lap("backward")
        if training.clip:
            clip_gradients(network.parameters(), training.clip)
        if training.clip_value:
            clamp_gradients(network.parameters(), training.clip_value)
        self.optimizer.step()
        if self.average:
            self.average.update()
        clock.lap("update")
        # together, so that a GPU is waited for once
        losses = {} if loss is None else self.task.losses
        values = [0.0]
        if loss is not None:
            values = torch.stack([loss.detach(), *losses.values()]).tolist()
        value = self.ranks.total(values[0] * weight) if self.ranks.are_several else values[0]
        if not np.isfinite(value):
            raise MePropError(
                f"the loss is {value} in epoch {self.progress.epoch + 1}; "
                "try a smaller `learning_rate`"
            )
        for name, of_head in zip(losses, values[1:], strict=True):
            total = self.progress.losses.setdefault(name, [0.0, 0.0])
            total[0] += of_head * weight
            total[1] += weight
        return float(value)

    def _share(self, batch: Any) -> tuple[Any, float]:
        """Return this process's part of a minibatch, None for nothing, and its weight."""
        ranks, progress = self.ranks, self.progress
        if not ranks.are_several:
            return batch, 1.0
        # so that the processes decide alike, and a resumed run as one that was never stopped
        ranks.seed(self.training.seed, progress.epoch, progress.batch)
        return self.task.share(batch, ranks.number, ranks.size)

    def _counts(self) -> list[Tensor]:
        """Return the counts of hits that the processes add up."""
        if not self.ranks.are_several or self.simplification is None:
            return []
        counting = [part.layer for part in self.layers if part.layer.counting]
        return [each for layer in counting for each in (layer.hits, layer.examples)]

    def _gather_losses(self) -> None:
        """Give the first process the sums of the heads' losses of all."""
        if not self.ranks.are_several:
            return
        sums: dict[str, list[float]] = {}
        for found in self.ranks.gathered(self.progress.losses):
            for name, (total, n) in found.items():
                before = sums.get(name, [0.0, 0.0])
                sums[name] = [before[0] + total, before[1] + n]
        self.progress.losses = sums if self.ranks.is_first else {}

    def _note_cut(self, was_cut: bool) -> None:
        self.progress.was_cut |= was_cut
        if was_cut and self.average:
            self.average.start()

    @contextmanager
    def final_weights(self) -> Iterator[None]:
        """Within the block the network has the weights to score and to save: the averaged ones."""
        with self.average.applied() if self.average else nullcontext():
            yield

    def _learning_rate(self, peak: float) -> float:
        return self._decayed_rate(peak) * self._warmth()

    def _warmth(self) -> float:
        """Return which share of the learning rate the warm-up allows."""
        if not self.training.warmup:
            return 1.0
        done = self.progress.epoch * self.task.n_batches + self.progress.batch
        return min(1.0, (done + 1) / self.training.warmup)

    def _decayed_rate(self, peak: float) -> float:
        if not self.training.decay:
            return peak
        epoch, share = self.progress.epoch, self.progress.batch / self.task.n_batches
        if self.simplification:
            return peak * (1 - self.simplification.part_done(epoch, share))
        return peak * (1 - (epoch + share) / self.training.epochs)

    def _end_epoch(self) -> EpochRecord:
        """Score on dev, decide whether this is the best model so far, and go to the next epoch."""
        progress, seconds = self.progress, self.progress.seconds
        learning_rate = self._learning_rate(self.base_lr)
        start = time.perf_counter()
        with self.final_weights():
            scores = dict(self.task.evaluate()) if self.ranks.is_first else {}
        self._gather_losses()
        if self.ranks.are_several:
            scores = self.ranks.agreed(scores)
            self.ranks.demand_alike(self.task.network)
        evaluate_seconds = time.perf_counter() - start
        names = self.task.main_scores
        found = {name: value for name in names if (value := scores.get(name)) is not None}
        score = float(np.mean(list(found.values()))) if found else None
        # a model from before a cut is too wide, however good it is
        best = score is not None and (
            progress.best_score is None or progress.was_cut or score > progress.best_score
        )
        kept = best or score is None
        record = EpochRecord(
            epoch=progress.epoch + 1,
            loss=progress.loss / max(1, progress.batch),
            scores=scores,
            score=score,
            neurons=widths_of(self.layers),
            best=best,
            kept=kept,
            learning_rate=learning_rate,
            forward_seconds=seconds["forward"],
            backward_seconds=seconds["backward"],
            update_seconds=seconds["update"],
            seconds=seconds["all"],
            evaluate_seconds=evaluate_seconds,
            words_per_second=progress.n_words / max(seconds["all"], 1e-9),
            n_batches=progress.batch,
            losses={name: total / n for name, (total, n) in progress.losses.items()},
            k=self.layers[0].layer.k if self.layers else None,
            n_weights=sum(p.numel() for p in self.task.network.parameters()),
            main_scores=list(found),
        )
        progress.records.append(record.to_dict())
        if kept:
            progress.best_score, progress.best_epoch = score, record.epoch
        progress.next_epoch(dict(self.rng.bit_generator.state))
        return record

    def _out_of_patience(self) -> bool:
        if self.simplification and not self.simplification.is_over(self.progress.epoch):
            return False
        waited = self.progress.epoch - self.progress.best_epoch
        return bool(self.training.patience) and waited >= self.training.patience
