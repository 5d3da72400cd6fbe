"""Packed rows against the same, computed naively."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.nn.packed import Packed, turned_rows

sequence_lengths = st.lists(st.integers(1, 6), min_size=1, max_size=5).map(
    lambda lengths: sorted(lengths, reverse=True)
)


def packed(lengths):
    """batch_sizes, and the (step, sequence) of each row."""
    rows = [(t, s) for t in range(lengths[0]) for s, n in enumerate(lengths) if n > t]
    return torch.tensor([sum(n > t for n in lengths) for t in range(lengths[0])]), rows


@given(sequence_lengths)
def test_turned_rows_count_from_the_other_end(lengths):
    batch_sizes, rows = packed(lengths)
    expected = [rows.index((lengths[s] - 1 - t, s)) for t, s in rows]
    assert turned_rows(batch_sizes).tolist() == expected


@given(sequence_lengths)
def test_steps_are_runs_of_rows_in_the_order_of_reading(lengths):
    batch_sizes, rows = packed(lengths)
    steps = Packed(batch_sizes.tolist()).steps()
    expected = [[(t, s) for s, n in enumerate(lengths) if n > t] for t in range(lengths[0])]
    assert [rows[start : start + n] for start, n in steps] == expected
    assert Packed(batch_sizes.tolist(), reverse=True).steps() == steps[::-1]
