"""`train-mnist`: from four IDX files, or a file of the reference code's settings, to two scores."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.config import MNIST_TRAINING
from meprop_nlp.data.mnist import read_mnist
from meprop_nlp.models.classifier import FrozenClassifier
from meprop_nlp.models.file import describe, read_header

from ..idx_files import FILES, made_up_images, write_mnist

TINY = ("--dev-images", 20, "-t", 1, "-d", "cpu", "--no-progress")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty training images, twenty of them for dev, and thirty to test on."""
    return write_mnist(tmp_path_factory.mktemp("mnist"), 60, 30)


def train(run: Any, folder: Path, output: Path, *arguments: object) -> Any:
    return run("train-mnist", "--data", folder, "-o", output, *TINY, *arguments)


def stored(path: Path) -> dict[str, Any]:
    """All settings of a model file, by name."""
    header = read_header(path)
    training = header["training"]
    parts = (header["config"], training["training"], training["meprop"], training["simplify"] or {})
    return {name: value for part in parts for name, value in part.items()}


# training


def test_training_writes_a_model_and_prints_two_scores(
    run: Any, folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "m.safetensors"
    result = train(run, folder, output, "--hidden", 32, "--k", 8, "--epochs", 30)
    assert result.exit_code == 0
    model, mnist = FrozenClassifier.load(output), read_mnist(folder, n_dev=20)
    assert result.stdout == (
        f"dev: Accuracy {model.evaluate(mnist.dev):.2f}\n"
        f"test: Accuracy {model.evaluate(mnist.test):.2f}\n"
    )
    assert model.evaluate(mnist.test) > 80
    assert f"{folder}: 40 train, 20 dev, 30 test images" in result.stderr
    assert len(re.findall(r"^epoch .*Accuracy .* images/s", result.stderr, flags=re.M)) == 30
    assert "words/s" not in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.jsonl", "m.safetensors"]


def test_info_says_what_a_classifier_is(run: Any, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "m.safetensors"
    simplify = "--simplify --first-cut-epoch 1 --min-neurons 2 --keep 0.5"
    result = train(run, folder, output, "--hidden", 16, "--epochs", 2, *simplify.split(), "-q")
    assert (result.exit_code, result.stderr) == (0, "")
    shown = run("info", output).stdout
    assert re.search(r"^holds +classifier model$", shown, flags=re.M)
    assert re.search(r"^images +40 train, 20 dev$", shown, flags=re.M)
    assert re.search(r"^trained +epoch \d, on dev Accuracy \d+\.\d\d$", shown, flags=re.M)
    assert "word forms" not in shown
    assert "k 5, topk_mode example" in shown  # 0.32 of 16
    widths = describe(output)["neurons"].values()
    assert list(widths) == [8, 8]


def test_settings_unless_given_are_the_papers(run: Any, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "m.safetensors"
    assert train(run, folder, output, "--hidden", 8, "-q").exit_code == 0
    found = stored(output)
    for name, value in MNIST_TRAINING.to_dict().items():
        if name not in ("threads", "device"):
            assert found[name] == value, name
    assert (found["layers"], found["dropout"], found["k"]) == (3, 0.0, None)


def test_folder_is_taken_from_the_environment_else_from_here(
    run: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_mnist(_made(tmp_path / "here" / "mnist"), 21, 2)
    write_mnist(_made(tmp_path / "there" / "mnist"), 22, 3)
    monkeypatch.chdir(tmp_path / "here")
    for data, counts in ((None, "1 train, 20 dev, 2 test"), ("there", "2 train, 20 dev, 3 test")):
        monkeypatch.delenv("MEPROP_NLP_DATA", raising=False)
        if data:
            monkeypatch.setenv("MEPROP_NLP_DATA", str(tmp_path / data))
        output = tmp_path / "m.safetensors"
        result = run("train-mnist", "-o", output, *TINY, "--epochs", 1, "--hidden", 4)
        assert result.exit_code == 0
        assert counts in result.stderr


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def test_stopped_run_goes_on(
    run: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop_in_the_second_epoch(display: Any, record: Any) -> None:
        if getattr(record, "epoch", 0) == 2:
            raise KeyboardInterrupt

    whole, stopped = tmp_path / "whole.safetensors", tmp_path / "stopped.safetensors"
    options = ("--hidden", 8, "--epochs", 4, "--dropout", 0.2, "--k", 3)
    assert train(run, folder, whole, *options).exit_code == 0
    with monkeypatch.context() as patch:
        patch.setattr(
            "meprop_nlp.training.display.TrainingDisplay.__call__", stop_in_the_second_epoch
        )
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
        ("--dev-images -1", "--dev-images is -1, expected"),
        ("--clip-value -1", "--clip-value is -1.0, expected at least 0"),
        ("--weight-decay nan", "--weight-decay is nan"),
        ("--device x", "--device is 'x'"),
        ("--resume", "there is no"),
        ("--config nowhere.json", "--config nowhere.json: cannot be read: No such file"),
    ],
)
def test_impossible_setting_is_refused(
    flags: str, message: str, run: Any, folder: Path, tmp_path: Path
) -> None:
    result = train(run, folder, tmp_path / "m", "--hidden", 8, "--epochs", 1, *flags.split())
    assert result.exit_code == 2
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_missing_folder_is_told_with_where_the_files_are(run: Any, tmp_path: Path) -> None:
    result = train(run, tmp_path / "nowhere", tmp_path / "m")
    assert result.exit_code == 2
    assert f"--data: {tmp_path / 'nowhere'} is not a folder" in result.stderr
    assert "https://" in result.stderr


def test_faulty_files_are_told_before_anything_is_trained(run: Any, tmp_path: Path) -> None:
    folder = write_mnist(_made(tmp_path / "mnist"), 30, 5)
    labels = folder / FILES["test"][1]
    labels.write_bytes(labels.read_bytes()[:-1])
    result = train(run, folder, tmp_path / "m")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {labels}: the file is cut short: 4 bytes")
    labels.unlink()
    assert f"{folder}: no test labels" in train(run, folder, tmp_path / "m").stderr
    few = train(run, folder, tmp_path / "m", "--dev-images", 30)
    assert (few.exit_code, "no test labels" in few.stderr) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["mnist"]


def test_model_never_takes_the_place_of_the_images_or_of_another_task(
    run: Any, tmp_path: Path, tagger: Path
) -> None:
    folder = write_mnist(_made(tmp_path / "mnist"), 30, 5)
    images = folder / FILES["test"][0]
    before = images.read_bytes()
    result = train(run, folder, images)
    assert result.exit_code == 2
    assert f"--output {images} is an input file too" in result.stderr
    assert images.read_bytes() == before
    result = train(run, folder, tagger)
    assert "is a tagger already, and would be replaced by a classifier" in result.stderr
    # a model beside the images may be replaced by the next
    for _ in range(2):
        result = train(run, folder, folder / "m.safetensors", "--epochs", 1, "--hidden", 4)
        assert result.exit_code == 0


def test_commands_on_sentences_refuse_a_classifier(
    run: Any, folder: Path, small: Path, tmp_path: Path
) -> None:
    model = tmp_path / "m.safetensors"
    train(run, folder, model, "--epochs", 1, "--hidden", 4)
    for command in (
        ["evaluate", small, "--model", model],
        ["benchmark", model, small],
        ["tag", "-m", model, small],
        ["parse", "-m", model, small],
    ):
        result = run(*command)
        assert result.exit_code == 1
        assert f"{model}: is a classifier of MNIST images" in result.stderr


# settings of the reference code


def configured(run: Any, folder: Path, tmp_path: Path, settings: Any, *arguments: object) -> Any:
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
    settings: dict[str, Any], expected: dict[str, Any], run: Any, folder: Path, tmp_path: Path
) -> None:
    result = configured(run, folder, tmp_path, {**SMALL, **settings})
    assert result.exit_code == 0, result.stderr
    found = stored(tmp_path / "m.safetensors")
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert found["threads"] == 1  # of the command line, which wins


def test_command_line_wins_over_the_file(run: Any, folder: Path, tmp_path: Path) -> None:
    settings = {**SMALL, "NetType": "mlptop", "TrainTop": 400, "RandomSeed": 5}
    # 3 is also the default of --layers: given is given
    options = ("--k", 4, "--layers", 3, "--seed", 1)
    result = configured(run, folder, tmp_path, {**settings, "Layers": 2}, *options)
    assert result.exit_code == 0, result.stderr
    found = stored(tmp_path / "m.safetensors")
    assert (found["k"], found["layers"], found["seed"], found["hidden"]) == (4, 3, 1, 12)


def test_seed_below_zero_is_drawn_and_told(run: Any, folder: Path, tmp_path: Path) -> None:
    seeds = set()
    for _ in range(2):
        result = configured(run, folder, tmp_path, SMALL)
        (told,) = re.findall(r"RandomSeed is -1: --seed (\d+) was drawn", result.stderr)
        assert stored(tmp_path / "m.safetensors")["seed"] == int(told)
        seeds.add(told)
    assert len(seeds) == 2
    assert "RandomSeed" not in configured(run, folder, tmp_path, SMALL, "--seed", 4).stderr


@pytest.mark.parametrize(
    ("settings", "warning"),
    [
        ({"LearningRate": 0.01}, "LearningRate 0.01 has no effect on Adam"),
        ({"OptType": "adagrad", "Eps": 1e-5}, "Eps 1e-05 has no effect here"),
        ({"Layer": 3, "DataSeqScale": 0.5}, "DataSeqScale has no effect"),
        ({"Eps": 1e-5, "DecayRate": 0.5}, None),
    ],
)
def test_keys_without_effect_are_warned_of(
    settings: dict[str, Any], warning: str | None, run: Any, folder: Path, tmp_path: Path
) -> None:
    result = configured(run, folder, tmp_path, {**SMALL, **settings}, "-q")
    assert result.exit_code == 0
    assert result.stderr.count("warning: ") == (warning is not None)
    assert warning is None or f"{tmp_path / 'config.json'}: {warning}" in result.stderr


POSITIVE = "a whole number of at least 1"
REFUSED: list[tuple[Any, str]] = [
    ("{", "is not JSON"),
    ("[1]", "expected a JSON object of settings"),
    ({"HidenSize": 3, "Colour": 1}, "unknown HidenSize, Colour; known are ClipBound, DataSeqScale"),
    ({"Layer": 3, "Layers": 3}, "Layer are of the first version of the reference code, Layers of"),
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
    ({"TestFile": "images"}, "TestFile is 'images', expected a file"),
]


@pytest.mark.parametrize(("settings", "message"), REFUSED, ids=range(len(REFUSED)))
def test_reference_settings_that_cannot_be_are_told_by_file_and_key(
    settings: Any, message: str, run: Any, folder: Path, tmp_path: Path
) -> None:
    if isinstance(settings, dict):
        settings = {**SMALL, **settings}
    result = configured(run, folder, tmp_path, settings)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: --config {tmp_path / 'config.json'}: {message}")
    assert not (tmp_path / "m.safetensors").exists()


def test_data_files_are_found_as_the_reference_finds_them_else_in_the_folder(
    run: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {
        "TrainFile": "train-images.idx3-ubyte",  # of the usual names; the folder has another
        "TrainLabelFile": FILES["train"][1],
        "TestFile": "one-image",
        "TestLabelFile": "one-label",
    }
    write_mnist(tmp_path, 2, 1)
    for key, file in zip(("TestFile", "TestLabelFile"), FILES["test"], strict=True):
        (tmp_path / file).rename(tmp_path / names[key])
    for file in (*FILES["train"], FILES["train"][0] + ".gz"):
        (tmp_path / file).unlink(missing_ok=True)
    (tmp_path / "config.json").write_text(json.dumps({**SMALL, **names}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEPROP_NLP_DATA", str(folder.parent))
    folder.parent.joinpath("mnist").symlink_to(folder)
    result = run("train-mnist", "--config", "config.json", "-o", "m.safetensors", *TINY)
    folder.parent.joinpath("mnist").unlink()
    assert result.exit_code == 0, result.stderr
    assert "40 train, 20 dev, 1 test images" in result.stderr
    # with --data the folder alone counts
    result = configured(run, folder, tmp_path, {**SMALL, **names})
    assert f"TestFile is 'one-image', expected a file of {folder}" in result.stderr


def test_made_up_images_are_drawn_from_their_seed() -> None:
    assert made_up_images(4, 1).fingerprint() == made_up_images(4, 1).fingerprint()
    assert made_up_images(4, 1).fingerprint() != made_up_images(4, 2).fingerprint()
