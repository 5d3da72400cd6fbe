"""Training a tokenizer: with a joint model, resumed, refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from meprop_nlp import JointModel
from meprop_nlp.config import JointConfig, Knowledge, Settings, TokenizerConfig, TrainingConfig
from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.data.document import Document
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.spaces import text_of
from meprop_nlp.data.tokens.alphabet import CATEGORIES
from meprop_nlp.data.tokens.composition import Composition
from meprop_nlp.errors import ConfigError
from meprop_nlp.models.file import TOKENIZER, read_header, read_model_file
from meprop_nlp.models.model import Model, load
from meprop_nlp.models.tokenizer import COMPOSITION, Tokenizer
from meprop_nlp.training import tokenizer as module
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.records import EpochRecord, Note, Step
from meprop_nlp.training.run import train, train_task
from meprop_nlp.training.tokenizer import (
    TokenizerTask,
    fitting_epochs,
    tokenizer_path,
    train_tokenizer,
    wants_tokenizer,
)

SMALL = JointConfig(
    heads=("tokens", "tags"), hidden=30, layers=1, word_dim=8, ngram_rows=100, arc_dim=8
)
QUICK = TrainingConfig(epochs=2, threads=1)


def text(words: str, *, final: str = ".") -> Sentence:
    forms = [*words.split(), *final]
    misc = ["_"] * (len(forms) - 2) + ["SpaceAfter=No", "_"]
    tags = ["PUNCT" if form == final else "NOUN" for form in forms]
    return Sentence.from_words(forms, upos=tags, misc=misc)


@pytest.fixture(scope="module")
def sentences() -> list[Sentence]:
    return [text("dogs bark"), text("a cat sleeps", final="!"), text("it rains often")] * 60


def trained(sentences: list[Sentence], path: Path | None = None, **more: Any) -> Any:
    options = {"output": path, "resume": False, "hooks": Hooks(), **more}
    training = replace(QUICK, epochs=20)
    return train_tokenizer(sentences, sentences[:30], training, train_task, **options)[0]


@pytest.fixture(scope="module")
def tokenizer(sentences: list[Sentence]) -> Tokenizer:
    return Tokenizer(trained(sentences))


def test_it_learns_where_tokens_and_sentences_end(tokenizer: Tokenizer) -> None:
    found = tokenizer.conllu("A dog rains. It barks! Dogs bark.")
    assert [line.split("\t")[1] for line in found.split("\n") if "\t" in line] == [
        "A", "dog", "rains", ".", "It", "barks", "!", "Dogs", "bark", ".",
    ]  # fmt: skip
    assert found.count("# text = ") == 3


def test_the_scores_are_stored(sentences: list[Sentence]) -> None:
    notes: list[str] = []
    steps = []

    def on_record(record: Note | Step | EpochRecord) -> None:
        assert not isinstance(record, EpochRecord)  # these are the model's
        if isinstance(record, Note):
            notes.append(record.text)
        else:
            steps.append(record)

    file = trained(sentences, hooks=Hooks(on_record=on_record))
    assert file.header[TOKENIZER]["scores"].keys() == {"tokens", "sentence_spans", "words"}
    assert "Tokens" in notes[-1]
    assert steps


def test_it_learns_which_new_tokens_are_several_words(
    suffixed: list[Sentence], monkeypatch: pytest.MonkeyPatch
) -> None:
    def made() -> Any:
        training = replace(QUICK, epochs=1)
        options: dict[str, Any] = {"output": None, "resume": False, "hooks": Hooks()}
        return train_tokenizer(suffixed, suffixed[-200:], training, train_task, **options)[0]

    file = made()
    found = next(read_text(Tokenizer(file).conllu("tetedi koto pabodi tete")))
    assert found.forms == ["tete", "di", "koto", "pabodi", "tete"]
    # where dev says that the network does better, it decides
    monkeypatch.setattr(Composition, "is_multiword", lambda *_: True)
    alone = made()
    assert any(name.startswith(COMPOSITION) for name in file.arrays)
    assert not any(name.startswith(COMPOSITION) for name in alone.arrays)
    assert alone.header[TOKENIZER]["scores"] == alone.header["scores"]
    assert alone.header["scores"]["words"] > 50


def test_gradients_are_sparse_and_dense_ones_differ(sentences: list[Sentence]) -> None:
    def gradient(k: int) -> np.ndarray:
        torch.manual_seed(1)
        config = TokenizerConfig(k=k, dropout=0)
        task = TokenizerTask(sentences, [], config, torch.device("cpu"))
        task.loss(next(task.batches(np.random.default_rng(1)))).backward()
        grad = task.network.layer.left_to_right.weight_hh_l0.grad
        assert grad is not None
        return grad.numpy()

    assert np.abs(gradient(2) - gradient(0)).max() > 0
    np.testing.assert_allclose(gradient(64), gradient(0), atol=1e-6)


def test_a_stopped_run_goes_on_to_the_same_weights(
    sentences: list[Sentence], tmp_path: Path
) -> None:
    whole = trained(sentences, tmp_path / "whole.safetensors")
    n_steps = 0

    def stop() -> bool:
        nonlocal n_steps
        n_steps += 1
        return n_steps == 9

    path = tmp_path / "model.safetensors"
    with pytest.raises(KeyboardInterrupt):
        trained(sentences, path, hooks=Hooks(stop=stop))
    resumed = trained(sentences, path, resume=True)
    for name, array in whole.arrays.items():
        np.testing.assert_array_equal(resumed.arrays[name], array, err_msg=name)


def test_a_finished_tokenizer_is_taken_when_the_model_is_resumed(
    sentences: list[Sentence], tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    first = trained(sentences, path)
    before = tokenizer_path(path).stat().st_mtime_ns
    again = trained(sentences, path, resume=True)
    assert tokenizer_path(path).stat().st_mtime_ns == before
    assert again.header[TOKENIZER] == first.header[TOKENIZER]
    with pytest.raises(ConfigError, match=r"data\.train\.\w+ was .*start anew without `resume`"):
        trained(sentences[1:], path, resume=True)
    assert tokenizer_path(path).stat().st_mtime_ns == before


class KilledError(Exception):
    """The run ends without a word."""


def run(sentences: list[Sentence], path: Path, until: str = "", **more: Any) -> list[str]:
    """Train a joint model; return its notes. It is killed at a note that begins with `until`."""
    notes: list[str] = []

    def on_record(record: Any) -> None:
        if isinstance(record, Note):
            notes.append(record.text)
            if until and record.text.startswith(until):
                raise KilledError

    options = {"seed": 1, "network": SMALL, "resume": False, "hooks": Hooks(on_record), **more}
    training, network = replace(QUICK, seed=options.pop("seed")), options.pop("network")
    settings = Settings.of("joint", hidden=network.hidden)
    settings = replace(settings, network=network, training=training)
    train("joint", sentences, sentences[:30], settings=settings, output=path, **options)
    return notes


def stopped(sentences: list[Sentence], path: Path) -> None:
    """Stop a run in the second epoch of its network."""
    epochs: list[int] = []

    def on_record(record: Any) -> None:
        if isinstance(record, Note) and record.text.startswith("keeps the model"):
            epochs.append(0)
        if epochs and isinstance(record, EpochRecord):
            epochs.append(record.epoch)

    with pytest.raises(KeyboardInterrupt):
        run(sentences, path, hooks=Hooks(on_record=on_record, stop=lambda: len(epochs) > 1))


def test_other_settings_are_refused_before_anything_is_trained_anew(
    sentences: list[Sentence], tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    stopped(sentences, path)
    before = tokenizer_path(path).read_bytes()
    with pytest.raises(ConfigError, match=r"training\.seed was 1, is 2"):
        run(sentences, path, seed=2, resume=True)
    with pytest.raises(ConfigError, match=r"data\.train\.\w+ was"):
        run(sentences[1:], path, resume=True)
    assert tokenizer_path(path).read_bytes() == before
    assert not any(note.startswith("tokenizer") for note in run(sentences, path, resume=True))


def test_a_new_run_does_not_go_on_from_what_an_older_one_left(
    sentences: list[Sentence], tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    stopped(sentences, path)
    with pytest.raises(KilledError):  # once its tokenizer is finished
        run(sentences, path, "keeps the model", seed=2)
    assert not any(
        note.startswith("tokenizer") for note in run(sentences, path, seed=2, resume=True)
    )


def test_a_run_that_never_began_is_refused_before_teachers_are_asked(
    sentences: list[Sentence], tmp_path: Path
) -> None:
    teacher, path = tmp_path / "teacher.safetensors", tmp_path / "model.safetensors"
    run(sentences, teacher)
    records: list[Any] = []
    with pytest.raises(ConfigError, match=r"`resume`: there is no .*model\.checkpoint"):
        run(
            sentences,
            path,
            network=replace(SMALL, heads=("tags",)),
            resume=True,
            knowledge=Knowledge(teacher=[str(teacher)]),
            hooks=Hooks(on_record=records.append),
        )
    assert records
    assert not [record for record in records if "answered" in str(record)]


def test_one_that_was_killed_before_its_checkpoint_is_trained_anew(
    sentences: list[Sentence], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.safetensors"

    def kill(*arguments: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr("meprop_nlp.training.outputs.Checkpoint.save", kill)
        with pytest.raises(RuntimeError, match="killed"):
            trained(sentences, path)
    assert tokenizer_path(path).exists()
    found, expected = trained(sentences, path, resume=True), trained(sentences)
    assert found.header["scores"] == expected.header["scores"]
    assert all(np.array_equal(array, found.arrays[n]) for n, array in expected.arrays.items())


def test_a_joint_model_has_a_tokenizer(sentences: list[Sentence], tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    trained_model = JointModel.train(
        sentences, sentences[:30], config=SMALL, training=QUICK, output=path
    )
    model = load(path)
    assert model.tokenizer is not None
    assert list(model.heads) == ["tags"]
    text = "Dogs bark. \n\nIt rains"
    document = model(text)
    assert isinstance(document, Document)
    assert text_of(document) == text
    assert document == trained_model(text)
    assert sorted(found.name for found in tmp_path.iterdir()) == [
        "model.jsonl", "model.safetensors",
    ]  # fmt: skip
    assert "characters" in read_header(path)[TOKENIZER]


def test_a_model_that_starts_from_another_keeps_its_tokenizer(
    sentences: list[Sentence], tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    JointModel.train(sentences, config=SMALL, training=QUICK, output=path)
    words = [Sentence.from_words(["a", "b"], upos=["X", "Y"])] * 12  # of no text

    def tuned_with(*heads: str) -> Model:
        settings = Settings(network=replace(SMALL, heads=heads), training=QUICK)
        return train("joint", words, settings=settings, knowledge=Knowledge(init_from=str(path)))

    tuned = tuned_with()
    assert tuned.tokenizer is not None
    assert tuned_with("tags").tokenizer is None
    assert tuned.tokenizer.conllu("a b") == load(path).tokenizer.conllu("a b")  # type: ignore[union-attr]


def test_without_tokens_among_its_heads_a_model_has_none(sentences: list[Sentence]) -> None:
    config = replace(SMALL, heads=("tags",))
    assert JointModel.train(sentences, config=config, training=QUICK).tokenizer is None
    words = [Sentence.from_words(["a", "b"], upos=["X", "Y"])] * 12
    config = replace(SMALL, heads=())
    assert JointModel.train(words, config=config, training=QUICK).tokenizer is None


def test_a_treebank_without_texts_is_refused_where_a_tokenizer_is_asked_for() -> None:
    words = [Sentence.from_words(["a", "b"], upos=["X", "Y"])] * 12
    with pytest.raises(ConfigError, match="neither `# text` nor SpaceAfter=No"):
        wants_tokenizer(SMALL, words)
    with pytest.raises(ConfigError, match="goes with another head"):
        JointModel.train(
            [text("dogs bark")] * 12, config=replace(SMALL, heads=("tokens",)), training=QUICK
        )


def test_rare_characters_are_hidden_in_training(
    sentences: list[Sentence], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WINDOW", 50)
    config = TokenizerConfig(character_dropout=0.5)
    task = TokenizerTask(sentences, [], config, torch.device("cpu"))
    numbers = torch.cat(
        [batch.numbers.flatten() for batch in task.batches(np.random.default_rng(1))]
    ).numpy()
    hidden = np.mean(numbers < len(CATEGORIES))
    assert 0.4 < hidden < 0.6
    assert task.n_batches > 1


def test_the_file_beside_the_output_is_a_tokenizer(
    sentences: list[Sentence], tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    file = trained(sentences, path)
    stored = read_model_file(tokenizer_path(path))
    assert stored.header["task"] == TOKENIZER
    text = "Dogs bark. It rains!"
    assert Tokenizer(stored).conllu(text) == Tokenizer(file).conllu(text)


@pytest.mark.parametrize(
    ("n_characters", "expected"),
    [(1, 100), (30_000, 24), (560_000, 24), (1_000_000, 16), (1_100_000, 14), (10**8, 14)],
)
def test_a_larger_text_has_fewer_epochs(n_characters: int, expected: int) -> None:
    assert fitting_epochs(n_characters) == expected
