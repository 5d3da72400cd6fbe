"""The training loop: the same seed, the same weights, also when the run was stopped and resumed."""

from __future__ import annotations

import itertools
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from meprop_nlp.config import SimplifyConfig, TrainingConfig
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import CheckpointError, ConfigError, DataError, MePropError
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.packing import rounded
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.simplify.cut import Consumer
from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.threads import usable_threads
from meprop_nlp.training import checkpoint as checkpoint_module
from meprop_nlp.training.checkpoint import checkpoint_path
from meprop_nlp.training.device import pick_device
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.loop import Trainer
from meprop_nlp.training.outputs import Outputs
from meprop_nlp.training.records import EpochRecord, Note, Step, log_path
from meprop_nlp.training.simplification import cutting as cutting_module
from meprop_nlp.training.simplification.importance import taylor_scores
from meprop_nlp.training.simplification.teacher import Teacher
from meprop_nlp.training.weights import arrays_of

TIMES = {"seconds", "words_per_second"}
BATCHES = {"tagger": 4, "parser": 4, "joint": 4}
CUTS = {"schedule": "paper", "prune_rate": 0.15, "first_cut_epoch": 0}
LATE = {"keep": 0.5, "first_cut_epoch": 1}
WHOLE = {"keep": 1, "first_cut_epoch": 1}  # taught, and nothing goes


class KilledError(Exception):
    """What a test raises to end a run without any warning."""


def stop_after(batches: int) -> Hooks:
    """Hooks that ask for a stop once so many minibatches are done."""
    steps: list[Step] = []
    return Hooks(
        on_record=lambda record: steps.append(record) if isinstance(record, Step) else None,
        stop=lambda: len(steps) >= batches,
    )


def kill_at(kind: type, number: int) -> Hooks:
    """Hooks that end the run at a certain record of a kind."""
    seen: list[object] = []

    def on_record(record: object) -> None:
        if isinstance(record, kind):
            seen.append(record)
            if len(seen) == number:
                raise KilledError

    return Hooks(on_record=on_record)


def timeless(path: Path) -> list[dict[str, Any]]:
    """The log's records without what a clock measured."""
    records = [json.loads(line) for line in log_path(path).read_text().splitlines()]
    return [
        {k: v for k, v in record.items() if k not in TIMES and not k.endswith("_seconds")}
        for record in records
    ]


def interrupted(
    train: Callable[..., Any], hooks: Hooks, error: type, output: Path, **options: Any
) -> Any:
    """Train, be ended by `hooks`, and go on from the checkpoint."""
    with pytest.raises(error):
        train(output=output, hooks=hooks, **options)
    assert checkpoint_path(output).exists()
    assert not list(output.parent.glob(".*"))
    return train(output=output, resume=True, **options)


@pytest.mark.parametrize("task", list(BATCHES))
def test_same_seed_gives_bit_equal_models(
    train: Callable[..., Any], task: str, treebank: list[Sentence], tmp_path: Path
) -> None:
    outputs = [tmp_path / name for name in ("a.st", "b.st")]
    first, second = (train(task, dev=treebank, simplify=CUTS, output=o) for o in outputs)
    in_memory = train(task, dev=treebank, simplify=CUTS)
    other = train(task, dev=treebank, simplify=CUTS, training={"seed": 8})
    assert outputs[0].read_bytes() == outputs[1].read_bytes()
    for name, array in first.file.arrays.items():
        np.testing.assert_array_equal(second.file.arrays[name], array)
        np.testing.assert_array_equal(in_memory.file.arrays[name], array)
    words = "encoder.words.weight" if task == "joint" else "words.weight"
    assert not np.array_equal(other.file.arrays[words], first.file.arrays[words])


def test_training_leaves_torch_random_numbers_alone(train: Callable[..., Any]) -> None:
    before = torch.get_rng_state()
    train("parser")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    "simplify", [None, CUTS, LATE, WHOLE], ids=["whole", "paper", "late", "late-all-kept"]
)
@pytest.mark.parametrize(
    ("task", "optimizer"),
    [*itertools.product(("tagger", "parser"), ("adam", "adagrad")), ("joint", "adam")],
)
def test_resumed_run_ends_bit_equal_to_one_never_stopped(
    train: Callable[..., Any],
    tmp_path: Path,
    task: str,
    simplify: dict[str, Any] | None,
    optimizer: str,
) -> None:
    options: dict[str, Any] = {"task": task, "simplify": simplify}
    options["training"] = {"optimizer": optimizer, "seed": 1}
    options["config"] = {"hidden": 16}
    whole = tmp_path / "whole.st"
    train(output=whole, **options)
    epochs = timeless(whole)
    assert len(epochs) == 3
    widths = [sum(epoch["neurons"].values()) for epoch in epochs]
    if simplify is CUTS:  # the first epoch cuts after batches 2 and 4, the second not, the third
        assert widths[0] == widths[1] >= widths[2]
        assert widths[1] > widths[2] or task == "parser"
    elif simplify is LATE:
        half = 49 if task == "joint" else widths[0] / 2  # its small layers keep more
        assert widths == [94 if task == "joint" else widths[0], half, half]
    n = BATCHES[task]
    ends: dict[str, tuple[Hooks, type]] = {
        "in-the-first-epoch": (stop_after(3), KeyboardInterrupt),
        "before-an-epochs-first-batch": (stop_after(n), KeyboardInterrupt),
        "in-the-second-epoch": (stop_after(n + 2), KeyboardInterrupt),
        "killed-between-epochs": (kill_at(EpochRecord, 2), KilledError),
        "killed-in-an-epoch": (kill_at(Step, 2 * n + 1), KilledError),
    }
    for name, (hooks, error) in ends.items():
        output = tmp_path / f"{name}.st"
        interrupted(train, hooks, error, output, **options)
        assert output.read_bytes() == whole.read_bytes(), name
        assert timeless(output) == epochs, name


OWN_WAY = {
    "parser": {"transition_system": "arc-hybrid", "oracle": "dynamic", "hidden": 16},
    "joint": {"tree": "transitions", "hidden": 16},
}


@pytest.mark.parametrize("task", list(OWN_WAY))
def test_a_parser_that_went_its_own_way_is_resumed_on_it(
    train: Callable[..., Any], tmp_path: Path, task: str
) -> None:
    options: dict[str, Any] = {"task": task, "training": {"epochs": 4, "seed": 1}}
    options["config"] = OWN_WAY[task]
    whole = tmp_path / "whole.st"
    train(output=whole, **options)
    n = BATCHES[task]
    for batches in (n + 2, 2 * n, 2 * n + 1, 3 * n, 3 * n + 2):
        output = tmp_path / f"{batches}.st"
        interrupted(train, stop_after(batches), KeyboardInterrupt, output, **options)
        assert output.read_bytes() == whole.read_bytes(), batches
        assert timeless(output) == timeless(whole), batches


@pytest.mark.parametrize("task", list(BATCHES))
def test_run_stopped_before_its_first_batch_and_again_later_ends_the_same(
    train: Callable[..., Any], treebank: list[Sentence], tmp_path: Path, task: str
) -> None:
    options: dict[str, Any] = {"task": task, "dev": treebank, "topk_mode": "random"}
    whole, output = tmp_path / "whole.st", tmp_path / "stopped.st"
    train(output=whole, **options)
    with pytest.raises(KeyboardInterrupt):
        train(output=output, hooks=stop_after(0), **options)
    assert not output.exists()
    for batches in (1, 5, 2):
        with pytest.raises(KeyboardInterrupt):
            train(output=output, resume=True, hooks=stop_after(batches), **options)
    train(output=output, resume=True, **options)
    assert output.read_bytes() == whole.read_bytes()
    assert timeless(output) == timeless(whole)


def test_files_of_a_run_that_ended(train: Callable[..., Any], tmp_path: Path) -> None:
    output = tmp_path / "new" / "model.safetensors"
    model = train("tagger", output=output)
    assert sorted(p.name for p in output.parent.iterdir()) == ["model.jsonl", "model.safetensors"]
    assert [record["epoch"] for record in timeless(output)] == [1, 2, 3]
    assert model.file.header["training"]["epoch"] == 3


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "epochs": ({"training": {"epochs": 4}}, "training.epochs was 3, is 4"),
    "seed": ({"training": {"seed": 8}}, "training.seed was 7, is 8"),
    "hidden": ({"config": {"hidden": 9}}, "parser.hidden was 8, is 9"),
    "k": ({"k": 4}, "meprop.k was 3, is 4"),
    "simplify": ({"simplify": CUTS}, "simplify.prune_rate was None, is 0.15"),
}


@pytest.fixture(scope="module")
def stopped(train: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of a parser's run that was stopped in its second epoch."""
    output = tmp_path_factory.mktemp("stopped") / "model.st"
    with pytest.raises(KeyboardInterrupt):
        train("parser", output=output, hooks=stop_after(5))
    return output


@pytest.mark.parametrize("change", list(CHANGES))
def test_resume_with_other_settings_names_them(
    train: Callable[..., Any], stopped: Path, change: str
) -> None:
    options, message = CHANGES[change]
    before = checkpoint_path(stopped).read_bytes()
    with pytest.raises(ConfigError) as caught:
        train("parser", output=stopped, resume=True, **options)
    assert message in str(caught.value)
    assert "batch_size" not in str(caught.value)
    assert checkpoint_path(stopped).read_bytes() == before


@pytest.mark.parametrize("role", ["train", "dev"])
def test_resume_with_other_data_is_refused(
    train: Callable[..., Any], stopped: Path, treebank: list[Sentence], role: str
) -> None:
    data = {"train": (treebank[1:], None), "dev": (treebank, treebank[:2])}[role]
    with pytest.raises(ConfigError, match=rf"data\.{role}\.sentences was \d, is \d"):
        train("parser", *data, output=stopped, resume=True)


@pytest.mark.parametrize("task", ["tagger", "parser", "joint"])
def test_resume_without_checkpoint_is_refused(
    train: Callable[..., Any], tmp_path: Path, task: str
) -> None:
    with pytest.raises(ConfigError, match=r"there is no .*new\S*\.checkpoint\.safetensors"):
        train(task, output=tmp_path / "new.st", resume=True)
    with pytest.raises(ConfigError, match="only when it has an output"):
        train(task, ["nowhere.conllu"], resume=True)  # before anything is read


def test_resume_from_a_model_or_damaged_checkpoint_is_refused(
    train: Callable[..., Any], stopped: Path, tmp_path: Path
) -> None:
    output = tmp_path / "model.st"
    checkpoint_path(output).write_bytes(stopped.read_bytes())
    with pytest.raises(CheckpointError, match="is a model, expected a checkpoint"):
        train("parser", output=output, resume=True)
    checkpoint_path(output).write_bytes(checkpoint_path(stopped).read_bytes()[:-9])
    with pytest.raises(CheckpointError, match="cut short"):
        train("parser", output=output, resume=True)
    checkpoint_path(output).write_bytes(checkpoint_path(stopped).read_bytes())
    with pytest.raises(ConfigError, match=r"the best model so far, .*model\.st, is gone"):
        train("parser", output=output, resume=True)


def test_output_that_cannot_be_written_is_said_before_training(
    train: Callable[..., Any], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(DataError, match=r"is a folder|is no file"):
            train("tagger", output=place, hooks=kill_at(Step, 1))


# the model, its temporary file, or only a teacher's checkpoint beside it has too long a name
@pytest.mark.parametrize("length", [215, 225, 240, 256])
def test_name_that_is_too_long_is_said_before_anything_is_read(
    train: Callable[..., Any], tmp_path: Path, length: int
) -> None:
    output = tmp_path / ("n" * (length - len(".safetensors")) + ".safetensors")
    with pytest.raises(DataError, match="cannot be written: File name too long"):
        train("tagger", output=output, hooks=kill_at(Note, 1))
    assert list(tmp_path.iterdir()) == []


class ScriptedTask:
    """Four batches an epoch for a net of two layers; dev scores come from a list."""

    name, main_scores, warnings = "scripted", ("score",), ()
    learning_rates: ClassVar = {"adam": 0.004}
    losses: ClassVar[dict[str, Tensor]] = {}
    prune_rate = 0.1
    n_batches = 4

    def __init__(self, scores: list[float] | None = None, losses: float = 1.0) -> None:
        torch.manual_seed(0)
        self.hidden, self.out = MePropLinear(3, 8, k=2), nn.Linear(8, 1)
        self.network = nn.Sequential(self.hidden, nn.Tanh(), self.out)
        self.scores = scores
        self.factor = losses
        self.evaluated = 0

    def batches(self, rng: np.random.Generator) -> Iterator[Any]:
        for x in rng.standard_normal((self.n_batches, 5, 3), np.float32):
            yield SimpleNamespace(x=torch.from_numpy(x), n_words=5)

    def loss(self, batch: Any) -> Tensor:
        return self.factor * self.network(batch.x).square().mean()

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.network.parameters())}]

    def begin_epoch(self, epoch: int) -> None:
        pass

    def state(self) -> dict[str, Any]:
        return {}

    def evaluate(self) -> dict[str, float]:
        self.evaluated += 1
        return {} if self.scores is None else {"score": self.scores[self.evaluated - 1]}

    def simplified_layers(self) -> list[SimplifiedLayer]:
        return [SimplifiedLayer("hidden", self.hidden, [Consumer(self.out)])]

    def header(self) -> dict[str, Any]:
        return {"kind": "model", "task": self.name}

    def arrays(self) -> dict[str, Any]:
        return arrays_of(self.network)


def run(
    task: ScriptedTask, *, simplify: SimplifyConfig | None = None, **training: Any
) -> tuple[Trainer, list[EpochRecord], list[Step], ModelFile]:
    trainer = Trainer(
        task,  # type: ignore[arg-type]
        training=TrainingConfig(**{"epochs": 6, "patience": 0, "device": "cpu", **training}),
        simplify=simplify,
    )
    outputs = Outputs(trainer, None, {})
    epochs, steps = [], []
    for record in trainer.run():
        if isinstance(record, EpochRecord):
            outputs.keep(record)
            epochs.append(record)
        else:
            steps.append(record)
    return trainer, epochs, steps, outputs.finish()


def kept_epoch(model: ModelFile) -> int:
    return int(model.header["training"]["epoch"])


def test_best_epochs_model_is_kept_the_first_of_equals() -> None:
    trainer, epochs, _, model = run(ScriptedTask([1.0, 3.0, 2.0, 3.0, 2.5, 0.0]))
    assert [epoch.best for epoch in epochs] == [True, True, False, False, False, False]
    assert kept_epoch(model) == 2
    last = trainer.task.network.state_dict()["0.weight"].numpy()
    assert not np.array_equal(model.arrays["0.weight"], last)


def test_without_dev_the_last_epochs_model_is_kept() -> None:
    _, epochs, _, model = run(ScriptedTask())
    assert [epoch.kept for epoch in epochs] == [True] * 6
    assert not any(epoch.best or epoch.score is not None for epoch in epochs)
    assert kept_epoch(model) == 6


@pytest.mark.parametrize(("patience", "n_epochs"), [(1, 3), (2, 6), (0, 6)])
def test_early_stopping_waits_so_many_epochs(patience: int, n_epochs: int) -> None:
    task = ScriptedTask([1.0, 2.0, 1.0, 3.0, 2.0, 1.0])
    _, epochs, _, model = run(task, patience=patience)
    assert len(epochs) == n_epochs
    assert kept_epoch(model) == (2 if patience == 1 else 4)


def test_patience_waits_for_the_cut() -> None:
    cut = SimplifyConfig(
        first_cut_epoch=3, keep=0.5, min_neurons=2, criterion="random", own_teacher=False
    )
    task = ScriptedTask([6.0, 5.0, 4.0, 3.0, 2.0, 1.0])
    _, epochs, _, _ = run(task, simplify=cut, patience=1)
    assert [epoch.best for epoch in epochs] == [True, False, False, True, False]


def test_model_from_before_the_last_cut_does_not_win() -> None:
    cuts = SimplifyConfig(
        schedule="paper",
        first_cut_epoch=1,
        cycle=1,
        cuts_per_epoch=1,
        prune_rate=0.28,
        min_neurons=2,
    )
    # epochs 2, 4 and 6 may cut
    task = ScriptedTask([90.0, 50.0, 40.0, 30.0, 35.0, 20.0])
    _, epochs, _, model = run(task, simplify=cuts)
    widths = [epoch.neurons["hidden"] for epoch in epochs]
    was_cut = [after < before for before, after in zip([8, *widths], widths, strict=False)]
    assert was_cut[1]
    last_cut = max(n for n, cut in enumerate(was_cut, start=1) if cut)
    scores = {n: epoch.scores["score"] for n, epoch in enumerate(epochs, start=1) if n >= last_cut}
    assert kept_epoch(model) == max(scores, key=lambda n: scores[n]) >= last_cut
    assert model.arrays["0.weight"].shape == (widths[-1], 3)


def test_hits_are_counted_in_the_epochs_that_cut_only() -> None:
    cuts = SimplifyConfig(
        schedule="paper",
        first_cut_epoch=1,
        cycle=1,
        cuts_per_epoch=1,
        prune_rate=0.1,
        min_neurons=1,
    )
    task = ScriptedTask()
    trainer = Trainer(
        task,  # type: ignore[arg-type]
        training=TrainingConfig(epochs=3, device="cpu"),
        simplify=cuts,
    )
    counted = [int(task.hidden.examples) for r in trainer.run() if isinstance(r, Step)]
    assert counted == [0, 0, 0, 0, 5, 10, 15, 0, 0, 0, 0, 0]  # five examples a minibatch


@pytest.mark.parametrize("factor", [math.inf, math.nan])
def test_loss_that_is_not_finite_ends_training(factor: float) -> None:
    with pytest.raises(MePropError, match=r"the loss is (inf|nan) in epoch 1; try a smaller"):
        run(ScriptedTask(losses=factor))


def test_learning_rate_falls_linearly_to_zero() -> None:
    task = ScriptedTask()
    trainer = Trainer(
        task,  # type: ignore[arg-type]
        training=TrainingConfig(epochs=2, learning_rate=0.8, decay=True, optimizer="sgd"),
    )
    used = []
    step = trainer.optimizer.step
    trainer.optimizer.step = lambda: (  # type: ignore[assignment]
        used.append(trainer.optimizer.param_groups[0]["lr"]),
        step(),
    )
    records = [record for record in trainer.run() if isinstance(record, EpochRecord)]
    assert used == pytest.approx([0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    assert [record.learning_rate for record in records] == pytest.approx([0.4, 0.0])


@pytest.mark.parametrize(
    ("decay", "expected"),
    [(True, [0.2, 0.35, 0.45, 0.5, 0.4, 0.3, 0.2, 0.1]), (False, [0.2, 0.4, 0.6] + [0.8] * 5)],
)
def test_learning_rate_rises_from_zero_in_the_warm_up(decay: bool, expected: list[float]) -> None:
    trainer = Trainer(
        ScriptedTask(),  # type: ignore[arg-type]
        training=TrainingConfig(
            epochs=2, learning_rate=0.8, decay=decay, optimizer="sgd", warmup=4
        ),
    )
    used = [trainer.optimizer.param_groups[0]["lr"] for r in trainer.run() if isinstance(r, Step)]
    assert used == pytest.approx(expected)


def test_warm_up_may_last_longer_than_an_epoch() -> None:
    _, epochs, _, _ = run(ScriptedTask(), epochs=3, decay=False, optimizer="sgd", warmup=100)
    # four minibatches an epoch; the rate at its end is that of the next minibatch
    assert [epoch.learning_rate for epoch in epochs] == pytest.approx([0.005, 0.009, 0.013])


class WatchedTask(ScriptedTask):
    """Keeps the weights that it is asked to score."""

    def __init__(self) -> None:
        super().__init__([1.0, 3.0, 2.0])
        self.scored: list[dict[str, Tensor]] = []

    def weights(self) -> dict[str, Tensor]:
        return {name: p.detach().clone() for name, p in self.network.named_parameters()}

    def evaluate(self) -> dict[str, float]:
        self.scored.append(self.weights())
        return super().evaluate()


@pytest.mark.parametrize("decay", [0.0, 0.2, 0.999])
def test_averaged_weights_are_scored_and_saved(decay: float) -> None:
    task = WatchedTask()
    training = TrainingConfig(epochs=3, patience=0, device="cpu", average=decay)
    trainer = Trainer(task, training=training)  # type: ignore[arg-type]
    outputs = Outputs(trainer, None, {})
    expected, averages, n = task.weights(), [], 0
    for record in trainer.run():
        if isinstance(record, Step):
            stays = min(decay, (1 + n) / (10 + n))
            now, n = task.weights(), n + 1
            expected = {k: stays * expected[k] + (1 - stays) * now[k] for k in now}
        else:
            assert isinstance(record, EpochRecord)
            own = task.weights()
            outputs.keep(record)
            averages.append(expected)
            for name, tensor in task.weights().items():
                assert torch.equal(tensor, own[name])
                assert torch.equal(tensor, now[name])
    for scored, average in zip(task.scored, averages, strict=True):
        for name, tensor in scored.items():
            assert_close(tensor, average[name], rtol=1e-5, atol=1e-6)
    model = outputs.finish()
    assert kept_epoch(model) == 2
    stored = rounded({name: tensor.numpy() for name, tensor in task.scored[1].items()})
    for name, array in stored.items():
        np.testing.assert_array_equal(model.arrays[name], array)


def test_average_begins_anew_after_a_cut() -> None:
    task = WatchedTask()
    cut = SimplifyConfig(first_cut_epoch=1, keep=0.5, min_neurons=2, own_teacher=True)
    training = TrainingConfig(epochs=2, patience=0, device="cpu", average=0.999)
    trainer = Trainer(task, training=training, simplify=cut)  # type: ignore[arg-type]
    task.loss = lambda batch, own_teacher=None: ScriptedTask.loss(task, batch)  # type: ignore[method-assign]
    for record in trainer.run():
        if isinstance(record, Step) and record.epoch == 2 and record.batch == 1:
            assert trainer.average is not None
            assert trainer.average.n_updates == 1
    assert trainer.simplification is not None
    assert trainer.simplification.teacher is not None
    # the averaged network is the one that is cut, and that teaches
    teacher = dict(trainer.simplification.teacher.network.named_parameters())
    for name, tensor in task.scored[0].items():
        assert torch.equal(teacher[name], tensor)
    assert task.scored[1]["0.weight"].shape == (4, 3)


@pytest.mark.parametrize(("name", "rate"), [("adam", 0.004), ("adagrad", 0.01)])
def test_learning_rate_is_the_tasks_else_the_papers_and_stays_without_decay(
    name: str, rate: float
) -> None:
    _, epochs, _, _ = run(ScriptedTask(), decay=False, optimizer=name)
    assert [epoch.learning_rate for epoch in epochs] == [rate] * 6


@pytest.mark.parametrize("clip", [0.0, 0.01])
def test_gradients_are_clipped_only_where_asked(clip: float) -> None:
    task = ScriptedTask(losses=1000.0)
    trainer = Trainer(
        task,  # type: ignore[arg-type]
        training=TrainingConfig(epochs=1, clip=clip),
    )
    norms = []
    for record in trainer.run():
        if isinstance(record, Step):
            grads = [p.grad for p in task.network.parameters() if p.grad is not None]
            norms.append(float(torch.stack([g.norm() for g in grads]).norm()))
    assert all(norm <= 0.0101 for norm in norms) == bool(clip)


@pytest.mark.parametrize("bound", [0.0, 1e-4])
def test_entries_of_gradients_are_bounded_only_where_asked(bound: float) -> None:
    task = ScriptedTask()
    training = TrainingConfig(epochs=1, clip=0.0, clip_value=bound)
    trainer = Trainer(task, training=training)
    largest = [
        max(float(p.grad.abs().max()) for p in task.network.parameters() if p.grad is not None)
        for record in trainer.run()
        if isinstance(record, Step)
    ]
    assert len(largest) > 1
    assert all(entry <= 1.0001e-4 for entry in largest) == bool(bound)


def test_weight_decay_reaches_the_optimiser() -> None:
    trainer = Trainer(ScriptedTask(), training=TrainingConfig(weight_decay=0.25))
    assert trainer.optimizer.param_groups[0]["weight_decay"] == 0.25


def test_records_tell_times_and_losses(train: Callable[..., Any], treebank: list[Sentence]) -> None:
    records: list[Any] = []
    train("parser", dev=treebank, hooks=Hooks(on_record=records.append))
    epochs = [record for record in records if isinstance(record, EpochRecord)]
    steps = [record for record in records if isinstance(record, Step)]
    assert [(s.epoch, s.batch) for s in steps] == [(e, b) for e in (1, 2, 3) for b in (1, 2, 3, 4)]
    assert {(s.n_epochs, s.n_batches) for s in steps} == {(3, 4)}
    for number, epoch in enumerate(epochs, start=1):
        parts = (epoch.forward_seconds, epoch.backward_seconds, epoch.update_seconds)
        assert min(*parts, epoch.evaluate_seconds) > 0
        assert sum(parts) <= epoch.seconds
        assert epoch.epoch == number
        assert epoch.loss == steps[4 * number - 1].loss > 0
        assert set(epoch.scores) == {"uas", "las"}
        assert epoch.neurons == {"layers.0": 8}
        words = sum(len(sentence) for sentence in treebank)
        # a minibatch of 15 transitions counts as 7 words: half a word is lost in each of the four
        assert epoch.words_per_second * epoch.seconds == pytest.approx(words, abs=2.01)
        assert json.loads(json.dumps(epoch.to_dict())) == epoch.to_dict()


def test_device_names() -> None:
    assert pick_device("cpu") == pick_device("-1") == torch.device("cpu")
    assert pick_device("auto").type in ("cpu", "cuda")
    for name in ("gpu", "meta", "cuda:x", ""):
        with pytest.raises(ConfigError, match=f"`device` is '{name}', expected auto, cpu, cuda"):
            pick_device(name)
    with pytest.raises(ConfigError, match="no such GPU here"):
        pick_device("99")


def test_threads_are_those_asked_for_else_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert (usable_threads(5), usable_threads()) == (5, 3)
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert 1 <= usable_threads() <= 16


def test_resume_on_another_kind_of_device_is_refused(
    train: Callable[..., Any], stopped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint_module, "_gpu_of", lambda network: torch.device("cuda"))
    with pytest.raises(ConfigError, match=r"on the CPU, and this one is on a GPU; .*`device` cpu"):
        train("parser", output=stopped, resume=True)


def test_seconds_of_an_epoch_hold_its_cut(
    train: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*arguments: Any) -> dict[str, torch.Tensor]:
        time.sleep(0.5)
        return taylor_scores(*arguments)

    monkeypatch.setattr(cutting_module, "taylor_scores", slow)
    output = tmp_path / "model.st"
    train("parser", output=output, simplify={**LATE, "criterion": "taylor"})
    seconds = [json.loads(line)["seconds"] for line in log_path(output).read_text().splitlines()]
    assert seconds[1] > 0.5


@pytest.mark.parametrize("task", ["tagger", "parser", "joint"])
def test_run_is_stopped_while_a_teacher_answers_about_all_examples(
    train: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    whole, output = tmp_path / "whole.st", tmp_path / "stopped.st"
    train(task, output=whole, simplify=LATE)
    recall, is_asked = Teacher.recall, False

    def begun(*arguments: Any) -> torch.Tensor:
        nonlocal is_asked
        is_asked = True
        return recall(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Teacher, "recall", begun)
        hooks = Hooks(stop=lambda: is_asked)
        with pytest.raises(KeyboardInterrupt):
            train(task, output=output, simplify=LATE, hooks=hooks)
    assert len(timeless(output)) == 1
    train(task, output=output, simplify=LATE, resume=True)
    assert output.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize(("task", "expected"), [("tagger", 8), ("parser", 8), ("joint", 60)])
def test_no_number_of_epochs_is_one_that_fits_the_treebank(
    task: str, expected: int, train: Callable[..., Any]
) -> None:
    model = train(task, training={"epochs": 0})
    assert model.file.header["training"]["training"]["epochs"] == expected


@pytest.mark.parametrize(
    ("task", "given", "first", "epochs"),
    [
        ("tagger", None, 8, 24),
        ("tagger", 2, 2, 18),
        ("joint", None, 60, 132),
        ("joint", 3, 3, 75),
    ],
)
def test_late_cut_comes_when_the_whole_network_has_had_its_epochs(
    task: str, given: int | None, first: int, epochs: int, train: Callable[..., Any]
) -> None:
    cut = {"first_cut_epoch": given, "keep": 0.5}
    model = train(task, training={"epochs": 0}, simplify=cut)
    settings = model.file.header["training"]
    assert settings["simplify"]["first_cut_epoch"] == first
    assert settings["training"]["epochs"] == epochs
