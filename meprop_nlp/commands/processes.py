"""Running a command in a process of its own, to measure its time and memory."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from meprop_nlp.errors import MePropError

PROGRAM = "meprop_nlp.cli"

# the process reports its own peak: ours would include the parent that it was forked from
_WITH_STATUS = f"""
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
    """Run a command, discard its output, and return its seconds from start to end.

    Raises:
        MePropError: the command failed.
    """
    start = time.perf_counter()
    _run(["-m", PROGRAM], words)
    return time.perf_counter() - start


def peak_bytes(words: Sequence[str | Path], status: Path) -> int | None:
    """Run a command and return its peak memory in bytes; None if the system does not report it.

    Args:
        status: a file for the process to write its status to.

    Raises:
        MePropError: the command failed.
    """
    _run(["-c", _WITH_STATUS, str(status)], words)
    if not status.exists():
        return None
    for line in status.read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


def _run(program: Sequence[str], words: Sequence[str | Path]) -> None:
    folders = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    finished = subprocess.run(
        [sys.executable, *program, *map(str, words)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, folders))},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
        text=True,
    )
    if finished.returncode:
        lines = finished.stderr.strip().splitlines() or ["it said nothing"]
        raise MePropError(
            f"`meprop-nlp {' '.join(map(str, words))}` failed with status {finished.returncode}: "
            f"{lines[-1].removeprefix('error: ')}"
        )
