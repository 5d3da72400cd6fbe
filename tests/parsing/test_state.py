"""State: the start, the end, and the bookkeeping of children."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.word import ROOT, UNSET
from meprop_nlp.parsing.state import State


def test_a_new_state_has_root_on_the_stack_and_all_words_in_the_buffer() -> None:
    state = State(3)
    assert state.stack == [ROOT]
    assert state.buffer == [3, 2, 1]
    assert state.tree() == ([UNSET] * 3, [UNSET] * 3)
    assert not state.is_terminal()


def test_a_sentence_without_words_is_terminal_from_the_start() -> None:
    assert State(0).is_terminal()
    assert State(0).tree() == ([], [])


@pytest.mark.parametrize(
    ("stack", "buffer", "expected"),
    [([0], [], True), ([0, 1], [], False), ([0], [2], False), ([0, 1], [2], False)],
)
def test_only_root_alone_with_no_buffer_is_terminal(
    stack: list[int], buffer: list[int], expected: bool
) -> None:
    state = State(2)
    state.stack, state.buffer = stack, buffer
    assert state.is_terminal() is expected


def test_attach_records_head_label_and_count_and_leaves_the_stack() -> None:
    state = State(3)
    state.attach(1, 3, 7)
    assert state.tree() == ([3, UNSET, UNSET], [7, UNSET, UNSET])
    assert state.n_children[3] == 1
    assert (state.stack, state.buffer) == ([0], [3, 2, 1])


@given(order=st.permutations(range(1, 8)))
def test_first_and_second_children_are_right_in_whatever_order_they_come(order: list[int]) -> None:
    state = State(7)
    head = 4
    attached: list[int] = []
    for child in order:
        if child == head:
            continue
        state.attach(child, head, 0)
        attached.append(child)
        left = [*sorted(c for c in attached if c < head), UNSET, UNSET]
        right = [*sorted((c for c in attached if c > head), reverse=True), UNSET, UNSET]
        assert [state.left1[head], state.left2[head]] == left[:2]
        assert [state.right1[head], state.right2[head]] == right[:2]
    assert state.n_children[head] == 6


def test_the_missing_word_has_missing_children_and_no_label() -> None:
    state = State(2)
    state.attach(2, 1, 0)
    state.attach(1, ROOT, 0)
    assert state.left1[UNSET] == UNSET
    assert state.left2[UNSET] == UNSET
    assert state.right1[UNSET] == UNSET
    assert state.right2[UNSET] == UNSET
    assert state.heads[UNSET] == UNSET
    assert state.deprels[UNSET] == UNSET


def test_the_representation_shows_the_buffer_in_reading_order() -> None:
    assert repr(State(2)) == "State(stack=[0], buffer=[1, 2], heads=[-1, -1])"
