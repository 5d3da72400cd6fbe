"""Packed rows against the same in words."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.nn import packing

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
    assert packing.turned_rows(batch_sizes).tolist() == expected


def test_a_table_for_the_cpu_stays_as_it_is():
    table = torch.arange(3)
    assert packing.to_device(table, torch.device("cpu")) is table
