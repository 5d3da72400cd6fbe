"""The native decoder against NumPy's: same tags, same trees, whatever the weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meprop_nlp.config import ACTIVATIONS, TRANSITION_SYSTEMS
from meprop_nlp.data.trees import find_cycle
from meprop_nlp.errors import ConfigError, MePropError
from meprop_nlp.models.heads.tags import NativeTagger, NumpyTagger
from meprop_nlp.models.heads.tree_native import NativeParser
from meprop_nlp.models.heads.tree_numpy import NumpyParser
from meprop_nlp.models.words import SentenceWords

from .models import LEXICON, random_parser, random_sentences, random_tagger

# the `core` fixture stays the same for all examples, which is what we want of it
per_core = settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
seeds = st.integers(0, 2**32 - 1)
lengths = st.lists(st.integers(1, 12), max_size=9)
each_system = pytest.mark.parametrize("system", TRANSITION_SYSTEMS)


@each_system
@pytest.mark.parametrize("activation", ["relu", "cube"])
@per_core
@given(
    seed=seeds,
    sizes=lengths,
    hidden=st.integers(1, 40),
    layers=st.integers(1, 3),
    labels=st.integers(2, 40),
)
def test_parser_is_the_same(
    core: Any,
    system: str,
    activation: str,
    seed: int,
    sizes: list[int],
    hidden: int,
    layers: int,
    labels: int,
) -> None:
    # cubes of cubes soon have more digits than float32
    layers = 1 if activation == "cube" else layers
    model = random_parser(
        seed,
        labels=labels,
        hidden=hidden,
        layers=layers,
        activation=activation,
        transition_system=system,
        tag_columns=("upos", "xpos"),
    )
    network = NumpyParser(model, LEXICON)
    words = SentenceWords(random_sentences(seed, sizes))
    expected = network.parse(words, confidence=True)
    actual = NativeParser(network, core).parse(words, confidence=True)
    assert actual.heads.tolist() == expected.heads.tolist()
    assert actual.labels.tolist() == expected.labels.tolist()
    np.testing.assert_allclose(actual.confidence, expected.confidence, rtol=1e-4)


@pytest.mark.parametrize("columns", [(), ("xpos",), ("xpos", "upos")])
def test_parser_is_the_same_with_any_tag_columns(core: Any, columns: tuple[str, ...]) -> None:
    for seed in range(5):
        network = NumpyParser(random_parser(seed, tag_columns=columns), LEXICON)
        words = SentenceWords(random_sentences(seed, [7, 3, 1, 20]))
        expected = network.parse(words)
        actual = NativeParser(network, core).parse(words)
        assert actual.heads.tolist() == expected.heads.tolist()
        assert actual.labels.tolist() == expected.labels.tolist()
        assert actual.confidence is expected.confidence is None


@pytest.mark.parametrize("activation", ["relu", "cube"])
@per_core
@given(seed=seeds, sizes=lengths, labels=st.integers(2, 9))
def test_exploring_is_the_same(
    core: Any, activation: str, seed: int, sizes: list[int], labels: int
) -> None:
    kind = {"transition_system": "arc-hybrid", "activation": activation}
    network = NumpyParser(random_parser(seed, labels=labels, **kind), LEXICON)
    words = SentenceWords(random_sentences(seed, sizes))
    # what another parser says is a tree that can be built
    other = NumpyParser(random_parser(seed + 1, labels=labels, **kind), LEXICON)
    gold = other.parse(words)
    expected = network.explore(words, gold.heads, gold.labels)
    actual = NativeParser(network, core).explore(words, gold.heads, gold.labels)
    assert actual.followed.tolist() == expected.followed.tolist()
    assert actual.targets.tolist() == expected.targets.tolist()
    # the parser's way is that of parsing, and towards its own tree it is right
    trees = network.parse(words)
    own = NativeParser(network, core).explore(words, trees.heads, trees.labels)
    assert own.followed.tolist() == own.targets.tolist() == actual.followed.tolist()


def test_exploring_is_for_arc_hybrid_and_for_trees_of_the_same_words(core: Any) -> None:
    words = SentenceWords(random_sentences(1, [3, 2]))
    heads, labels = np.array([2, 0, 2, 0, 1], np.int32), np.array([1, 0, 1, 0, 1], np.int32)
    standard = NumpyParser(random_parser(1), LEXICON)
    for parser in (standard, NativeParser(standard, core)):
        with pytest.raises(ConfigError, match="for arc-hybrid only, found arc-standard"):
            parser.explore(words, heads, labels)
    hybrid = NativeParser(
        NumpyParser(random_parser(1, transition_system="arc-hybrid"), LEXICON), core
    )
    for wrong in (heads[:4], heads + 9, heads - 3):
        with pytest.raises(MePropError, match=r"gold (trees must be|heads or labels are out)"):
            hybrid.explore(words, wrong, labels)
    with pytest.raises(MePropError, match="gold heads or labels are out of range"):
        hybrid.explore(words, heads, labels + 5)
    circle = np.array([2, 1, 0, 0, 1], np.int32)
    with pytest.raises(MePropError, match="cannot build a tree"):
        hybrid.explore(words, circle, labels)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_parser_confidence_is_that_of_numpy(core: Any, activation: str) -> None:
    model = random_parser(3, exact=False, hidden=33, activation=activation)
    for name in ("layers.0.weight", "layers.1.weight"):
        model.arrays[name] *= np.float32(0.2)
    network = NumpyParser(model, LEXICON)
    words = SentenceWords(random_sentences(3, [9, 14]))
    expected = network.parse(words, confidence=True)
    actual = NativeParser(network, core).parse(words, confidence=True)
    assert actual.heads.tolist() == expected.heads.tolist()
    np.testing.assert_allclose(actual.confidence, expected.confidence, rtol=1e-3, atol=1e-6)
    assert 0 < actual.confidence.min() < actual.confidence.max() <= 1


@each_system
@per_core
@given(seed=seeds, sizes=st.lists(st.integers(1, 60), min_size=1, max_size=4))
def test_every_tree_is_a_tree(core: Any, system: str, seed: int, sizes: list[int]) -> None:
    model = random_parser(seed, exact=False, transition_system=system)
    words = SentenceWords(random_sentences(seed, sizes))
    trees = NativeParser(NumpyParser(model, LEXICON), core).parse(words)
    for part in words.split(heads=trees.heads.tolist(), labels=trees.labels.tolist()):
        heads = part["heads"]
        assert heads.count(0) == 1
        assert all(0 <= head <= len(heads) for head in heads)
        assert not find_cycle(heads)
        assert [label == 0 for label in part["labels"]] == [head == 0 for head in heads]


@each_system
def test_a_sentence_of_a_hundred_thousand_words_is_parsed(core: Any, system: str) -> None:
    model = random_parser(1, exact=False, transition_system=system)
    words = SentenceWords(random_sentences(1, [100_000]))
    heads = NativeParser(NumpyParser(model, LEXICON), core).parse(words).heads
    assert np.count_nonzero(heads == 0) == 1
    assert not find_cycle(heads.tolist())


def test_swaps_come_to_an_end(core: Any) -> None:
    model = random_parser(1, transition_system="arc-standard-swap")
    for name in model.arrays:
        model.arrays[name][:] = 0
    model.arrays["layers.1.bias"][:2] = [1, 2]  # SWAP before all, then SHIFT
    network = NumpyParser(model, LEXICON)
    words = SentenceWords(random_sentences(1, [40, 3, 60]))
    expected = network.parse(words)
    actual = NativeParser(network, core).parse(words)
    assert actual.heads.tolist() == expected.heads.tolist()
    long = SentenceWords(random_sentences(1, [20_000]))
    assert np.count_nonzero(NativeParser(network, core).parse(long).heads == 0) == 1


@per_core
@given(
    seed=seeds,
    sizes=lengths,
    units=st.tuples(st.integers(1, 40), st.integers(1, 40)),
)
def test_tagger_is_the_same(core: Any, seed: int, sizes: list[int], units: tuple[int, int]) -> None:
    network = NumpyTagger(random_tagger(seed, units=units), LEXICON)
    words = SentenceWords(random_sentences(seed, sizes))
    expected = network.tag(words, confidence=True)
    actual = NativeTagger(network, core).tag(words, confidence=True)
    assert actual.ids.shape == expected.ids.shape
    np.testing.assert_allclose(actual.confidence, expected.confidence, rtol=1e-3, atol=1e-5)
    # scores apart by rounding alone may change places
    sure = expected.confidence > 0.501
    assert (actual.ids == expected.ids)[sure].all()


def test_tags_do_not_depend_on_what_is_beside_a_sentence(core: Any) -> None:
    tagger = NativeTagger(NumpyTagger(random_tagger(5, units=(20, 9)), LEXICON), core)
    sentences = random_sentences(5, [3, 11, 1, 7, 7, 2, 30, 5, 4])
    together = tagger.tag(SentenceWords(sentences), confidence=True)
    parts = [tagger.tag(SentenceWords([one]), confidence=True) for one in sentences]
    np.testing.assert_array_equal(together.ids, np.concatenate([p.ids for p in parts], 1))
    np.testing.assert_array_equal(
        together.confidence, np.concatenate([p.confidence for p in parts], 1)
    )


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(value: float) -> None:
    for make, build in ((random_parser, NumpyParser), (random_tagger, NumpyTagger)):
        model = make(1)
        name = sorted(model.arrays)[-1]
        model.arrays[name].flat[0] = value
        with pytest.raises(MePropError, match="not finite"):
            build(model, LEXICON)


def test_scores_that_overflow_are_an_error(core: Any) -> None:
    parser = random_parser(1, exact=False)
    parser.arrays["layers.1.weight"][:] = 3e38
    parser.arrays["layers.0.bias"] += np.float32(1e3)
    tagger = random_tagger(1)
    tagger.arrays["heads.xpos.weight"][:] = np.array([[-3e38], [3e38], [3e38]])
    tagger.arrays["heads.xpos.bias"][:] = [-3e38, 3e38, 3e38]
    words = SentenceWords(random_sentences(1, [5]))
    for run in (NumpyParser(parser, LEXICON).parse,
                NativeParser(NumpyParser(parser, LEXICON), core).parse,
                NumpyTagger(tagger, LEXICON).tag,
                NativeTagger(NumpyTagger(tagger, LEXICON), core).tag):  # fmt: skip
        with np.errstate(all="ignore"), pytest.raises(MePropError, match="not finite"):
            run(words)


def test_rows_that_overflow_are_an_error_again_and_again(core: Any) -> None:
    parser = random_parser(1, exact=False)
    parser.arrays["words.weight"][:] = 3e38
    parser.arrays["layers.0.weight"][:] = 2
    native = NativeParser(NumpyParser(parser, LEXICON), core)
    for _ in range(2):
        with pytest.raises(MePropError, match="not finite"):
            native.parse(SentenceWords(random_sentences(1, [5])))
