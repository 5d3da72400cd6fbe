"""Check the native decoder against NumPy before `bench_decode` times it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.trees import is_tree
from meprop_nlp.models.batches import in_batches
from meprop_nlp.models.heads.tags import TagsHead
from meprop_nlp.models.heads.tree import TreeHead
from meprop_nlp.models.model import Model
from meprop_nlp.models.prediction import Indices
from meprop_nlp.models.words import SentenceWords, Words

# sums in another order can break a tie otherwise, and one other transition can change a few arcs
TOLERATED = 1e-3


def check(models: dict[str, Model], files: Sequence[Path]) -> list[dict[str, Any]]:
    """Compare each model with NumPy on each file; return the numbers of words that differ.

    Raises:
        SystemExit: more than a few words differ, or heads do not form a tree.
    """
    found = []
    for path in files:
        sentences = list(read(path))
        for name, model in models.items():
            differing = _differing(model, sentences)
            words = sum(map(len, sentences))
            line = f"{name} on {path.name}: {differing} of {words} words differ from NumPy"
            print(line, flush=True)
            if differing > TOLERATED * words:
                raise SystemExit(f"{line}; nothing is timed")
            found.append({"model": name, "file": path.name, "words": words, "differ": differing})
    return found


def _differing(model: Model, sentences: Sequence[Sentence]) -> int:
    """Return the number of words with another tag, head or label than NumPy predicts."""
    by_numpy = Model(model.file)
    for head in by_numpy.heads.values():
        if isinstance(head, TagsHead):
            head._tagger = head.reference
        elif isinstance(head, TreeHead):
            head._parser = head.reference
    total = 0
    for batch in in_batches(sentences):
        words = SentenceWords(batch)
        found, expected = model.annotate(words), by_numpy.annotate(words)
        differs = np.zeros(int(words.bounds[-1]), np.bool_)
        for name, column in found.texts.items():
            differs |= column.ids != expected.texts[name].ids
        if found.heads is not None:
            demand_trees(found.heads, words)
            differs |= found.heads != expected.heads
        total += int(differs.sum())
    return total


def demand_trees(heads: Indices, words: Words) -> None:
    """End the program unless the heads of each sentence form a tree with one root."""
    for start, end in pairwise(np.asarray(words.bounds).tolist()):
        tree = heads[start:end].tolist()
        if not is_tree(tree, single_root=True):
            raise SystemExit(f"these heads are not a tree: {tree}; nothing is timed")
