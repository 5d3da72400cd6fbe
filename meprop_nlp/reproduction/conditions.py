"""What figures belong to: machine, versions, commit; and how much else ran beside a measurement."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from meprop_nlp.native import kernels_in_use

__all__ = ["Load", "conditions", "machine", "was_disturbed"]

# cores that all together wanted beyond those there are; processes that share a core show up as
# little more than all cores, however many they are
BUSY = 0.15
PACKAGE = Path(__file__).parents[1]


def conditions() -> dict[str, Any]:
    """Return the machine and versions that figures measured now belong to."""
    import torch

    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "numpy")},
        "commit": _commit(),
        "kernels": kernels_in_use(),
        "date": datetime.date.today().isoformat(),
    }


def machine(about: dict[str, Any]) -> tuple[Any, ...]:
    """Return what two measurements must share for their seconds to be compared."""
    return tuple(about[name] for name in ("cpu", "cores", "threads", "kernels"))


def was_disturbed(about: dict[str, Any]) -> bool:
    """Whether other processes took cores that what was measured wanted."""
    return bool((about.get("others") or 0) + about["threads"] > about["cores"] + BUSY)


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    named = (line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or "unknown")


def _commit() -> str:
    """The commit of the checkout that this package stands in; nothing where it was installed."""
    git = ["git", "-C", str(PACKAGE)]
    try:
        # an installed copy may lie inside a checkout of something else
        subprocess.run([*git, "ls-files", "--error-unmatch", __file__], check=True, **_CAUGHT)
        found = subprocess.run([*git, "rev-parse", "--short", "HEAD"], check=True, **_CAUGHT)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return str(found.stdout).strip()


_CAUGHT: dict[str, Any] = {"text": True, "capture_output": True}


class Load:
    """How many cores other processes kept busy since this was made.

    Seconds that were measured while there were not cores enough are not to be compared with others.
    """

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._before = self._others()

    def others(self) -> float | None:
        """Return the mean number of cores; None where the system does not tell."""
        now = self._others()
        if now is None or self._before is None:
            return None
        passed = time.perf_counter() - self._start
        return max(0.0, round((now - self._before) / max(passed, 1e-9), 2))

    @staticmethod
    def _others() -> float | None:
        """CPU seconds of all processes but this one since the system started."""
        path = Path("/proc/stat")
        if not path.exists():
            return None
        # user, nice, system, idle, iowait, irq, softirq, steal (proc(5))
        fields = path.read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
        ticks = [int(field) for field in fields]
        busy = (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
        return busy - time.process_time()
