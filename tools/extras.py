"""Print what some of the package's extras require, for `pip install`.

    python tools/extras.py docs,spacy

Installing the package again with an extra would compile the core again.
"""

import sys
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def main() -> None:
    """Print the requirements in one line; none has a space in it."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    names = sys.argv[1].split(",")
    sys.stdout.write(" ".join(one for name in names for one in extras[name]) + "\n")


if __name__ == "__main__":
    main()
