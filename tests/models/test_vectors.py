"""`WordVectors`: the pretrained vectors of a joint model; stored, checked and looked up."""

from __future__ import annotations

import copy
import json
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from meprop_nlp.errors import CheckpointError
from meprop_nlp.models.file import describe, read_header, read_model_file, write_model_file
from meprop_nlp.models.model import Model, load
from meprop_nlp.models.packing import VECTOR_SCALES, VECTORS, pack_texts, rounded
from meprop_nlp.models.vectors import WordVectors

from .models import VECTOR_FORMS, random_joint, random_sentences

WIDTH = 4


def test_vectors_are_looked_up_by_form(tmp_path: Path) -> None:
    file = random_joint(1, vector_width=WIDTH)
    vectors = WordVectors.of(file)
    assert vectors is not None
    assert vectors.width == WIDTH
    found = vectors(["The", "none", "ÜNSEEN"])
    table = file.arrays[VECTORS] * file.arrays[VECTOR_SCALES].astype(np.float32)[:, None]
    np.testing.assert_array_equal(found, [table[1], np.zeros(WIDTH), table[2]])
    assert found.dtype == np.float32
    assert vectors([]).shape == (0, WIDTH)
    assert WordVectors.of(random_joint(1)) is None


def test_stored_vectors_come_back_packed(tmp_path: Path) -> None:
    file = random_joint(1, vector_width=WIDTH)
    path = tmp_path / "m"
    Model(file).save(path)
    header = read_header(path)
    assert (header["vector_forms"], header["vector_width"]) == (len(VECTOR_FORMS) - 1, WIDTH)
    again = read_model_file(path)
    assert list(again.header["vector_forms"]) == VECTOR_FORMS
    for name in (VECTORS, VECTOR_SCALES):
        np.testing.assert_array_equal(again.arrays[name], file.arrays[name])
        np.testing.assert_array_equal(rounded(file.arrays)[name], file.arrays[name])
    assert again.arrays[VECTORS].dtype == np.int8  # they stay packed in memory
    sentences = random_sentences(1, [5, 9])
    first, second = load(path), tmp_path / "again"
    first.save(second)
    assert second.read_bytes() == path.read_bytes()
    assert list(load(second).pipe(sentences)) == list(first.pipe(sentences))
    description = json.loads(json.dumps(describe(path)))
    assert (description["vector_forms"], description["vector_width"]) == (4, WIDTH)


Change = Callable[[dict[str, Any], dict[str, Any]], None]


def table(array: Any) -> Change:
    return lambda header, arrays: arrays.update({VECTORS: array})


def scales(array: Any) -> Change:
    return lambda header, arrays: arrays.update({VECTOR_SCALES: array})


def header(**values: Any) -> Change:
    return lambda header, arrays: header.update(values)


def without(name: str) -> Change:
    def change(header: dict[str, Any], arrays: dict[str, Any]) -> None:
        header.pop(name, None)
        arrays.pop(name, None)

    return change


def packed(value: Any) -> Change:
    def change(header: dict[str, Any], arrays: dict[str, Any]) -> None:
        del header["vector_forms"]
        arrays["vector_forms"] = value

    return change


def compressed(text: bytes) -> np.ndarray:
    return np.frombuffer(zlib.compress(text, 9), np.uint8)


ONES = np.ones((len(VECTOR_FORMS), WIDTH), np.int8)
SCALES = np.ones(len(VECTOR_FORMS), np.float16)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (table(ONES[1:]), "encoder.vectors.weight are 4 x 4, expected 5 x 4"),
        (table(ONES[:, 1:].copy()), "encoder.vectors.weight are 5 x 3, expected 5 x 4"),
        (table(ONES[0]), "encoder.vectors.weight are 4, expected 5 x 4"),
        (table(ONES * np.float32(np.nan)), "weight are float32, expected int8"),
        (table(ONES.astype(np.float64)), "weight are float64, expected int8"),
        (scales(SCALES[1:]), "encoder.vectors.weight.scale are 4, expected 5"),
        (scales(SCALES[0]), "encoder.vectors.weight.scale are one number, expected 5"),
        (scales(SCALES[:, None]), "encoder.vectors.weight.scale are 5 x 1, expected 5"),
        (scales(SCALES * np.float16(np.nan)), "encoder.vectors.weight.scale are not finite"),
        (scales(SCALES.astype(np.float32)), "scale are float32, expected float16"),
        (without(VECTOR_SCALES), "no weights encoder.vectors.weight.scale"),
        (without(VECTORS), "no weights encoder.vectors.weight"),
        (without("vector_width"), "the model is incomplete"),
        (without("vector_forms"), "weights encoder.layers.0.* expected 20 x 29"),
        (header(vector_width=3), "encoder.vectors.weight are 5 x 4, expected 5 x 3"),
        (header(vector_width="4"), "`vector_width` in its header is '4', expected a number"),
        (header(vector_forms=VECTOR_FORMS[:4]), "are 5 x 4, expected 4 x 4"),
        (header(vector_forms=["a", *VECTOR_FORMS[1:]]), "no entry <unk>"),
        (header(vector_forms=["the", *VECTOR_FORMS[1:]]), "lists 'the' twice"),
        (packed(np.ones(3, np.float32)), "a compressed part is damaged"),
        (packed(pack_texts(VECTOR_FORMS)[:-3]), "a compressed part is cut off"),
        (packed(pack_texts(VECTOR_FORMS, ["a"])), "vectors have 2 lists of forms"),
        (packed(compressed(b"")), "a vocabulary has an empty entry"),
        (packed(compressed(b"<unk>\n\xff")), "a vocabulary is not UTF-8"),
        (packed(compressed(b"a\n" * 10**7)), "cut off, or too large"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(change: Change, message: str, tmp_path: Path) -> None:
    model = random_joint(1, vector_width=WIDTH)
    values, arrays = copy.deepcopy(model.header), dict(model.arrays)
    change(values, arrays)
    path = tmp_path / "m"
    write_model_file(path, values, arrays)
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert re.search(message, str(caught.value)), str(caught.value)
