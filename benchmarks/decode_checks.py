"""Whether the native decoder says what it should, before `bench_decode` times it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.trees import is_tree
from meprop_nlp.models.numpy_parser import NumpyParser
from meprop_nlp.models.numpy_tagger import NumpyTagger
from meprop_nlp.models.parser import FrozenParser
from meprop_nlp.models.stream import chunks
from meprop_nlp.models.tagger import FrozenTagger
from meprop_nlp.models.weights import ParserWeights, TaggerWeights
from meprop_nlp.models.words import SentenceWords, Trees, Words

# sums in another order can turn over a tie, and one move turned over can move a few arcs
TOLERATED = 1e-3


def check(
    models: dict[str, FrozenTagger | FrozenParser], files: Sequence[Path]
) -> list[dict[str, Any]]:
    """Hold each model against NumPy's answers on each file; count the words that differ.

    Raises:
        SystemExit: more than a few differ, or a tree is broken.
    """
    found = []
    for path in files:
        sentences = list(read(path))
        for name, model in models.items():
            differing = _differing(model, sentences)
            words = sum(map(len, sentences))
            told = f"{name} on {path.name}: {differing} of {words} words differ from NumPy"
            print(told, flush=True)
            if differing > TOLERATED * words:
                raise SystemExit(f"{told}; nothing is timed")
            found.append({"model": name, "file": path.name, "words": words, "differ": differing})
    return found


def _differing(model: FrozenTagger | FrozenParser, sentences: Sequence[Sentence]) -> int:
    """Return how many words get other tags, or another head or label, than from NumPy."""
    total = 0
    if isinstance(model, FrozenTagger):
        reference = NumpyTagger(TaggerWeights(model.model, model.lexicon))
        for chunk in chunks(sentences):
            words = SentenceWords(chunk)
            other = model.annotate(words).ids != reference.tag(words).ids
            total += int(other.any(axis=0).sum())
        return total
    by_numpy = FrozenParser(model.model)
    by_numpy._parser = NumpyParser(ParserWeights(model.model, model.lexicon))
    for chunk in chunks(sentences):
        words = SentenceWords(chunk)
        ours, expected = model.annotate(words), by_numpy.annotate(words)
        demand_trees(ours, words)
        total += int(((ours.heads != expected.heads) | (ours.labels != expected.labels)).sum())
    return total


def demand_trees(trees: Trees, words: Words) -> None:
    """End the program unless all are trees: one root, no cycle, every head in range."""
    for start, end in pairwise(np.asarray(words.bounds).tolist()):
        heads = trees.heads[start:end].tolist()
        if not is_tree(heads, single_root=True):
            raise SystemExit(f"these heads are no tree: {heads}; nothing is timed")
