"""`experiments.mnist`: from four IDX files, or the reference code's settings, to two scores."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments.console import Display
from experiments.mnist.__main__ import app
from experiments.mnist.classifier import TRAINING, accuracy
from experiments.mnist.images import find_mnist, read_mnist
from meprop_nlp.models.file import read_header, read_model_file

from .idx_files import FILES, write_mnist

Run = Callable[..., Any]
ROOT = Path(__file__).parents[3]
TINY = ("-t", 1, "-d", "cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty training images, fifteen of them for dev, and thirty to test on."""
    return write_mnist(tmp_path_factory.mktemp("mnist"), 60, 30)


@pytest.fixture
def run(invoke: Run) -> Run:
    """Runs the command."""
    return lambda *arguments: invoke(app, *arguments)


def train(run: Run, folder: Path, output: Path, *arguments: object) -> Any:
    return run("--data", folder, "-o", output, *TINY, *arguments)


def stored(path: Path) -> dict[str, Any]:
    """All settings of a model file, by name."""
    header = read_header(path)
    training = header["training"]
    parts = (header["config"], training["training"], training["meprop"], training["simplify"] or {})
    return {name: value for part in parts for name, value in part.items()}


# training


def test_training_writes_a_model_and_prints_two_scores(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "m.safetensors"
    result = train(run, folder, output, "--hidden", 32, "--k", 8, "--epochs", 30)
    assert result.exit_code == 0
    model, mnist = read_model_file(output), read_mnist(find_mnist(folder))
    assert result.stdout == (
        f"dev: accuracy {accuracy(model.arrays, mnist.dev):.2f}\n"
        f"test: accuracy {accuracy(model.arrays, mnist.test):.2f}\n"
    )
    assert accuracy(model.arrays, mnist.test) > 80
    assert f"{folder}: 45 train, 15 dev, 30 test images" in result.stderr
    assert len(re.findall(r"^epoch .* dev accuracy ", result.stderr, flags=re.M)) == 30
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.jsonl", "m.safetensors"]


def test_cut_network_is_smaller(run: Run, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "m.safetensors"
    simplify = "--simplify --first-cut-epoch 1 --min-neurons 2 --keep 0.5"
    result = train(run, folder, output, "--hidden", 16, "--epochs", 2, *simplify.split(), "-q")
    assert (result.exit_code, result.stderr) == (0, "")
    assert stored(output)["k"] == 5  # 0.32 of 16
    assert list(read_header(output)["neurons"].values()) == [8, 8]


def test_settings_unless_given_are_the_papers(run: Run, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "m.safetensors"
    assert train(run, folder, output, "--hidden", 8, "-q").exit_code == 0
    found = stored(output)
    for name, value in TRAINING.to_dict().items():
        if name not in ("threads", "device"):
            assert found[name] == value, name
    assert (found["layers"], found["dropout"], found["k"]) == (3, 0.0, None)


def test_folder_is_taken_from_the_environment_else_from_here(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_mnist(_made(tmp_path / "here" / "mnist"), 21, 2)
    write_mnist(_made(tmp_path / "there" / "mnist"), 22, 3)
    monkeypatch.chdir(tmp_path / "here")
    for data, counts in ((None, "16 train, 5 dev, 2 test"), ("there", "17 train, 5 dev, 3 test")):
        monkeypatch.delenv("MEPROP_NLP_DATA", raising=False)
        if data:
            monkeypatch.setenv("MEPROP_NLP_DATA", str(tmp_path / data))
        output = tmp_path / "m.safetensors"
        result = run("-o", output, *TINY, "--epochs", 1, "--hidden", 4)
        assert result.exit_code == 0
        assert counts in result.stderr


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def test_stopped_run_goes_on(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop_in_the_second_epoch(display: Any, record: Any) -> None:
        if getattr(record, "epoch", 0) == 2:
            raise KeyboardInterrupt

    whole, stopped = tmp_path / "whole.safetensors", tmp_path / "stopped.safetensors"
    options = ("--hidden", 8, "--epochs", 4, "--dropout", 0.2, "--k", 3)
    assert train(run, folder, whole, *options).exit_code == 0
    with monkeypatch.context() as patch:
        patch.setattr(Display, "__call__", stop_in_the_second_epoch)
        result = train(run, folder, stopped, *options)
    assert result.exit_code == 130
    assert "give the same command with --resume" in result.stderr
    assert train(run, folder, stopped, *options, "--resume").exit_code == 0
    assert stopped.read_bytes() == whole.read_bytes()


# what is refused


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--k 9", "--k is 9, expected at most the layer's width, 8"),
        ("--layers 1", "--layers is 1, expected a whole number from 2 to 10"),
        ("--topk-mode unified", "--topk-mode goes with --k"),
        ("--cycle 3", "--cycle goes with --simplify"),
        ("--clip-value -1", "--clip-value is -1.0, expected at least 0"),
        ("--weight-decay nan", "--weight-decay is nan"),
        ("--device x", "--device is 'x'"),
        ("--resume", "there is no"),
        ("--config nowhere.json", "--config nowhere.json: cannot be read: No such file"),
    ],
)
def test_impossible_setting_is_refused(
    flags: str, message: str, run: Run, folder: Path, tmp_path: Path
) -> None:
    result = train(run, folder, tmp_path / "m", "--hidden", 8, "--epochs", 1, *flags.split())
    assert result.exit_code == 2
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_missing_or_faulty_files_are_told_before_anything_is_trained(
    run: Run, tmp_path: Path
) -> None:
    result = train(run, tmp_path / "nowhere", tmp_path / "m")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {tmp_path / 'nowhere'}: no train_images, expected")
    folder = write_mnist(_made(tmp_path / "mnist"), 30, 5)
    labels = folder / FILES["test"][1]
    labels.write_bytes(labels.read_bytes()[:-1])
    result = train(run, folder, tmp_path / "m")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {labels}: is damaged")
    labels.unlink()
    assert f"{folder}: no test_labels" in train(run, folder, tmp_path / "m").stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mnist"]


def test_help_loads_no_torch_and_says_what_learns_badly(run: Run) -> None:
    words = " ".join(run("--help").stdout.split())
    assert "With Adam a small k learns badly at first (20: dev 86 after an epoch" in words
    code = (
        "import sys; from experiments.mnist.__main__ import app; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


# settings of the reference code


def configured(run: Run, folder: Path, tmp_path: Path, settings: Any, *arguments: object) -> Any:
    path = tmp_path / "config.json"
    path.write_text(settings if isinstance(settings, str) else json.dumps(settings))
    return train(run, folder, tmp_path / "m.safetensors", "--config", path, *arguments)


SMALL = {"HiddenSize": 12, "MaxEpoch": 1}
EXPECTED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"k": None, "batch_size": 100, "clip_value": 0.05, "epochs": 1, "hidden": 12,
          "layers": 3, "optimizer": "adam", "learning_rate": 0.001, "sparse_output": False,
          "decay": False, "clip": 0.0, "patience": 0, "dropout": 0.0}),
    ({"NetType": "mlptop", "TrainTop": 5, "Layers": 4, "RandomSeed": 9},
     {"k": 5, "topk_mode": "example", "layers": 4, "seed": 9}),
    ({"nettype": "MLPRand", "traintop": 5}, {"k": 5, "topk_mode": "random"}),
    ({"NetType": "mlpvar", "TrainTop": 5, "Prune": 0.2, "TrainCycle": 3, "IterPerEpoch": 2},
     {"k": 5, "prune_rate": 0.2, "cycle": 3, "cuts_per_epoch": 2, "first_cut_epoch": 0,
      "min_neurons": 1, "schedule": "paper"}),
    ({"OptType": "adagrad", "LearningRate": 0.1, "MinibatchSize": 20, "ClipBound": 0},
     {"optimizer": "adagrad", "learning_rate": 0.1, "batch_size": 20, "clip_value": 0.0}),
    ({"OptType": "sgd", "LearningRate": 0.01, "MinibatchSize": 20, "DecayRate": 1,
      "L2RegFactor": 0.5}, {"learning_rate": 0.2, "weight_decay": 0.0}),
    ({"L2RegFactor": 0.5, "MinibatchSize": 20}, {"weight_decay": 0.025, "clip_value": 0.25}),
    # the first version takes the mean over the minibatch, as we do
    ({"Layer": 2, "DropProb": 0.5, "L2RegFactor": 0.5, "TrainingThreads": 2},
     {"layers": 2, "dropout": 0.5, "weight_decay": 0.5, "clip_value": 5.0, "batch_size": 10,
      "seed": 1300012976}),
    ({"TrainType": "sequential", "OptType": "sgd", "LearningRate": 0.01, "DecayRate": 1},
     {"batch_size": 1, "learning_rate": 0.01}),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "expected"), EXPECTED, ids=range(len(EXPECTED)))
def test_reference_settings_mean_the_same(
    settings: dict[str, Any], expected: dict[str, Any], run: Run, folder: Path, tmp_path: Path
) -> None:
    result = configured(run, folder, tmp_path, {**SMALL, **settings})
    assert result.exit_code == 0, result.stderr
    found = stored(tmp_path / "m.safetensors")
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert found["threads"] == 1  # of the command line, which wins


def test_command_line_wins_over_the_file(run: Run, folder: Path, tmp_path: Path) -> None:
    settings = {**SMALL, "NetType": "mlptop", "TrainTop": 400, "RandomSeed": 5}
    # 3 is also the default of --layers: given is given
    options = ("--k", 4, "--layers", 3, "--seed", 1)
    result = configured(run, folder, tmp_path, {**settings, "Layers": 2}, *options)
    assert result.exit_code == 0, result.stderr
    found = stored(tmp_path / "m.safetensors")
    assert (found["k"], found["layers"], found["seed"], found["hidden"]) == (4, 3, 1, 12)


def test_seed_below_zero_is_drawn_and_told(run: Run, folder: Path, tmp_path: Path) -> None:
    seeds = set()
    for _ in range(2):
        result = configured(run, folder, tmp_path, SMALL)
        (told,) = re.findall(r"RandomSeed is below 0: --seed (\d+) was drawn", result.stderr)
        assert stored(tmp_path / "m.safetensors")["seed"] == int(told)
        seeds.add(told)
    assert len(seeds) == 2
    assert "RandomSeed" not in configured(run, folder, tmp_path, SMALL, "--seed", 4).stderr


@pytest.mark.parametrize(
    ("settings", "warning"),
    [
        ({"LearningRate": 0.01}, "LearningRate has no effect on Adam"),
        ({"OptType": "adagrad", "Eps": 1e-5}, "Eps has no effect here: it is 1e-6"),
        ({"Layer": 3, "DataSeqScale": 0.5}, "DataSeqScale has no effect"),
        ({"TestFile": "images"}, "TestFile has no effect: the images are those of --data"),
        ({"Eps": 1e-5, "DecayRate": 0.5}, None),
    ],
)
def test_keys_without_effect_are_warned_of(
    settings: dict[str, Any], warning: str | None, run: Run, folder: Path, tmp_path: Path
) -> None:
    result = configured(run, folder, tmp_path, {**SMALL, **settings}, "-q")
    assert result.exit_code == 0
    assert result.stderr.count("warning: ") == (warning is not None)
    assert warning is None or f"{tmp_path / 'config.json'}: {warning}" in result.stderr


POSITIVE = "a whole number of at least 1"
REFUSED: list[tuple[Any, str]] = [
    ("{", "is not JSON"),
    ("[1]", "expected a JSON object of settings"),
    (
        {"HidenSize": 3, "Colour": 1},
        "unknown HidenSize, Colour; beside the others known are ClipBound, DecayR",
    ),
    ({"Layer": 3, "Layers": 3}, "unknown Layers; beside the others known are ClipBound"),
    ({"HiddenSize": 0}, f"HiddenSize is 0, expected {POSITIVE}"),
    ({"HiddenSize": 2.5}, f"HiddenSize is 2.5, expected {POSITIVE}"),
    ({"HiddenSize": "500"}, f"HiddenSize is '500', expected {POSITIVE}"),
    ({"MaxEpoch": True}, f"MaxEpoch is True, expected {POSITIVE}"),
    ('{"ClipBound": NaN}', "ClipBound is nan, expected a number"),
    ({"Layers": 1}, "Layers is 1, expected a whole number from 2 to 10"),
    ({"LabelCount": 11}, "LabelCount is 11, expected 10, the classes of MNIST"),
    ({"LearningRate": 0}, "LearningRate is 0, expected more than 0"),
    ({"Prune": 1}, "Prune is 1, expected a number from 0 up to, not including, 1"),
    ({"NetType": "lstm"}, "NetType is 'lstm', expected one of mlp, mlptop, mlprand, mlpvar"),
    ({"NetType": "mlptop", "TrainTop": 0}, f"TrainTop is 0, expected {POSITIVE}"),
    ({"NetType": "mlptop"}, "TrainTop is 160, expected at most HiddenSize, 12"),
    ({"NetType": "mlpvar", "Layer": 3}, "NetType is 'mlpvar', expected mlp, mlptop or mlprand"),
    ({"OptType": "sgd"}, "DecayRate is 0.09, expected 1 with OptType sgd"),
    ({"TrainType": "lockFree"}, "TrainType is 'lockFree', expected one of minibatch, sequential"),
    ({"TestFile": 3}, "TestFile is 3, expected the name of a file"),
]


@pytest.mark.parametrize(("settings", "message"), REFUSED, ids=range(len(REFUSED)))
def test_reference_settings_that_cannot_be_are_told_by_file_and_key(
    settings: Any, message: str, run: Run, folder: Path, tmp_path: Path
) -> None:
    if isinstance(settings, dict):
        settings = {**SMALL, **settings}
    result = configured(run, folder, tmp_path, settings)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: --config {tmp_path / 'config.json'}: {message}")
    assert not (tmp_path / "m.safetensors").exists()
