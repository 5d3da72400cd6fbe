"""Distinct values."""

from __future__ import annotations

import torch
from torch.testing import assert_close

from meprop_nlp.nn.distinct import distinct


def test_distinct_values_are_those_of_unique():
    numbers = torch.randint(3, 40, (30, 4), dtype=torch.int32)
    expected, inverse = torch.unique(numbers, return_inverse=True)
    values, places = distinct(numbers, 50)
    assert_close(values, expected)
    assert_close(places.long(), inverse)
