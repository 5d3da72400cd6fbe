"""`use_core`: the native core from a build of its own, such as one with sanitizers.

Also a pytest plugin: with `-p core_at`, the tests use the core that MEPROP_NLP_CORE names.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

__all__ = ["pytest_load_initial_conftests", "use_core"]


def use_core(path: Path) -> None:
    """Let the package find this core in place of the installed one."""
    spec = importlib.util.spec_from_file_location("meprop_nlp._native", path)
    assert spec is not None
    assert spec.loader is not None
    core = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(core)
    sys.modules[spec.name] = core


def pytest_load_initial_conftests() -> None:
    """Before any test imports the package; in the workers of pytest-xdist too."""
    use_core(Path(os.environ["MEPROP_NLP_CORE"]))
