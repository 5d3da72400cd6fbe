"""`download`, from a server on loopback: nothing here asks the network."""

from __future__ import annotations

import hashlib
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.data.ud.release import LATEST_RELEASE

from ..data.ud.archives import FILES, TREE, Server, serving, tar_gz


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server with a toy treebank, and an empty working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving() as running:
        yield running


def test_treebank_comes_and_the_next_command_is_told(run: Any, server: Server) -> None:
    result = run("download", "UD_German-Toy", "--from", server.url)
    assert result.exit_code == 0
    folder = Path("UD_German-Toy")
    assert {path.name: path.read_text() for path in folder.iterdir()} == FILES
    whole, *files = result.stdout.splitlines()
    assert server.asked[0][0] == f"/UD_German-Toy/archive/refs/tags/{LATEST_RELEASE}.tar.gz"
    assert whole.endswith(f".tar.gz: SHA-256 {hashlib.sha256(server.content).hexdigest()}")
    assert files == [
        f"{hashlib.sha256(text.encode()).hexdigest()}  {folder / name}"
        for name, text in sorted(FILES.items())
    ]
    assert result.stderr == (
        "train a model with: meprop-nlp train --train UD_German-Toy/de_toy-ud-train.conllu "
        "--dev UD_German-Toy/de_toy-ud-dev.conllu --test UD_German-Toy/de_toy-ud-test.conllu\n"
    )


def test_command_that_is_told_trains_on_all_parts(
    run: Any, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"de_toy-ud-{part}.conllu" for part in ("train-1", "train-2", "dev")]
    server.content = tar_gz(dict.fromkeys(names, TREE))
    told = run("download", "German-Toy", "--from", server.url, "-o", "a folder").stderr
    seen: list[Any] = []
    monkeypatch.setattr(
        "meprop_nlp.commands.train.run_training", lambda *given, **_: seen.extend(given)
    )
    program, *words = shlex.split(told.partition(": ")[2])
    assert run(*words).exit_code == 0
    assert (program, seen[1].train) == ("meprop-nlp", [f"a folder/{name}" for name in names[:2]])
    assert (seen[1].dev, seen[1].test) == ([f"a folder/{names[2]}"], None)


def test_treebank_for_testing_only_is_said_to_be_one(run: Any, server: Server) -> None:
    server.content = tar_gz({"de_toy-ud-test.conllu": TREE})
    result = run("download", "UD_German-Toy", "--from", server.url)
    assert "no training file" in result.stderr
    quiet = run("download", "UD_German-Toy", "--from", server.url, "--force", "-q")
    assert (quiet.stderr, quiet.stdout) == ("", result.stdout)


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--sha256", "0" * 64], 1, "expected 0000"),
        (["--sha256", "123"], 2, "--sha256 is '123', expected 64 hexadecimal digits"),
        (["--release", "newest"], 2, "--release is newest, expected one such as r2.17"),
        (["--from", "server"], 2, "--from is 'server', expected one such as https://"),
        (["--timeout", "0"], 2, "--timeout is 0, expected a number of seconds above 0"),
        (["--timeout", "nan"], 2, "--timeout is nan"),
        (["-o", "file"], 1, "file: is a file, expected the name of a folder"),
        (["-o", "full"], 1, "is there already; give another folder, or --force"),
    ],
    ids=lambda value: " ".join(value)[:20] if isinstance(value, list) else None,
)
def test_failure_is_one_line_and_leaves_nothing(
    options: list[str], status: int, message: str, run: Any, server: Server
) -> None:
    Path("file").touch()
    Path("full").mkdir()
    Path("full/x-ud-dev.conllu").touch()
    result = run("download", "UD_German-Toy", "--from", server.url, *options)
    assert result.exit_code == status
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert sorted(map(str, Path().rglob("*"))) == ["file", "full", "full/x-ud-dev.conllu"]


def test_unknown_treebank_is_told(run: Any, server: Server) -> None:
    server.status = 404
    result = run("download", "UD_German-Toy", "--from", server.url)
    assert result.exit_code == 1
    assert "404 Not Found; UD_German-Toy has no release r2.17" in result.stderr


def test_help_names_the_release_that_is_fetched(run: Any) -> None:
    assert LATEST_RELEASE in run("download", "--help").stdout


def test_ctrl_c_ends_with_130_and_the_next_call_goes_on(run: Any, server: Server) -> None:
    server.content = tar_gz(FILES | {"de_toy-ud-train.conllu": TREE + str([*range(200_000)])})
    server.hold_after, server.wait = 50_000, threading.Event()
    words = ["download", "UD_German-Toy", "--from", server.url]
    process = subprocess.Popen(
        [sys.executable, "-m", "meprop_nlp.cli", *words],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    part = Path("UD_German-Toy/.UD_German-Toy-r2.17.tar.gz.part")
    until = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size >= 50_000):
        assert time.monotonic() < until
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, message = process.communicate(timeout=30)
    kept = "50,000 bytes are kept; the same command goes on from there\n"
    assert (process.returncode, message) == (130, f"{kept}error: stopped by Ctrl-C\n")
    assert {path.name for path in part.parent.iterdir()} == {part.name, f"{part.name}.version"}
    server.wait.set()
    assert run(*words).exit_code == 0
    assert server.asked[-1][1]["Range"] == "bytes=50000-"
    assert {path.name for path in part.parent.iterdir()} == set(FILES)
