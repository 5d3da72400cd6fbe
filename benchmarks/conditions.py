"""What every benchmark here shares: its conditions, taking turns, quartiles, the file it writes.

A speed is a ratio within one run: what is compared runs in the same process, in turns, so that a
busy moment of the machine meets all of them.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from meprop_nlp import native
from meprop_nlp.files import replacing

__all__ = [
    "FOLDER",
    "arguments",
    "compared",
    "conditions",
    "interleaved",
    "quartiles",
    "refuse_without_core",
    "save",
    "stored",
]

FOLDER = Path(__file__).parent
BASELINE = "dense"


def conditions() -> dict[str, Any]:
    """Return the machine and the versions that figures measured now belong to."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": version("torch"),
        "numpy": version("numpy"),
        "commit": _commit(),
        "kernels": native.kernels_in_use(),
        "date": datetime.date.today().isoformat(),
    }


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    named = (line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or "unknown")


def _commit() -> str:
    """The commit of the checkout; empty if this is not one."""
    command = ["git", "-C", str(FOLDER), "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def quartiles(samples: Sequence[float]) -> list[float]:
    """Return lower quartile, median and upper quartile."""
    if len(samples) == 1:
        return [*samples] * 3
    return statistics.quantiles(samples, n=4, method="inclusive")


def compared(samples: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Return quartiles in milliseconds, and how many times as fast as `dense` each other one is.

    That is the ratio of the medians, above 1 where it is faster.
    """
    by_name = {name: quartiles(seconds) for name, seconds in samples.items()}
    return {
        "ms": {name: [round(1000 * s, 5) for s in values] for name, values in by_name.items()},
        "speedup": {
            name: round(by_name[BASELINE][1] / values[1], 4)
            for name, values in by_name.items()
            if name != BASELINE
        },
    }


def refuse_without_core() -> None:
    """End the program where the native core is missing: the reference is not what is measured."""
    if native.core() is None:
        raise SystemExit(f"benchmarks measure the native core: {native.why_missing()}")


def interleaved(
    functions: Mapping[str, Callable[..., object]],
    repeats: int,
    *,
    warm_up: int = 2,
    before: Mapping[str, Callable[[], Any]] | None = None,
) -> dict[str, list[float]]:
    """Time functions in turn, after rounds to warm up; each repeat in another order.

    Args:
        functions: what to time, by name.
        repeats: samples of each.
        warm_up: rounds before that.
        before: what runs before each call and is not timed; its result is the call's argument.

    Returns:
        seconds of each call, by name.
    """
    names = list(functions)
    samples: dict[str, list[float]] = {name: [] for name in names}
    for repeat in range(-warm_up, repeats):
        shift = repeat % len(names)
        for name in names[shift:] + names[:shift]:
            arguments = () if before is None else (before[name](),)
            start = time.perf_counter()
            result = functions[name](*arguments)
            seconds = time.perf_counter() - start
            del result, arguments  # freeing them is not timed
            if repeat >= 0:
                samples[name].append(seconds)
    return samples


def arguments(
    description: str,
    name: str,
    words: Sequence[str] | None = None,
    more: Callable[[argparse.ArgumentParser], None] | None = None,
) -> argparse.Namespace:
    """Read a benchmark's command line: `quick`, `threads` (set here) and `output`.

    A quick run shows that the script works, so it writes no results unless told where. `more` adds
    the options of one benchmark.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="small shapes, to try the script")
    parser.add_argument("--threads", type=int, help="of PyTorch and of the core")
    parser.add_argument("--output", type=Path, help=f"default: {FOLDER.name}/results/{name}.json")
    if more is not None:
        more(parser)
    read = parser.parse_args(words)
    if read.threads:
        torch.set_num_threads(read.threads)
    if read.output is None and not read.quick:
        read.output = FOLDER / "results" / f"{name}.json"
    return read


def stored(path: Path) -> dict[str, Any]:
    """Return the content of a file of results; empty if there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def save(results: dict[str, Any], path: Path | None) -> None:
    """Write results as JSON, where there is a place for them."""
    if path is not None:
        path.parent.mkdir(exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
