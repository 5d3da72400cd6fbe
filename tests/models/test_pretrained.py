"""`PretrainedEncoder`: its states, sentence by sentence by definition; what it refuses."""

from __future__ import annotations

import json
import shutil
import socket
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from meprop_nlp.errors import ConfigError, DataError
from meprop_nlp.models import pretrained
from meprop_nlp.models.pretrained import PretrainedEncoder
from meprop_nlp.models.windows import windows

SENTENCES = [
    ["The", "dog", "barks", "."],
    [],
    ["\u200b", "a\u00a0dog", "Walking", "\x01", "!"],  # two words without pieces
    ["go"],
    ["the", "very", "big", "dog", "\ud800", "runs", "!"],
]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> None:
        raise AssertionError("no test connects to anything")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(scope="module", params=["bert", "roberta"])
def folder(request: Any, make_encoder: Any, tmp_path_factory: Any) -> Path:
    return make_encoder(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def encoder(folder: Path) -> PretrainedEncoder:
    return PretrainedEncoder(folder)


@pytest.fixture(scope="module")
def by_definition(folder: Path) -> Callable[[list[str]], np.ndarray]:
    """The states of a sentence that fits: each word's pieces, found by the tokenizer."""
    import torch
    from tokenizers import pre_tokenizers
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    if "roberta" in str(folder):  # a space before each word
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    model = AutoModel.from_pretrained(folder).eval()

    def states(sentence: list[str]) -> np.ndarray:
        encoded = tokenizer([sentence], is_split_into_words=True, return_tensors="pt")
        with torch.no_grad():
            output = model(**encoded, output_hidden_states=True)
        hidden = torch.stack(output.hidden_states, 2)[0].numpy()  # (T, layers, width)
        found = np.zeros((len(sentence), *hidden.shape[1:]), np.float32)
        for word in range(len(sentence)):
            pieces = [n for n, of in enumerate(encoded.word_ids(0)) if of == word]
            if pieces:
                found[word] = hidden[pieces].mean(0)
        return found

    return states


def test_states_are_the_means_over_pieces(
    encoder: PretrainedEncoder, by_definition: Callable[[list[str]], np.ndarray]
) -> None:
    sentences = [[form.replace("\ud800", "?") for form in sentence] for sentence in SENTENCES]
    expected = np.concatenate([by_definition(sentence) for sentence in sentences if sentence])
    found = encoder.states(SENTENCES)
    assert found.shape == (sum(map(len, SENTENCES)), 3, 16)
    assert found.dtype == np.float32
    assert (encoder.card.layers, encoder.card.width) == (3, 16)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert encoder.states([]).shape == (0, 3, 16)
    assert encoder.states([[]]).shape == (0, 3, 16)


def test_words_without_pieces_have_zeros(make_encoder: Any, tmp_path: Path) -> None:
    found = PretrainedEncoder(make_encoder(tmp_path)).states([SENTENCES[2]])
    assert (found == 0).all((1, 2)).tolist() == [True, False, False, True, False]


def test_states_do_not_depend_on_the_sentences_beside(
    encoder: PretrainedEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = encoder.states(SENTENCES)
    alone = np.concatenate([encoder.states([sentence]) for sentence in SENTENCES])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_array_equal(encoder.states(SENTENCES), together)
    monkeypatch.setattr(pretrained, "BATCH_PIECES", 20)  # several batches
    assert len(list(encoder.batches(SENTENCES))) > 1
    np.testing.assert_allclose(encoder.states(SENTENCES), together, atol=1e-5)


def test_long_sentences_are_read_in_windows(
    encoder: PretrainedEncoder, by_definition: Callable[[list[str]], np.ndarray]
) -> None:
    sentence = [letter * (1 + n % 3) for n, letter in enumerate("abcdefghijklmnopqrstuvwxyz" * 2)]
    found = encoder.states([["go"], sentence, ["the", "dog"]])[1:-2]
    sizes = [len(word) for word in next(encoder._pieces([sentence]))]
    cut = windows(sizes, encoder._room)
    assert len(cut) > 2
    for start, end, taken in cut:
        expected = by_definition(sentence[start:end])
        inside = [word - start for word in taken]
        np.testing.assert_allclose(found[taken], expected[inside], atol=1e-5)


def test_the_window_is_what_the_encoder_has_positions_for(
    encoder: PretrainedEncoder, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # RoBERTa's first position is the one after that of its padding
    assert encoder._window() == (39 if encoder._model.config.model_type == "roberta" else 40)
    monkeypatch.setattr(pretrained, "WINDOW", 20)
    assert PretrainedEncoder(folder)._room == 18


def test_only_the_beginning_of_a_very_long_word_is_read(
    encoder: PretrainedEncoder, by_definition: Callable[[list[str]], np.ndarray]
) -> None:
    is_bert = encoder._model.config.model_type == "bert"
    n_letters = encoder._room - (not is_bert)  # a piece of bytes is the space before the word
    (pieces,) = encoder._pieces([["dog", "x" * 90, "go"]])
    assert len(pieces[1]) == encoder._room
    found = encoder.states([["dog", "x" * 90, "go"]])
    beginning = by_definition(["x" * n_letters])
    np.testing.assert_allclose(found[1], beginning[0], atol=1e-5)


def test_threads_share_an_encoder(encoder: PretrainedEncoder) -> None:
    expected = encoder.states(SENTENCES)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(encoder.states, [SENTENCES] * 8):
            np.testing.assert_array_equal(found, expected)


@pytest.fixture
def copied(make_encoder: Any, tmp_path: Path) -> Path:
    """A BERT that a test may damage."""
    folder: Path = make_encoder(tmp_path / "bert")
    return folder


def change(folder: Path, **changes: Any) -> None:
    """Change the folder's configuration."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_decoders_are_refused(make_encoder: Any, tmp_path: Path, copied: Path) -> None:
    folder = make_encoder(tmp_path / "gpt2", "gpt2")
    with pytest.raises(ConfigError, match=r"gpt2: holds a gpt2, .*decoder.*; expected an encoder"):
        PretrainedEncoder(folder)
    change(copied, is_decoder=True)
    with pytest.raises(ConfigError, match="holds a bert, which is a decoder"):
        PretrainedEncoder(copied)
    change(copied, is_decoder=False, is_encoder_decoder=True)
    with pytest.raises(ConfigError, match="holds a bert, which is an encoder with a decoder"):
        PretrainedEncoder(copied)
    change(copied, is_encoder_decoder=False, model_type="none")
    with pytest.raises(DataError, match=f"{copied}: config.json cannot be loaded"):
        PretrainedEncoder(copied)


def test_code_of_the_folder_is_not_run(copied: Path) -> None:
    (copied / "own.py").write_text("raise SystemExit('run')")
    change(copied, model_type="own", auto_map={"AutoConfig": "own.C", "AutoModel": "own.M"})
    with pytest.raises(DataError, match=r"config\.json cannot be loaded"):
        PretrainedEncoder(copied)


def test_tokenizer_must_fit_the_embeddings(make_encoder: Any, tmp_path: Path) -> None:
    small = make_encoder(tmp_path / "small", vocab_size=40)
    with pytest.raises(DataError, match=r"has 63 pieces, but the encoder embeddings for 40"):
        PretrainedEncoder(small)


def test_weights_must_be_those_of_the_configuration(copied: Path) -> None:
    change(copied, num_hidden_layers=3)
    with pytest.raises(DataError, match=r"weights lack \d+ of the arrays of BertModel, such as"):
        PretrainedEncoder(copied)
    change(copied, num_hidden_layers=2, hidden_size=8)
    with pytest.raises(DataError, match="the weights cannot be loaded"):
        PretrainedEncoder(copied)


def test_states_that_are_not_finite_are_refused(copied: Path) -> None:
    from safetensors.numpy import load_file, save_file

    arrays = load_file(copied / "model.safetensors")
    arrays["encoder.layer.1.output.dense.bias"][0] = np.inf
    save_file(arrays, copied / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(DataError, match="states that are not finite"):
        PretrainedEncoder(copied).states(SENTENCES)


def test_nothing_is_written_to_the_terminal(copied: Path, capfd: Any) -> None:
    PretrainedEncoder(copied).states([["dog"] * 100])
    assert capfd.readouterr() == ("", "")


def test_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(ConfigError, match=r"pip install 'meprop-nlp\[transformers\]'"):
        PretrainedEncoder(tmp_path)


def test_a_copy_has_the_same_fingerprint(encoder: PretrainedEncoder, tmp_path: Path) -> None:
    shutil.copytree(encoder._path, tmp_path / "copy")
    copy = PretrainedEncoder(tmp_path / "copy")
    assert copy.card.fingerprint == encoder.card.fingerprint
    assert copy.card.folder != encoder.card.folder
