"""Transition systems: each transition alone, masks and validity, and termination."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meprop_nlp.data.trees import is_tree
from meprop_nlp.data.word import UNSET
from meprop_nlp.errors import ConfigError
from meprop_nlp.parsing.state import State
from meprop_nlp.parsing.transitions import (
    SYSTEMS,
    ArcHybrid,
    ArcStandard,
    ArcStandardSwap,
    Kind,
    Transition,
    TransitionSystem,
    make_system,
)

from .walking import apply_checked

ALL = pytest.mark.parametrize("name", SYSTEMS)


def _state(stack: list[int], buffer: list[int]) -> State:
    """Return a state with this stack and buffer, b0 first."""
    state = State(6)
    state.stack, state.buffer = stack, buffer[::-1]
    return state


def _greedy(system: TransitionSystem, n_words: int, seed: int) -> tuple[State, int]:
    """Follow the best valid transition under random scores; return the state and the length."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(4096, system.n_transitions))
    scores += 2 * rng.normal(size=system.n_transitions)  # some transitions are preferred everywhere
    state = system.initial(n_words)
    steps = 0
    while not state.is_terminal():
        mask = system.masks[system.mask_index(state)]
        best = int(np.where(mask, scores[steps % 4096], -np.inf).argmax())
        apply_checked(system, state, best)
        steps += 1
    return state, steps


@ALL
def test_outputs_are_numbered_shift_swap_left_arcs_right_arcs(name: str) -> None:
    system = make_system(name, 2)
    swap = [Transition(Kind.SWAP)] if name == "arc-standard-swap" else []
    assert list(system.transitions) == [
        Transition(Kind.SHIFT, UNSET),
        *swap,
        Transition(Kind.LEFT_ARC, 0),
        Transition(Kind.LEFT_ARC, 1),
        Transition(Kind.RIGHT_ARC, 0),
        Transition(Kind.RIGHT_ARC, 1),
    ]
    assert system.n_transitions == len(system.transitions)


@ALL
def test_shift_moves_the_first_word_of_the_buffer_onto_the_stack(name: str) -> None:
    state = _state([0, 1], [2, 3])
    make_system(name, 1).apply(state, 0)
    assert (state.stack, state.buffer) == ([0, 1, 2], [3])


@ALL
def test_right_arc_attaches_s0_to_s1(name: str) -> None:
    system = make_system(name, 2)
    state = _state([0, 1, 2], [3])
    system.apply(state, system.transitions.index(Transition(Kind.RIGHT_ARC, 1)))
    assert (state.stack, state.buffer) == ([0, 1], [3])
    assert (state.heads[2], state.deprels[2]) == (1, 1)


@pytest.mark.parametrize("system", [ArcStandard(2), ArcStandardSwap(2)])
def test_arc_standard_left_arc_attaches_s1_to_s0(system: TransitionSystem) -> None:
    state = _state([0, 1, 2], [3])
    system.apply(state, system.transitions.index(Transition(Kind.LEFT_ARC, 1)))
    assert (state.stack, state.buffer) == ([0, 2], [3])
    assert (state.heads[1], state.deprels[1]) == (2, 1)


def test_arc_hybrid_left_arc_attaches_s0_to_b0() -> None:
    system = ArcHybrid(2)
    state = _state([0, 1, 2], [3])
    system.apply(state, system.transitions.index(Transition(Kind.LEFT_ARC, 1)))
    assert (state.stack, state.buffer) == ([0, 1], [3])
    assert (state.heads[2], state.deprels[2]) == (3, 1)


def test_swap_puts_s1_back_in_front_of_the_buffer() -> None:
    state = _state([0, 1, 2], [3])
    ArcStandardSwap(1).apply(state, 1)
    assert (state.stack, state.buffer[::-1]) == ([0, 2], [1, 3])
    assert state.tree() == ([UNSET] * 6, [UNSET] * 6)


S, L, R, W = Kind.SHIFT, Kind.LEFT_ARC, Kind.RIGHT_ARC, Kind.SWAP


@pytest.mark.parametrize(
    ("name", "stack", "buffer", "expected"),
    [
        ("arc-standard", [0], [], set()),
        ("arc-standard", [0], [1], {S}),
        ("arc-standard", [0, 1], [2], {S}),
        ("arc-standard", [0, 1], [], {R}),
        ("arc-standard", [0, 1, 2], [3], {S, L, R}),
        ("arc-standard", [0, 1, 2], [], {L, R}),
        ("arc-hybrid", [0], [], set()),
        ("arc-hybrid", [0], [1], {S}),
        ("arc-hybrid", [0, 1], [2], {S, L}),
        ("arc-hybrid", [0, 1], [], {R}),
        ("arc-hybrid", [0, 1, 2], [3], {S, L, R}),
        ("arc-hybrid", [0, 1, 2], [], {R}),
        ("arc-standard-swap", [0], [], set()),
        ("arc-standard-swap", [0], [1], {S}),
        ("arc-standard-swap", [0, 1], [2], {S}),
        ("arc-standard-swap", [0, 1], [], {R}),
        ("arc-standard-swap", [0, 1, 2], [3], {S, L, R, W}),
        ("arc-standard-swap", [0, 1, 2], [], {L, R, W}),
        ("arc-standard-swap", [0, 2, 1], [3], {S, L, R}),
        ("arc-standard-swap", [0, 2, 1], [], {L, R}),
        ("arc-standard-swap", [0, 3, 1, 2], [], {L, R, W}),
    ],
)
def test_valid_kinds_of_each_situation(
    name: str, stack: list[int], buffer: list[int], expected: set[Kind]
) -> None:
    system = make_system(name, 2)
    state = _state(stack, buffer)
    by_question = {t.kind for t in system.transitions if system.is_valid(state, t)}
    row = system.masks[system.mask_index(state)]
    by_mask = {t.kind for t, valid in zip(system.transitions, row, strict=True) if valid}
    assert by_question == expected
    assert by_mask == expected


@ALL
def test_labels_of_the_root_are_allowed_at_the_root_and_nowhere_else(name: str) -> None:
    system = make_system(name, 3, root_labels={0}, other_labels={1})
    at_root, inside = _state([0, 1], []), _state([0, 1, 2], [3])
    right = [Transition(Kind.RIGHT_ARC, deprel) for deprel in range(3)]
    left = [Transition(Kind.LEFT_ARC, deprel) for deprel in range(3)]
    assert [system.is_valid(at_root, t) for t in right] == [True, False, False]
    assert [system.is_valid(inside, t) for t in right] == [False, True, False]
    assert [system.is_valid(inside, t) for t in left] == [False, True, False]


@ALL
def test_an_empty_set_of_labels_is_no_restriction(name: str) -> None:
    assert make_system(name, 3, other_labels=()).other_labels == {0, 1, 2}


@ALL
@given(moves=st.lists(st.integers(0, 10_000), max_size=60), n_words=st.integers(1, 9))
def test_mask_row_equals_is_valid_in_every_reachable_state(
    name: str, moves: list[int], n_words: int
) -> None:
    system = make_system(name, 3, root_labels={0, 2}, other_labels={1, 2})
    state = system.initial(n_words)
    for move in [*moves, 0]:
        actual = system.masks[system.mask_index(state)]
        expected = [system.is_valid(state, index) for index in range(system.n_transitions)]
        np.testing.assert_array_equal(actual, expected)
        choices = np.flatnonzero(actual)
        assert (len(choices) == 0) == state.is_terminal()
        if state.is_terminal():
            break
        system.apply(state, int(choices[move % len(choices)]))


@ALL
@given(n_words=st.integers(1, 40), seed=st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_greedy_decoding_ends_in_a_tree_with_one_root_whatever_the_scores(
    name: str, n_words: int, seed: int
) -> None:
    system = make_system(name, 4, root_labels={0}, other_labels={1, 2, 3})
    state, steps = _greedy(system, n_words, seed)
    heads, deprels = state.tree()
    assert is_tree(heads, single_root=True)
    assert [deprel == 0 for deprel in deprels] == [head == 0 for head in heads]
    if system.projective:
        assert steps == 2 * n_words
    else:
        assert 2 * n_words <= steps <= 2 * n_words + n_words * (n_words - 1)


@ALL
def test_greedy_decoding_of_5000_words_ends_in_a_tree(name: str) -> None:
    state, _ = _greedy(make_system(name, 2), 5000, seed=7)
    assert is_tree(state.tree()[0], single_root=True)


@pytest.mark.parametrize("n_words", [1, 2, 5, 30])
def test_a_parser_that_always_prefers_swap_ends_after_swapping_each_pair_once(n_words: int) -> None:
    system = ArcStandardSwap(1)
    state = system.initial(n_words)
    swaps = 0
    while not state.is_terminal():
        row = system.masks[system.mask_index(state)]
        choice = next(index for index in (1, 0, 2, 3) if row[index])
        swaps += choice == 1
        system.apply(state, choice)
    assert swaps == n_words * (n_words - 1) // 2
    assert is_tree(state.tree()[0], single_root=True)


@ALL
@pytest.mark.parametrize("deprel", [-1, 2])
def test_a_label_that_does_not_exist_is_not_valid(name: str, deprel: int) -> None:
    system = make_system(name, 2)
    assert not system.is_valid(_state([0, 1, 2], [3]), Transition(Kind.LEFT_ARC, deprel))


@ALL
def test_shift_with_a_label_is_not_valid(name: str) -> None:
    assert not make_system(name, 2).is_valid(_state([0, 1, 2], [3]), Transition(Kind.SHIFT, 0))


def test_masks_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        ArcStandard(1).masks[0, 0] = False


def test_a_system_without_labels_is_refused() -> None:
    with pytest.raises(ConfigError, match="`n_labels` is 0"):
        ArcStandard(0)


def test_a_label_set_outside_the_labels_is_refused() -> None:
    with pytest.raises(ConfigError, match="`root_labels` holds 3, expected ids from 0 to 2"):
        ArcStandard(3, root_labels=[0, 3])


def test_an_unknown_system_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="'arc-eager', expected one of arc-standard, arc-hybrid"):
        make_system("arc-eager", 1)
