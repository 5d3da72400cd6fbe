"""A joint model whose pretrained encoder is trained with it: learnt, stored, resumed, moved."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from meprop_nlp import load, read
from meprop_nlp.config import Knowledge
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import ConfigError, DataError
from meprop_nlp.models.encoder_folder import encoder_path
from meprop_nlp.models.file import read_header, read_model_file
from meprop_nlp.models.pretrained import PretrainedEncoder
from meprop_nlp.training.checkpoint import Checkpoint, checkpoint_path
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.knowledge.sources import Sources
from meprop_nlp.training.knowledge.transformer import FineTuning, Pieces, Transformer
from meprop_nlp.training.records import Note

RATE = 0.01
LONG = ["the", "dog", "walking", "é", "", "zzzzz"] * 12  # more pieces than the window has room for


@pytest.fixture(scope="module")
def folder(make_encoder: Any, tmp_path_factory: Any) -> Path:
    folder: Path = make_encoder(tmp_path_factory.mktemp("encoder") / "bert")
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# Tiny BERT\n")
    (folder / "LICENSE.txt").write_text("Do as you like.")
    return folder


@pytest.fixture(scope="module")
def fit(train: Callable[..., Any], folder: Path) -> Callable[..., Any]:
    """Train a tiny joint model, and the encoder with it."""

    def run(dev: Any = None, **given: Any) -> Any:
        about = {"pretrained": str(folder), "fine_tune": True, "fine_tune_rate": RATE}
        given["config"] = {"pretrained_dim": 5} | given.get("config", {})
        knowledge = Knowledge(**{**about, **given.pop("about", {})})
        return train("joint", None, dev, **{"knowledge": knowledge, **given})

    return run


@pytest.fixture(scope="module")
def path(fit: Callable[..., Any], treebank: list[Sentence], tmp_path_factory: Any) -> Path:
    """The file of a trained model."""
    found: Path = tmp_path_factory.mktemp("joint") / "model.safetensors"
    fit(treebank, output=found, training={"epochs": 2})
    return found


def answers(model: Any, sentences: list[Sentence]) -> list[str]:
    return [str(model(sentence)) for sentence in sentences]


def test_transformer_gives_the_encoders_states_in_the_order_of_the_minibatch(
    folder: Path,
) -> None:
    encoder = PretrainedEncoder(folder)
    sentences = [LONG, ["dog"], ["", "é"], ["the", "dog"] * 3]
    n_words = sum(map(len, sentences))
    order = np.random.default_rng(2).permutation(n_words)
    pieces = Pieces.of(encoder, sentences, order, torch.device("cpu"))
    transformer = Transformer(encoder.network)
    found = transformer.eval()(pieces)
    expected = encoder.states(sentences)[order]
    np.testing.assert_allclose(found.detach().numpy(), expected, atol=1e-5)
    with torch.no_grad():
        assert not torch.allclose(transformer.train()(pieces), found)  # its dropout is on
    found.square().sum().backward()
    table = transformer.network.get_input_embeddings().weight
    read = torch.cat([batch.ids.flatten() for batch in pieces.batches]).unique()
    assert (table.grad[read].abs().sum(1) > 0).sum() >= len(read) - 1  # all but the padding
    assert all(p.grad is None for p in encoder.network.parameters())


def test_all_weights_learn_at_rates_of_their_own(
    make_joint: Callable[..., Any], treebank: list[Sentence], folder: Path
) -> None:
    encoder = PretrainedEncoder(folder)
    sources = Sources(fine_tuning=FineTuning(encoder, RATE))
    task = make_joint(treebank, batch_size=30, sources=sources, pretrained_dim=5)
    main, others = task.parameter_groups()
    n = len(list(task.network.parameters()))
    assert len(main["params"]) + len(others["params"]) == n
    assert others == {"params": others["params"], "lr": RATE, "weight_decay": 0.0}
    assert {id(p) for p in others["params"]} == {
        id(p) for p in task.network.encoder.transformer.parameters()
    }
    task.network.eval()
    optimizer = torch.optim.SGD(task.parameter_groups(), lr=0.05)
    (batch,) = task.batches(np.random.default_rng(1))
    losses = []
    for group in (others, main):  # each kind of weights alone lowers the loss
        for parameter in (*main["params"], *others["params"]):
            parameter.requires_grad_(any(parameter is p for p in group["params"]))
        for _ in range(4):
            loss = task.loss(batch)
            losses.append(float(loss.detach()))
            loss.backward()
            optimizer.step()
            task.network.zero_grad(set_to_none=True)
    assert losses == sorted(losses, reverse=True)
    assert not any(name.startswith("encoder.transformer.") for name in task.arrays())
    assert task._swaps is None  # it would have to read the swapped sentences


def test_the_encoder_is_kept_beside_the_model(
    path: Path, folder: Path, treebank: list[Sentence]
) -> None:
    kept, header = encoder_path(path), read_header(path)
    assert kept.name == "model.encoder"
    base, card = PretrainedEncoder(folder).card, PretrainedEncoder(kept).card
    assert header["pretrained"] == {
        "folder": "model.encoder", "name": "Tiny BERT", "fingerprint": card.fingerprint,
        "licence": "mit", "layers": 3, "width": 16, "fine_tuned": True,
    }  # fmt: skip
    assert header["training"]["pretrained"] == base.fingerprint != card.fingerprint
    assert header["training"]["fine_tune_rate"] == RATE
    before, after = (load_file(each / "model.safetensors") for each in (folder, kept))
    assert before.keys() == after.keys()
    same = {n for n, array in before.items() if np.array_equal(array, after[n])}
    assert all("pooler" in name for name in same), same
    for name in ("README.md", "LICENSE.txt", "tokenizer.json"):
        assert (kept / name).read_bytes() == (folder / name).read_bytes()
    assert json.loads((kept / "fine_tuned.json").read_text())["trained_from"] == "Tiny BERT"
    assert sorted(p.name for p in path.parent.iterdir()) == [
        "model.encoder", "model.jsonl", "model.safetensors",
    ]  # fmt: skip
    scores = load(path).evaluate(treebank)
    for name in ("upos", "lemmas", "las"):
        assert getattr(scores, name) == pytest.approx(header["scores"][name], abs=1e-6), name


SCRIPT = """
import sys, meprop_nlp
model = meprop_nlp.load(sys.argv[1])
for sentence in meprop_nlp.read(sys.argv[2]):
    print(model(sentence), end="<end>")
"""


def test_model_and_encoder_move_together(
    path: Path, treebank: list[Sentence], tmp_path: Path
) -> None:
    expected = answers(load(path), treebank)
    moved = tmp_path / "moved"
    shutil.copytree(path.parent, moved)
    renamed = (moved / path.name).rename(moved / "renamed.safetensors")
    given = tmp_path / "given.conllu"
    given.write_text("".join(f"{sentence}\n" for sentence in treebank))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, renamed, given], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("<end>")[:-1] == answers(load(path), list(read(given)))
    saved = tmp_path / "saved.safetensors"
    load(renamed).save(saved)
    shutil.rmtree(moved)
    assert answers(load(saved), treebank) == expected
    assert read_header(saved)["pretrained"]["folder"] == "saved.encoder"
    load(saved).save(saved)  # onto itself
    shutil.move(encoder_path(saved), tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match=r"needs the encoder that was trained with it, Tiny"):
        load(saved)
    assert answers(load(saved, pretrained=tmp_path / "elsewhere"), treebank) == expected


def test_resumed_run_ends_with_the_same_model_and_encoder(
    fit: Callable[..., Any], treebank: list[Sentence], tmp_path: Path
) -> None:
    whole, part = tmp_path / "whole.safetensors", tmp_path / "part.safetensors"
    options: dict[str, Any] = {
        "training": {"epochs": 4}, "simplify": {"first_cut_epoch": 2, "keep": 0.5},
    }  # fmt: skip
    fit(treebank, output=whole, **options)
    n_steps = 0

    def stop() -> bool:
        nonlocal n_steps
        n_steps += 1
        return n_steps == 12  # in the third epoch, with a teacher

    with pytest.raises(KeyboardInterrupt):
        fit(treebank, output=part, hooks=Hooks(stop=stop), **options)
    progress = Checkpoint.load(checkpoint_path(part)).progress
    assert (progress["epoch"], progress["batch"] > 0) == (2, True)
    with pytest.raises(ConfigError, match=r"fine_tune_rate was 0\.01, is 0\.02"):
        fit(treebank, output=part, resume=True, about={"fine_tune_rate": 0.02}, **options)
    fit(treebank, output=part, resume=True, **options)
    one, two = read_model_file(whole), read_model_file(part)
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(two.arrays[name], array)
    assert one.header["pretrained"]["fingerprint"] == two.header["pretrained"]["fingerprint"]
    assert one.header["scores"] == two.header["scores"]


def test_a_run_does_not_go_on_without_the_encoder_of_its_best_model(
    fit: Callable[..., Any], tmp_path: Path, stop_after_epoch: Callable[[int], Hooks]
) -> None:
    output = tmp_path / "model.safetensors"
    with pytest.raises(KeyboardInterrupt):
        fit(output=output, hooks=stop_after_epoch(1))
    shutil.rmtree(encoder_path(output))
    with pytest.raises(ConfigError, match=r"`resume`: .*model\.encoder, the encoder of the best"):
        fit(output=output, resume=True)


@pytest.mark.parametrize("of", ["new", "new.teacher-2"])
def test_folders_of_others_are_not_replaced(
    fit: Callable[..., Any], path: Path, tmp_path: Path, of: str
) -> None:
    output = tmp_path / "new.safetensors"
    foreign = tmp_path / f"{of}.encoder"
    foreign.mkdir()
    (foreign / "diary.txt").write_text("mine")
    told = rf"{of}\.encoder: is there already, and is no encoder"
    with pytest.raises(ConfigError, match=told):
        fit("nowhere.conllu", output=output, about={"teachers": 2})
    with pytest.raises(ConfigError, match=told):
        load(path).save(tmp_path / f"{of}.safetensors")
    assert [p.name for p in tmp_path.rglob("*")] == [foreign.name, "diary.txt"]


@pytest.mark.parametrize("of", ["new", "new.teacher-1"])
def test_what_a_kill_left_of_an_encoder_is_removed(
    fit: Callable[..., Any], tmp_path: Path, of: str
) -> None:
    left = tmp_path / f".{of}.encoder.a1b2c3_d"
    left.mkdir()
    with pytest.raises(DataError, match="nowhere"):
        fit(["nowhere.conllu"], output=tmp_path / "new.safetensors", about={"teachers": 1})
    assert list(tmp_path.iterdir()) == []


def test_encoder_that_is_read_is_not_replaced(fit: Callable[..., Any], path: Path) -> None:
    own = str(encoder_path(path))
    with pytest.raises(ConfigError, match=r"model\.encoder: holds an encoder that this run reads"):
        fit(output=path, about={"pretrained": own})
    with pytest.raises(ConfigError, match=r"model\.encoder: holds an encoder that this run reads"):
        fit(output=path, about={"teacher": [str(path)]})
    with pytest.raises(ConfigError, match="`fine_tune` needs `output`, a model file"):
        fit()


def test_a_new_run_replaces_the_encoder_or_removes_it(
    fit: Callable[..., Any], train: Callable[..., Any], path: Path, tmp_path: Path
) -> None:
    for name in (path.name, encoder_path(path).name):
        copy = shutil.copytree if (path.parent / name).is_dir() else shutil.copy
        copy(path.parent / name, tmp_path / name)
    output, once = tmp_path / path.name, {"training": {"epochs": 1}}
    (encoder_path(output) / "left.txt").write_text("over")
    fit(output=output, **once)
    assert not (encoder_path(output) / "left.txt").exists()
    load(output)
    reading = Knowledge(pretrained=str(encoder_path(output)))
    train("joint", output=output, knowledge=reading, **once)
    load(output)  # reads it, frozen
    fit(output=output, about={"pretrained": str(shutil.copytree(
        encoder_path(output), tmp_path / "base"))}, **once)  # fmt: skip
    train("joint", output=output, **once)
    assert not encoder_path(output).exists()


def test_a_new_run_removes_the_encoders_of_teachers_that_it_replaces(
    fit: Callable[..., Any], train: Callable[..., Any], tmp_path: Path
) -> None:
    output, once = tmp_path / "m.safetensors", {"training": {"epochs": 1}}
    fit(output=output, about={"teachers": 1}, **once)
    assert len(list(tmp_path.glob("*.encoder"))) == 2
    train("joint", output=output, knowledge=Knowledge(teachers=1), **once)
    assert not list(tmp_path.glob("*.encoder"))


def test_model_teaches_as_one_with_a_frozen_encoder(
    train: Callable[..., Any], fit: Callable[..., Any], path: Path, tmp_path: Path
) -> None:
    output = tmp_path / "student.safetensors"
    knowledge = Knowledge(teacher=[str(path)], cache=str(tmp_path / "cache"))
    train("joint", output=output, knowledge=knowledge, training={"epochs": 1})
    header = read_header(output)
    assert header["taught_with"] == ["Tiny BERT (licence: mit)"]
    assert "pretrained" not in header
    assert encoder_path(path).is_dir()
    ensemble = tmp_path / "ensemble.safetensors"
    fit(output=ensemble, about={"teachers": 2}, training={"epochs": 1})
    weights = [
        load_file(tmp_path / f"ensemble{part}.encoder" / "model.safetensors")
        for part in ("", ".teacher-1", ".teacher-2")
    ]
    name = "encoder.layer.0.output.dense.weight"
    assert len({weight[name].tobytes() for weight in weights}) == 3


def test_training_starts_from_a_model_and_its_encoder(
    fit: Callable[..., Any], path: Path, tmp_path: Path
) -> None:
    output = tmp_path / "further.safetensors"
    about = {"init_from": str(path), "pretrained": str(encoder_path(path)), "fine_tune_rate": 1e-9}
    slow = {"epochs": 1, "learning_rate": 1e-9}
    fit(output=output, about=about, training=slow)
    name = "encoder.layer.0.output.dense.weight"
    before, after = (load_file(encoder_path(p) / "model.safetensors") for p in (path, output))
    np.testing.assert_allclose(after[name], before[name], atol=1e-6)
    name = "encoder.pretrained.projection.weight"
    before, after = (read_model_file(p).arrays for p in (path, output))
    np.testing.assert_allclose(after[name], before[name], atol=0.01)


def test_training_says_that_a_cpu_is_slow(fit: Callable[..., Any], tmp_path: Path) -> None:
    notes: list[str] = []

    def note(record: Any) -> None:
        if isinstance(record, Note):
            notes.append(record.text)

    fit(output=tmp_path / "m.safetensors", training={"epochs": 1}, hooks=Hooks(on_record=note))
    assert any("Tiny BERT is trained on the CPU, several times slower" in text for text in notes)


def test_settings_without_use_are_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="`fine_tune` goes with `pretrained`"):
        Knowledge(fine_tune=True)
    with pytest.raises(ConfigError, match="`fine_tune_rate` goes with `fine_tune`"):
        Knowledge(pretrained=str(folder), fine_tune_rate=1e-5)
    with pytest.raises(ConfigError, match="`cache` and `fine_tune` exclude each other without"):
        Knowledge(pretrained=str(folder), fine_tune=True, cache="x")
    Knowledge(pretrained=str(folder), fine_tune=True, cache="x", teachers=2)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_encoder_is_trained_on_a_gpu(
    fit: Callable[..., Any], treebank: list[Sentence], tmp_path: Path
) -> None:
    output = tmp_path / "model.safetensors"
    fit(treebank, output=output, training={"epochs": 2, "device": "cuda"})
    header = read_header(output)
    scores = load(output).evaluate(treebank)
    assert scores.upos == pytest.approx(header["scores"]["upos"], abs=0.5)
