"""Use a native core from another build, such as one with sanitizers.

Also a pytest plugin: with `-p core_at`, tests use the core at the path in MEPROP_NLP_CORE. With
PLAIN_THREADS=1 it starts threads of its own, and never has PyTorch's.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

__all__ = ["import_from_sources", "pytest_load_initial_conftests", "use_core"]


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


def import_from_sources() -> None:
    """Let the package be imported from its sources, and load the installed core.

    The finder of an editable install loads modules in a way that Atheris cannot instrument.
    """
    found = importlib.util.find_spec("meprop_nlp._native")
    for name in [name for name in sys.modules if name.partition(".")[0] == "meprop_nlp"]:
        del sys.modules[name]
    sys.meta_path[:] = [
        each for each in sys.meta_path if not type(each).__module__.startswith("_editable")
    ]
    if found is not None and found.origin is not None:
        use_core(Path(found.origin))


def pytest_load_initial_conftests() -> None:
    """Load the core before any test imports the package, also in workers of pytest-xdist."""
    use_core(Path(os.environ["MEPROP_NLP_CORE"]))
