"""Print what annotating needs beside the wheel, with versions, for `pip install -r`.

    python tools/wheels/requirements.py > dist/requirements-annotate.txt

It is what the package requires but torch, with what these require in turn, in the versions of the
environment that it runs in, which constraints.txt pins.
"""

import re
import sys
from importlib.metadata import distribution

PACKAGE = "meprop-nlp"
ONLY_FOR_TRAINING = {"torch"}


def needed(name: str, found: dict[str, str]) -> None:
    """Add a distribution and those that it requires, without extras, to `found`."""
    for line in distribution(name).requires or ():
        # no requirement of ours depends on the platform or on the Python of today
        requirement, _, marker = line.partition(";")
        other = re.match(r"[A-Za-z0-9._-]+", requirement)
        assert other is not None, line
        if marker.strip() or other[0] in found or other[0] in ONLY_FOR_TRAINING:
            continue
        found[other[0]] = distribution(other[0]).version
        needed(other[0], found)


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
