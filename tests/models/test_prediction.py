"""`Prediction`: its columns as lists, two of them as one, and confidence in MISC."""

from __future__ import annotations

import numpy as np
import pytest

from meprop_nlp.models.prediction import Prediction, TextColumn, Values


def text(values: list[str], ids: list[int]) -> TextColumn:
    return TextColumn(Values(values), np.array(ids, np.int32))


UPOS = text(["NOUN", "VERB"], [1, 0, 1])
DEPREL = text(["root", "obj"], [0, 1, 1])
HEADS = np.array([0, 1, 1], np.int32)


def half(*names: str) -> dict[str, np.ndarray]:
    return {name: np.full(3, 0.5, np.float32) for name in names}


def test_columns_are_lists_in_the_order_of_conllu() -> None:
    prediction = Prediction({"deprel": DEPREL, "upos": UPOS}, HEADS)
    assert list(prediction.columns().items()) == [
        ("upos", ["VERB", "NOUN", "VERB"]),
        ("head", [0, 1, 1]),
        ("deprel", ["root", "obj", "obj"]),
    ]
    assert Prediction().columns() == {}


def test_later_prediction_counts_where_both_have_a_column() -> None:
    tags = Prediction({"upos": UPOS}, confidence=half("UPOSConf"))
    tree = Prediction({"deprel": DEPREL}, HEADS, half("ArcConf"))
    for both in (tags | tree, tree | tags):
        assert both.texts == {"upos": UPOS, "deprel": DEPREL}
        assert both.heads is HEADS
        assert set(both.confidence) == {"UPOSConf", "ArcConf"}
    other = Prediction({"upos": text(["X"], [0, 0, 0])}, HEADS + 1)
    assert (tags | tree | other).columns()["upos"] == ["X", "X", "X"]
    assert (tree | other).columns()["head"] == [1, 2, 2]
    assert (other | tree).columns()["head"] == [0, 1, 1]


@pytest.mark.parametrize(
    ("misc", "expected"),
    [
        ("_", "A=0.5000|B=0.5000"),
        ("SpaceAfter=No", "SpaceAfter=No|A=0.5000|B=0.5000"),
        ("B=0.1|x|A=1", "x|A=0.5000|B=0.5000"),
        ("|AB=1||", "AB=1|A=0.5000|B=0.5000"),
    ],
)
def test_confidence_replaces_attributes_of_the_same_names(misc: str, expected: str) -> None:
    assert Prediction(confidence=half("A", "B")).misc([misc, misc, "_"])[:2] == [expected] * 2
    with pytest.raises(ValueError, match="zip"):
        Prediction(confidence=half("A")).misc(["_"])
