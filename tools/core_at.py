"""`use_core`: the native core from a build of its own, such as one with sanitizers."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

__all__ = ["use_core"]


def use_core(path: Path) -> None:
    """Let the package find this core in place of the installed one."""
    spec = importlib.util.spec_from_file_location("meprop_nlp._native", path)
    assert spec is not None
    assert spec.loader is not None
    core = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(core)
    sys.modules[spec.name] = core
