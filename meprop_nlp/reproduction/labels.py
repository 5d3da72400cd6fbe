"""Labels for unlabelled dependencies, from the bracketed trees that these were made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from meprop_nlp.data.brackets import read_trees
from meprop_nlp.data.conll import read
from meprop_nlp.data.dependencies import to_sentences
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import DataError

__all__ = ["labelled"]


def labelled(files: Mapping[str, Path], trees: Sequence[Path]) -> dict[str, list[Sentence]]:
    """Return the sentences of each role with Penn2Malt's labels, by `data.dependencies`.

    Args:
        files: dependencies by role.
        trees: bracketed trees of the same sentences, in the order of `files`.

    Raises:
        DataError: the trees are of other sentences, or give other heads.
    """
    return _labelled(tuple(files.items()), tuple(trees))


@lru_cache(maxsize=1)  # a training asks for train, dev and test, and the next one again
def _labelled(
    files: tuple[tuple[str, Path], ...], trees: tuple[Path, ...]
) -> dict[str, list[Sentence]]:
    converted = to_sentences(tree for path in trees for tree in read_trees(path))
    found: dict[str, list[Sentence]] = {}
    for role, path in files:
        found[role] = []
        for sentence in read(path):
            other = next(converted, None)
            if other is None or _arcs(other) != _arcs(sentence):
                raise DataError(
                    f"{path}:{sentence.line}: the bracketed trees in {trees[0].parent} are of "
                    "other sentences, or give other heads; move them away, and the arcs are "
                    "trained on as they are"
                )
            found[role].append(other)
    return found


def _arcs(sentence: Sentence) -> list[tuple[str, int]]:
    return list(zip(sentence.forms, sentence.column("head"), strict=True))
