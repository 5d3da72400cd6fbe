"""Features: the template, and training examples against a naive extractor and by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from meprop_nlp.data.trees import is_projective
from meprop_nlp.data.word import UNSET
from meprop_nlp.errors import ConfigError, TransitionError
from meprop_nlp.parsing.derivation import derive
from meprop_nlp.parsing.features import (
    LABEL_POSITIONS,
    POSITIONS,
    TEMPLATE,
    extract,
    extract_labels,
)
from meprop_nlp.parsing.state import State
from meprop_nlp.parsing.transitions import SYSTEMS, ArcStandard, TransitionSystem, make_system

from .walking import oracle_transitions


def _naive(state: State, position: str) -> int:
    """Interpret the name of a position letter by letter; search for children in all heads."""
    source, index = position[0], int(position[1])
    words = (state.stack if source == "s" else state.buffer)[::-1]
    word = words[index] if index < len(words) else UNSET
    for i in range(2, len(position), 2):
        if word == UNSET:
            return UNSET
        side, n = position[i], int(position[i + 1])
        children = [c for c in range(1, len(state.heads) - 1) if state.heads[c] == word]
        if side == "l":
            children = sorted(c for c in children if c < word)
        else:
            children = sorted((c for c in children if c > word), reverse=True)
        word = children[n - 1] if n <= len(children) else UNSET
    return word


def _naive_in(system: TransitionSystem, state: State, position: str) -> int:
    """Do the same for a system; in arc-hybrid, the left children of s1 are replaced by b0's."""
    b0 = system.b0_has_children and position.startswith("s1l")
    return _naive(state, position.replace("s1", "b0") if b0 else position)


def test_the_template_is_chen_and_mannings_48_features_with_unique_names() -> None:
    assert len(set(TEMPLATE)) == len(TEMPLATE) == 48
    counts = Counter(name.partition(".")[2] for name in TEMPLATE)
    assert counts == {"form": 18, "tag": 18, "deprel": 12}
    assert {"s0.form", "b2.tag", "s0l1.tag", "s1r2.form", "s0l1l1.deprel"} <= set(TEMPLATE)


def test_the_last_twelve_positions_carry_the_labels() -> None:
    assert POSITIONS[6:] == LABEL_POSITIONS
    assert len(set(POSITIONS)) == 18
    assert TEMPLATE[36:] == tuple(f"{position}.deprel" for position in LABEL_POSITIONS)


def test_a_new_state_shows_root_and_the_first_three_words() -> None:
    assert extract(State(4)) == [0, UNSET, UNSET, 1, 2, 3, *[UNSET] * 12]
    assert extract(State(1)) == [0, UNSET, UNSET, 1, UNSET, UNSET, *[UNSET] * 12]


def test_examples_of_a_sentence_by_hand() -> None:
    # He eats red apples: labels nsubj 0, root 1, amod 2, obj 3.
    system = ArcStandard(4)
    derivation = derive(system, [2, 0, 4, 2], [0, 1, 2, 3])
    x = UNSET
    left, right = system.left_start, system.right_start
    #    s0 s1 s2 b0 b1 b2 | s0: l1 r1 l2 r2 l1l1 r1r1 | s1: the same
    expected = [
        [0, x, x, 1, 2, 3, x, x, x, x, x, x, x, x, x, x, x, x],
        [1, 0, x, 2, 3, 4, x, x, x, x, x, x, x, x, x, x, x, x],
        [2, 1, 0, 3, 4, x, x, x, x, x, x, x, x, x, x, x, x, x],
        [2, 0, x, 3, 4, x, 1, x, x, x, x, x, x, x, x, x, x, x],
        [3, 2, 0, 4, x, x, x, x, x, x, x, x, 1, x, x, x, x, x],
        [4, 3, 2, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x],
        [4, 2, 0, x, x, x, 3, x, x, x, x, x, 1, x, x, x, x, x],
        [2, 0, x, x, x, x, 1, 4, x, x, x, x, x, x, x, x, x, x],
    ]
    np.testing.assert_array_equal(derivation.positions, expected)
    labels = np.full((8, 12), UNSET)
    labels[3, 0] = labels[4, 6] = labels[6, 6] = labels[7, 0] = 0
    labels[6, 0] = 2
    labels[7, 1] = 3
    np.testing.assert_array_equal(derivation.labels, labels)
    targets = [0, 0, left + 0, 0, 0, left + 2, right + 3, right + 1]
    np.testing.assert_array_equal(derivation.targets, targets)
    np.testing.assert_array_equal(derivation.second_targets, [UNSET] * 8)
    np.testing.assert_array_equal(derivation.masks, [0, 2, 4, 2, 4, 5, 5, 3])


@pytest.mark.parametrize(
    ("name", "oracle"), [*((name, "static") for name in SYSTEMS), ("arc-standard", "hybrid")]
)
@pytest.mark.parametrize(
    "heads",
    [
        [0],
        [3, 3, 6, 6, 6, 0, 6, 9, 7, 9],
        [2, 3, 4, 0, 4, 5, 6, 6, 4, 4],
        [0, 1, 2, 3, 4, 5],
        [2, 3, 4, 5, 6, 0],
    ],
    ids=["one word", "bushy", "deep", "right chain", "left chain"],
)
def test_examples_equal_a_naive_extractor_step_by_step(
    name: str, oracle: str, heads: list[int]
) -> None:
    system = make_system(name, 4)
    deprels = [i % 4 for i in range(len(heads))]
    derivation = derive(system, heads, deprels, oracle=oracle, rng=np.random.default_rng(5))
    state = system.initial(len(heads))
    for t, target in enumerate(derivation.targets):
        expected = [_naive_in(system, state, position) for position in POSITIONS]
        labels = [
            UNSET if word == UNSET else state.deprels[word]
            for word in (_naive_in(system, state, position) for position in LABEL_POSITIONS)
        ]
        assert derivation.positions[t].tolist() == expected
        assert extract_labels(state, expected) == labels
        assert derivation.labels[t].tolist() == labels
        assert derivation.masks[t] == system.mask_index(state)
        assert system.masks[derivation.masks[t], target]
        second = derivation.second_targets[t]
        assert second == UNSET or (second != target and system.is_valid(state, int(second)))
        system.apply(state, int(target))
    assert state.tree() == (heads, deprels)


def test_examples_of_a_crossing_tree_equal_a_naive_extractor() -> None:
    heads = [2, 3, 0, 3, 2, 7, 5, 4, 3]
    system = make_system("arc-standard-swap", 1)
    derivation = derive(system, heads, [0] * 9)
    state = system.initial(9)
    for t, target in enumerate(derivation.targets):
        assert derivation.positions[t].tolist() == [_naive(state, p) for p in POSITIONS]
        system.apply(state, int(target))
    assert state.tree()[0] == heads


def test_hybrid_examples_hold_both_answers_whichever_was_followed() -> None:
    system = ArcStandard(3)
    left = system.left_start + 0
    found = set()
    for seed in range(20):
        derivation = derive(
            system, [2, 0, 2], [0, 1, 2], oracle="hybrid", rng=np.random.default_rng(seed)
        )
        pair = (int(derivation.targets[2]), int(derivation.second_targets[2]))
        assert set(pair) == {left, 0}
        assert np.count_nonzero(derivation.second_targets != UNSET) == 1
        found.add(pair)
    assert found == {(left, 0), (0, left)}


def test_shapes_and_types_hold_for_no_words() -> None:
    derivation = derive(ArcStandard(2), [], [])
    assert derivation.positions.shape == (0, 18)
    assert derivation.labels.shape == (0, 12)
    assert derivation.targets.shape == derivation.masks.shape == (0,)


def test_types_are_as_documented() -> None:
    derivation = derive(ArcStandard(2), [0, 1], [0, 1])
    assert [array.dtype.name for array in derivation] == [
        "int32", "int16", "int16", "int16", "uint8",
    ]  # fmt: skip


def test_a_label_the_system_forbids_is_reported() -> None:
    system = ArcStandard(2, root_labels={0}, other_labels={1})
    with pytest.raises(TransitionError, match="needs RIGHT_ARC with label id 0"):
        derive(system, [0, 1], [0, 0])


def test_a_crossing_tree_is_refused() -> None:
    with pytest.raises(TransitionError, match="not projective"):
        derive(ArcStandard(1), [3, 4, 0, 3], [0] * 4)


def test_hybrid_without_a_generator_is_refused() -> None:
    with pytest.raises(ConfigError, match="give it an `rng`"):
        derive(ArcStandard(1), [0], [0], oracle="hybrid")


@pytest.mark.parametrize("name", SYSTEMS)
def test_examples_of_a_treebank_have_two_transitions_a_word(
    name: str,
    shared_data: Path,
    read_trees: Callable[[Path], list[tuple[list[int], list[str]]]],
) -> None:
    dev = read_trees(shared_data / "ud-english-ewt" / "dev.conllu")[:300]
    ids = {label: i for i, label in enumerate(sorted({d for _, ds in dev for d in ds}))}
    system = make_system(name, len(ids))
    for heads, deprels in dev:
        if system.projective and not is_projective(heads):
            continue
        gold = [ids[deprel] for deprel in deprels]
        derivation = derive(system, heads, gold)
        swaps = 0 if system.projective else int(np.count_nonzero(derivation.targets == 1))
        assert len(derivation.targets) == 2 * len(heads) + 2 * swaps
        assert derivation.targets.tolist() == oracle_transitions(system, heads, gold)
