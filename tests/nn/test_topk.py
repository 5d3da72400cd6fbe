"""The rules of `k` and of the mode."""

from __future__ import annotations

import pytest

from meprop_nlp.errors import ConfigError
from meprop_nlp.nn.topk import active_k, check_k, check_topk_mode


@pytest.mark.parametrize(
    ("k", "expected"), [(None, None), (0, None), (-3, None), (4, None), (5, None), (3, 3), (1, 1)]
)
def test_k_is_active_only_from_one_to_below_the_width(k, expected):
    assert active_k(k, 4) == expected


@pytest.mark.parametrize("k", [None, 0, 1, 4])
def test_k_up_to_the_width_is_taken(k):
    check_k(k, 4)


@pytest.mark.parametrize("k", [5, -1, 2.5, "2", True])
def test_k_outside_the_width_is_an_error(k):
    with pytest.raises(ConfigError, match=f"^`k` is {k!r}, expected"):
        check_k(k, 4)


def test_unknown_mode_is_an_error_that_names_the_modes():
    with pytest.raises(ConfigError, match="'best', expected one of example, unified, random"):
        check_topk_mode("best")
