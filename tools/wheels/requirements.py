"""Print what annotating needs beside the wheel, with versions, for `pip install -r`.

    python tools/wheels/requirements.py > dist/requirements-annotate.txt

It is what the package requires but torch, with what these require in turn, in the versions of the
environment that it runs in, which constraints.txt pins.
"""

import sys
from importlib.metadata import distribution

from packaging.requirements import Requirement

PACKAGE = "meprop-nlp"
ONLY_FOR_TRAINING = {"torch"}


def needed(name: str, found: dict[str, str]) -> None:
    """Add a distribution and those that it requires, without extras, to `found`."""
    for line in distribution(name).requires or ():
        other = Requirement(line)
        is_needed = other.marker is None or other.marker.evaluate({"extra": ""})
        if not is_needed or other.name in found or other.name in ONLY_FOR_TRAINING:
            continue
        found[other.name] = distribution(other.name).version
        needed(other.name, found)


def main() -> None:
    """Print one line for each distribution."""
    found: dict[str, str] = {}
    needed(PACKAGE, found)
    sys.stdout.write(
        "# For annotating without training, which needs torch:\n"
        "#     pip install --no-deps meprop_nlp-*.whl && pip install -r requirements-annotate.txt\n"
    )
    for name in sorted(found, key=str.lower):
        sys.stdout.write(f"{name}=={found[name]}\n")


if __name__ == "__main__":
    main()
