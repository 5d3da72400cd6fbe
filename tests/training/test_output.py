"""Files beside a model: strangers' stay, one training at a time writes them, none is left over."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.config import JointConfig, Knowledge, ParserConfig, Settings
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import ConfigError
from meprop_nlp.training.checkpoint import checkpoint_path
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.knowledge.ensemble import teacher_path
from meprop_nlp.training.output.lock import lock_path, writing_alone
from meprop_nlp.training.output.side_files import demand_own, side_files
from meprop_nlp.training.outputs import is_finished


class KilledError(Exception):
    """What a test raises to end a run without any warning."""


def kill(*arguments: object) -> None:
    raise KilledError


ENSEMBLE = Knowledge(teachers=1)
STRANGERS = [
    ("m.jsonl", b'{"text": "a corpus"}\n'),
    ("m.jsonl", b"\xff\xfe"),
    ("m.checkpoint.safetensors", b"model"),
    ("m.checkpoint.safetensors", b"notes"),
    ("m.tokenizer.safetensors", b"model"),
    ("m.tokenizer.jsonl", b"[1]"),
    ("m.teacher-1.safetensors", b"model"),
    ("m.teacher-1.jsonl", b"notes"),
    ("m.teacher-1.checkpoint.safetensors", b"model"),
    ("m.tags.safetensors", b"model"),
    ("m.answers", b"notes"),
]


def settings(network: Any) -> Settings:
    return Settings(network=network)


JOINT = settings(JointConfig())
JACKKNIFED = settings(ParserConfig(jackknife=2))


@pytest.fixture(scope="module")
def model(
    train: Callable[..., Any], treebank: list[Sentence], tmp_path_factory: pytest.TempPathFactory
) -> bytes:
    path = tmp_path_factory.mktemp("model") / "joint.safetensors"
    train("joint", treebank, output=path, training={"epochs": 1})
    return path.read_bytes()


@pytest.mark.parametrize(("name", "content"), STRANGERS)
def test_file_of_a_stranger_beside_the_output_is_refused(
    name: str, content: bytes, model: bytes, tmp_path: Path
) -> None:
    there = tmp_path / name
    there.write_bytes(model if content == b"model" else content)
    own = JACKKNIFED if "tags" in name else JOINT
    files = list(side_files(tmp_path / "m.safetensors", own, ENSEMBLE))
    with pytest.raises(ConfigError, match=f"{name}: stands where .* choose another `output`"):
        demand_own(files, resume=False)
    if "checkpoint" in name or "tags" in name:
        demand_own(files, resume=True)  # it is read, which says what is wrong with it
    else:
        with pytest.raises(ConfigError, match="stands where"):
            demand_own(files, resume=True)


def test_pipe_beside_the_output_is_refused_and_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.jsonl")
    with pytest.raises(ConfigError, match=r"m\.jsonl: stands where the log would be stored"):
        demand_own(side_files(tmp_path / "m", JOINT, Knowledge()), resume=False)


def test_training_reads_nothing_where_it_would_replace_a_stranger(
    train: Callable[..., Any], tmp_path: Path
) -> None:
    corpus, notes = tmp_path / "corpus.jsonl", tmp_path / "notes.txt"
    for path in (corpus, notes):
        path.write_text("dear diary")
    with pytest.raises(ConfigError, match=r"corpus\.jsonl: stands where the log would be stored"):
        train("tagger", "nowhere.conllu", output=tmp_path / "corpus.safetensors")
    with pytest.raises(ConfigError, match=r"`output` would replace a file: .*is not a meprop_nlp"):
        train("tagger", "nowhere.conllu", output=notes)
    assert corpus.read_text() == notes.read_text() == "dear diary"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus.jsonl", "notes.txt"]


def test_what_an_earlier_training_left_is_its_own(
    train: Callable[..., Any], treebank: list[Sentence], tmp_path: Path
) -> None:
    options = {"knowledge": ENSEMBLE, "training": {"epochs": 1}}
    output = tmp_path / "m.safetensors"
    for _ in range(2):
        train("joint", treebank, output=output, **options)
    (tmp_path / "m.answers").mkdir()
    demand_own(side_files(output, JOINT, ENSEMBLE), resume=False)
    names = {path.name for path in tmp_path.iterdir()}
    of_teacher = {"m.teacher-1.safetensors", "m.teacher-1.jsonl"}
    assert names == {"m.safetensors", "m.jsonl", "m.answers", *of_teacher}


@pytest.mark.parametrize("other", ["m.safetensors", "m", "m.teacher-1.safetensors"])
def test_second_training_of_the_same_files_is_refused(
    other: str, train: Callable[..., Any], treebank: list[Sentence], tmp_path: Path
) -> None:
    refused = []

    def start_another(record: object) -> None:
        if not refused:
            with pytest.raises(ConfigError, match=f"{other}: another training writes here, proc"):
                train("tagger", treebank, output=tmp_path / other)
            refused.append(record)

    hooks = Hooks(on_record=start_another)
    options = {"knowledge": ENSEMBLE, "training": {"epochs": 1}}
    train("joint", treebank, output=tmp_path / "m.safetensors", hooks=hooks, **options)
    assert refused
    assert not list(tmp_path.glob(".*"))
    train("tagger", treebank, output=tmp_path / "apart.safetensors")


@pytest.mark.parametrize("linked", ["file", "folder"])
@pytest.mark.parametrize("link_first", [False, True])
def test_link_to_a_model_is_locked_with_the_model(
    tmp_path: Path, link_first: bool, linked: str
) -> None:
    real = tmp_path / "there" / "m.safetensors"
    real.parent.mkdir()
    if linked == "file":
        link = tmp_path / "link.safetensors"
        link.symlink_to(real)
    else:
        link = tmp_path / "link" / real.name
        link.parent.symlink_to(real.parent)
    first, second = (link, real) if link_first else (real, link)
    with (
        writing_alone(first),
        pytest.raises(ConfigError, match=f"{second}: another training writes here, process"),
        writing_alone(second),
    ):
        pass
    with writing_alone(second, first):  # not refused by itself
        pass
    assert not list(tmp_path.rglob(".*"))


def test_lock_of_a_process_that_was_killed_is_taken_over(tmp_path: Path) -> None:
    output = tmp_path / "m.safetensors"
    lock_path(output).write_text("12345\n")
    with writing_alone(output):
        assert lock_path(output).read_text() == f"{os.getpid()}\n"
    assert not lock_path(output).exists()


def test_nobody_is_refused_where_there_are_no_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(handle: int, operation: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with writing_alone(tmp_path / "m"), writing_alone(tmp_path / "m"):
        assert lock_path(tmp_path / "m").exists()


@pytest.mark.parametrize("name", ["m.safetensors", "m.jsonl", "m.checkpoint.safetensors"])
def test_what_a_kill_left_half_written_is_removed_at_the_next_start(
    name: str, train: Callable[..., Any], treebank: list[Sentence], tmp_path: Path
) -> None:
    left = tmp_path / f".{name}.a1b2c3_d{Path(name).suffix}"
    left.write_bytes(b"half")
    train("tagger", treebank, output=tmp_path / "m.safetensors")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.jsonl", "m.safetensors"]


def test_checkpoint_stays_until_all_files_are_written(
    train: Callable[..., Any], treebank: list[Sentence], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    whole, killed = tmp_path / "a" / "m.safetensors", tmp_path / "b" / "m.safetensors"
    data = (treebank, treebank[:4])
    train("tagger", *data, output=whole)

    with monkeypatch.context() as patch:
        patch.setattr("meprop_nlp.training.run.measure_calibration", kill)
        with pytest.raises(KilledError):
            train("tagger", *data, output=killed)
    assert checkpoint_path(killed).exists()
    train("tagger", *data, output=killed, resume=True)
    assert killed.read_bytes() == whole.read_bytes()
    assert not checkpoint_path(killed).exists()


def test_model_that_was_killed_before_its_checkpoint_is_not_taken_for_a_finished_teacher(
    train: Callable[..., Any], treebank: list[Sentence], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    whole, killed = tmp_path / "a" / "m.safetensors", tmp_path / "b" / "m.safetensors"
    options = {"knowledge": ENSEMBLE, "training": {"epochs": 2}}
    train("joint", treebank, output=whole, **options)
    with monkeypatch.context() as patch:
        patch.setattr("meprop_nlp.training.outputs.Checkpoint.save", kill)
        with pytest.raises(KilledError):
            train("joint", treebank, output=killed, **options)
    assert teacher_path(killed, 1).exists()
    answers = killed.with_name("m.answers")
    answers.mkdir()
    (answers / ".answers-0123.safetensors.a1b2c3_d.safetensors").touch()
    train("joint", treebank, output=killed, resume=True, **options)
    for path in (whole, teacher_path(whole, 1)):
        assert (killed.parent / path.name).read_bytes() == path.read_bytes()
        assert is_finished(path)
    assert not answers.exists()


def test_run_that_was_killed_after_its_last_write_ends_as_if_it_had_not_been(
    train: Callable[..., Any],
    treebank: list[Sentence],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, options = tmp_path / "m.safetensors", {"training": {"epochs": 2}, "dev": treebank}
    with monkeypatch.context() as patch:
        patch.setattr("meprop_nlp.training.run.remove_checkpoint", kill)
        with pytest.raises(KilledError):
            train("joint", treebank, output=path, **options)
    finished = path.read_bytes()
    assert b"calibration" in finished
    train("joint", treebank, output=path, resume=True, **options)
    assert path.read_bytes() == finished
    assert not checkpoint_path(path).exists()
