"""The joint model's tag head: which probabilities the other heads see for tags that are kept."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.models.digits import DigitWeight
from meprop_nlp.models.heads.joint_native import NativeTags
from meprop_nlp.models.heads.state_tags import FLAT, flattened, read_tags, softmax
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


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32 - 1),
    n_words=st.integers(1, 40),
    sizes=st.lists(st.integers(1, 400), min_size=1, max_size=4),
)
def test_low_probabilities_of_a_column_become_their_mean(
    core: Any, seed: int, n_words: int, sizes: list[int]
) -> None:
    rng = np.random.default_rng(seed)

    def normal(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    states = SimpleNamespace(context=np.tanh(normal(n_words, 5)), tags=None)
    outputs = [(2 * normal(5, size), normal(size)) for size in sizes]
    NativeTags(core, outputs, FLAT).choose(states, confidence=False)
    each = [softmax(DigitWeight.of(w).product(states.context) + bias) for w, bias in outputs]
    both = zip(each, np.split(states.tags, np.cumsum(sizes)[:-1], 1), strict=True)
    for shares, native in both:
        flat = flattened(shares)
        close = (np.abs(shares - FLAT) < 1e-5).any(1)  # to the limit: either side is right
        np.testing.assert_allclose(native[~close], flat[~close], atol=1e-5)
        np.testing.assert_allclose(flat.sum(1), 1, atol=1e-4)
        low = shares < FLAT
        np.testing.assert_array_equal(flat[~low], shares[~low])
        for row, of_row in zip(flat, low, strict=True):
            np.testing.assert_array_equal(row[of_row], row[of_row][:1].repeat(of_row.sum()))
