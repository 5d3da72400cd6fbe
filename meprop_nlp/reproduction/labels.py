"""Labels for unlabelled dependencies, from the bracketed trees that these were made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path

from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.penn.brackets import read_trees
from meprop_nlp.data.penn.dependencies import to_sentences
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.trees import is_labelled
from meprop_nlp.errors import DataError

__all__ = ["labelled"]


def labelled(files: Mapping[str, Path], trees: Sequence[Path]) -> dict[str, list[Sentence]]:
    """Return the sentences of each role, with Penn2Malt's labels where they have none.

    Args:
        files: dependencies by role.
        trees: bracketed trees of the same sentences, in the order of `files`; labels are found by
            `data.penn.dependencies`.

    Raises:
        DataError: the trees are of other sentences, or give other heads.
    """
    return _labelled(tuple(files.items()), tuple(trees))


@lru_cache(maxsize=1)  # a training asks for train, dev and test, and the next one again
def _labelled(
    files: tuple[tuple[str, Path], ...], trees: tuple[Path, ...]
) -> dict[str, list[Sentence]]:
    found = {role: list(read(path)) for role, path in files}
    every = [sentence for sentences in found.values() for sentence in sentences]
    if is_labelled(deprel for s in every for deprel in s.column("deprel")):
        return found
    converted = list(to_sentences(tree for path in trees for tree in read_trees(path)))
    for sentence, other in zip_longest(every, converted):
        if sentence is None or other is None or _arcs(sentence) != _arcs(other):
            where = f"{sentence.path}:{sentence.line}" if sentence else f"{files[-1][1]}: the end"
            raise DataError(
                f"{where}: the bracketed trees in {trees[0].parent} are of other sentences, or "
                "give other heads; move them away, and the arcs are trained on as they are"
            )
    labels = iter(converted)
    return {
        role: [s.with_columns(deprel=next(labels).column("deprel")) for s in sentences]
        for role, sentences in found.items()
    }


def _arcs(sentence: Sentence) -> list[tuple[str, int]]:
    return list(zip(sentence.forms, sentence.column("head"), strict=True))
