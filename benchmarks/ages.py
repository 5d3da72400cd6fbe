"""Print what has changed in the code since each table was measured.

    python benchmarks/ages.py [--commits]

For each result file and each commit that it names: how many later commits touched the code which
is measured there, and with `--commits` which, newest first. Such a commit need not have changed the
figures: decide yourself what to measure again. The exit status is 1 if a file or path is missing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"

_NETWORK = ("meprop_nlp/nn", "native/base", "native/linear", "native/lstm")
_TRAINING = (
    "meprop_nlp/config.py",
    "meprop_nlp/data",
    "meprop_nlp/models",
    "meprop_nlp/nn",
    "meprop_nlp/parsing",
    "meprop_nlp/simplify",
    "meprop_nlp/training",
    "native",
)
_ANNOTATING = ("meprop_nlp/data", "meprop_nlp/models", "meprop_nlp/parsing", "native")
# What the results in a file measure, or those in a part of it that measures other code
MEASURED = {
    "decode": _ANNOTATING,
    "gpu": ("meprop_nlp/nn",),
    "joint": _TRAINING,
    "joint/pace": _ANNOTATING,
    "linear": _NETWORK,
    "lstm": _NETWORK,
    "raw_text": (*_TRAINING, "meprop_nlp/scoring"),
    "raw_text/pace": _ANNOTATING,
    "serve": ("meprop_nlp/serve", *_ANNOTATING),
    "teachers": _TRAINING,
    "teachers/pace": _ANNOTATING,
    "training": _TRAINING,
    "treebanks": _TRAINING,
}


def main(words: Sequence[str] | None = None) -> int:
    """Print the report; return the exit status."""
    parser = argparse.ArgumentParser(description="What has changed since each table was measured.")
    parser.add_argument("--commits", action="store_true", help="name the later commits")
    names_commits = parser.parse_args(words).commits
    missing = [f"{name}.json" for name in _files() if not (RESULTS / f"{name}.json").exists()]
    missing += [path for paths in MEASURED.values() for path in paths if not (ROOT / path).exists()]
    for name in sorted(_files()):
        path = RESULTS / f"{name}.json"
        if not path.exists():
            continue
        measured = measurements(name, json.loads(path.read_text(encoding="utf-8")))
        for (part, commit), n_results in sorted(measured.items()):
            later = changes(commit, MEASURED[part])
            since = f"later commits: {len(later)}" if later is not None else "not known to git"
            print(f"{part}: {n_results} measured at {commit}, {since}")
            if names_commits:
                print("".join(f"    {line}\n" for line in later or ()), end="")
    for absent in dict.fromkeys(missing):
        print(f"missing: {absent}", file=sys.stderr)
    return 1 if missing else 0


def _files() -> set[str]:
    return {part.partition("/")[0] for part in MEASURED}


def measurements(name: str, results: Any) -> Counter[tuple[str, str]]:
    """Count the results in a file by the entry of `MEASURED` and the commit that they name."""
    found: Counter[tuple[str, str]] = Counter()
    for place, commit in _commits(results, name):
        part = "/".join(place.split("/")[:2])
        found[part if part in MEASURED else name, commit] += 1
    return found


def _commits(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Yield each commit in a value of JSON, with the keys that lead to it."""
    if isinstance(value, dict):
        if value.get("commit"):
            yield place, value["commit"]
        for key, part in value.items():
            yield from _commits(part, f"{place}/{key}")
    elif isinstance(value, list):
        for part in value:
            yield from _commits(part, place)


def changes(commit: str, paths: Sequence[str]) -> list[str] | None:
    """Return the commits after one that touched these paths, newest first; None if unknown."""
    command = ["git", "-C", str(ROOT), "log", "--oneline", f"{commit}..HEAD", "--", *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.splitlines() if done.returncode == 0 else None


if __name__ == "__main__":
    raise SystemExit(main())
