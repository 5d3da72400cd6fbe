"""Our own commands in fresh processes: what they cost from start to end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from meprop_nlp.errors import MePropError

__all__ = ["peak_bytes", "seconds"]

PROGRAM = "meprop_nlp.cli"

# the process tells of itself: what it was forked from has a peak of its own
_TOLD_PEAK = f"""
import pathlib, runpy, sys
target = sys.argv.pop(1)
try:
    runpy.run_module({PROGRAM!r}, run_name="__main__")
finally:
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        pathlib.Path(target).write_bytes(status.read_bytes())
"""


def seconds(words: Sequence[str | Path]) -> float:
    """Run a command, its output going nowhere; return seconds from start to end.

    Raises:
        MePropError: it failed.
    """
    start = time.perf_counter()
    _run(["-m", PROGRAM], words)
    return time.perf_counter() - start


def peak_bytes(words: Sequence[str | Path], status: Path) -> int | None:
    """Run a command and return the most memory that it had; None where the system does not say.

    Args:
        status: a file to write what the process tells of itself.

    Raises:
        MePropError: it failed.
    """
    _run(["-c", _TOLD_PEAK, str(status)], words)
    if not status.exists():
        return None
    for line in status.read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


def _run(program: Sequence[str], words: Sequence[str | Path]) -> None:
    folders = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, *program, *map(str, words)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, folders))},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
        text=True,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        raise MePropError(
            f"`meprop-nlp {' '.join(map(str, words))}` failed with status {done.returncode}: "
            f"{said[-1].removeprefix('error: ')}"
        )
