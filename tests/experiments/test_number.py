"""Means and deviations are numpy's, and are shown so that a person can read them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.number import Number, markdown_table

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9)


@given(VALUES)
def test_mean_and_sample_deviation(values: list[float]) -> None:
    number = Number.of(values)
    assert number is not None
    assert number.n == len(values)
    assert number.mean == pytest.approx(np.mean(values), abs=1e-6)
    if len(values) == 1:
        assert number.sd is None
    else:
        assert number.sd == pytest.approx(np.std(values, ddof=1), abs=1e-6)


@given(VALUES, VALUES)
def test_difference_has_the_standard_error(first: list[float], second: list[float]) -> None:
    one, other = Number.of(first), Number.of(second)
    assert one is not None
    assert other is not None
    difference = one.minus(other)
    assert difference.mean == pytest.approx(np.mean(first) - np.mean(second), abs=1e-6)
    assert difference.n == min(len(first), len(second))
    if min(len(first), len(second)) > 1:
        variances = [np.var(values, ddof=1) / len(values) for values in (first, second)]
        assert difference.sd == pytest.approx(np.sqrt(sum(variances)), abs=1e-6)
    else:
        assert difference.sd is None


def test_nothing_has_no_mean() -> None:
    assert Number.of([]) is None


def test_how_numbers_are_shown() -> None:
    assert Number(86.905, 0.1234, 3).shown() == "86.91 ± 0.12"
    assert Number(86.9, None, 1).shown() == "86.90"
    assert Number(0.3, 0.05, 2).shown(sign=True) == "+0.30 ± 0.05"
    assert Number(2_345_678, 1_000, 2).shown(1, unit=1e6) == "2.3 ± 0.0"
    assert Number(12_345, None, 1).shown(0) == "12,345"


def test_markdown_table_is_aligned_and_escapes_bars() -> None:
    assert markdown_table(["", "a|b"], [["x", "1"], ["y", "2"]]) == (
        "|  | a\\|b |\n| --- | ---: |\n| x | 1 |\n| y | 2 |"
    )
    assert markdown_table(["a", "b", "c"], [], texts=2) == "| a | b | c |\n| --- | --- | ---: |"
