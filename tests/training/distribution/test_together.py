"""Two processes train what one would have trained; they stop, resume and cut together."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from meprop_nlp.models.file import read_model_file
from meprop_nlp.training.batching import packed_share
from meprop_nlp.training.distribution.environment import is_first, is_one_of_several

SCRIPT = Path(__file__).with_name("script.py")
ROOT = Path(__file__).parents[3]
TOGETHER = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]


def begun(*arguments: object) -> subprocess.Popen[str]:
    """Start this Python in a process group of its own."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    process = begun(*arguments)
    try:
        out, err = process.communicate(timeout=240)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def train(task: str, output: Path, *, together: bool = True, **options: Any) -> None:
    done = run(*(TOGETHER if together else []), SCRIPT, task, output, json.dumps(options))
    assert done.returncode == 0, done.stderr


def log(output: Path) -> list[dict[str, Any]]:
    text = output.with_suffix(".jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def demand_same(alone: Path, both: Path) -> None:
    """The losses, widths and weights are those of one process, up to rounding."""
    for one, two in zip(log(alone), log(both), strict=True):
        assert two["loss"] == pytest.approx(one["loss"], rel=1e-4)
        assert two["losses"] == pytest.approx(one["losses"], rel=1e-4)
        assert two["neurons"] == one["neurons"]
    expected, found = read_model_file(alone), read_model_file(both)
    assert found.arrays.keys() == expected.arrays.keys()
    for name, array in expected.arrays.items():
        assert found.arrays[name].shape == array.shape
        if array.dtype.kind == "f":
            np.testing.assert_allclose(found.arrays[name], array, atol=1e-4, rtol=1e-3)


def test_shares_of_a_minibatch_are_all_of_it_and_stay_packed() -> None:
    sizes = np.array([5, 3, 2, 2, 1])
    whole = np.zeros(sizes.sum(), int)
    lengths = []
    for number in range(3):
        taken, theirs = packed_share(sizes, number, 3)
        whole += taken
        assert theirs.sum() == taken.sum()
        assert (np.diff(theirs) <= 0).all()
        lengths += [int((theirs > i).sum()) for i in range(theirs[0])]
    assert (whole == 1).all()
    assert sorted(lengths, reverse=True) == [5, 4, 2, 1, 1]
    taken, theirs = packed_share(np.array([1, 1]), 1, 2)
    assert not taken.any()
    assert not theirs.sum()


def test_torchrun_is_noticed_by_what_it_sets() -> None:
    assert not is_one_of_several({"WORLD_SIZE": "2", "RANK": "1"})  # another launcher's
    started = {"TORCHELASTIC_RUN_ID": "1", "WORLD_SIZE": "2", "RANK": "1"}
    assert is_one_of_several(started)
    assert not is_first(started)
    assert is_first(started | {"RANK": "0"})
    assert not is_one_of_several(started | {"WORLD_SIZE": "1"})


@pytest.mark.slow
@pytest.mark.parametrize("task", ["joint", "tagger", "parser"])
def test_two_processes_train_what_one_trains(task: str, tmp_path: Path) -> None:
    alone, both = tmp_path / "alone.safetensors", tmp_path / "both.safetensors"
    for path, together in ((alone, False), (both, True)):
        train(task, path, together=together, meprop={"k": 0 if task == "joint" else 6})
    assert log(alone)[-1]["loss"] < 0.99 * log(alone)[0]["loss"]
    demand_same(alone, both)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "alone.jsonl", "alone.safetensors", "both.jsonl", "both.safetensors",
    ]  # fmt: skip


@pytest.mark.slow
def test_hits_are_added_up_and_cuts_are_the_same(tmp_path: Path) -> None:
    alone, both = tmp_path / "alone.safetensors", tmp_path / "both.safetensors"
    cuts = {
        "schedule": "paper",
        "prune_rate": 0.3,
        "cycle": 1,
        "min_neurons": 4,
        "cuts_per_epoch": 2,
    }
    for path, together in ((alone, False), (both, True)):
        train(
            "tagger",
            path,
            together=together,
            meprop={"k": 4},
            simplify=cuts,
            training={"epochs": 4},
        )
    assert sum(log(alone)[-1]["neurons"].values()) < 48
    demand_same(alone, both)


def command(output: Path, *more: object) -> list[object]:
    small = "--hidden 24 --layers 1 --epochs 4 --heads tags,tree --ngram-rows 50"
    small += " --batch-size 2000"
    return [*TOGETHER, "-m", "meprop_nlp.cli", "train", *small.split(), "-o", output, *more]


@pytest.mark.slow
def test_a_signal_stops_both_and_they_resume_to_the_same_end(tmp_path: Path) -> None:
    whole, stopped = tmp_path / "whole.safetensors", tmp_path / "stopped.safetensors"
    done = run(*command(whole))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("UPOS") == 1  # one process scores the test file and prints
    assert len(re.findall(r"(?m)^ +1/\d+ ", done.stderr)) == 1  # by one of them
    process = begun(*command(stopped))
    try:
        deadline = time.monotonic() + 120
        while not stopped.with_suffix(".jsonl").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)  # to torchrun, which hands it on
        _, err = process.communicate(timeout=60)
        assert process.returncode != 0
        assert err.count("to go on, give the same command with --resume") == 1
        with pytest.raises(ProcessLookupError):  # nobody of the group is left
            os.killpg(process.pid, 0)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert (tmp_path / "stopped.checkpoint.safetensors").exists()
    alone = run(*command(stopped, "--resume")[len(TOGETHER) :])
    assert alone.returncode == 2
    assert "processes was 2, is None" in alone.stderr
    resumed = run(*command(stopped, "--resume"))
    assert resumed.returncode == 0, resumed.stderr
    first, second = read_model_file(whole), read_model_file(stopped)
    assert all((second.arrays[name] == array).all() for name, array in first.arrays.items())
    assert not (tmp_path / "stopped.checkpoint.safetensors").exists()


@pytest.mark.slow
def test_what_one_process_writes_is_refused_to_several(tmp_path: Path) -> None:
    output = tmp_path / "m.safetensors"
    done = run(*command(output, "--teachers", 1, "--cache", tmp_path))
    assert done.returncode != 0
    assert "--cache is written by one process" in done.stderr
    assert not output.exists()
