"""`train --pretrained`, and the commands that use such a model."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.data.conll.reading import read_text


@pytest.fixture(scope="module")
def folder(make_encoder: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found: Path = make_encoder(tmp_path_factory.mktemp("encoder") / "bert")
    return found


@pytest.fixture(scope="module")
def model(
    train_joint: Any, treebank: Path, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path: Path = tmp_path_factory.mktemp("models") / "model.safetensors"
    cache = path.parent / "cache"
    options = ("--pretrained", folder, "--cache", cache, "--pretrained-dim", 6, "--epochs", 1)
    result = train_joint("--train", treebank, "--dev", "none", *options, "-o", path)
    assert result.exit_code == 0, result.stderr
    assert "bert: 3 layers of 16 for " in result.stderr
    assert list(cache.glob("*.states"))
    return path


def test_commands_take_the_folder_from_the_model_or_from_the_user(
    run: Any, model: Path, parser: Path, folder: Path, small: Path, tmp_path: Path
) -> None:
    expected = run("annotate", "-m", model, small, "-q", "--no-progress")
    assert expected.exit_code == 0, expected.stderr
    assert len(list(read_text(expected.stdout))) == 10
    moved = shutil.copytree(folder, tmp_path / "moved")
    hidden = folder.rename(folder.with_name("hidden"))
    try:
        for command in ("annotate", "tag", "parse"):
            result = run(command, "-m", model, small, "-q")
            assert result.exit_code == 2
            assert "needs the pretrained encoder bert (fingerprint " in result.stderr
            assert "give its folder with --pretrained" in result.stderr
            result = run(command, "-m", model, small, "-q", "--pretrained", moved)
            assert result.exit_code == 0, result.stderr
        assert run("evaluate", small, "-m", model).exit_code == 2
        result = run("evaluate", small, "-m", model, "--pretrained", moved)
        assert result.exit_code == 0, result.stderr
        quick = ("--rounds", 1, "-t", 1)
        assert run("benchmark", model, small, *quick).exit_code == 2
        result = run("benchmark", model, small, "--pretrained", moved, *quick)
        assert result.exit_code == 0, result.stderr
        for command in ("parse", "evaluate"):
            result = run(command, small, "-m", parser, "--tagger", model, "--pretrained", moved)
            assert result.exit_code == 0, result.stderr
        result = run("annotate", "-m", model, small, "-q", "--pretrained", moved)
        assert result.stdout == expected.stdout
    finally:
        hidden.rename(folder)


def test_info_names_the_encoder(run: Any, model: Path, folder: Path) -> None:
    shown = run("info", model).stdout
    assert "bert (licence: unknown), 3 layers of 16, fingerprint " in shown
    assert f"; in training it was in {folder}" in shown


def test_a_fine_tuned_encoder_moves_with_the_model(
    run: Any, train_joint: Any, treebank: Path, small: Path, folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "one" / "model.safetensors"
    options = ("--pretrained", folder, "--fine-tune", "--fine-tune-rate", 0.001, "--epochs", 1)
    given = ("--train", treebank, "--dev", "none", *options, "--heads", "tags", "-o", path)
    result = train_joint(*given)
    assert result.exit_code == 0, result.stderr
    assert "bert is trained on the CPU, several times slower than" in result.stderr
    assert f"{path.parent}/model.encoder: its encoder, to be moved with it" in result.stderr
    shown = run("info", path).stdout
    assert "; trained with the model, in model.encoder beside it" in shown
    moved = shutil.move(path.parent, tmp_path / "two") / path.name
    result = run("annotate", "-m", moved, small, "-q", "--no-progress")
    assert result.exit_code == 0, result.stderr
    assert len(list(read_text(result.stdout))) == 10
    (moved.parent / "model.encoder" / "fine_tuned.json").unlink()
    result = train_joint(*given[:-1], moved)
    assert result.exit_code == 2
    assert "model.encoder: is there already, and is no encoder that a training" in result.stderr
    shutil.rmtree(moved.parent / "model.encoder")
    result = run("annotate", "-m", moved, small, "-q")
    assert result.exit_code == 2
    assert "move both together, or give its folder with --pretrained" in result.stderr


def test_folder_without_use_is_refused(run: Any, joint: Path, small: Path, folder: Path) -> None:
    result = run("annotate", "-m", joint, small, "--pretrained", folder)
    assert result.exit_code == 2
    assert "was trained without a pretrained encoder, so that --pretrained has" in result.stderr
    result = run("evaluate", small, small, "--pretrained", folder)
    assert result.exit_code == 2
    assert "--pretrained goes with --model" in result.stderr


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--pretrained", "nowhere"], 2, "--pretrained is nowhere, which does not exist"),
        (["--pretrained", "."], 1, ".: there is no config.json in it"),
        (["--cache", "x"], 2, "--cache goes with --pretrained"),
        (["--pretrained-dim", 7], 2, "--pretrained-dim goes with --pretrained"),
        (["--fine-tune"], 2, "--fine-tune goes with --pretrained"),
        (["--pretrained", ".", "--fine-tune-rate", 1], 2, "--fine-tune-rate goes with --fine-tune"),
        (
            ["--pretrained", ".", "--fine-tune", "--cache", "x"],
            2,
            "--cache and --fine-tune exclude each other without --teacher",
        ),
    ],
)
def test_impossible_settings_are_refused(
    options: list[Any], status: int, message: str, train_joint: Any, treebank: Path, tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        result = train_joint("--train", treebank, *options, "-o", "m.safetensors")
    assert result.exit_code == status
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []
