"""Write the inputs that the tests keep as the first corpus of a target.

seeds.py TARGET FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

TESTS = Path(__file__).parents[2] / "tests"


def seeds(target: str) -> list[bytes]:
    """Return the inputs of a target that the tests keep."""
    if target == "document":
        texts = json.loads((TESTS / "data" / "conll" / "corpus.json").read_text(encoding="utf-8"))
        # the first byte chooses the layout
        return [bytes([n]) + text.encode("latin-1") for text in texts.values() for n in range(3)]
    inputs = json.loads((TESTS / "models" / "inputs.json").read_text(encoding="utf-8"))
    return [text.encode("latin-1") for text in inputs.get(target, [])]


if __name__ == "__main__":
    for number, content in enumerate(seeds(sys.argv[1])):
        Path(sys.argv[2], f"seed-{number}").write_bytes(content)
