"""tools/differential.py: its first cases, and that it sees a difference."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp import native

SCRIPT = Path(__file__).parents[1] / "tools" / "differential.py"
SPEC = importlib.util.spec_from_file_location("differential", SCRIPT)
assert SPEC is not None
assert SPEC.loader is not None
differential = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(differential)

pytestmark = pytest.mark.skipif(not native.is_available(), reason=native.why_missing())
CASES = range(2 * len(differential.KINDS))


@pytest.fixture(autouse=True)
def same_instruction_set() -> Any:
    """The core goes on as it was."""
    before = differential.CORE.instruction_set()
    yield
    differential.CORE.use_instruction_set(before)


@pytest.mark.parametrize("case", CASES)
def test_core_numpy_and_pytorch_find_the_same(case: int) -> None:
    differential.run(case)


@pytest.mark.parametrize("kind", differential.KINDS)
def test_a_difference_is_seen(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    load = differential.load

    def wrong(network: Any, file: Any, prefix: str = "") -> None:
        load(network, file, prefix)
        for parameter in network.parameters():
            parameter *= 1.5

    monkeypatch.setattr(differential, "load", wrong)
    first = list(differential.KINDS).index(kind)
    n = len(differential.KINDS)

    def run_ten() -> None:
        for case in range(first, first + 10 * n, n):  # a case may have no sentence
            differential.run(case)

    with pytest.raises(AssertionError):
        run_ten()
