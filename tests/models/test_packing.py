"""Packed weights: what changes, by how much, and that it changes once only."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from meprop_nlp.errors import CheckpointError
from meprop_nlp.models.file import read_model_file, write_model_file
from meprop_nlp.models.model import load
from meprop_nlp.models.packing import (
    pack_arrays,
    pack_json,
    rounded,
    unpack_arrays,
    unpack_json,
)

from .models import random_parser, random_sentences, random_tagger

matrices = npst.arrays(
    np.float32,
    npst.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=5),
    elements=st.floats(width=32, allow_nan=False),
)
NAMES = ["words.weight", "layers.0.weight"]


@pytest.mark.parametrize("name", NAMES)
@given(array=matrices)
def test_rounding_twice_changes_nothing_more(name: str, array: np.ndarray) -> None:
    once = rounded({name: array})
    assert once[name].dtype == np.float32
    np.testing.assert_array_equal(rounded(once)[name], once[name])


@pytest.mark.parametrize(("name", "step"), [(NAMES[0], 1 / 127), (NAMES[1], 1 / 1024)])
def test_rounding_is_small(name: str, step: float) -> None:
    array = np.random.default_rng(1).standard_normal((50, 20)).astype(np.float32)
    largest = np.abs(array).max(1, keepdims=True)
    assert np.all(np.abs(rounded({name: array})[name] - array) <= 0.51 * step * largest)


def test_what_has_no_room_stays_as_it_is() -> None:
    arrays = {
        "words.weight": np.full((2, 3), 1e30, np.float32),
        "layers.0.weight": np.full((2, 3), 1e6, np.float32),
        "layers.0.bias": np.full(3, 0.1, np.float32),
        "counts": np.arange(3),
    }
    packed = pack_arrays(arrays)
    assert packed.keys() == arrays.keys()
    for name, array in arrays.items():
        assert packed[name].dtype == array.dtype
        np.testing.assert_array_equal(unpack_arrays(packed)[name], array)


def test_packed_types_and_sizes() -> None:
    table = np.ones((1000, 50), np.float32)
    packed = pack_arrays({"words.weight": table, "layers.0.weight": table})
    assert {name: array.dtype.name for name, array in packed.items()} == {
        "words.weight": "int8",
        "words.weight.scale": "float16",
        "layers.0.weight": "float16",
    }
    assert packed["words.weight"].nbytes + packed["words.weight.scale"].nbytes == 52_000


@given(st.recursive(st.none() | st.text(st.characters(exclude_categories=["Cs"])), st.lists))
def test_json_comes_back(value: object) -> None:
    assert unpack_json(pack_json(value)) == value


@pytest.mark.parametrize("stored", [b"", b"not zlib", zlib.compress(b"[1, 2]")[:-3]])
def test_damaged_json_is_an_error(stored: bytes) -> None:
    with pytest.raises(ValueError, match="compressed part"):
        unpack_json(np.frombuffer(stored, np.uint8))


def test_json_of_any_size_is_refused_before_it_fills_the_memory() -> None:
    bomb = zlib.compress(b" " * 200_000_000, 9)
    with pytest.raises(ValueError, match="too large"):
        unpack_json(np.frombuffer(bomb, np.uint8))


@pytest.mark.parametrize("make", [random_parser, random_tagger])
def test_stored_model_predicts_as_its_rounded_weights(make, tmp_path: Path) -> None:
    model = make(1)
    path = tmp_path / "model.safetensors"
    write_model_file(path, model.header, model.arrays)
    again = read_model_file(path)
    assert again.header["lexicon"] == model.header["lexicon"]
    for name, array in rounded(model.arrays).items():
        np.testing.assert_array_equal(again.arrays[name], array)
    predictor = load(path)
    predictor.save(path)
    sentences = random_sentences(1, [5, 9])
    assert list(load(path).pipe(sentences)) == list(predictor.pipe(sentences))


def test_model_with_a_damaged_vocabulary_is_refused(tmp_path: Path) -> None:
    model = random_tagger(1)
    path = tmp_path / "model.safetensors"
    header = {name: value for name, value in model.header.items() if name != "lexicon"}
    write_model_file(path, header, model.arrays | {"lexicon": np.frombuffer(b"x", np.uint8)})
    with pytest.raises(CheckpointError, match="a compressed part"):
        load(path)
