"""Packed weights: what changes, by how much, and that it changes once only."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.errors import CheckpointError, DataError
from meprop_nlp.models.file import read_model_file, write_model_file
from meprop_nlp.models.model import load
from meprop_nlp.models.packing import (
    StoredArrays,
    load_json,
    pack_arrays,
    pack_texts,
    rounded,
    unpack_json,
    unpack_texts,
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
        np.testing.assert_array_equal(StoredArrays(packed)[name], array)


def test_packed_types_and_sizes() -> None:
    table = np.ones((1000, 50), np.float32)
    packed = pack_arrays({"words.weight": table, "layers.0.weight": table})
    assert {name: array.dtype.name for name, array in packed.items()} == {
        "words.weight": "int8",
        "words.weight.scale": "float16",
        "layers.0.weight": "float16",
    }
    assert packed["words.weight"].nbytes + packed["words.weight.scale"].nbytes == 52_000


texts = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), min_size=1),
    min_size=1,
)


@given(st.lists(texts, min_size=1))
def test_texts_come_back(lists: list[list[str]]) -> None:
    found = unpack_texts(pack_texts(*lists), 0)
    assert [part.decode().split("\n") for part in found] == lists


@pytest.mark.parametrize("wrong", [[], ["a", ""], ["a\nb"]])
def test_texts_that_would_not_come_back_are_not_stored(wrong: list[str]) -> None:
    with pytest.raises(ValueError, match="empty, or have line breaks"):
        pack_texts(["a"], wrong)


@pytest.mark.parametrize("stored", [b"", b"not zlib", zlib.compress(b"[1, 2]")[:-3]])
@pytest.mark.parametrize("unpack", [unpack_json, unpack_texts])
def test_damaged_part_is_an_error(unpack: Any, stored: bytes) -> None:
    with pytest.raises(ValueError, match="compressed part"):
        unpack(np.frombuffer(stored, np.uint8), len(stored))


@pytest.mark.parametrize(
    ("unpack", "text"),
    [
        (unpack_json, b" " * 20_000_000),
        (unpack_json, b"[],\n" * 1_000_000),
        (unpack_texts, b" " * 20_000_000),
        (unpack_texts, b"a\n" * 1_000_000),
    ],
)
def test_part_of_any_size_is_refused_before_it_fills_the_memory(unpack: Any, text: bytes) -> None:
    bomb = zlib.compress(text, 9)
    with pytest.raises(ValueError, match=r"too large|has over"):
        unpack(np.frombuffer(bomb, np.uint8), len(bomb))


def test_json_has_a_bounded_number_of_values() -> None:
    assert len(load_json(json.dumps([0] * 199_000), 0)) == 199_000
    for text in (json.dumps([0] * 201_000), b"[" + b"{}," * 201_000, '{"a":{},' * 100_100):
        with pytest.raises(ValueError, match=r"over 200,000 values"):
            load_json(text, 0)
    assert len(load_json(json.dumps([0] * 201_000), 200_000)) == 201_000


def test_header_that_could_not_be_read_is_not_written(tmp_path: Path) -> None:
    for value in ("x" * 8_000_000, [0] * 201_000):
        with pytest.raises(DataError, match="cannot be written: its header is too large"):
            write_model_file(tmp_path / "m", {"x": value}, {})
    assert list(tmp_path.iterdir()) == []


def test_table_stays_packed_until_its_rows_are_looked_up() -> None:
    table = np.random.default_rng(1).standard_normal((50, 20)).astype(np.float32)
    stored = StoredArrays(pack_arrays({"words.weight": table, "tags.weight": table}))
    assert list(stored) == ["words.weight", "tags.weight"]
    packed = stored.table("words.weight")
    assert packed is not None
    assert packed.values.nbytes == table.size
    numbers = np.array([[3, 0, 3], [49, 7, 1]])
    np.testing.assert_array_equal(packed.rows(numbers), stored["words.weight"][numbers])
    assert stored.table("tags.weight") is None
    with pytest.raises(KeyError):
        stored["words.weight.scale"]


@pytest.mark.parametrize("make", [random_parser, random_tagger])
def test_stored_model_predicts_as_its_rounded_weights(make, tmp_path: Path) -> None:
    model = make(1)
    path = tmp_path / "model.safetensors"
    write_model_file(path, model.header, model.arrays)
    again = read_model_file(path)
    assert Lexicon.from_dict(again.header["lexicon"]).to_dict() == model.header["lexicon"]
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
