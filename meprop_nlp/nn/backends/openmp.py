"""Finds PyTorch's threads for the native core.

Two thread pools that spin on the same processors are slower than one, so the core runs its tasks on
the OpenMP runtime that PyTorch has loaded, if there is one.
"""

import ctypes
from pathlib import Path

ENTRY = "GOMP_parallel"  # libgomp's own; LLVM's and Intel's runtimes have it on Linux too


def parallel_entry() -> int:
    """Return the address of PyTorch's `GOMP_parallel`, or 0: the core then starts plain threads."""
    for path in _loaded_runtimes():
        try:
            entry = getattr(ctypes.CDLL(path), ENTRY)
        except (OSError, AttributeError):
            continue
        return ctypes.cast(entry, ctypes.c_void_p).value or 0
    return 0


def _loaded_runtimes() -> list[str]:
    """The files of the OpenMP runtimes in this process, PyTorch's own first."""
    maps = Path("/proc/self/maps")
    if not maps.exists():
        return []
    files = {line.split(maxsplit=5)[-1].strip() for line in maps.read_text().splitlines()}
    runtimes = [
        name for name in files if Path(name).name.startswith(("libgomp", "libiomp", "libomp"))
    ]
    return sorted(runtimes, key=lambda name: "torch" not in name)
