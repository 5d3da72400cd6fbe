"""`FormTables` and `BiLSTM`: against their definitions, one word at a time."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from meprop_nlp.errors import CheckpointError
from meprop_nlp.models.encoder import BiLSTM, FormTables

from .models import LEXICON, random_tagger

FORMS = ["the", "unseen", "man"]
ARRAYS = random_tagger(1, units=(5, 3)).arrays  # words of 4 numbers, features of 2


def test_forms_and_features_stand_side_by_side() -> None:
    tables = FormTables(ARRAYS, LEXICON)
    assert tables.concatenated_width == 4 + 7 * 2
    for form, vector in zip(FORMS, tables.concatenated(FORMS), strict=True):
        ((word, *features),) = LEXICON.encode([form]).tolist()
        parts = [ARRAYS["words.weight"][word], *ARRAYS["features.weight"][features]]
        np.testing.assert_array_equal(vector, np.concatenate(parts))
    assert tables.concatenated([]).shape == (0, 18)


def test_forms_and_features_are_added() -> None:
    arrays = {**ARRAYS, "words.weight": ARRAYS["words.weight"][:, :2]}
    tables = FormTables(arrays, LEXICON, width=2)
    for form, vector in zip(FORMS, tables.summed(FORMS), strict=True):
        ((word, *features),) = LEXICON.encode([form]).tolist()
        expected = arrays["words.weight"][word] + arrays["features.weight"][features].sum(0)
        np.testing.assert_allclose(vector, expected, rtol=1e-6)


def test_width_is_demanded_of_both_tables() -> None:
    with pytest.raises(CheckpointError, match=r"words\.weight are \d+ x 4, expected \d+ x 2"):
        FormTables(ARRAYS, LEXICON, width=2)
    with pytest.raises(CheckpointError, match=r"features\.weight are \d+ x 2, expected \d+ x 4"):
        FormTables(ARRAYS, LEXICON, width=4)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def states_of(lstm: BiLSTM, sentence: np.ndarray, direction: int) -> np.ndarray:
    """The equations of an LSTM, word after word."""
    weight_ih, weight_hh, bias = lstm.directions[direction]
    h = c = np.zeros(len(weight_hh))
    states = []
    for x in sentence[:: -1 if direction else 1]:
        i, f, g, o = np.split(x @ weight_ih + h @ weight_hh + bias, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append(h)
    return np.array(states[:: -1 if direction else 1])


def test_states_are_those_of_each_sentence_alone() -> None:
    lstm = BiLSTM(ARRAYS, 18)
    assert lstm.units == 8
    rng = np.random.default_rng(2)
    inputs = rng.standard_normal((6, 18)).astype(np.float32)
    rows = rng.integers(6, size=12)
    bounds = np.array([0, 2, 7, 8, 12])
    states = lstm(inputs, rows, bounds)
    for start, end in pairwise(bounds.tolist()):
        sentence = inputs[rows[start:end]]
        expected = np.concatenate([states_of(lstm, sentence, n) for n in (0, 1)], 1)
        np.testing.assert_allclose(states[start:end], expected, atol=1e-5)
    assert lstm(inputs, rows[:0], bounds[:1]).shape == (0, 8)
