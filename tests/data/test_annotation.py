"""Which words count as annotated: what `_` means in each column."""

from __future__ import annotations

import pytest

from meprop_nlp.data.annotation import ANNOTATED, Annotation
from meprop_nlp.data.sentence import Sentence


def sentence(**columns: list[str] | list[int]) -> Sentence:
    return Sentence.from_words(["a", "b", "_"], **columns)


@pytest.mark.parametrize(
    ("columns", "column", "expected"),
    [
        ({"upos": ["X", "_", "Y"]}, "upos", [1, 0, 1]),
        # XPOS: `_` is a value where UPOS is annotated
        ({"upos": ["X", "_", "_"], "xpos": ["_", "_", "y"]}, "xpos", [1, 0, 1]),
        ({"xpos": ["x", "_", "y"]}, "xpos", [1, 0, 1]),
        # FEATS: where UPOS is, or XPOS in a treebank without UPOS; or everywhere
        ({"upos": ["X", "_", "_"], "feats": ["_", "_", "f=g"]}, "feats", [1, 0, 1]),
        ({"upos": ["X", "_", "_"], "xpos": ["x", "x", "_"]}, "feats", [1, 0, 0]),
        ({"xpos": ["x", "_", "_"], "feats": ["_", "_", "f=g"]}, "feats", [1, 0, 1]),
        ({"feats": ["_", "_", "f=g"]}, "feats", [1, 1, 1]),
        # LEMMA: `_` is the lemma of the form `_` alone
        ({"lemma": ["a", "_", "_"]}, "lemma", [1, 0, 1]),
        ({"head": [0, -1, 1]}, "head", [1, 0, 1]),
        # DEPREL: only with a head; `_` is a value in a treebank without labels
        ({"head": [0, -1, 1], "deprel": ["x", "y", "_"]}, "deprel", [1, 0, 0]),
        ({"head": [0, -1, 1], "deprel": ["_", "_", "_"]}, "deprel", [1, 0, 1]),
        ({"head": [0, -1, 1], "deprel": ["_", "y", "_"]}, "deprel", [1, 0, 1]),
    ],
    ids=str,
)  # fmt: skip
def test_underscore_is_no_annotation_except_where_it_is_a_value(
    columns: dict, column: str, expected: list[int]
) -> None:
    annotation = Annotation([sentence(**columns)])
    assert annotation.known(column).tolist() == [bool(flag) for flag in expected]


def test_only_columns_that_some_words_fill_and_others_lack_are_partial() -> None:
    full = sentence(
        upos=["X"] * 3, xpos=["x", "_", "y"], feats=["_", "f=g", "_"], lemma=["a", "b", "_"],
        head=[0, 1, 1], deprel=["x", "y", "z"],
    )  # fmt: skip
    bare = sentence()
    assert Annotation([full]).partial() == {}
    assert Annotation([bare]).partial() == {}
    # the form `_` has a lemma in both
    expected = {column: 4 if column == "lemma" else 3 for column in ANNOTATED}
    assert Annotation([full, bare]).partial() == expected
