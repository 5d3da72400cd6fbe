"""The dynamic oracle against its definition: the least loss over all continuations."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.errors import ConfigError, TransitionError
from meprop_nlp.parsing.oracles import DynamicOracle
from meprop_nlp.parsing.state import State
from meprop_nlp.parsing.transitions import ArcHybrid, ArcStandard

from .walking import oracle_transitions

SYSTEM = ArcHybrid(1)
# the continuations of a state depend on its stack, buffer and arcs only
Key = tuple[tuple[int, ...], int, tuple[int, ...]]


def _key(state: State) -> Key:
    return tuple(state.stack), len(state.buffer), tuple(state.heads)


def _after(state: State, transition: int) -> State:
    changed = copy.deepcopy(state)
    SYSTEM.apply(changed, transition)
    return changed


def _valid(state: State) -> Iterator[int]:
    return (t for t in range(SYSTEM.n_transitions) if SYSTEM.is_valid(state, t))


def _least_losses(heads: Sequence[int]) -> dict[Key, tuple[State, int]]:
    """Return every reachable state with the least number of wrong heads it can end with."""
    found: dict[Key, tuple[State, int]] = {}

    def least(state: State) -> int:
        key = _key(state)
        if key not in found:
            if state.is_terminal():
                wrong = sum(a != b for a, b in zip(state.tree()[0], heads, strict=True))
                found[key] = state, wrong
            else:
                found[key] = state, min(least(_after(state, t)) for t in _valid(state))
        return found[key][1]

    least(SYSTEM.initial(len(heads)))
    return found


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_right_transitions_are_those_that_lose_no_further_head(
    n: int,
    all_trees: dict[int, list[list[int]]],
    naive_is_projective: Callable[[Sequence[int]], bool],
) -> None:
    lossy = 0
    for heads in filter(naive_is_projective, all_trees[n]):
        oracle = DynamicOracle(SYSTEM, heads, [0] * n)
        losses = _least_losses(heads)
        for state, least in losses.values():
            if not state.is_terminal():
                after = {t: losses[_key(_after(state, t))][1] for t in _valid(state)}
                assert set(oracle.next(state)) == {t for t, loss in after.items() if loss == least}
                lossy += least > 0
    assert lossy > 0 or n < 2


def _random_state(n: int, choices: Sequence[int]) -> State:
    state = SYSTEM.initial(n)
    for choice in choices:
        if state.is_terminal():
            break
        valid = list(_valid(state))
        SYSTEM.apply(state, valid[choice % len(valid)])
    return state


@st.composite
def gold_trees(draw: st.DrawFn) -> list[int]:
    n = draw(st.integers(1, 25))
    choices = draw(st.lists(st.integers(0, 2), min_size=2 * n, max_size=2 * n))
    return _random_state(n, choices).tree()[0]


@given(heads=gold_trees(), choices=st.lists(st.integers(0, 2), max_size=50))
def test_following_it_from_anywhere_ends_and_loses_no_head(
    heads: list[int], choices: list[int]
) -> None:
    n = len(heads)
    oracle = DynamicOracle(SYSTEM, heads, [0] * n)
    state = _random_state(n, choices)
    had = [w for w in range(1, n + 1) if state.heads[w] == heads[w - 1]]
    while not state.is_terminal():
        right = oracle.next(state)
        assert right
        assert all(SYSTEM.is_valid(state, transition) for transition in right)
        SYSTEM.apply(state, right[-1])
    assert all(state.heads[word] == heads[word - 1] for word in had)


@given(heads=gold_trees(), data=st.data())
def test_whichever_answers_are_followed_the_gold_tree_is_built(
    heads: list[int], data: st.DataObject
) -> None:
    oracle = DynamicOracle(SYSTEM, heads, [0] * len(heads))
    state = SYSTEM.initial(len(heads))
    while not state.is_terminal():
        SYSTEM.apply(state, data.draw(st.sampled_from(oracle.next(state))))
    assert state.tree()[0] == heads


@pytest.mark.parametrize("heads", [[3, 4, 0, 3], [2, 1, 0]])
def test_heads_that_are_not_a_projective_tree_are_refused_if_no_transition_is_right(
    heads: list[int],
) -> None:
    oracle = DynamicOracle(SYSTEM, heads, [0] * len(heads))
    state = SYSTEM.initial(len(heads))

    def follow() -> None:
        while not state.is_terminal():
            SYSTEM.apply(state, oracle.next(state)[0])

    with pytest.raises(TransitionError, match=r"not projective|form a circle"):
        follow()


@given(heads=gold_trees())
def test_on_the_way_to_the_gold_tree_the_static_answer_is_right(heads: list[int]) -> None:
    system = ArcHybrid(3)
    deprels = [i % 3 for i in range(len(heads))]
    oracle = DynamicOracle(system, heads, deprels)
    state = system.initial(len(heads))
    for transition in oracle_transitions(system, heads, deprels):
        assert transition in oracle.next(state)
        system.apply(state, transition)


def test_a_root_label_is_not_put_on_another_arc() -> None:
    system = ArcHybrid(4, root_labels=[3], other_labels=[0, 1])
    oracle = DynamicOracle(system, [0, 1], [3, 1])
    state = system.initial(2)
    system.apply(state, 0)
    assert oracle.next(state) == (0,)
    system.apply(state, 0)
    assert oracle.next(state) == (system.right_start + 1,)
    # the head of 1, the gold root, is 2: 2 becomes the root, and gets a root label
    state = system.initial(2)
    system.apply(state, 0)
    system.apply(state, system.left_start)
    assert oracle.next(state) == (0,)
    system.apply(state, 0)
    assert oracle.next(state) == (system.right_start + 3,)
    # 3 is the gold root: with head 1 or 2, it gets any label allowed there
    oracle = DynamicOracle(system, [2, 3, 0], [0, 1, 3])
    state = system.initial(3)
    for _ in range(3):
        system.apply(state, 0)
    right = [system.right_start + label for label in (0, 1)]
    assert oracle.next(state) == tuple(right)


def test_it_is_for_arc_hybrid() -> None:
    with pytest.raises(ConfigError, match="dynamic oracle is for arc-hybrid only, found arc-stand"):
        DynamicOracle(ArcStandard(1), [0], [0])
