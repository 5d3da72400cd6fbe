"""How often a model is right where it says how sure it is, on a gold file.

    python benchmarks/reliability.py models/model.safetensors test.conllu

Prints a Markdown table: for each kind of confidence and each range of it the number of words, the
mean confidence and the share of right answers, both in per cent. A calibrated model has the same in
both columns.
"""

from __future__ import annotations

import argparse
from itertools import pairwise

import numpy as np
from readme import markdown

from meprop_nlp.data.conll.reading import read
from meprop_nlp.models.model import load
from meprop_nlp.training.calibration import answers

EDGES = (0.0, 0.5, 0.7, 0.9, 0.95, 0.99, 1.0)


def table(model: str, gold: str) -> str:
    """Return the table of a model on a gold file."""
    found = answers(load(model), list(read(gold, trees=True)))
    rows = []
    for kind, (confidence, is_right) in found.items():
        places = np.clip(np.searchsorted(EDGES, confidence, side="right") - 1, 0, len(EDGES) - 2)
        for n, (low, high) in enumerate(pairwise(EDGES)):
            chosen = places == n
            if chosen.any():
                sure, right = 100 * confidence[chosen].mean(), 100 * is_right[chosen].mean()
                span = f"{low:g} to {high:g}"
                rows.append([kind, span, f"{chosen.sum():,}", f"{sure:.1f}", f"{right:.1f}"])
        sure, right = 100 * confidence.mean(), 100 * is_right.mean()
        rows.append([kind, "all", f"{len(confidence):,}", f"{sure:.1f}", f"{right:.1f}"])
    return markdown(["", "confidence", "words", "mean", "right"], rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("gold")
    arguments = parser.parse_args()
    print(table(arguments.model, arguments.gold))
