"""Pretrained vectors as a part of the joint model's word vectors: which words have one, and where.

As the start of word embeddings they are tested in test_tasks.py and test_settings.py.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from torch.testing import assert_close

from meprop_nlp.config import Knowledge
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import ConfigError
from meprop_nlp.models import model as model_module
from meprop_nlp.models.file import read_header, read_model_file
from meprop_nlp.models.model import Model, load
from meprop_nlp.models.packing import VECTOR_SCALES, VECTORS, rounded
from meprop_nlp.models.words import SentenceWords
from meprop_nlp.training.checkpoint import checkpoint_path
from meprop_nlp.training.encoder import INITIAL
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.joint import JointTask
from meprop_nlp.training.knowledge.vector_table import VectorTable
from meprop_nlp.training.knowledge.vectors import read_most_frequent
from meprop_nlp.training.records import Note
from meprop_nlp.training.weights import arrays_of

Make = Callable[..., JointTask]
Train = Callable[..., Any]
WIDTH = 3
# forms of the treebank and of no treebank; It is looked up in lower case
GIVEN = {
    "the": [1, 0, -2],
    "it": [3, 1, 1],
    "saw": [-1, 2, 0.5],
    "wug": [4, -4, 1],
    "wuf": [-2, 5, 2],
}
ROWS = {form: np.array(values, np.float32) for form, values in GIVEN.items()}


def lines(vectors: dict[str, list[float]]) -> str:
    return "".join(f"{form} {' '.join(map(str, row))}\n" for form, row in vectors.items())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "vectors.txt"
    path.write_text(lines(GIVEN), encoding="utf-8")
    return path


def scaled(form: str) -> np.ndarray:
    """What the model has for a form, up to rounding."""
    spread = np.concatenate(list(ROWS.values())).std()
    row = ROWS.get(form, ROWS.get(form.lower(), np.zeros(WIDTH, np.float32)))
    return row * np.float32(INITIAL / spread)


# the table


def test_table_has_the_spread_of_the_other_embeddings_and_is_as_it_is_stored() -> None:
    made = VectorTable(ROWS)
    found = made.of(["the", "The", "wug", "none"]).numpy()
    expected = [scaled(form) for form in ("the", "the", "wug", "none")]
    np.testing.assert_allclose(found, expected, atol=0.005)
    assert made.of(list(ROWS)).numpy().std() == pytest.approx(INITIAL, rel=0.01)
    assert {name: array.dtype.name for name, array in made.arrays().items()} == {
        VECTORS: "int8",
        VECTOR_SCALES: "float16",
    }


@given(
    npst.arrays(
        np.float32,
        npst.array_shapes(min_dims=2, max_dims=2, max_side=4),
        elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
    )
)
def test_table_of_any_finite_vectors_is_finite(rows: np.ndarray) -> None:
    made = VectorTable({f"w{n}": row for n, row in enumerate(rows)})
    assert made.of([f"w{n}" for n in range(len(rows))]).isfinite().all()
    assert not made.of(["none"]).any()


# the words that have a vector


def read(path: Path, limit: int, dev: list[str] | None = None) -> tuple[list[str], Note]:
    records: list[Any] = []
    train = [Sentence.from_words(["The", "wug", "rare"]), Sentence.from_words(["The"])]
    dev_sentences = [Sentence.from_words(dev)] if dev else []
    hooks = Hooks(on_record=records.append)
    vectors = read_most_frequent(path, limit, train, dev_sentences, hooks)
    (note,) = records
    return list(vectors), note


def test_words_before_the_limit_and_those_of_train_are_kept(path: Path) -> None:
    assert read(path, 2)[0] == ["the", "it", "wug"]
    assert read(path, 0)[0] == ["the", "wug"]
    assert read(path, 99)[0] == list(GIVEN)
    # saw is beyond the limit, and in dev alone
    kept, note = read(path, 2, dev=["IT", "it", "saw", "Wug"])
    assert kept == ["the", "it", "wug"]
    found = "vectors: 2 of 3 forms of train, 3 of 4 forms of dev; 3 kept, of 3 values each"
    assert (note.text, note.warning) == (found, False)


def test_vectors_that_know_no_form_of_train_give_a_warning(path: Path) -> None:
    path.write_text("<unk> 1 2\nzebra 1 1\n", encoding="utf-8")
    kept, note = read(path, 9)
    assert kept == ["zebra"]
    assert note.text == "vectors: 0 of 3 forms of train; 1 kept, of 2 values each"
    assert note.warning


@pytest.mark.parametrize("task", ["tagger", "parser"])
def test_limit_is_refused_where_all_words_are_those_of_train(
    train: Train, task: str, path: Path
) -> None:
    knowledge = Knowledge(vectors=str(path), vectors_limit=5)
    with pytest.raises(
        ConfigError, match="`vectors_limit` goes with the joint model and `encoder`"
    ):
        train(task, knowledge=knowledge)


# what the encoder reads


def encoded(task: JointTask) -> dict[int, torch.Tensor]:
    """The input of each word, by its place in the treebank."""
    found = {}
    for batch in task.batches(np.random.default_rng(1)):
        with torch.no_grad():
            forms, _ = task.network.encoder(task._inputs(batch))
        found |= dict(zip(batch.words.tolist(), forms, strict=True))
    return found


def test_vector_is_the_last_part_of_each_word(make_joint: Make, treebank: list[Sentence]) -> None:
    without = make_joint(treebank, seed=1)
    task = make_joint(treebank, seed=1, vectors=ROWS)
    width = without.network.encoder.input_width
    assert task.network.encoder.input_width == width + WIDTH
    forms = [form for sentence in treebank for form in sentence.forms]
    found, plain = encoded(task), encoded(without)
    for place, form in enumerate(forms):
        np.testing.assert_allclose(found[place][width:], scaled(form), atol=0.005)
        assert found[place][width:].any() == (form.lower() in GIVEN)
        assert len(plain[place]) == width


def test_vectors_are_no_part_of_the_network(make_joint: Make, treebank: list[Sentence]) -> None:
    without, task = make_joint(treebank), make_joint(treebank, vectors=ROWS)
    assert task.network.state_dict().keys() == without.network.state_dict().keys()
    assert task.lexicon.to_dict() == without.lexicon.to_dict()
    # a part of no width would change which random numbers drop the others
    sizes, more = without.network.encoder._sizes.tolist(), task.network.encoder._sizes.tolist()
    assert more == [*sizes, WIDTH]
    assert 0 not in sizes
    assert task.arrays().keys() - without.arrays().keys() == {VECTORS, VECTOR_SCALES}
    assert task.header().keys() - without.header().keys() == {"vector_forms", "vector_width"}


def test_vectors_are_dropped_as_other_parts_are(make_joint: Make, treebank: list[Sentence]) -> None:
    task = make_joint(treebank * 9, vectors=ROWS, part_dropout=0.3, batch_size=10**6)
    forms = [form for sentence in treebank * 9 for form in sentence.forms]
    torch.manual_seed(5)
    parts = [x[-WIDTH:].numpy() for _, x in sorted(encoded(task).items())]
    with_vector = [(x, form) for x, form in zip(parts, forms, strict=True) if scaled(form).any()]
    kept = [x.any() for x, _ in with_vector]
    assert np.mean(kept) == pytest.approx(0.7, abs=0.1)
    for (x, form), is_kept in zip(with_vector, kept, strict=True):
        np.testing.assert_allclose(x, scaled(form) * is_kept, atol=0.005)


# the trained model


def on(core: Any, model: Model) -> Model:
    """The model on a core, or in NumPy if that is None."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_module, "core", lambda: core)
        return Model(model.file)


@pytest.fixture(scope="module")
def trained(train: Train, treebank: list[Sentence], tmp_path_factory: Any) -> Model:
    """A joint model after an epoch."""
    path = tmp_path_factory.mktemp("vectors") / "vectors.txt"
    path.write_text(lines(GIVEN), encoding="utf-8")
    model: Model = train("joint", treebank, treebank, vectors=path, training={"epochs": 1})
    return model


UNKNOWN = [Sentence.from_words(["It", "wug", "saw"]), Sentence.from_words(["wuf", "Wuv", "the"])]


def test_words_that_train_lacks_have_their_vectors(core: Any, trained: Model) -> None:
    for native in (core, None):
        states = on(native, trained).encoder(SentenceWords(UNKNOWN))  # type: ignore[misc]
        parts = states.forms[states.form_of][:, -WIDTH:]
        expected = [scaled(form) for sentence in UNKNOWN for form in sentence.forms]
        np.testing.assert_allclose(parts, expected, atol=0.005)
        assert "wug" not in trained.lexicon.forms
        assert not np.array_equal(parts[1], parts[3])


def test_vectors_of_unknown_words_reach_the_states(core: Any, trained: Model) -> None:
    changed = dict(trained.file.arrays)
    table = changed[VECTORS] = changed[VECTORS].copy()
    table[trained.file.header["vector_forms"].index("wug")] = 99
    words = SentenceWords(UNKNOWN)
    for native in (core, None):
        model = on(native, trained)
        before = model.encoder(words).context  # type: ignore[misc]
        other = Model(type(trained.file)(trained.file.header, changed))
        after = on(native, other).encoder(words).context  # type: ignore[misc]
        assert not np.allclose(before[:3], after[:3], atol=1e-3)
        np.testing.assert_array_equal(before[3:], after[3:])


def test_core_and_numpy_annotate_alike(core: Any, trained: Model, treebank: list[Sentence]) -> None:
    sentences = [*treebank, *UNKNOWN]
    native, in_numpy = ([str(s) for s in on(c, trained).pipe(sentences)] for c in (core, None))
    assert native == in_numpy


@pytest.mark.usefixtures("fine_digits")
def test_stored_model_reads_what_the_network_reads(
    make_joint: Make, treebank: list[Sentence]
) -> None:
    task = make_joint(treebank, seed=4, vectors=ROWS)
    stored = rounded(arrays_of(task.network))
    with torch.no_grad():
        for name, parameter in task.network.named_parameters():
            parameter.copy_(torch.from_numpy(stored[name]))
    states = task.frozen().encoder(SentenceWords(treebank))  # type: ignore[misc]
    for place, x in encoded(task).items():
        assert_close(torch.from_numpy(states.forms[states.form_of[place]]), x, rtol=1e-4, atol=1e-5)


def test_model_without_vectors_says_nothing_of_them(train: Train) -> None:
    model = train("joint", training={"epochs": 1})
    assert not [name for name in model.file.header if "vector" in name]
    assert not [name for name in model.file.arrays if "vector" in name]


@pytest.mark.parametrize("simplify", [None, {"keep": 0.5}], ids=["whole", "cut"])
def test_resumed_run_ends_bit_equal(
    train: Train, path: Path, tmp_path: Path, simplify: dict[str, Any] | None
) -> None:
    whole, killed = tmp_path / "whole.st", tmp_path / "killed.st"
    options = {"vectors": path, "simplify": simplify, "config": {"hidden": 16}}
    model = train("joint", output=whole, **options)
    assert read_header(whole)["vector_forms"] == len(GIVEN)
    again, sentences = load(whole), UNKNOWN
    assert [str(s) for s in again.pipe(sentences)] == [str(s) for s in model.pipe(sentences)]
    polls = iter([False] * 6 + [True])
    with pytest.raises(KeyboardInterrupt):
        train("joint", output=killed, hooks=Hooks(stop=lambda: next(polls)), **options)
    stored = read_model_file(checkpoint_path(killed)).arrays
    assert not [name for name in stored if "vectors" in name]
    limited = Knowledge(vectors=str(path), vectors_limit=1)
    with pytest.raises(ConfigError, match=r"`resume` goes on .* vectors was"):
        train("joint", output=killed, resume=True, knowledge=limited, **options | {"vectors": None})
    train("joint", output=killed, resume=True, **options)
    assert killed.read_bytes() == whole.read_bytes()
