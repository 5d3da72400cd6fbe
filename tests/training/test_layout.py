"""Where packed words stand in their sentences, against counting by hand."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.training.layout import Layout

CPU = torch.device("cpu")


@given(st.lists(st.integers(1, 12), min_size=1, max_size=9))
def test_layout_is_the_one_counted_by_hand(lengths: list[int]) -> None:
    lengths.sort(reverse=True)
    # all first words, longest sentence first, then all second words, ...
    packed = [
        (sentence, position)
        for position in range(lengths[0])
        for sentence, length in enumerate(lengths)
        if position < length
    ]
    sizes = [sum(length > position for length in lengths) for position in range(lengths[0])]
    layout = Layout.of(torch.tensor(sizes), CPU)
    assert list(zip(layout.sentences.tolist(), layout.positions.tolist(), strict=True)) == packed
    assert layout.places.shape == layout.is_word.shape == (len(lengths), lengths[0])
    for sentence, length in enumerate(lengths):
        for position in range(lengths[0]):
            is_word = position < length
            place = packed.index((sentence, position)) if is_word else 0
            assert bool(layout.is_word[sentence, position]) == is_word
            assert int(layout.places[sentence, position]) == place
