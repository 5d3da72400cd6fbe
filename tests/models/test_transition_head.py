"""The joint model's transition head: the core against NumPy, and trees whatever the weights."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meprop_nlp.data.trees import is_projective, is_tree
from meprop_nlp.errors import CheckpointError, MePropError
from meprop_nlp.models import model as model_module
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.heads import transitions
from meprop_nlp.models.heads.transitions import TransitionHead, explore
from meprop_nlp.models.model import Model
from meprop_nlp.models.words import SentenceWords
from meprop_nlp.parsing.oracles import DynamicOracle, walk
from meprop_nlp.parsing.state import State
from meprop_nlp.parsing.transitions import make_system

from .models import floats, random_joint, random_sentences

SYSTEMS = ["arc-standard", "arc-hybrid", "arc-standard-swap"]
per_core = settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def model_on(core: Any, file: ModelFile) -> Model:
    """The model on a core, or in NumPy if that is None."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_module, "core", lambda: core)
        return Model(file)


def random_model(seed: int, system: str = "arc-hybrid", **given: Any) -> ModelFile:
    return random_joint(seed, tree="transitions", system=system, **given)


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(
    ("seed", "config"),
    [
        (1, {"heads": ("tree",), "arc_dim": 1, "labels": 1}),
        (2, {"heads": ("tree",), "arc_dim": 40, "labels": 30}),
        (3, {"heads": ("tags", "tree"), "arc_dim": 17, "tag_dim": 20, "n_tags": (17, 70)}),
        (4, {"arc_dim": 33, "labels": 5, "units": ((20, 9), (33, 16))}),
    ],
)
def test_core_and_numpy_find_the_same_trees(
    core: Any, system: str, seed: int, config: dict[str, Any]
) -> None:
    file = random_model(seed, system, **config)
    words = SentenceWords(random_sentences(seed, [3, 11, 1, 7, 2, 30, 5, 90, 6, 60]))
    actual, expected = (
        model_on(native, file).annotate(words, confidence=True) for native in (core, None)
    )
    np.testing.assert_array_equal(actual.heads, expected.heads)
    assert actual.texts["deprel"].to_list() == expected.texts["deprel"].to_list()
    found, wanted = actual.confidence["ArcConf"], expected.confidence["ArcConf"]
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    # words that have one possible transition left are sure; others are not
    assert wanted.min() < 0.99 or config["arc_dim"] == 1


@per_core
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.lists(st.integers(1, 30), max_size=9),
    system=st.sampled_from(SYSTEMS),
    widths=st.tuples(st.integers(1, 40), st.integers(1, 8)),
    scale=st.sampled_from([0.0, 1.0, 1e3]),
)
def test_any_weights_give_trees_with_one_root(
    core: Any, seed: int, sizes: list[int], system: str, widths: tuple[int, int], scale: float
) -> None:
    file = random_model(seed, system, heads=("tree",), arc_dim=widths[0], labels=widths[1])
    for name in ("tree.output.weight", "tree.output.bias"):
        file.arrays[name] *= np.float32(scale)
    for native in (core, None):
        for parsed in model_on(native, file).pipe(random_sentences(seed, sizes)):
            heads, deprels = parsed.column("head"), parsed.column("deprel")
            assert is_tree(heads, single_root=True)
            if widths[1] > 1:
                assert [deprel == "root" for deprel in deprels] == [head == 0 for head in heads]
            if system != "arc-standard-swap":
                assert not any("\u2191" in deprel for deprel in deprels)
                assert widths[1] >= 5 or is_projective(heads)


def test_predictions_do_not_depend_on_what_is_beside_a_sentence(core: Any) -> None:
    model = model_on(core, random_model(5, units=((20, 9), (33, 16)), labels=20, arc_dim=50))
    sentences = random_sentences(5, [3, 11, 1, 7, 7, 2, 30, 5, 4, 90, 6, 6])
    together = model.annotate(SentenceWords(sentences), confidence=True)
    alone = [model.annotate(SentenceWords([one]), confidence=True) for one in sentences]
    np.testing.assert_array_equal(together.heads, np.concatenate([one.heads for one in alone]))
    sure = [one.confidence["ArcConf"] for one in alone]
    np.testing.assert_array_equal(together.confidence["ArcConf"], np.concatenate(sure))
    assert model.annotate(SentenceWords(sentences)).columns() == together.columns()


def test_no_words_have_no_trees(core: Any) -> None:
    for native in (core, None):
        prediction = model_on(native, random_model(1)).annotate(SentenceWords([]), confidence=True)
        assert prediction.columns()["head"] == []


def words_of(state: State) -> list[int]:
    """s0, s1, s2 and b0."""
    stack, buffer = state.stack, state.buffer
    on_stack = [stack[-i] if len(stack) >= i else -1 for i in (1, 2, 3)]
    return [*on_stack, buffer[-1] if buffer else -1]


Rows = tuple[np.ndarray, tuple[np.ndarray, np.ndarray], np.ndarray, np.ndarray, np.ndarray]


def random_rows(seed: int, projective_trees: list[list[int]]) -> Rows:
    """Rows of words, an output layer, and gold trees with two labels."""
    rng = np.random.default_rng(seed)
    heads = np.array([head for tree in projective_trees for head in tree], np.int32)
    bounds = np.cumsum([0, *map(len, projective_trees)]).astype(np.int32)
    labels = np.where(heads == 0, 0, rng.integers(1, 3, len(heads))).astype(np.int32)
    output = floats(rng, 11, 7), floats(rng, 7)
    return floats(rng, len(heads) + 2, 4, 11), output, bounds, heads, labels


TREES = [[2, 0, 2], [0], [2, 3, 0, 3, 4], [0, 1], [2, 0, 4, 2, 7, 7, 2, 2], []]


@pytest.mark.parametrize("seed", range(8))
def test_core_and_numpy_explore_the_same_states(
    core: Any, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = make_system("arc-hybrid", 3, root_labels=[0], other_labels=[1, 2])
    arguments = random_rows(seed, TREES)
    monkeypatch.setattr(transitions, "core", lambda: core)
    actual = explore(system, *arguments)
    monkeypatch.setattr(transitions, "core", lambda: None)
    expected = explore(system, *arguments)
    np.testing.assert_array_equal(actual.followed, expected.followed)
    np.testing.assert_array_equal(actual.targets, expected.targets)


def test_exploration_follows_the_scores_and_asks_the_oracle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    system = make_system("arc-hybrid", 3, root_labels=[0], other_labels=[1, 2])
    rows, output, bounds, heads, labels = random_rows(3, TREES)
    monkeypatch.setattr(transitions, "core", lambda: None)
    found = explore(system, rows, output, bounds, heads, labels)
    at = 0
    for first, end in pairwise(bounds):
        state = system.initial(end - first)
        oracle = DynamicOracle(system, heads[first:end].tolist(), labels[first:end].tolist())
        while not state.is_terminal():
            words = [
                state.stack[-1],
                *(state.stack[-i] if len(state.stack) >= i else -1 for i in (2, 3)),
            ]
            words.append(state.buffer[-1] if state.buffer else -1)
            where = [first + w - 1 if w > 0 else len(heads) + (w < 0) for w in words]
            hidden = sum(rows[row, place] for place, row in enumerate(where))
            scores = np.where(hidden > 0, hidden, 0.1 * hidden) @ output[0] + output[1]
            valid = system.masks[system.mask_index(state)]
            best = max(np.flatnonzero(valid), key=lambda t: scores[t])
            assert found.followed[at] == best
            assert found.targets[at] == max(oracle.next(state), key=lambda t: scores[t])
            system.apply(state, int(best))
            at += 1
    assert at == len(found.followed)
    assert (found.followed != found.targets).any()


def test_scores_that_are_not_finite_stop_an_exploration(
    core: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = make_system("arc-hybrid", 3)
    rows, output, *gold = random_rows(1, TREES)
    for native in (core, None):
        monkeypatch.setattr(transitions, "core", lambda native=native: native)
        with pytest.raises(MePropError, match="not finite"):
            explore(system, rows, (output[0] * np.float32(np.inf), output[1]), *gold)


def test_scores_that_overflow_are_an_error(core: Any) -> None:
    file = random_model(1)
    file.arrays["tree.output.bias"][:] = file.arrays["tree.output.weight"][:] = 3e38
    words = SentenceWords(random_sentences(1, [5]))
    for native in (core, None):
        with pytest.raises(MePropError, match="not finite"):
            model_on(native, file).annotate(words)


def resized(name: str, *shape: int) -> Callable[[ModelFile], None]:
    return lambda file: file.arrays.update({name: np.ones(shape, np.float32)})


def stated(name: str, value: Any) -> Callable[[ModelFile], None]:
    return lambda file: file.header.update({name: value})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (resized("tree.s1.weight", 8, 13), "s1.weight are 8 x 13, expected 9 x 13"),
        (resized("tree.b0.weight", 9, 12), "b0.weight are 9 x 12, expected 9 x 13"),
        (resized("tree.s0.bias", 8), "s0.bias are 8, expected 9"),
        (
            resized("tree.special.weight", 3, 13),
            "special.weight are 3 x 13, expected 2 x ",
        ),
        (resized("tree.output.weight", 8, 9), "output.weight are 8 x 9, expected 9 x 9"),
        (resized("tree.output.weight", 9, 8), "output.weight are 9 x 8, expected 9 x 9"),
        (resized("tree.tags.weight", 2, 7), "have 13 inputs, expected 12"),
        (stated("transition_system", "arc-eager"), "system is arc-eager, expected arc-standard, "),
        (stated("transition_system", ["arc-hybrid"]), "system is .'arc-hybrid'., expected"),
        (stated("transition_system", "arc-standard-swap"), "are 9 x 9, expected 10 x 9"),
        (stated("labels", ["a"]), "`other_labels` holds 1|are 9 x 9, expected 3 x 9"),
        (stated("labels", ["root", "b", "c", "\u2191d"]), "'' is among the model's labels"),
        (stated("root_labels", [1.0]), "root_labels are not a list of whole numbers"),
        (stated("other_labels", [4]), "`other_labels` holds 4, expected ids from 0 to 3"),
    ],
)
def test_model_whose_parts_do_not_fit_is_refused(
    core: Any, change: Callable[[ModelFile], None], message: str
) -> None:
    for native in (core, None):
        file = random_model(1)
        change(file)
        with pytest.raises((CheckpointError, MePropError), match=message):
            model_on(native, file)


def test_configuration_chooses_the_head() -> None:
    assert isinstance(model_on(None, random_model(1)).heads["tree"], TransitionHead)
    assert not isinstance(model_on(None, random_joint(1)).heads["tree"], TransitionHead)


def test_the_core_checks_what_it_is_given(core: Any) -> None:
    lanes = core.lanes()
    width = -5 % lanes + 5

    def zeros(*shape: int, dtype: type = np.float32) -> np.ndarray:
        return np.zeros(shape, dtype)

    system = make_system("arc-hybrid", 2)
    outs = -5 % lanes + 5
    masks = np.full((6, outs), -np.inf, np.float32)
    masks[:, :5][system.masks] = 0
    forced = np.full(6, -1, np.int32)

    def scorer(hidden: int, kind: int = 1) -> Any:
        weight, bias = zeros(hidden, outs), zeros(outs)
        return core.TransitionScorer(kind, 3, zeros(hidden), [weight], [bias], 1, 5, masks, forced)

    with pytest.raises(ValueError, match="multiple of the lanes"):
        scorer(width - 1)
    with pytest.raises(ValueError, match="is not possible"):
        scorer(width, kind=0)
    good = scorer(width)
    outputs = zeros(4 * width)
    context = core.DigitLayer(zeros(8, 4 * width, dtype=np.int32), outputs, outputs, 8)
    special, sizes = zeros(2, 4 * width), np.array([2], np.int32)
    for narrow in (special[:1], special[:, :-1].copy()):
        with pytest.raises(ValueError, match="special must"):
            core.StateParser(good, context, None, narrow)
    narrow = zeros(3 * width)
    less = core.DigitLayer(zeros(8, 3 * width, dtype=np.int32), narrow, narrow, 8)
    with pytest.raises(ValueError, match="context must"):
        core.StateParser(good, less, None, special)
    tags, few_outputs = (core.TagLayer(zeros(2, n * width), sizes) for n in (4, 3))
    with pytest.raises(ValueError, match="the same outputs"):
        core.StateParser(good, context, few_outputs, special)
    parser, reading = (core.StateParser(good, context, given, special) for given in (None, tags))
    bounds, ids = np.array([0, 3], np.int32), zeros(3, dtype=np.int32)
    with pytest.raises(ValueError, match="do not fit"):
        parser.parse(zeros(3, 4), None, bounds, ids, ids)
    with pytest.raises(ValueError, match="do not fit"):
        reading.parse(zeros(3, 6), zeros(3, 3), bounds, ids, ids)
    with pytest.raises(ValueError, match="value for each word"):
        parser.parse(zeros(3, 6), None, bounds, ids[1:], ids)
    with pytest.raises(ValueError, match="bounds must"):
        parser.parse(zeros(3, 6), None, bounds[:1], ids, ids)
    with pytest.raises(ValueError, match="no such activation here"):
        core.ParserDecoder(good, zeros(2, 18, width), zeros(2, 18, width), zeros(12, 3, width))
    moves, gold = zeros(6, dtype=np.int32), np.array([0, 1, 1], np.int32)
    arguments = [zeros(3, 4 * width), special, bounds, gold, ids, ids, ids, moves, moves]
    good.explore_rows(*arguments)
    for place, wrong, message in [
        (0, zeros(3, 4 * width + 1), "words must be"),
        (3, gold + 3, "out of range"),
        (4, ids - 1, "out of range"),
        (7, moves[1:], "two transitions a word"),
        (5, ids[1:], "value for each word"),
    ]:
        with pytest.raises(ValueError, match=message):
            good.explore_rows(*arguments[:place], wrong, *arguments[place + 1 :])


def test_gold_transitions_are_followed_where_they_have_the_best_scores(core: Any) -> None:
    """With a hidden unit for each state on its way, a network follows the oracle to the end."""
    heads, labels = [2, 0, 5, 5, 2], [1, 0, 2, 1, 2]
    system = make_system("arc-hybrid", 3, root_labels=[0], other_labels=[1, 2])
    n = len(heads)
    moves = [move for move, _ in walk(system.initial(n), system, heads, labels)]
    assert len(moves) == 2 * n
    # a unit for each state counts its words that are in their places, another does so negatively:
    # with a tenth of that one, the first is zero unless all four words are
    rows = np.zeros((n + 2, 4, 2, len(moves)), np.float32)
    weight = np.zeros((2, len(moves), system.n_transitions), np.float32)
    state = system.initial(n)
    for unit, move in enumerate(moves):
        for place, word in enumerate(words_of(state)):
            rows[word - 1 if word > 0 else n + (word < 0), place, 0, unit] = 1
        rows[:, 0, 0, unit] -= 3.5
        weight[:, unit, move] = 1, 0.1
        system.apply(state, move)
    rows[:, :, 1] = -rows[:, :, 0]
    rows, weight = rows.reshape(n + 2, 4, -1), weight.reshape(-1, system.n_transitions)
    output = weight, np.zeros(system.n_transitions, np.float32)
    gold = np.array(heads, np.int32), np.array(labels, np.int32)
    found = explore(system, rows, output, np.array([0, n], np.int32), *gold)
    assert found.followed.tolist() == found.targets.tolist() == moves
