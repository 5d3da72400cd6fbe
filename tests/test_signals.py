"""Steps that no signal may come between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.files import demand_writable, replacing
from meprop_nlp.signals import uninterrupted


@pytest.fixture(params=["SIGINT", "SIGTERM", "SIGHUP"])
def number(request: pytest.FixtureRequest) -> Any:
    """A signal whose handler raises KeyboardInterrupt."""
    found = getattr(signal, request.param)

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt(number)

    before = signal.signal(found, stop)
    yield found
    signal.signal(found, before)


def test_signal_waits_until_the_outermost_block_ends(number: int) -> None:
    done: list[str] = []

    def work() -> None:
        with uninterrupted():
            with uninterrupted():
                signal.raise_signal(number)
                done.append("inner")
            done.append("outer")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["inner", "outer"]
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)


def test_error_and_signal_in_a_block_leave_the_handlers_as_they_were(number: int) -> None:
    handler = signal.getsignal(number)

    def fail() -> None:
        with uninterrupted():
            signal.raise_signal(number)
            raise ValueError

    with pytest.raises(KeyboardInterrupt):
        fail()
    with pytest.raises(ValueError, match="wrong"), uninterrupted():
        raise ValueError("wrong")
    assert signal.getsignal(number) is handler


def test_ignored_signals_stay_ignored_and_threads_are_let_alone(number: int) -> None:
    signal.signal(number, signal.SIG_IGN)
    with uninterrupted():
        assert signal.getsignal(number) is signal.SIG_IGN
        signal.raise_signal(number)
    entered: list[bool] = []

    def enter() -> None:
        with uninterrupted():
            entered.append(True)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert entered == [True]


def interrupting(function: Callable[..., Any], number: int) -> Callable[..., Any]:
    """Return a function during which a signal comes, after it has done its work."""

    def call(*args: Any, **options: Any) -> Any:
        found = function(*args, **options)
        signal.raise_signal(number)
        return found

    return call


def test_no_temporary_file_is_left_by_a_signal_while_it_is_made_or_removed(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"

    def write() -> None:
        with replacing(path):
            raise KeyboardInterrupt  # where no signal came before

    for module, name in ((tempfile, "mkstemp"), (Path, "unlink")):
        for work in (lambda: demand_writable(path), write):
            with monkeypatch.context() as patch:
                patch.setattr(module, name, interrupting(getattr(module, name), number))
                with pytest.raises(KeyboardInterrupt):
                    work()
            assert list(tmp_path.iterdir()) == []


def test_signal_while_the_core_is_loaded_is_handled_after_it() -> None:
    code = """
import importlib, signal
from meprop_nlp import native
load = importlib.import_module
def interrupted(name):
    signal.raise_signal(signal.SIGINT)
    found = load(name)
    print("loaded")
    return found
native.import_module = interrupted
try:
    native.core()
except KeyboardInterrupt:
    print("stopped")
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "MEPROP_NLP_KERNELS": ""},
    )
    assert done.stdout.split() == ["loaded", "stopped"], done.stderr
