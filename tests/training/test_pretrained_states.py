"""`PretrainedStates`: the states on disk are the encoder's; files are whole, or made anew."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import DataError
from meprop_nlp.models.pretrained import PretrainedEncoder
from meprop_nlp.models.word_states import LEVELS, RoundedStates
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.knowledge import pretrained_states
from meprop_nlp.training.knowledge.pretrained_states import PretrainedStates
from meprop_nlp.training.records import Note


@pytest.fixture(scope="module")
def encoder(make_encoder: Any, tmp_path_factory: Any) -> PretrainedEncoder:
    return PretrainedEncoder(make_encoder(tmp_path_factory.mktemp("bert")))


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained_states, "FILE_WORDS", 8)
    monkeypatch.setattr(pretrained_states, "BATCH_WORDS", 5)


@pytest.fixture
def notes() -> list[Note]:
    return []


@pytest.fixture
def stored(
    encoder: PretrainedEncoder, treebank: list[Sentence], tmp_path: Path, notes: list[Note]
) -> Callable[..., PretrainedStates]:
    """Compute or read the states of train and dev."""

    def run(dev: Any = (), cache: Any = tmp_path, stop: Any = lambda: False) -> PretrainedStates:
        hooks = Hooks(on_record=notes.append, stop=stop)  # type: ignore[arg-type]
        treebanks = [[s.forms for s in part] for part in (treebank, dev)]
        return PretrainedStates(encoder, treebanks, cache, hooks)

    return run


def of_words(states: PretrainedStates, sentences: Any) -> np.ndarray:
    return states.read(states.rows([sentence.forms for sentence in sentences]))


def test_rounding_keeps_each_value_to_half_a_step() -> None:
    states = np.random.default_rng(1).normal(size=(5, 3, 8)).astype(np.float32)
    states[2] = 0
    found = RoundedStates.of(states)
    assert found.digits.dtype == np.int8
    steps = np.abs(states).max(2, keepdims=True) / LEVELS
    assert (np.abs(found.values() - states) <= steps * 0.501).all()
    again = RoundedStates.of(found.values())
    np.testing.assert_array_equal(again.digits, found.digits)
    assert RoundedStates.of(states[:0]).values().shape == (0, 3, 8)


def test_states_are_the_encoders(
    stored: Any, encoder: PretrainedEncoder, treebank: list[Sentence]
) -> None:
    dev = [Sentence.from_words(["It", "barks"]), treebank[0], treebank[3]]
    states = stored(dev)
    for sentences in (treebank, dev):
        forms = [sentence.forms for sentence in sentences]
        expected = encoder.states(forms)
        found = of_words(states, sentences)
        steps = np.abs(expected).max(2, keepdims=True) / LEVELS
        assert (np.abs(found - expected) <= steps * 0.51).all()
        batches = list(states.batches(forms))
        assert len(batches) > 1
        np.testing.assert_array_equal(
            np.concatenate([words for words, _ in batches]), np.arange(len(found))
        )
        np.testing.assert_array_equal(np.concatenate([some for _, some in batches]), found)
    shuffled = np.random.default_rng(2).permutation(states.rows([s.forms for s in treebank]))
    np.testing.assert_array_equal(
        states.read(shuffled), np.concatenate([states.read(shuffled[n : n + 1]) for n in range(30)])
    )
    assert list(states.batches([])) == []
    with pytest.raises(KeyError):
        states.rows([["not", "read"]])


def test_a_sentence_is_stored_once(stored: Any, treebank: list[Sentence]) -> None:
    states = stored([*treebank, treebank[0]])
    assert sum(map(len, states._files)) == sum(map(len, treebank))


def test_files_are_used_again(
    stored: Any, notes: list[Note], monkeypatch: Any, treebank: list[Sentence], tmp_path: Path
) -> None:
    dev = [Sentence.from_words(["It", "barks"])]
    expected = of_words(stored(dev), treebank)
    n_words = sum(map(len, treebank))
    assert notes[0].text.endswith(f"3 layers of 16 for {n_words + 2} words")
    assert re.search(rf": {n_words + 2} words in \d+ s, [\d,]+ words/s$", notes[1].text)
    assert len(notes) == 2
    files = sorted(tmp_path.iterdir())

    def refuse(*arguments: Any) -> None:
        raise AssertionError("the encoder is not asked")

    monkeypatch.setattr(PretrainedEncoder, "batches", refuse)
    np.testing.assert_array_equal(of_words(stored(dev), treebank), expected)
    assert notes[2].text.endswith(f", {n_words + 2} of them computed before")
    assert len(notes) == 3
    # train's files stand without dev's, or with another
    np.testing.assert_array_equal(of_words(stored(), treebank), expected)
    with pytest.raises(AssertionError, match="not asked"):
        stored([Sentence.from_words(["another"])])
    assert sorted(tmp_path.iterdir()) == files


@pytest.mark.parametrize("damage", ["short", "empty", "changed", "long"])
def test_damaged_files_are_computed_anew(
    stored: Any, notes: list[Note], treebank: list[Sentence], tmp_path: Path, damage: str
) -> None:
    expected = of_words(stored(), treebank)
    path = sorted(tmp_path.iterdir())[1]
    good = path.read_bytes()
    changed = bytes([good[0] ^ 1]) + good[1:]
    bad = {"short": good[:-1], "empty": b"", "changed": changed, "long": good + b"\0"}[damage]
    path.write_bytes(bad)
    del notes[:]
    np.testing.assert_array_equal(of_words(stored(), treebank), expected)
    (warning,) = (note for note in notes if note.warning)
    assert warning.text.endswith(f"{path} is damaged, and is computed anew")
    assert path.read_bytes() == good


def test_stopped_computation_goes_on_with_the_next_file(
    stored: Any, treebank: list[Sentence], tmp_path: Path, monkeypatch: Any
) -> None:
    asked = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) == 2

    with pytest.raises(KeyboardInterrupt):
        stored(stop=stop)
    (first,) = tmp_path.iterdir()  # the second was not half written
    before = first.stat().st_mtime_ns
    computed: list[int] = []
    batches = PretrainedEncoder.batches

    def counted(self: Any, sentences: Any) -> Any:
        computed.append(sum(map(len, sentences)))
        return batches(self, sentences)

    monkeypatch.setattr(PretrainedEncoder, "batches", counted)
    found = of_words(stored(), treebank)
    assert first.stat().st_mtime_ns == before
    assert sum(computed) == sum(map(len, treebank)) - sum(map(len, treebank[:2]))
    np.testing.assert_array_equal(found, of_words(stored(cache=tmp_path / "other"), treebank))


def test_without_a_cache_nothing_is_left(
    stored: Any, treebank: list[Sentence], tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    states = stored(cache=None)
    assert of_words(states, treebank).any()
    assert list(tmp_path.rglob("*.states"))
    del states
    assert not list(tmp_path.iterdir())


def test_other_encoders_have_other_files(
    stored: Any, make_encoder: Any, treebank: list[Sentence], tmp_path: Path
) -> None:
    stored()
    n = len(list(tmp_path.iterdir()))
    other = PretrainedEncoder(make_encoder(tmp_path.parent / f"{tmp_path.name}-bert", seed=6))
    PretrainedStates(other, [[s.forms for s in treebank]], tmp_path, Hooks())
    assert len(list(tmp_path.iterdir())) == 2 * n


def test_cache_must_be_a_folder(stored: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="cannot be written"):
        stored(cache=tmp_path / "file")
