"""Which tokens are several words: told by their stems and endings, where most forms are new."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.tokens.composition import LONGEST_FORM, ROWS, Composition


@pytest.fixture(scope="module")
def composition(suffixed: list[Sentence]) -> Composition:
    found = Composition.build(suffixed)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("form", "is_multiword"),
    [
        ("tetedi", True), ("Tetedi", True), ("kididi", True), ("pabodi", False), ("KOTODI", False),
        ("rotokadi", True), ("deseridi", False),  # of stems that are unknown
        ("tete", False), ("di", False), ("", False), (".", False), ("12", False),
    ],
)  # fmt: skip
def test_new_forms_are_judged_by_their_stems(
    composition: Composition, form: str, is_multiword: bool
) -> None:
    assert composition.is_multiword(form) is is_multiword


def test_what_is_stored_judges_alike(composition: Composition, suffixed: list[Sentence]) -> None:
    texts, counts = composition.texts(), composition.counts()
    again = Composition.of_tables(texts, counts, composition.weight, composition.bias)
    forms = {form for sentence in suffixed for form, _ in sentence.tokens()}
    for form in [*forms, "tetedi", "pabodi", "xyzdi"]:
        assert again.is_multiword(form) == composition.is_multiword(form)
        assert again.knows(form) == composition.knows(form)
    assert composition.knows("Tete")
    assert not composition.knows("xyz")


@given(st.text())
def test_any_text_is_judged(composition: Composition, text: str) -> None:
    assert composition.is_multiword(text) in (False, True)
    assert not composition.is_multiword(f"{text}{'a' * LONGEST_FORM}tetedi")


def test_little_is_learnt_from_few_multiword_tokens_or_from_the_same_ones(
    suffixed: list[Sentence],
) -> None:
    with_some = [sentence for sentence in suffixed if sentence.multiword_tokens]
    without = [sentence for sentence in suffixed if not sentence.multiword_tokens]
    assert Composition.build([*without, *with_some[:50]]) is None
    assert Composition.build([*without, *with_some[:50] * 4]) is None
    assert Composition.build(without) is None
    assert Composition.build([]) is None


TEXTS = [["a", "c"], ["X|_"], ["b"]]
COUNTS = [1, 0, 1, 0, 1, 0, 2, 0, 7]  # of a, which is once of kind 0; of c; of the ending b


@pytest.mark.parametrize(
    ("texts", "counts"),
    [
        (TEXTS[:2], COUNTS),
        ([*TEXTS, ["d"]], COUNTS),
        ([["a"], *TEXTS[1:]], COUNTS),
        ([["a", "c", "d"], *TEXTS[1:]], COUNTS),
        ([*TEXTS[:2], ["b", "d"]], COUNTS),
        (TEXTS, COUNTS[:-1]),
        (TEXTS, [*COUNTS, 1]),
        (TEXTS, []),
        (TEXTS, [1, 0, 1, 1, 1, *COUNTS[5:]]),  # there is no kind 1
        (TEXTS, [1, 0, 2, *COUNTS[3:]]),
        (TEXTS, [*COUNTS[:-1], -1]),
        (TEXTS, [1, 0, 1_000_000_000, *COUNTS[3:]]),
    ],
)
def test_what_is_no_table_of_forms_is_refused(texts: list[list[str]], counts: list[int]) -> None:
    weight = np.zeros(ROWS, np.float32)
    good = Composition.of_tables(TEXTS, np.array(COUNTS, np.int32), weight, 0.0)
    assert good.counts().tolist() == COUNTS
    assert good.texts() == TEXTS
    with pytest.raises(ValueError, match="multiword tokens"):
        Composition.of_tables(texts, np.array(counts, np.int32), weight, 0.0)
