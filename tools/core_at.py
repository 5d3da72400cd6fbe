"""Use a native core from another build, such as one with sanitizers.

Also a pytest plugin: with `-p core_at`, tests use the core at the path in MEPROP_NLP_CORE. With
PLAIN_THREADS=1 it starts threads of its own, and never has PyTorch's.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

__all__ = ["pytest_load_initial_conftests", "use_core"]


def use_core(path: Path) -> None:
    """Make the package load the core at `path` instead of the installed one."""
    spec = importlib.util.spec_from_file_location("meprop_nlp._native", path)
    assert spec is not None
    assert spec.loader is not None
    core = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(core)
    if os.environ.get("PLAIN_THREADS") == "1":
        core.use_openmp_runtime = lambda entry: None  # type: ignore[attr-defined]
    sys.modules[spec.name] = core


def pytest_load_initial_conftests() -> None:
    """Load the core before any test imports the package, also in workers of pytest-xdist."""
    use_core(Path(os.environ["MEPROP_NLP_CORE"]))
