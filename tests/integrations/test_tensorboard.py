"""`TensorBoard` and `--tensorboard`: TensorBoard's own reader finds every epoch, resumed or not."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from meprop_nlp import EpochRecord, JointModel, read
from meprop_nlp.cli import make_app
from meprop_nlp.data.sample.treebank import sample_treebank

pytestmark = pytest.mark.extras
pytest.importorskip("tensorboard", reason="needs meprop-nlp[tensorboard]")

from tensorboard.backend.event_processing.event_accumulator import (  # noqa: E402
    EventAccumulator,
)

from meprop_nlp.integrations.tensorboard import TensorBoard  # noqa: E402


def drawn(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return (step, value) of each scalar."""
    reader = EventAccumulator(str(folder))
    reader.Reload()
    return {
        tag: [(event.step, event.value) for event in reader.Scalars(tag)]
        for tag in reader.Tags()["scalars"]
    }


def fit(tmp_path: Path, *, epochs: int = 3, **options: Any) -> JointModel:
    sentences = list(read(sample_treebank("train")))[:20]
    return JointModel.train(
        sentences,
        sentences[:5],
        config={"hidden": 8, "layers": 1, "heads": ("tags", "tree"), "ngram_rows": 50},
        training={"epochs": epochs, "batch_size": 50},
        output=tmp_path / "m.safetensors",
        **options,
    )


def logged(tmp_path: Path) -> list[dict[str, Any]]:
    text = (tmp_path / "m.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_all_of_each_epoch_is_read_back(tmp_path: Path) -> None:
    fit(tmp_path, callbacks=TensorBoard(tmp_path / "runs"))
    log, found = logged(tmp_path), drawn(tmp_path / "runs")
    assert len(log) == 3

    def values(of: Any) -> list[tuple[int, Any]]:
        return [(line["epoch"], pytest.approx(of(line), rel=1e-6)) for line in log]

    assert found["loss/all"] == values(lambda line: line["loss"])
    assert found["loss/tags"] == values(lambda line: line["losses"]["tags"])
    assert found["loss/tree"] == values(lambda line: line["losses"]["tree"])
    for line in log:  # the loss is the sum of the heads'
        assert sum(line["losses"].values()) == pytest.approx(line["loss"], rel=1e-5)
    assert found["dev/UPOS"] == values(lambda line: line["scores"]["upos"])
    assert found["dev/LAS"] == values(lambda line: line["scores"]["las"])
    assert found["dev/mean"] == values(lambda line: line["score"])
    assert found["speed/words a second"] == values(lambda line: line["words_per_second"])
    assert found["network/k"] == [(1, 1), (2, 1), (3, 1)]
    assert found["network/neurons layer1.forward"] == [(1, 8), (2, 8), (3, 8)]
    assert found["network/weights"] == values(lambda line: line["n_weights"])
    assert log[0]["n_weights"] > 1000


def test_a_cut_shows_in_the_size(tmp_path: Path) -> None:
    sentences = list(read(sample_treebank("train")))[:20]
    JointModel.train(
        sentences,
        config={"hidden": 64, "layers": 1, "heads": ("tags",), "ngram_rows": 50},
        training={"epochs": 2},
        simplify={"keep": 0.25},
        callbacks=TensorBoard(tmp_path),
    )
    first, second = (value for _, value in drawn(tmp_path)["network/weights"])
    assert second < first


def test_a_resumed_training_goes_on_in_its_file(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    board = TensorBoard(folder)

    def killed(record: EpochRecord) -> None:
        if record.epoch == 2:
            raise ZeroDivisionError
        board(record)

    with pytest.raises(ZeroDivisionError):
        fit(tmp_path, callbacks=killed)
    (file,) = folder.iterdir()
    with file.open("ab") as torn:
        torn.write(b"\x50\0\0\0\0\0\0\0half an event")
    fit(tmp_path, callbacks=TensorBoard(folder), resume=True)
    assert list(folder.iterdir()) == [file]
    assert [step for step, _ in drawn(folder)["loss/all"]] == [1, 3]


def test_another_training_begins_a_file_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    for epochs in (1, 1):
        fit(tmp_path, epochs=epochs, callbacks=TensorBoard(folder))
    assert len(list(folder.iterdir())) == 2


def run(*arguments: object) -> Any:
    return CliRunner().invoke(make_app(), [str(a) for a in arguments])


@pytest.mark.parametrize("command", ["train", "train-tagger", "train-parser"])
def test_the_command_line_writes_it(command: str, tmp_path: Path) -> None:
    small = ["--hidden", 8, "--epochs", 2, "-q", "-o", tmp_path / "m.safetensors"]
    small += ["--heads", "tags"] if command == "train" else []
    result = run(command, *small, "--tensorboard", tmp_path / "runs")
    assert result.exit_code == 0, result.stderr
    assert [step for step, _ in drawn(tmp_path / "runs")["loss/all"]] == [1, 2]


def test_a_missing_extra_is_one_line_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto.event_pb2", None)
    result = run("train", "--train", "none.conllu", "--tensorboard", tmp_path / "runs")
    assert result.exit_code == 2
    assert result.stderr == (
        "error: --tensorboard: TensorBoard is not installed; install it with: pip install "
        "'meprop-nlp[tensorboard]'\n"
    )
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    result = run("train", "--tensorboard", tmp_path / "runs")
    assert result.exit_code == 2
    assert f"--tensorboard is {tmp_path}/runs, a file, expected a folder" in result.stderr
