"""The joint model's tag head: which probabilities the other heads see for tags that are kept."""

from __future__ import annotations

import numpy as np
import pytest

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.models.heads.state_tags import read_tags
from meprop_nlp.models.words import SentenceWords

OWN = [0.5, 0.25, 0.25]


def seen(values: list[str], *sentences: list[str]) -> list[list[float]]:
    """What is seen of FEATS in these sentences, if the model knows these values."""
    words = SentenceWords([Sentence.from_words(["w"] * len(f), feats=f) for f in sentences])
    ids = {value: i for i, value in enumerate(values)}
    own = np.array([OWN] * int(words.bounds[-1]), np.float32)
    mixed = read_tags(words, "feats", ids, own)
    assert (own == np.array(OWN, np.float32)).all()
    return mixed.tolist()  # type: ignore[no-any-return]


def test_known_tag_is_certain_and_an_unknown_one_is_the_models_own() -> None:
    assert seen(["A", "B", "C"], ["B", "D", "_"]) == [[0, 1, 0], OWN, OWN]


@pytest.mark.parametrize(
    ("sentences", "expected"),
    [
        ([["_", "A"]], [[0, 1, 0], [1, 0, 0]]),
        ([["_", "_"], ["A"]], [OWN, OWN, [1, 0, 0]]),
        ([["D", "_"]], [OWN, [0, 1, 0]]),
    ],
)
def test_no_value_is_a_value_in_a_sentence_that_has_others(
    sentences: list[list[str]], expected: list[list[float]]
) -> None:
    assert seen(["A", "_", "C"], *sentences) == expected
