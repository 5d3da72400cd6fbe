"""Whether the seconds of two trainings can be compared: their machine and its other processes."""

import os
import time
from pathlib import Path
from typing import Any

# By how many cores the demand of all processes may exceed the machine. Processes that share a core
# show up as little more than all cores, however many they are.
BUSY = 0.15


def machine(about: dict[str, Any]) -> tuple[Any, ...]:
    """Return what two measurements must have in common for their seconds to be comparable."""
    return tuple(about[name] for name in ("cpu", "cores", "threads", "kernels"))


def was_disturbed(about: dict[str, Any]) -> bool:
    """Whether other processes took cores from the measured one."""
    return bool((about.get("others") or 0) + about["threads"] > about["cores"] + BUSY)


def seconds_of_others() -> float:
    """Return the CPU seconds of all other processes since the system started; 0 if unknown."""
    path = Path("/proc/stat")
    if not path.exists():
        return 0.0
    # user, nice, system, idle, iowait, irq, softirq, steal (proc(5))
    ticks = [int(n) for n in path.read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]]
    busy = (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
    return busy - time.process_time()
