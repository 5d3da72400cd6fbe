"""A joint model that reads a pretrained encoder: trained, scored, stopped, stored and used."""

from __future__ import annotations

import json
import pickle
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from meprop_nlp import load
from meprop_nlp.config import Knowledge
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import CheckpointError, ConfigError
from meprop_nlp.models import model as model_module
from meprop_nlp.models.file import ModelFile, read_model_file, write_model_file
from meprop_nlp.models.model import Model
from meprop_nlp.models.native_encoder import NativeEncoder
from meprop_nlp.models.opinion import values_of
from meprop_nlp.models.pretrained import PretrainedEncoder
from meprop_nlp.models.word_states import FolderStates, states_of
from meprop_nlp.models.words import SentenceWords
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.knowledge.layer_mix import LayerMix
from meprop_nlp.training.knowledge.pretrained_states import PretrainedStates
from meprop_nlp.training.knowledge.sources import Sources
from meprop_nlp.training.knowledge.teachers import Teachers
from meprop_nlp.training.records import EpochRecord, Note
from meprop_nlp.training.weights import load_weights

WIDTHS = {"pretrained_dim": 5}


@pytest.fixture(scope="module")
def folder(make_encoder: Any, tmp_path_factory: Any) -> Path:
    folder: Path = make_encoder(tmp_path_factory.mktemp("encoder") / "bert")
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# Tiny BERT\n")
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: Any) -> Path:
    path: Path = tmp_path_factory.mktemp("cache")
    return path


@pytest.fixture(scope="module")
def states(folder: Path, cache: Path, treebank: list[Sentence]) -> PretrainedStates:
    return PretrainedStates(
        PretrainedEncoder(folder), [[s.forms for s in treebank]], cache, Hooks()
    )


@pytest.fixture(scope="module")
def fit(train: Callable[..., Any], folder: Path, cache: Path) -> Callable[..., Any]:
    """Train a tiny joint model with the encoder."""

    def run(sentences: Any = None, dev: Any = None, **given: Any) -> Any:
        given["config"] = WIDTHS | given.get("config", {})
        knowledge = Knowledge(pretrained=str(folder), cache=str(cache))
        return train("joint", sentences, dev, **{"knowledge": knowledge, **given})

    return run


@pytest.fixture(scope="module")
def path(fit: Callable[..., Any], treebank: list[Sentence], tmp_path_factory: Any) -> Path:
    """The file of a trained model."""
    found: Path = tmp_path_factory.mktemp("joint") / "model.safetensors"
    fit(dev=treebank, output=found, training={"epochs": 2})
    return found


def on_core(core: Any, file: Any, states: Any = None) -> Model:
    """The model on a core, or in NumPy if that is None."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_module, "core", lambda: core)
        model = Model(file, states)
    assert isinstance(model.encoder, NativeEncoder) == (core is not None)
    return model


def test_mix_is_the_weighted_sum_of_the_layers() -> None:
    mix = LayerMix(3, 4, 2)
    with torch.no_grad():
        mix.weights.copy_(torch.tensor([0.0, 1.0, -1.0]))
        mix.gamma.fill_(2)
    states = torch.randn(5, 3, 4)
    shares = np.exp([0, 1, -1]) / np.exp([0, 1, -1]).sum()
    mixed = sum(2 * share * states[:, n] for n, share in enumerate(shares.tolist()))
    expected = mixed @ mix.projection.weight.T + mix.projection.bias
    torch.testing.assert_close(mix.eval()(states, 0.5), expected)
    assert not torch.allclose(mix.train()(states, 0.5), expected)


@pytest.fixture
def make(make_joint: Callable[..., Any], states: PretrainedStates) -> Callable[..., Any]:
    """Make the task of a joint model that reads the encoder, with one minibatch."""

    def run(sentences: Any, **given: Any) -> Any:
        given = {"batch_size": 30, "sources": Sources(states=states), "seed": 3, **WIDTHS} | given
        return make_joint(sentences, **given)

    return run


def only_batch(task: Any) -> Any:
    (batch,) = task.batches(np.random.default_rng(1))
    return batch


def test_vectors_of_forms_do_not_have_the_states(
    make: Callable[..., Any], treebank: list[Sentence], states: PretrainedStates
) -> None:
    task = make(treebank)
    batch = only_batch(task)
    encoder, inputs = task.network.encoder.eval(), task._inputs(batch)
    expected = states.read(states.rows([sentence.forms for sentence in treebank]))[batch.words]
    np.testing.assert_array_equal(inputs.states.numpy(), expected)
    forms, (*_, context) = encoder(inputs)
    others, (*_, other_context) = encoder(inputs._replace(states=inputs.states.flip(0)))
    assert forms.shape == (30, encoder.input_width)
    torch.testing.assert_close(others, forms)
    assert not torch.allclose(other_context, context)
    assert encoder.layers[0].input_size == encoder.input_width + 5


def test_the_states_are_dropped_as_a_part(
    make: Callable[..., Any], treebank: list[Sentence]
) -> None:
    task = make(treebank, part_dropout=0.5)
    encoder, inputs = task.network.encoder.train(), task._inputs(only_batch(task))
    read: list[Any] = []
    encoder.layers[0].register_forward_pre_hook(lambda _, given: read.append(given[0].data))
    torch.manual_seed(1)
    for _ in range(10):
        encoder(inputs)
    part = torch.cat(read)[:, encoder.input_width :]
    dropped = (part == 0).all(1)
    assert 0.4 < dropped.float().mean() < 0.6
    assert (part[~dropped] != 0).all()


def test_header_says_which_encoder_is_needed(path: Path, folder: Path) -> None:
    header = read_model_file(path).header
    card = PretrainedEncoder(folder).card
    assert header["pretrained"] == {
        "folder": str(folder), "name": "Tiny BERT", "fingerprint": card.fingerprint,
        "licence": "mit", "layers": 3, "width": 16,
    }  # fmt: skip
    assert header["training"]["pretrained"] == card.fingerprint
    assert header["config"]["pretrained_dim"] == 5


def test_annotating_is_what_dev_was_scored_with(
    path: Path, treebank: list[Sentence], core: Any
) -> None:
    header = read_model_file(path).header
    for used in (core, None):
        model = on_core(used, read_model_file(path))
        scores = model.evaluate(treebank)
        for name in ("upos", "lemmas", "las"):
            found = getattr(scores, name)
            assert found == pytest.approx(header["scores"][name], abs=1e-6), name


@pytest.mark.parametrize("heads", [("tags", "lemmas", "tree"), ("tree",)])
@pytest.mark.usefixtures("fine_digits")
def test_frozen_model_is_the_network(
    make: Callable[..., Any], treebank: list[Sentence], heads: tuple[str, ...]
) -> None:
    task = make(treebank, heads=heads)
    model = task.frozen()
    stored = {name: torch.from_numpy(array) for name, array in model.file.arrays.items()}
    load_weights(task.network, task.network.state_dict() | stored)  # rounded as in the file
    batch = only_batch(task)
    with torch.no_grad():
        forms, (*_, context) = task.network.eval().encoder(task._inputs(batch, hide=False))
    found = model.encoder(SentenceWords(treebank))
    np.testing.assert_allclose(found.context[batch.words], context.numpy(), atol=2e-4)
    vectors = found.forms[found.form_of]
    np.testing.assert_allclose(vectors[batch.words], forms.numpy(), atol=2e-4)


@pytest.mark.parametrize("heads", [("tags", "lemmas", "tree"), ("tree",)])
def test_native_and_numpy_agree(
    core: Any,
    make: Callable[..., Any],
    treebank: list[Sentence],
    states: PretrainedStates,
    heads: tuple[str, ...],
) -> None:
    file = make(treebank, heads=heads, hidden=9).frozen().file
    words = SentenceWords([*treebank, Sentence([]), treebank[2]])
    native, in_numpy = (on_core(used, file, states) for used in (core, None))
    assert native.encoder is not None
    assert in_numpy.encoder is not None
    one, two = native.encoder(words), in_numpy.encoder(words)
    # a state between two digits may be rounded either way
    assert np.abs(one.context - two.context).max() < 0.03
    np.testing.assert_allclose(one.forms[one.form_of], two.forms[two.form_of], atol=0.03)
    found, expected = (m.annotate(words, confidence=True) for m in (native, in_numpy))
    assert list(found.confidence) == list(expected.confidence)
    for name, values in expected.confidence.items():
        np.testing.assert_allclose(found.confidence[name], values, atol=0.05)


def test_training_and_scoring_do_not_run_the_encoder_again(
    fit: Callable[..., Any], treebank: list[Sentence], cache: Path, monkeypatch: Any
) -> None:
    fit(dev=treebank, training={"epochs": 1})  # computes the states, unless that is done

    def refuse(*arguments: Any) -> None:
        raise AssertionError("the encoder is asked")

    monkeypatch.setattr(PretrainedEncoder, "batches", refuse)
    model = fit(dev=treebank, training={"epochs": 1})
    with pytest.raises(AssertionError, match="is asked"):
        model(treebank[0])


def test_resumed_run_ends_with_the_same_weights(
    fit: Callable[..., Any], treebank: list[Sentence], tmp_path: Path
) -> None:
    whole, part = tmp_path / "whole.safetensors", tmp_path / "part.safetensors"
    options: dict[str, Any] = {
        "dev": treebank, "training": {"epochs": 4}, "simplify": {"first_cut_epoch": 2, "keep": 0.5},
    }  # fmt: skip
    fit(output=whole, **options)
    n_epochs = 0

    def stop() -> bool:
        return n_epochs == 3

    def count(record: Any) -> None:
        nonlocal n_epochs
        n_epochs += isinstance(record, EpochRecord)

    with pytest.raises(KeyboardInterrupt):
        fit(output=part, hooks=Hooks(on_record=count, stop=stop), **options)
    fit(output=part, resume=True, **options)
    one, two = read_model_file(whole), read_model_file(part)
    assert one.arrays.keys() == two.arrays.keys()
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(two.arrays[name], array)
    width = one.arrays["encoder.layers.0.left_to_right.weight_ih_l0"].shape
    assert width[0] < 4 * 8  # units were cut, and all that they read stays
    assert width[1] == 6 + 7 * 4 + 5 + 8 + 5


def test_run_cannot_go_on_with_another_encoder(
    fit: Callable[..., Any],
    make_encoder: Any,
    tmp_path: Path,
    stop_after_epoch: Callable[[int], Hooks],
) -> None:
    output = tmp_path / "model.safetensors"
    with pytest.raises(KeyboardInterrupt):
        fit(output=output, hooks=stop_after_epoch(1))
    other = Knowledge(pretrained=str(make_encoder(tmp_path / "other", seed=9)))
    with pytest.raises(ConfigError, match=r"`resume` goes on .*; pretrained was '"):
        fit(output=output, resume=True, knowledge=other)
    with pytest.raises(ConfigError, match=r"pretrained was '.*', is None"):
        fit(output=output, resume=True, knowledge=Knowledge(), config={"pretrained_dim": 200})


def test_synthetic_sentences_are_not_made(
    make: Callable[..., Any], treebank: list[Sentence]
) -> None:
    assert make(treebank, sources=None)._swaps is not None
    assert make(treebank)._swaps is None


def test_moved_encoder_is_found_where_the_user_says(
    path: Path, folder: Path, make_encoder: Any, tmp_path: Path, treebank: list[Sentence]
) -> None:
    expected = str(load(path)(treebank[0]))
    moved = tmp_path / "moved"
    shutil.copytree(folder, moved)
    hidden = folder.rename(folder.with_name("hidden"))
    try:
        with pytest.raises(
            ConfigError,
            match=r"needs the pretrained encoder Tiny BERT \(fingerprint .*`pretrained`",
        ):
            load(path)
        model = load(path, pretrained=moved)
        assert str(model(treebank[0])) == expected
        copy = pickle.loads(pickle.dumps(model.only("tags", "lemmas", "tree")))
        assert str(copy(treebank[0])) == expected
    finally:
        hidden.rename(folder)
    other = make_encoder(tmp_path / "other", seed=9)
    with pytest.raises(ConfigError, match=r"other: holds other with the fingerprint"):
        load(path, pretrained=other)
    states = states_of(read_model_file(path).header, other)
    with pytest.raises(ConfigError, match=r"other: holds other with the fingerprint"):
        Model(read_model_file(path), states)(treebank[0])


def test_folder_is_refused_where_it_has_no_use(
    train: Callable[..., Any], folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "model.safetensors"
    train("joint", output=output, training={"epochs": 1})
    with pytest.raises(ConfigError, match="trained without a pretrained encoder"):
        load(output, pretrained=folder)
    knowledge = Knowledge(pretrained=str(folder))
    for task in ("tagger", "parser"):
        with pytest.raises(ConfigError, match="`pretrained` goes with a joint model"):
            train(task, knowledge=knowledge)
    with pytest.raises(ConfigError, match="`pretrained_dim` goes with `pretrained`"):
        train("joint", config={"pretrained_dim": 7})
    with pytest.raises(ConfigError, match="`cache` goes with `pretrained`"):
        Knowledge(cache="x")
    with pytest.raises(ConfigError, match="`pretrained` is nowhere, which does not exist"):
        train("joint", knowledge=Knowledge(pretrained="nowhere"))


def test_damaged_parts_are_refused(path: Path, tmp_path: Path) -> None:
    file = read_model_file(path)
    header = {name: value for name, value in file.header.items() if name != "checksum"}
    name = "encoder.pretrained.projection.weight"
    bad = tmp_path / "bad.safetensors"
    for changed in (
        header | {"pretrained": "no card"},
        header | {"pretrained": header["pretrained"] | {"layers": 4}},
        header | {"pretrained": header["pretrained"] | {"width": 15}},
        {key: value for key, value in header.items() if key != "pretrained"},
    ):
        write_model_file(bad, changed, file.arrays)
        with pytest.raises(CheckpointError, match=r"bad\.safetensors: "):
            load(bad)
    write_model_file(bad, header, {n: a for n, a in file.arrays.items() if n != name})
    with pytest.raises(CheckpointError, match=f"has no weights {name}"):
        load(bad)


WITHOUT = """
import sys, meprop_nlp
model = meprop_nlp.load(sys.argv[1])
print(model(["It", "rains"]).column("upos"))
print({"torch", "transformers"} & set(sys.modules))
"""


def test_models_without_an_encoder_load_neither_library(
    train: Callable[..., Any], tmp_path: Path
) -> None:
    output = tmp_path / "model.safetensors"
    train("joint", output=output, training={"epochs": 1})
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, output], capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("\nset()\n")


def test_states_are_rounded_as_in_training(
    path: Path, treebank: list[Sentence], states: PretrainedStates
) -> None:
    model = load(path)
    assert isinstance(model.states, FolderStates)
    forms = [sentence.forms for sentence in treebank]
    found = np.zeros((30, 3, 16), np.float32)
    for words, some in model.states.batches(forms):
        found[words] = some
    expected = states.read(states.rows(forms))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert json.loads(json.dumps(states.card.to_dict())) == states.card.to_dict()


def test_teacher_reads_the_states_of_the_network_that_learns(
    path: Path, states: PretrainedStates, treebank: list[Sentence], monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher = load(path)
    values = values_of(teacher.file.header)
    words, widths = torch.arange(12), {name: len(each) for name, each in values.items()}
    alone = Teachers([teacher], None, Hooks()).ask(treebank, values).read(words, widths)
    # no encoder is asked
    monkeypatch.setattr(PretrainedEncoder, "batches", lambda *_: pytest.fail("computed again"))
    shared = Teachers([teacher], None, Hooks(), states).ask(treebank, values)
    for name, found in shared.read(words, widths).items():
        torch.testing.assert_close(found.exp(), alone[name].exp(), atol=5e-3, rtol=5e-3)


def test_teacher_with_another_encoder_keeps_its_own(
    path: Path, states: PretrainedStates, treebank: list[Sentence]
) -> None:
    teacher = load(path)
    card = {**teacher.file.header["pretrained"], "fingerprint": "other"}
    file = ModelFile({**teacher.file.header, "pretrained": card}, teacher.file.arrays)
    with pytest.raises(ConfigError, match="but the model was trained with Tiny BERT, other"):
        Teachers([Model(file)], None, Hooks(), states).ask(treebank, {})


def test_encoder_of_a_teacher_may_have_moved(
    path: Path,
    folder: Path,
    make_encoder: Any,
    treebank: list[Sentence],
    train: Any,
    tmp_path: Path,
) -> None:
    moved, other = shutil.copytree(folder, tmp_path / "moved"), make_encoder(tmp_path / "x", seed=9)
    hidden = folder.rename(folder.with_name("hidden"))
    teacher = [str(path)]
    try:
        for given in (
            Knowledge(teacher=teacher),
            Knowledge(teacher=teacher, pretrained=str(other)),
        ):
            with pytest.raises(ConfigError, match=r"`teacher`: .* reads .* Tiny BERT .* give its"):
                train("joint", treebank, knowledge=given)
        for name in ("pretrained", "teacher_pretrained"):
            folders: Any = str(moved) if name == "pretrained" else [str(other), str(moved)]
            given = Knowledge(teacher=teacher, **{name: folders})
            if name == "teacher_pretrained":
                with pytest.raises(ConfigError, match="x holds x, which no `teacher` reads; leave"):
                    train("joint", treebank, knowledge=given)
                given = Knowledge(teacher=teacher, teacher_pretrained=[str(moved)])
            model = train("joint", treebank, knowledge=given, training={"epochs": 1})
            assert ("pretrained" in model.file.header) == (name == "pretrained")
        # nobody asks a model to start from about words
        start = Knowledge(init_from=str(path), pretrained=str(moved))
        model = train("joint", treebank, knowledge=start, training={"epochs": 1})
        assert model.file.header["pretrained"]["folder"] == str(moved)
    finally:
        hidden.rename(folder)
    with pytest.raises(ConfigError, match="`teacher_pretrained` goes with `teacher`"):
        Knowledge(teacher_pretrained=["x"])


def test_ensemble_reads_the_encoder_once(
    folder: Path, treebank: list[Sentence], train: Any, tmp_path: Path
) -> None:
    records: list[Any] = []
    train(
        "joint",
        treebank,
        knowledge=Knowledge(teachers=2, pretrained=str(folder)),
        config=WIDTHS,
        training={"epochs": 1},
        output=tmp_path / "m.safetensors",
        hooks=Hooks(on_record=records.append),
    )
    texts = [record.text for record in records if isinstance(record, Note)]
    assert sum(bool(re.search(r"BERT: \d+ words in", text)) for text in texts) == 1
