"""Weights and states as digits: how far rounding goes, and exact sums on every core."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meprop_nlp.models.digits import (
    STATE_DIGITS,
    WEIGHT_DIGITS,
    DigitWeight,
    in_fours,
    state_digits,
)
from meprop_nlp.models.heads.joint_native import digit_layer
from meprop_nlp.models.heads.state_tags import softmax
from meprop_nlp.models.rows import padded

sizes = st.integers(1, 40)
seeds = st.integers(0, 2**32 - 1)


def weights(seed: int, ins: int, outs: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((ins, outs)) * rng.exponential(1, outs)).astype(np.float32)


def states(seed: int, n: int, width: int) -> np.ndarray:
    return np.tanh(np.random.default_rng(seed).standard_normal((n, width))).astype(np.float32)


@given(seed=seeds, ins=sizes, outs=sizes)
def test_a_weight_moves_by_half_a_step_at_most(seed: int, ins: int, outs: int) -> None:
    weight = weights(seed, ins, outs)
    rounded = DigitWeight.of(weight)
    assert (rounded.scale.dtype, rounded.digits.dtype) == (np.float32, np.int8)
    assert (np.abs(rounded.digits.astype(int)).max(0) == WEIGHT_DIGITS).all()
    steps = rounded.scale * STATE_DIGITS
    assert (np.abs(rounded.digits * steps - weight) <= 0.501 * steps).all()


@pytest.mark.parametrize("weight", [0, 1e-45, 1e-39, 1e38])
def test_the_smallest_and_the_largest_weights_have_digits(weight: float) -> None:
    rounded = DigitWeight.of(np.full((3, 2), weight, np.float32))
    assert rounded.scale.dtype == np.float32
    assert (rounded.scale > 0).all()
    product = rounded.product(np.ones((1, 3), np.float32))
    np.testing.assert_allclose(product, 3 * np.float64(weight), rtol=1e-5, atol=1e-37)


def test_states_are_rounded_to_63rds() -> None:
    found = state_digits(np.array([-1, -0.5, 0, 0.007, 0.008, 1], np.float32))
    assert found.tolist() == [-63, -32, 0, 0, 1, 63]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=seeds, words=sizes, ins=sizes, tags=st.integers(1, 70))
def test_products_are_those_of_whole_numbers(
    core: Any, seed: int, words: int, ins: int, tags: int
) -> None:
    context, weight = states(seed, words, ins), weights(seed, ins, tags)
    bias = weights(seed, 1, tags)[0]
    rounded = DigitWeight.of(weight)
    whole = state_digits(context).astype(np.int64) @ rounded.digits.astype(np.int64)
    np.testing.assert_array_equal(
        rounded.product(context), whole.astype(np.float32) * rounded.scale
    )
    # the tag scorer is the core's smallest user of such a layer
    lanes = core.lanes()
    layer = digit_layer(core, padded(weight, lanes), padded(bias, lanes))
    scorer = core.TagScorer(layer, np.array([[0, tags]], np.int32))
    ids, shares = np.empty((1, words), np.int32), np.empty((words, tags), np.float32)
    scorer.choose(context, ids, None, shares)
    expected = softmax(rounded.product(context) + bias)
    np.testing.assert_allclose(shares, expected, atol=1e-5)


def test_layers_that_do_not_fit_are_refused(core: Any) -> None:
    lanes = core.lanes()
    good = in_fours(np.ones((5, lanes), np.float32))
    row = np.ones(lanes, np.float32)
    assert good.shape == (8, lanes)
    assert good[5:].sum() == 0
    core.DigitLayer(good, row, row, 4)
    with pytest.raises(ValueError, match="in fours"):
        core.DigitLayer(good[:5], row, row, 4)
    with pytest.raises(ValueError, match="in fours"):
        core.DigitLayer(good, row, row, 2)
    with pytest.raises(ValueError, match="half vectors"):
        core.DigitLayer(good, row[1:], row, 4)
    with pytest.raises(ValueError, match="eight bits"):
        core.DigitLayer(good * 128, row, row, 4)
