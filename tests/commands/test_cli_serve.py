"""`serve`: what it refuses before it listens; tests/serve has what it answers."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.commands import serve

Run = Any


@pytest.mark.parametrize(("module", "library"), serve.NEEDED.items())
def test_a_missing_library_is_told_as_everywhere(
    module: str, library: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = object()  # the others are there
    monkeypatch.setattr(serve, "find_spec", lambda name: None if name == module else spec)
    result = run("serve")
    assert result.exit_code == 2
    assert result.stderr == (
        f"error: {library} is not installed; install it with: pip install 'meprop-nlp[serve]'\n"
    )


def test_help_is_short(run: Run) -> None:
    result = run("serve", "--help")
    assert result.exit_code == 0
    assert "meprop-nlp serve --model en --port 8001" in result.stdout


@pytest.mark.extras
@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (("-m", "no.safetensors"), 1, "there is no model no.safetensors"),
        (("-m", "a="), 2, "--model is 'a=', expected FILE, NAME=FILE or NAME:ALIAS=FILE"),
        (("-m", "PATH"), 1, "PATH"),
        (("--port", 70_000), 2, "70000 is not in the range"),
        (("--queue", 0), 2, "--queue is 0, expected a whole number from 1 to 100000"),
        (("--timeout", 0), 2, "--timeout is 0"),
    ],
)
def test_wrong_options_are_refused(
    options: tuple[object, ...], status: int, message: str, run: Run, tmp_path: Path
) -> None:
    pytest.importorskip("uvicorn", reason="needs meprop-nlp[serve]")
    path = tmp_path / "words.conllu"
    path.write_text("1\tIt\n", encoding="utf-8")
    result = run("serve", *(path if option == "PATH" else option for option in options))
    assert result.exit_code == status
    assert message.replace("PATH", str(path)) in result.stderr


@pytest.mark.extras
def test_two_models_of_one_name_and_hosts_that_are_not_here(joint: Path, run: Run) -> None:
    pytest.importorskip("uvicorn", reason="needs meprop-nlp[serve]")
    result = run("serve", "-m", joint, "-m", joint)
    assert result.exit_code == 2
    assert "two models are called train; give --model a name of its own" in result.stderr
    result = run("serve", "-m", joint, "--host", "192.0.2.1")
    assert result.exit_code == 2
    assert "--host is '192.0.2.1', no address of this machine" in result.stderr
    result = run("serve", "-m", joint, "--host", "nowhere.invalid")
    assert result.exit_code == 2
    assert "--host is 'nowhere.invalid', which has no address" in result.stderr


@pytest.mark.extras
def test_port_in_use_is_refused(joint: Path, run: Run) -> None:
    pytest.importorskip("uvicorn", reason="needs meprop-nlp[serve]")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "-m", joint, "--port", port)
    assert result.exit_code == 1
    assert f"port {port} of 127.0.0.1 is in use; choose another with --port" in result.stderr
