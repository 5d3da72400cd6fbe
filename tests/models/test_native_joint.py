"""The joint model on the native core against NumPy's: same tags, lemmas and trees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meprop_nlp.data.ngrams import MOST, hashed_ngrams, marked
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import CheckpointError, MePropError
from meprop_nlp.models import model as model_module
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.heads import joint_native
from meprop_nlp.models.model import Model
from meprop_nlp.models.native_encoder import NativeEncoder, NativeFormVectors, NativeStates
from meprop_nlp.models.prediction import Prediction
from meprop_nlp.models.words import SentenceWords

from .models import FORMS, random_joint, random_sentences, with_scripts

# the `core` fixture stays the same for all examples, which is what we want of it
per_core = settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
seeds = st.integers(0, 2**32 - 1)
units = st.tuples(st.integers(1, 40), st.integers(1, 40))
HEADS = [("tags",), ("lemmas",), ("tree",), ("tags", "tree"), ("tags", "lemmas", "tree")]


def model_on(core: Any, file: ModelFile) -> Model:
    """The model on a core, or in NumPy if that is None."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_module, "core", lambda: core)
        model = Model(file)
    assert isinstance(model.encoder, NativeEncoder) == (core is not None)
    return model


def assert_same(actual: Prediction, expected: Prediction) -> None:
    """Compare the confidence, and the choices that are not close calls."""
    assert list(actual.texts) == list(expected.texts)
    assert list(actual.confidence) == list(expected.confidence)
    for name, values in expected.confidence.items():
        # of two heads that are equally good, each may be chosen, and the tree's others follow
        close = values > 0.501 if name == "ArcConf" else np.full(len(values), True)
        np.testing.assert_allclose(actual.confidence[name][close], values[close], atol=1e-4)
    if expected.heads is not None:
        arcs = actual.heads == expected.heads
        labels = [np.array(p.texts["deprel"].to_list())[arcs] for p in (actual, expected)]
        assert np.count_nonzero(labels[0] != labels[1]) <= 1  # they have no confidence
    names = {f"{name.upper()}Conf": name for name in expected.texts}
    names["LemmaConf"] = "lemma"
    for name, values in expected.confidence.items():
        sure = values > 0.501  # scores apart by rounding alone may change places
        if name == "ArcConf":
            found, wanted = actual.heads, expected.heads
        else:
            column = names[name]
            found, wanted = (np.array(p.texts[column].to_list()) for p in (actual, expected))
        assert (found == wanted)[sure].all()


def assert_same_states(actual: np.ndarray, expected: np.ndarray) -> None:
    """Compare states; one between two digits may be rounded up by the core and down by NumPy."""
    assert actual.shape == expected.shape
    assert np.abs(actual - expected).max(initial=0) < 0.03


@pytest.mark.parametrize("heads", HEADS, ids="+".join)
@per_core
@given(
    seed=seeds,
    sizes=st.lists(st.integers(1, 40), max_size=9),
    layers=st.lists(units, min_size=1, max_size=3),
    widths=st.tuples(*[st.integers(1, 40)] * 6),
    vector_width=st.integers(0, 9),
)
def test_predictions_are_the_same(
    core: Any,
    heads: tuple[str, ...],
    seed: int,
    sizes: list[int],
    layers: list[tuple[int, int]],
    widths: tuple[int, ...],
    vector_width: int,
) -> None:
    lemma, tag, arc, label, labels, scripts = widths
    file = random_joint(
        seed,
        units=layers,
        heads=heads,
        lemma_dim=lemma,
        tag_dim=tag,
        arc_dim=arc,
        label_dim=label,
        labels=labels,
        scripts=scripts,
        n_tags=(arc, label),
        vector_width=vector_width,
    )
    words = SentenceWords(random_sentences(seed, sizes))
    in_numpy, native = model_on(None, file), model_on(core, file)
    assert_same_states(native.encoder(words).context, in_numpy.encoder(words).context)
    in_numpy.encoder = native.encoder
    expected = in_numpy.annotate(words, confidence=True)
    assert_same(native.annotate(words, confidence=True), expected)


@per_core
@given(seed=seeds, n_tags=st.integers(1, 700), spread=st.sampled_from([0, 1, 5, 30]))
def test_predictions_are_the_same_with_many_tags(
    core: Any, seed: int, n_tags: int, spread: float
) -> None:
    file = random_joint(seed, heads=HEADS[-1], n_tags=(n_tags, 3), tag_dim=5)
    file.arrays["tags.outputs.upos.bias"][:] *= spread  # from all alike to one that is certain
    words = SentenceWords(random_sentences(seed, [7, 1, 12]))
    in_numpy, native = model_on(None, file), model_on(core, file)
    in_numpy.encoder = native.encoder
    expected = in_numpy.annotate(words, confidence=True)
    assert_same(native.annotate(words, confidence=True), expected)


def test_predictions_do_not_depend_on_what_is_beside_a_sentence(core: Any) -> None:
    layers = ((20, 9), (33, 16), (5, 40))
    file = random_joint(5, units=layers, n_tags=(17, 70), scripts=90, labels=20)
    model = model_on(core, file)
    sentences = random_sentences(5, [3, 11, 1, 7, 7, 2, 30, 5, 4, 90, 6, 6])
    together = model.annotate(SentenceWords(sentences), confidence=True)
    alone = [model.annotate(SentenceWords([one]), confidence=True) for one in sentences]
    for name, column in together.texts.items():
        assert column.to_list() == [text for one in alone for text in one.texts[name].to_list()]
    np.testing.assert_array_equal(together.heads, np.concatenate([one.heads for one in alone]))
    assert len(together.confidence) == 4
    for name, values in together.confidence.items():
        np.testing.assert_array_equal(values, np.concatenate([p.confidence[name] for p in alone]))


def test_confidence_does_not_change_the_choice(core: Any) -> None:
    model = model_on(core, random_joint(6))
    words = SentenceWords(random_sentences(6, [9, 4, 25]))
    sure, plain = model.annotate(words, confidence=True), model.annotate(words)
    assert sure.columns() == plain.columns()
    assert not plain.confidence


def test_a_form_that_is_too_short_gets_the_next_script(core: Any) -> None:
    scripts = {
        '["keep",4,"",0,""]': 4,
        '["lower",0,"",3,"y"]': 3,
        '["keep",0,"",0,"!"]': 2,
        '"be"': 1,
    }
    file = with_scripts(random_joint(1), scripts)
    words = SentenceWords(random_sentences(1, [200]))
    lemmas = {"the": "the!", "old": "old!", "boats": "s", "unseen": "en", ".": ".!", "12": "12!"}
    for native in (core, None):
        predicted = model_on(native, file).annotate(words).texts["lemma"].to_list()
        found = dict(zip(words.column("form"), predicted, strict=True))
        assert lemmas.items() <= found.items()
        assert found["Über"] == "üy"
        assert found["x2"] == "x2!"


def test_a_lemma_does_not_end_with_a_space(core: Any) -> None:
    scripts = {'["keep",0,"",1,""]': 3, '["keep",1,"",0,""]': 2, '"be"': 1, '"do"': 0}
    file = with_scripts(random_joint(1), scripts)
    words = SentenceWords([Sentence.from_words(["dog s", "d s", "s dog", "ab c"])])
    for native in (core, None):
        lemmas = model_on(native, file).annotate(words).texts["lemma"].to_list()
        assert lemmas == ["og s", "be", "s do", "b c"]


@pytest.mark.parametrize("spelling", [(1, 20), (17, 3)])
@pytest.mark.parametrize("vector_width", [0, 3])
def test_vectors_of_forms_are_the_same(
    core: Any, spelling: tuple[int, int], vector_width: int
) -> None:
    file = random_joint(3, spelling=spelling, vector_width=vector_width)
    encoder = model_on(None, file).encoder
    forms = [*FORMS, "a" * 40, "ß"]
    native = NativeFormVectors(encoder, core)
    actual, expected = native(forms), encoder.vectors(forms)
    np.testing.assert_allclose(actual, expected, atol=1e-6)
    assert native([]).shape == (0, encoder.input_width)


def test_ngrams_are_hashed_the_same(core: Any) -> None:
    table = np.random.default_rng(1).standard_normal((97, 5)).astype(np.float32)
    forms = [*FORMS, "", "ß", "e\u0301", "😀x", "\ud800", "\u0130", "a" * 40, "日本語"]
    means = np.empty((len(forms), 5), np.float32)
    core.average_ngrams([marked(form) for form in forms], 2, 5, MOST, table, means)
    expected = [table[hashed_ngrams(form, 97)].mean(0) for form in forms]
    np.testing.assert_allclose(means, expected, atol=1e-6)
    for wrong in (means[1:], means[:, :4].copy()):
        with pytest.raises(ValueError, match="means must"):
            core.average_ngrams(forms, 2, 5, MOST, table, wrong)
    with pytest.raises(ValueError, match="there must be n-grams"):
        core.average_ngrams([], 2, 1, MOST, table, means[:0])
    with pytest.raises(ValueError, match="must be str"):
        core.average_ngrams([1], 2, 5, MOST, table, means[:1])


def test_lemmas_are_shared_by_words_of_the_same_form_and_script(core: Any) -> None:
    words = SentenceWords(random_sentences(7, [60, 3, 30]))
    model = model_on(core, random_joint(7))
    states = model.encoder(words)
    scripts = np.random.default_rng(7).integers(3, size=93).astype(np.int32)
    numbers = np.empty_like(scripts)
    firsts = core.number_pairs_of_forms(states.rows, scripts, numbers)
    pairs = list(zip(words.column("form"), scripts.tolist(), strict=True))
    assert [pairs[n] for n in firsts] == list(dict.fromkeys(pairs))
    assert [pairs[firsts[number]] for number in numbers] == pairs
    with pytest.raises(ValueError, match="a script and a number"):
        core.number_pairs_of_forms(states.rows, scripts[1:], numbers)


def test_a_head_in_numpy_alone_reads_the_states_of_the_core(core: Any) -> None:
    words = SentenceWords(random_sentences(2, [5, 1, 8]))
    file = random_joint(2, units=((5, 3), (4, 7)))
    actual, expected = (model_on(native, file).encoder(words) for native in (core, None))
    assert isinstance(actual, NativeStates)
    np.testing.assert_array_equal(actual.form_of, expected.form_of)
    np.testing.assert_allclose(actual.forms, expected.forms, atol=1e-6)
    assert_same_states(actual.context, expected.context)
    with pytest.raises(AttributeError, match="lemmas"):
        _ = actual.lemmas


@pytest.mark.parametrize("name", ["lemmas.output.bias", "tree.arcs.bias", "tags.outputs.xpos.bias"])
def test_scores_that_overflow_are_an_error(core: Any, name: str) -> None:
    file = random_joint(1)
    file.arrays[name][:] = 3e38
    file.arrays[name.replace("bias", "weight")][:] = 3e38
    words = SentenceWords(random_sentences(1, [5]))
    for native in (core, None):
        with np.errstate(all="ignore"), pytest.raises(MePropError, match="not finite"):
            model_on(native, file).annotate(words)


@pytest.mark.parametrize(
    "name", ["tags.outputs.upos.weight", "lemmas.hidden.weight", "tree.root.weight"]
)
def test_weights_that_do_not_fit_the_encoder_are_refused(core: Any, name: str) -> None:
    file = random_joint(1)
    narrow = np.ascontiguousarray(file.arrays[name][:, :5])
    file.arrays[name] = narrow
    if name == "tree.root.weight":
        for kind in ("arc_dep", "arc_head", "label_dep", "label_head"):
            layer = f"tree.{kind}.weight"
            file.arrays[layer] = np.ascontiguousarray(file.arrays[layer][:, :5])
    for native in (core, None):
        with pytest.raises(CheckpointError, match=r"have 5 inputs, expected \d+"):
            model_on(native, file)


def test_tags_that_are_not_those_of_the_tag_head_are_refused(core: Any) -> None:
    for name in ("lemmas.hidden.weight", "tree.tags.weight"):
        file = random_joint(1)
        file.arrays[name] = np.ascontiguousarray(file.arrays[name][:, :-1])
        for native in (core, None):
            with pytest.raises(CheckpointError, match="expected"):
                model_on(native, file)


@pytest.mark.parametrize("tree", ["graph", "transitions"])
def test_too_many_weights_over_tags_are_refused(
    core: Any, tree: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = random_joint(1, tree=tree)
    model_on(core, file)
    monkeypatch.setattr(joint_native, "MOST_TAG_WEIGHTS", 100)
    with pytest.raises(CheckpointError, match=r"weights over tags, expected at most 100"):
        model_on(core, file)


def test_a_model_without_a_head_is_refused(core: Any) -> None:
    file = random_joint(1)
    file.header["config"]["heads"] = []
    with pytest.raises(CheckpointError, match="no head"):
        model_on(core, file)


def test_the_core_checks_what_it_is_given(core: Any) -> None:
    model = model_on(core, random_joint(1))
    states = model.encoder(SentenceWords(random_sentences(1, [5])))
    lanes = core.lanes()
    five, forty = (-n % (lanes // 2) + n for n in (5, 40))
    seven = -7 % lanes + 7

    def layer(ins: int, outs: int) -> Any:
        return core.PackedLayer(np.zeros((ins, outs), np.float32))

    def zeros(*shape: int, dtype: type = np.float32) -> np.ndarray:
        return np.zeros(shape, dtype)

    def tags(outs: int, *sizes: int) -> Any:
        return core.TagLayer(zeros(sum(sizes), outs), np.array(sizes, np.int32))

    def digits(ins: int, outs: int, below: int | None = None) -> Any:
        below = ins if below is None else below
        return core.DigitLayer(zeros(ins, outs, dtype=np.int32), zeros(outs), zeros(outs), below)

    with pytest.raises(ValueError, match="bias must"):
        core.PackedLayer(zeros(3, 2), zeros(3))
    for sizes, message in (([], "a row for each"), ([2], "a row for each"), ([3, 0], "sizes must")):
        with pytest.raises(ValueError, match=message):
            core.TagLayer(zeros(3, 2), np.array(sizes, np.int32))
    gates = digits(8, 4 * five, 0), 5
    with pytest.raises(ValueError, match="one layer or more"):
        core.JointEncoder([])
    with pytest.raises(ValueError, match="direction's digits"):
        core.JointEncoder([(gates, gates), (gates, gates)])
    encoder = core.JointEncoder([(gates, gates)])
    bounds = np.array([0, 5], np.int32)
    for wrong in (zeros(5, 9), zeros(4, 10)):
        with pytest.raises(ValueError, match="context must"):
            encoder.run(states.rows, bounds, wrong)
    with pytest.raises(ValueError, match="bounds must"):
        encoder.run(states.rows, bounds - 1, zeros(5, 10))
    with pytest.raises(ValueError, match="outside the table"):
        encoder.run_table(
            zeros(2, 8 * five), np.array([0, 1, 2, 0, 1], np.int32), bounds, zeros(5, 10)
        )
    with pytest.raises(ValueError, match="rows must begin"):
        encoder.run_table(zeros(2, 8 * five - 1), zeros(5, dtype=np.int32), bounds, zeros(5, 10))
    wide = digits(40, 4 * forty, 0), 40
    with pytest.raises(ValueError, match="rows must begin"):
        core.JointEncoder([(wide, wide)]).run(states.rows, bounds, zeros(5, 80))
    scorer = core.TagScorer(digits(12, 2 * lanes), np.array([[0, 2], [lanes, 3]], np.int32))
    ids = zeros(2, 5, dtype=np.int32)
    for columns in ([[1, 2]], [[0, 2]], [[0, 0]]):
        with pytest.raises(ValueError, match="columns must"):
            core.TagScorer(digits(12, 2 * lanes), np.array(columns, np.int32))
    with pytest.raises(ValueError, match="has no units"):
        core.TagScorer(digits(12, 2 * lanes, 8), np.array([[0, 2], [lanes, 3]], np.int32))
    with pytest.raises(ValueError, match="context has the wrong width"):
        scorer.choose(zeros(5, 8), ids)
    with pytest.raises(ValueError, match="results must"):
        scorer.choose(zeros(4, 10), ids)
    with pytest.raises(ValueError, match="probabilities must"):
        scorer.choose(zeros(5, 10), ids, None, zeros(5, 6))
    with pytest.raises(ValueError, match="output"):
        core.ScriptScorer(digits(12, seven), tags(7, 2), layer(seven + 1, 4), 4)
    with pytest.raises(ValueError, match="the same outputs"):
        core.ScriptScorer(digits(12, seven), tags(seven + 1, 2), layer(7, 4), 4)
    with pytest.raises(ValueError, match="for each script"):
        core.ScriptScorer(digits(12, seven), tags(7, 2), layer(7, 4), lanes + 4)
    scripts = core.ScriptScorer(digits(12, seven), tags(7, 1, 1), layer(7, 4), 4)
    one = zeros(5, dtype=np.int32)
    with pytest.raises(ValueError, match="from `column` on"):
        scripts.choose(states.rows, 100 * lanes, zeros(5, 10), zeros(5, 2), one)
    with pytest.raises(ValueError, match="do not fit"):
        scripts.choose(states.rows, 0, zeros(5, 10), None, one)
    with pytest.raises(ValueError, match="row for each word"):
        scripts.choose(states.rows, 0, zeros(5, 10), zeros(4, 2), one)
    with pytest.raises(ValueError, match="value for each word"):
        scripts.choose(states.rows, 0, zeros(5, 10), zeros(5, 2), one[:4])
    three = -3 % lanes + 3
    context = digits(12, 4 * three)
    root = zeros(2 * three)
    with pytest.raises(ValueError, match="root must"):
        core.GraphParser(context, None, layer(3, 3), layer(3, 4), root[1:], 4)
    with pytest.raises(ValueError, match="context must"):
        core.GraphParser(digits(12, 3 * three), None, layer(3, 3), layer(3, 4), root, 4)
    with pytest.raises(ValueError, match="the same outputs"):
        core.GraphParser(context, tags(3 * three, 7), layer(3, 3), layer(3, 4), root, 4)
    graph = core.GraphParser(context, tags(4 * three, 7), layer(3, 3), layer(3, 4), root, 4)
    with pytest.raises(ValueError, match="do not fit"):
        graph.parse(zeros(5, 10), None, bounds, one, one)
    with pytest.raises(ValueError, match="bounds must"):
        graph.parse(zeros(5, 10), zeros(5, 7), bounds[:1], one, one)
