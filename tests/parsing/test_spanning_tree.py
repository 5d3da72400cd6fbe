"""The best tree with one root: against every small tree, and NumPy and the native core alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meprop_nlp import native
from meprop_nlp.data.trees import is_tree
from meprop_nlp.errors import MePropError
from meprop_nlp.parsing.spanning_tree import spanning_tree

Scores = npt.NDArray[np.float32]
Heads = npt.NDArray[np.int32]
Decode = Callable[[Scores], Heads]

CORE = native.core()
INF = np.inf
# the fixtures stay the same for all examples, which is what we want of them
each_property = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(params=["numpy", *(CORE.instruction_sets() if CORE else [])])
def decode(request: pytest.FixtureRequest) -> Iterator[Decode]:
    """Decodes one sentence with NumPy, or with an instruction set of the core."""
    if request.param == "numpy":
        yield spanning_tree
        return
    before = CORE.instruction_set()
    CORE.use_instruction_set(request.param)
    yield lambda scores: native_trees(CORE, [scores])
    CORE.use_instruction_set(before)


def native_trees(core: Any, blocks: list[Scores]) -> Heads:
    bounds = np.cumsum([0, *map(len, blocks)], dtype=np.int32)
    scores = np.concatenate([np.zeros(0, np.float32), *(block.ravel() for block in blocks)])
    heads = np.full(bounds[-1], -7, np.int32)
    core.spanning_trees(scores, bounds, heads)
    return heads


def arcs(scores: Scores, heads: Heads) -> Scores:
    """The score of each word's arc."""
    return scores[np.arange(len(heads)), heads]


def quality(scores: Scores, heads: Heads) -> tuple[int, float]:
    """What the best tree has most of: arcs that are not masked, then the sum of their scores."""
    chosen = arcs(scores, heads)
    masked = np.isneginf(chosen)
    return -int(masked.sum()), float(chosen[~masked].sum(dtype=np.float64))


def random_scores(seed: int, n: int, *, peak: float = 0) -> Scores:
    """Normal scores, and for each word one head whose score is greater by `peak`."""
    rng = np.random.default_rng(seed)
    scores = rng.standard_normal((n, n + 1), np.float32)
    scores[np.arange(n), rng.integers(0, n + 1, n)] += np.float32(peak)
    return scores


def nested_cycles(n: int, root: int) -> Scores:
    """Words 1 and 2 are a cycle, both and word 3 are the next, and so on: n - 1 contractions."""
    scores = np.full((n, n + 1), -10.0 * n, np.float32)
    for word in range(2, n + 1):
        scores[word - 1, word - 1] = -word  # the best head of each word is the word before
        scores[0, word] = -2 * word  # that of word 1 is 2, then 3, when 1 and 2 are one node
    scores[:, 0] = -100 * n
    scores[root - 1, 0] += 2 * n  # more than word 1's head can cost
    return scores


def test_best_heads_that_are_a_tree_are_the_answer(decode: Decode) -> None:
    scores = np.zeros((3, 4), np.float32)
    scores[[0, 1, 2], [2, 0, 2]] = 1
    assert decode(scores).tolist() == [2, 0, 2]


def test_lowest_of_equal_heads_is_best(decode: Decode) -> None:
    scores = np.zeros((3, 4), np.float32)
    scores[0, 0] = scores[1, 1] = scores[2, 1] = scores[2, 2] = 1
    assert decode(scores).tolist() == [0, 1, 1]  # [0, 1, 2] is as good


def test_cycle_is_broken_where_it_costs_least(decode: Decode) -> None:
    #                  ROOT  1   2   3
    scores = np.array([[5, 0, 10, 0], [2, 10, 0, 8], [7, 3, 2, 0]], np.float32)
    # 1 and 2 are each other's best heads; the best tree is ROOT -> 3 -> 2 -> 1
    assert decode(scores).tolist() == [2, 3, 0]


def test_second_root_is_attached_even_at_a_great_loss(decode: Decode) -> None:
    scores = np.array([[1e6, 0, 0], [1e6, -1e6, 0]], np.float32)
    assert decode(scores).tolist() == [2, 0]


def test_digits_of_small_scores_are_not_lost_beside_large_ones(decode: Decode) -> None:
    # A finite penalty for ROOT as large as these scores would make its three arcs equal.
    scores = np.full((3, 4), -3e38, np.float32)
    scores[:, 1:] = 0
    scores[:, 0] = [1e-30, 3e-30, 2e-30]
    scores[0, 2] = -3e38
    assert decode(scores).tolist().index(0) == 1


@pytest.mark.parametrize("score", [0, -1e9, 3e38, -INF])
def test_only_word_is_the_root(decode: Decode, score: float) -> None:
    assert decode(np.array([[score, np.nan]], np.float32)).tolist() == [0]


def test_no_words_have_no_heads(decode: Decode) -> None:
    heads = decode(np.zeros((0, 1), np.float32))
    assert heads.shape == (0,)
    assert heads.dtype == np.int32


def test_scores_of_words_as_their_own_heads_are_ignored(decode: Decode) -> None:
    for value in (1e9, INF, np.nan, -INF):
        scores = random_scores(3, 20)
        expected = decode(scores)
        scores[np.arange(20), np.arange(1, 21)] = value
        np.testing.assert_array_equal(decode(scores), expected)


@pytest.mark.parametrize("value", [np.nan, INF])
@pytest.mark.parametrize("column", [0, 1, 18, 40])
def test_scores_that_are_not_finite_are_refused(decode: Decode, value: float, column: int) -> None:
    scores = random_scores(1, 40)
    scores[9, column] = value
    with pytest.raises((MePropError, ValueError), match="not finite"):
        decode(scores)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
@each_property
@given(data=st.data())
def test_no_small_tree_is_better(
    decode: Decode, n: int, all_trees: dict[int, list[list[int]]], data: st.DataObject
) -> None:
    values = data.draw(
        st.sampled_from([[0, 1], [0, 1, 2, 3], range(-9, 10), [-INF, 0, 1, 2], [-INF, 0]])
    )
    flat = data.draw(st.lists(st.sampled_from(values), min_size=n * (n + 1), max_size=n * (n + 1)))
    scores = np.array(flat, np.float32).reshape(n, n + 1)
    heads = decode(scores)
    assert is_tree(heads.tolist(), single_root=True)
    expected = max(quality(scores, np.array(tree, np.int32)) for tree in all_trees[n])
    assert quality(scores, heads) == expected


@each_property
@given(seed=seeds, n=st.integers(2, 40), share=st.floats(0, 1))
def test_masks_are_respected_where_a_tree_allows_it(
    decode: Decode, seed: int, n: int, share: float
) -> None:
    scores = random_scores(seed, n)
    rng = np.random.default_rng(seed)
    masked = rng.random(scores.shape) < share
    allowed = np.zeros(n, np.int32)  # a tree of its own, in which each word has an earlier head
    order = rng.permutation(n)
    for i in range(1, n):
        allowed[order[i]] = 1 + order[rng.integers(i)]
    masked[np.arange(n), allowed] = False
    scores[masked] = -INF
    heads = decode(scores)
    assert is_tree(heads.tolist(), single_root=True)
    assert np.isfinite(arcs(scores, heads)).all()
    assert quality(scores, heads) >= quality(scores, allowed)


@each_property
@given(seed=seeds, n=st.integers(1, 70), peak=st.sampled_from([0, 2, 6]))
def test_any_scores_give_a_tree_with_one_root(
    decode: Decode, seed: int, n: int, peak: float
) -> None:
    scores = random_scores(seed, n, peak=peak)
    heads = decode(scores)
    assert is_tree(heads.tolist(), single_root=True)
    # no other head of one word alone makes a better tree
    rng = np.random.default_rng(seed)
    for _ in range(20):
        other = heads.copy()
        other[rng.integers(n)] = rng.integers(n + 1)
        if is_tree(other.tolist(), single_root=True):
            assert quality(scores, other) <= quality(scores, heads)


@pytest.mark.parametrize(("n", "root"), [(2, 1), (2, 2), (3, 2), (40, 40), (300, 1), (300, 155)])
def test_cycles_within_cycles_are_all_broken(decode: Decode, n: int, root: int) -> None:
    expected = list(range(n))  # the word before
    if root > 1:
        expected[0] = root
        expected[root - 1] = 0
    np.testing.assert_array_equal(decode(nested_cycles(n, root)), expected)


def test_three_hundred_words(decode: Decode) -> None:
    scores = random_scores(5, 300)
    heads = decode(scores)
    assert is_tree(heads.tolist(), single_root=True)
    np.testing.assert_array_equal(heads, spanning_tree(scores))


@each_property
@given(
    seed=seeds,
    sizes=st.lists(st.integers(0, 45), max_size=8),
    peak=st.sampled_from([0, 3, 6]),
    whole=st.booleans(),
    masked=st.sampled_from([0, 0.5, 0.9]),
)
def test_native_trees_of_a_batch_are_those_of_numpy(
    core: Any, seed: int, sizes: list[int], peak: float, whole: bool, masked: float
) -> None:
    rng = np.random.default_rng(seed)
    blocks = []
    for i, n in enumerate(sizes):
        scores = random_scores(seed + i, n, peak=peak)
        if whole:  # ties
            scores = scores.round()
        scores[rng.random(scores.shape) < masked] = -INF
        blocks.append(scores)
    expected = [head for block in blocks for head in spanning_tree(block).tolist()]
    assert native_trees(core, blocks).tolist() == expected


def test_core_refuses_arrays_that_do_not_fit(core: Any) -> None:
    def trees(
        n_scores: int = 12 + 2, bounds: tuple[int, ...] = (0, 3, 3, 4), n_heads: int = 4
    ) -> None:
        scores, heads = np.zeros(n_scores, np.float32), np.zeros(n_heads, np.int32)
        core.spanning_trees(scores, np.array(bounds, np.int32), heads)

    trees()
    with pytest.raises(ValueError, match="scores must be"):
        trees(n_scores=13)
    with pytest.raises(ValueError, match="scores must be"):
        trees(n_scores=15)
    with pytest.raises(ValueError, match="bounds must begin with 0 and end"):
        trees(n_heads=3)
    with pytest.raises(ValueError, match="bounds must begin with 0 and end"):
        trees(bounds=())
    with pytest.raises(ValueError, match="bounds must not fall"):
        trees(bounds=(0, 5, 4))
    with pytest.raises(TypeError):
        core.spanning_trees(np.zeros(2), np.array([0, 1], np.int32), np.zeros(1, np.int32))
    with pytest.raises(TypeError):
        core.spanning_trees(np.zeros(2, np.float32), np.array([0, 1]), np.zeros(1, np.int32))
