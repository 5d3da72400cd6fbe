"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from meprop_nlp import native

CORE = native.core()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real treebanks; the test is skipped where it is not."""
    default = Path(__file__).parents[1].parent / "shared" / "data"
    folder = Path(os.environ.get("MEPROP_NLP_DATA", default))
    if not (folder / "ud-english-ewt").is_dir():
        pytest.skip(f"no treebanks in {folder}; set MEPROP_NLP_DATA to run this test")
    return folder


@pytest.fixture(params=CORE.instruction_sets() if CORE else ["none"])
def core(request: pytest.FixtureRequest):
    """The native core, with each of its instruction sets in use in turn."""
    if CORE is None:
        pytest.skip(native.why_missing())
    before = CORE.instruction_set()
    CORE.use_instruction_set(request.param)
    yield CORE
    CORE.use_instruction_set(before)
