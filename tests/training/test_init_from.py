"""Trainings that start from a trained model: what is copied to where, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from meprop_nlp.config import (
    JointConfig,
    Knowledge,
    MePropConfig,
    Settings,
    TrainingConfig,
)
from meprop_nlp.data.characters import Characters
from meprop_nlp.data.conll.writing import write
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.vocab import Vocab
from meprop_nlp.errors import CheckpointError, ConfigError
from meprop_nlp.models.encoder import SharedEncoder
from meprop_nlp.models.model import load
from meprop_nlp.models.words import SentenceWords
from meprop_nlp.training.checkpoint import checkpoint_path
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.joint import JointTask
from meprop_nlp.training.joint_model import JointModel
from meprop_nlp.training.knowledge.initial import InitialModel
from meprop_nlp.training.knowledge.sources import Sources
from meprop_nlp.training.knowledge.weight_names import column_names, row_names
from meprop_nlp.training.records import Note
from meprop_nlp.training.weights import arrays_of

Train = Callable[..., Any]
STILL = {"learning_rate": 1e-12, "epochs": 1}


@pytest.fixture(scope="module")
def trained(
    train: Train, crossing: list[Sentence], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Path]:
    """Returns the file of a joint model trained with these settings."""
    folder, made = tmp_path_factory.mktemp("initial"), dict[str, Path]()

    def make(simplify: Any = None, **config: Any) -> Path:
        key = repr((simplify, config))
        if key not in made:
            # fast enough that no two arcs have nearly the same score
            fast = {"learning_rate": 0.01}
            output = made[key] = folder / f"{len(made)}.safetensors"
            train("joint", crossing, config=config, simplify=simplify, training=fast, output=output)
        return made[key]

    return make


def started(train: Train, path: Path, *args: Any, **options: Any) -> Any:
    """A joint model whose training starts from that of `path`."""
    return train("joint", *args, knowledge=Knowledge(init_from=str(path)), **options)


def task_from(path: Path, sentences: list[Sentence], **given: Any) -> tuple[JointTask, Any]:
    """The task of a training that starts from a model, and that model."""
    initial = InitialModel(path)
    settings = initial.fitted(Settings.of("joint", device="cpu", **given))
    task = JointTask(sentences, [], settings, torch.device("cpu"), Sources(initial=initial))
    return task, load(path).file


def named(arrays: Any, header: Any, name: str) -> dict[Any, Any]:
    """The rows of an array by their names, or a matrix's last columns that have names."""
    array = arrays[name]
    if rows := row_names(header).get(name):
        return dict(zip(rows, array, strict=True))
    columns = column_names(header)[name]
    return dict(zip(columns, array[:, array.shape[1] - len(columns) :].T, strict=True))


# what is copied


@pytest.mark.parametrize("tree", ["graph", "transitions"])
@pytest.mark.parametrize("simplify", [None, {"keep": 0.5}], ids=["whole", "cut"])
def test_training_that_hardly_moves_gives_the_model_again(
    train: Train, trained: Any, crossing: list[Sentence], tree: str, simplify: Any
) -> None:
    path = trained(simplify, tree=tree)
    old = load(path)
    # without widths: they are the model's
    model = JointModel.train(
        crossing,
        training=TrainingConfig(**STILL, threads=1, device="cpu"),
        knowledge=Knowledge(init_from=str(path)),
    )
    assert model.file.header["neurons"] == old.file.header["neurons"]
    assert model.config.hidden == 8
    assert model.file.arrays.keys() == old.file.arrays.keys()
    for name, array in old.file.arrays.items():
        np.testing.assert_allclose(model.file.arrays[name], array, atol=1e-3, err_msg=name)
    assert [str(s) for s in model.pipe(crossing)] == [str(s) for s in old.pipe(crossing)]


def test_rows_and_columns_are_copied_by_what_they_stand_for(
    trained: Any, treebank: list[Sentence]
) -> None:
    other = [
        sentence.with_columns(
            upos=["N" if tag == "NOUN" else tag for tag in sentence.column("upos")],
            deprel=["subj" if each == "nsubj" else each for each in sentence.column("deprel")],
            lemma=[f"{each}xx" if each == "cat" else each for each in sentence.column("lemma")],
        )
        for sentence in treebank[::-1]  # other frequencies, and so another order
    ]
    task, old = task_from(trained(), [*other, *other[:3]])
    arrays, header = arrays_of(task.network), task.header()
    new_names = set()
    for name in ("tags.outputs.upos", "tags.outputs.xpos", "tree.labels", "lemmas.output"):
        for part in (f"{name}.weight", f"{name}.bias"):
            found, expected = named(arrays, header, part), named(old.arrays, old.header, part)
            assert found.keys() & expected.keys()
            for key in found.keys() & expected.keys():
                np.testing.assert_array_equal(found[key], expected[key])
            new_names |= found.keys() - expected.keys()
    assert {("upos", "N"), ("label", "subj")} < new_names
    assert any(kind == "script" for kind, _ in new_names)
    for name in ("lemmas.hidden.weight", "tree.tags.weight"):
        found, expected = named(arrays, header, name), named(old.arrays, old.header, name)
        assert found.keys() - expected.keys() == {("upos", "N")}
        for key in found.keys() & expected.keys():
            np.testing.assert_array_equal(found[key], expected[key])
    n_tags = len(column_names(header)["tree.tags.weight"])
    of_hidden = "lemmas.hidden.weight"
    n_old_tags = len(column_names(old.header)["tree.tags.weight"])
    np.testing.assert_array_equal(
        arrays[of_hidden][:, :-n_tags], old.arrays[of_hidden][:, :-n_old_tags]
    )
    for name in (
        "tree.arc_dep.weight",
        "tree.root.weight",
        "encoder.layers.1.left_to_right.bias_ih_l0",
    ):
        np.testing.assert_array_equal(arrays[name], old.arrays[name])


def test_words_of_both_are_known_and_new_ones_begin_as_unknown(
    train: Train, trained: Any, crossing: list[Sentence]
) -> None:
    forms = ["Zoë", "zoëz", "Zoë", "zoëz"]  # new characters and features occur twice
    new = [Sentence.from_words(forms, upos=["NOUN"] * 4, lemma=["zoë"] * 4)]
    task, old = task_from(trained(), new)
    arrays, header = arrays_of(task.network), task.header()
    for name in ("encoder.words.weight", "encoder.features.weight", "encoder.characters.weight"):
        found, expected = named(arrays, header, name), named(old.arrays, old.header, name)
        assert found.keys() > expected.keys()
        for key, row in found.items():
            kind, _ = key
            np.testing.assert_array_equal(row, expected.get(key, expected[kind, "<unk>"]))
    # so that the model answers as before, about words of both
    model = started(train, trained(), new, training=STILL)
    assert {"Zoë", "rains"} <= set(model.lexicon.forms)
    vectors = [
        SharedEncoder(m.file.arrays, m.lexicon, Characters(Vocab(m.file.header["characters"])),
                      m.config).vectors(["Zoë", "rains", "zebra"])
        for m in (model, load(trained()))
    ]  # fmt: skip
    np.testing.assert_allclose(*vectors, atol=0.01)


def test_model_without_pretrained_vectors_cannot_start_a_training_with_them(
    train: Train, trained: Any, treebank: list[Sentence], tmp_path: Path
) -> None:
    vectors = tmp_path / "vectors.txt"
    vectors.write_text("rains 1 2 3\nzebra 1 2 3\n", encoding="utf-8")
    knowledge = Knowledge(init_from=str(trained()), vectors=str(vectors))
    with pytest.raises(ConfigError, match="reads no word vectors; leave `vectors` out"):
        train("joint", treebank, knowledge=knowledge, training=STILL)


def test_pretrained_vectors_are_read_anew(
    train: Train, treebank: list[Sentence], tmp_path: Path
) -> None:
    vectors, path = tmp_path / "vectors.txt", tmp_path / "old.safetensors"
    vectors.write_text("rains 1 2 3\nzebra 3 2 1\n", encoding="utf-8")
    old = train("joint", treebank, knowledge=Knowledge(vectors=str(vectors)), output=path)
    knowledge = Knowledge(init_from=str(path), vectors=str(vectors))
    new = train("joint", treebank, knowledge=knowledge, training=STILL)
    words = SentenceWords(treebank)
    np.testing.assert_allclose(new.encoder(words).context, old.encoder(words).context, atol=0.05)
    with pytest.raises(ConfigError, match="reads word vectors of width 3; give the same `vectors`"):
        train("joint", treebank, knowledge=Knowledge(init_from=str(path)), training=STILL)


def test_model_of_one_treebank_starts_one_of_several(
    train: Train, trained: Any, treebank: list[Sentence], tmp_path: Path
) -> None:
    path = tmp_path / "train.conllu"
    write(treebank, path)
    knowledge = Knowledge(init_from=str(trained()), treebank_id=["a", "b"])
    model = train("joint", [path, path], knowledge=knowledge, training=STILL)
    old, words = load(trained()), SentenceWords(treebank)
    second = "encoder.layers.1.left_to_right.weight_ih_l0"
    np.testing.assert_allclose(model.file.arrays[second], old.file.arrays[second], atol=1e-2)
    first = "encoder.layers.0.left_to_right.weight_ih_l0"
    width = old.file.arrays[first].shape[1]
    found = model.file.arrays[first]
    np.testing.assert_allclose(found[:, :width], old.file.arrays[first], atol=1e-2)
    assert found.shape[1] == width + model.config.treebank_dim
    assert model.encoder(words).context.shape == old.encoder(words).context.shape


# heads and labels


def test_heads_are_those_of_the_training_file_and_a_warning_names_the_others(
    train: Train, trained: Any, treebank: list[Sentence]
) -> None:
    flat = [
        s.with_columns(head=[-1] * len(s), deprel=["_"] * len(s), xpos=["_"] * len(s))
        for s in treebank
    ]
    records: list[Any] = []
    hooks = Hooks(on_record=records.append)
    model = started(train, trained(), flat, training=STILL, hooks=hooks)
    assert model.fills == ("upos", "lemma")
    (warning,) = [r.text for r in records if isinstance(r, Note) and "also predicts" in r.text]
    assert warning == (
        f"{trained()} also predicts XPOS, trees, and the new model will not: the training file has "
        "no data for that, or other heads or columns were asked for"
    )


def test_head_that_the_model_lacks_begins_at_random(
    train: Train, trained: Any, treebank: list[Sentence]
) -> None:
    path = trained(heads=("tree",))
    task, old = task_from(path, treebank)
    assert list(task.heads) == ["tags", "lemmas", "tree"]
    arrays = arrays_of(task.network)
    # of what the tree head reads, the states come first, then the vector of the tags
    before = old.arrays["tree.arc_dep.weight"]
    now = arrays["tree.arc_dep.weight"]
    assert now.shape[1] == before.shape[1] + task.config.tag_dim
    np.testing.assert_array_equal(now[:, : before.shape[1]], before)
    model = started(train, path, treebank, training={"epochs": 1})
    assert model.fills == ("upos", "xpos", "lemma", "head", "deprel")


def test_unlabelled_trees_keep_the_labels_of_the_model(
    train: Train, trained: Any, treebank: list[Sentence]
) -> None:
    bare = [sentence.with_columns(deprel=["_"] * len(sentence)) for sentence in treebank]
    old = load(trained())
    model = started(train, trained(), bare, bare, training=STILL)
    assert model.heads["tree"].labels == old.heads["tree"].labels
    assert [s.column("deprel") for s in model.pipe(treebank)] == [
        s.column("deprel") for s in old.pipe(treebank)
    ]
    # nothing teaches the label scorer, while arcs are learnt
    moved = started(train, trained(), bare, training={"learning_rate": 0.01})
    for name in ("labels.weight", "label_dep.weight", "arc_dep.weight"):
        both = [m.file.arrays[f"tree.{name}"] for m in (moved, old)]
        assert np.allclose(*both, atol=1e-3) == name.startswith("label")
    # a model that starts at random has no labels to give
    assert train("joint", bare, training=STILL).heads["tree"].labels == ["_"]


def test_transitions_cannot_go_on_without_labels(
    train: Train, trained: Any, treebank: list[Sentence]
) -> None:
    bare = [sentence.with_columns(deprel=["_"] * len(sentence)) for sentence in treebank]
    with pytest.raises(ConfigError, match="the model has labels, and the training file has none"):
        started(train, trained(tree="transitions"), bare, config={"tree": "transitions"})


# settings


def test_widths_are_the_models_and_another_one_is_refused(trained: Any) -> None:
    initial = InitialModel(trained())
    fitted = initial.fitted(Settings.of("joint"))
    assert (fitted.network.hidden, fitted.network.arc_dim, fitted.network.layers) == (8, 9, 2)
    assert fitted.meprop.k == 1  # of the model's width
    assert fitted.network.dropout == JointConfig().dropout  # no width
    assert initial.fitted(Settings.of("joint", hidden=8, k=5)).meprop.k == 5
    with pytest.raises(ConfigError, match="`k` is 45, expected at most the layer's width, 8"):
        initial.fitted(Settings.of("joint", k=45))
    for name, value in (("hidden", 200), ("hidden", 300), ("tree", "transitions"), ("layers", 1)):
        with pytest.raises(ConfigError, match=f"`{name}` is .*{value}.*, but the model .* has "):
            initial.fitted(Settings.of("joint", **{name: value}))
    with pytest.raises(ConfigError, match=r"`hidden` is 9, but the model .* has 8"):
        initial.fitted(Settings(network=JointConfig(hidden=9), meprop=MePropConfig(k=1)))
    # what belongs to a head that the model does not have is free
    tags = InitialModel(trained(heads=("tags",)))
    assert tags.fitted(Settings.of("joint", tree="transitions")).network.tree == "transitions"


def test_learning_rate_is_a_quarter_of_the_usual_one_unless_given(trained: Any) -> None:
    initial = InitialModel(trained())
    rates = [
        initial.fitted(Settings.of("joint", **given)).training.learning_rate
        for given in ({}, {"learning_rate": 0.1}, {"optimizer": "sgd"})
    ]
    assert rates == [0.0005, 0.1, None]


# refusals


@pytest.mark.parametrize("task", ["tagger", "parser"])
def test_model_with_an_encoder_of_its_own_is_refused(
    train: Train, task: str, tmp_path: Path, trained: Any
) -> None:
    path = tmp_path / "m.safetensors"
    train(task, training={"epochs": 1}, output=path)
    message = rf"`init_from`: .*m\.safetensors: is a {task}, expected a joint model"
    with pytest.raises(CheckpointError, match=message):
        started(train, path)
    with pytest.raises(
        ConfigError, match=f"`init_from` is for the joint model, and not for a {task}"
    ):
        train(task, knowledge=Knowledge(init_from=str(trained())))


def test_checkpoint_is_refused(
    train: Train, tmp_path: Path, stop_after_epoch: Callable[[int], Hooks]
) -> None:
    path = tmp_path / "m.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train("joint", output=path, hooks=stop_after_epoch(1))
    with pytest.raises(CheckpointError, match="is a checkpoint of a training run, expected its"):
        started(train, checkpoint_path(path))


def test_weights_that_read_something_else_are_refused(
    trained: Any, treebank: list[Sentence], monkeypatch: pytest.MonkeyPatch
) -> None:
    initial = InitialModel(trained())
    name = "encoder.layers.0.left_to_right.weight_ih_l0"
    rows, columns = initial._arrays[name].shape
    initial._arrays[name] = initial._arrays[name][:, :-2]
    settings = initial.fitted(Settings.of("joint", device="cpu"))
    message = f"the weights {name} of .* are {rows} x {columns - 2}, .* needs {rows} x {columns}"
    with pytest.raises(ConfigError, match=message):
        JointTask(treebank, [], settings, torch.device("cpu"), Sources(initial=initial))


# resuming


def test_resumed_run_ends_as_an_unbroken_one_and_refuses_another_model(
    train: Train,
    trained: Any,
    treebank: list[Sentence],
    tmp_path: Path,
    stop_after_epoch: Callable[[int], Hooks],
) -> None:
    cut: dict[str, Any] = {"keep": 0.5}
    path = trained({"keep": 0.9})
    given = {"dev": treebank, "simplify": cut}
    whole = started(train, path, treebank, **given)
    output = tmp_path / "m.safetensors"
    with pytest.raises(KeyboardInterrupt):
        started(train, path, treebank, **given, output=output, hooks=stop_after_epoch(2))
    for other in (Knowledge(), Knowledge(init_from=str(trained(heads=("tree", "tags"))))):
        with pytest.raises(ConfigError, match="init_from was "):
            train("joint", treebank, **given, knowledge=other, output=output, resume=True,
                  training={"learning_rate": 0.0005})  # fmt: skip
    resumed = started(train, path, treebank, **given, output=output, resume=True)
    for name, array in whole.file.arrays.items():
        np.testing.assert_array_equal(resumed.file.arrays[name], array)
    assert whole.file.header["training"]["init_from"] == load(path).file.header["checksum"]
