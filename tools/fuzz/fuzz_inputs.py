"""libFuzzer (by Atheris) on readers of strangers' files: each is read, nothing lost, or refused.

What must hold of a kind of file is `CHECKS` of tests/models/test_strange_inputs.py.

    tools/fuzz.sh [SECONDS] [TARGET ...]
    fuzz_inputs.py KIND [CORE] [libFuzzer's options]    # CORE: a build of the core to use
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import atheris
from core_at import import_from_sources, use_core

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

KIND = sys.argv.pop(1)
if len(sys.argv) > 1 and sys.argv[1].endswith(".so"):
    use_core(Path(sys.argv.pop(1)))
else:
    import_from_sources()

with atheris.instrument_imports(include=["meprop_nlp"]):
    from models.test_strange_inputs import CHECKS

# users would see a warning of NumPy
warnings.simplefilter("error", RuntimeWarning)


def test_one_input(data: bytes) -> None:
    """What libFuzzer calls."""
    CHECKS[KIND](data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
