"""The model file: its bytes for ever, and a clear sentence for every file that is not one."""

from __future__ import annotations

import gzip
import json
import lzma
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from safetensors.numpy import save_file

from meprop_nlp import native
from meprop_nlp.errors import CheckpointError, ConfigError, DataError, MePropError
from meprop_nlp.models.file import (
    FORMAT_VERSION,
    ModelFile,
    describe,
    read_header,
    read_model_file,
    write_model_file,
)
from meprop_nlp.models.model import Model, load
from meprop_nlp.models.parts import naming_file
from meprop_nlp.training.parser import DependencyParser
from meprop_nlp.training.tagger import Tagger

HEADER: dict[str, Any] = {"task": "tagger", "labels": ["\u00e9", "b"]}
ARRAYS = {
    "b.weight": np.arange(4, dtype=np.float32).reshape(2, 2),
    "a": np.array(7, np.int64),
}
# Every version of the package must read these bytes. Made by writing HEADER and ARRAYS.
GOLDEN = (
    b'\0\x01\0\0\0\0\0\0{"__metadata__":{"meprop_nlp":"{\\"format_version\\": 1, '
    b'\\"task\\": \\"tagger\\", \\"labels\\": [\\"\xc3\xa9\\", \\"b\\"], '
    b'\\"checksum\\": 1032496832}"},"a":{"dtype":"I64","shape":[],"data_offsets":[0,8]},'
    b'"b.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[8,24]}}       '
    b"\x07\0\0\0\0\0\0\0\0\0\0\0\0\0\x80?\0\0\0@\0\0@@"
)
DATA_START = 8 + 0x100


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    path = tmp_path / "golden.safetensors"
    path.write_bytes(GOLDEN)
    return path


def assert_same_arrays(actual: dict[str, Any], expected: dict[str, Any]) -> None:
    assert actual.keys() == expected.keys()
    for name, array in expected.items():
        assert actual[name].dtype == array.dtype
        assert actual[name].shape == array.shape
        np.testing.assert_array_equal(actual[name], array)


def test_golden_file_is_read_as_it_was_written(golden: Path) -> None:
    model = read_model_file(golden)
    assert model.header == {"format_version": 1, **HEADER, "checksum": 1032496832}
    assert_same_arrays(model.arrays, ARRAYS)


def test_writing_gives_the_golden_bytes(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    write_model_file(path, HEADER, ARRAYS)
    assert path.read_bytes() == GOLDEN
    write_model_file(path, HEADER, dict(reversed(ARRAYS.items())))
    assert path.read_bytes() == GOLDEN


def test_header_keeps_its_order(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    header = {"tags": {"xpos": [], "feats": [], "a": []}, "b": 1, "a": 2}
    write_model_file(path, header, ARRAYS)
    assert list(read_header(path)["tags"]) == ["xpos", "feats", "a"]
    assert [key for key in read_header(path) if key in header] == ["tags", "b", "a"]


arrays = st.dictionaries(
    st.text("abc./_", min_size=1, max_size=8),
    npst.arrays(
        st.sampled_from([np.float32, np.int64, np.uint8, np.bool_]),
        npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
    ),
    max_size=4,
)
values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("xyz"), inner, max_size=3),
    max_leaves=5,
)


@given(arrays, values)
def test_whatever_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, stored: dict[str, Any], value: Any
) -> None:
    path = tmp_path_factory.mktemp("any") / "model"
    write_model_file(path, {"value": value}, stored)
    model = read_model_file(path)
    assert model.header["value"] == value
    assert_same_arrays(model.arrays, stored)
    assert read_header(path) == model.header


def test_transposed_array_is_stored_by_its_values(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3).T
    write_model_file(tmp_path / "m", {}, {"t": array, "every second": np.arange(6)[::2]})
    stored = read_model_file(tmp_path / "m").arrays
    assert_same_arrays(stored, {"t": array, "every second": np.array([0, 2, 4])})


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 100, DATA_START - 1, DATA_START, len(GOLDEN) - 1])
def test_truncated_file_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "cut.safetensors"
    path.write_bytes(GOLDEN[:size])
    expected = r"cut\.safetensors: (the file is cut short: \d+ |is not a meprop_nlp model)"
    if size > 8:
        expected = r"cut\.safetensors: the file is cut short: \d+ "
    for read in (read_header, read_model_file, load, Tagger.load, describe):
        with pytest.raises(CheckpointError, match=expected):
            read(path)


@pytest.mark.parametrize("place", range(len(GOLDEN)))
def test_one_changed_byte_is_found_wherever_it_is(tmp_path: Path, place: int) -> None:
    path = tmp_path / "flipped.safetensors"
    for bit in (1, 0x20, 0x80):
        flipped = bytearray(GOLDEN)
        flipped[place] ^= bit
        path.write_bytes(flipped)
        with pytest.raises(CheckpointError) as caught:
            read_model_file(path)
        message = str(caught.value)
        assert message.startswith(f"{path}: ")
        assert "Traceback" not in message


def test_longer_file_is_refused(golden: Path) -> None:
    golden.write_bytes(GOLDEN + b"more")
    with pytest.raises(CheckpointError, match="cannot be read as a model"):
        read_model_file(golden)


def write_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.pkl", "x" * 50)


def write_foreign(path: Path) -> None:
    save_file({"w": np.zeros(3, np.float32)}, path)


def write_foreign_with_metadata(path: Path) -> None:
    save_file({"w": np.zeros(3, np.float32)}, path, metadata={"format": "pt"})


def write_nested(path: Path) -> None:
    text = b"[" * 200_000
    path.write_bytes(len(text).to_bytes(8, "little") + text)


CONLLU = "# sent_id = 1\n1\tIt\tit\tPRON\t_\t_\t0\troot\t_\t_\n\n"
NOT_MODELS: dict[str, tuple[Callable[[Path], object], str]] = {
    "zip": (write_zip, r"looks like a zip file or a PyTorch checkpoint"),
    "gzip": (lambda p: p.write_bytes(gzip.compress(GOLDEN)), "looks like a gzip file"),
    "xz": (lambda p: p.write_bytes(lzma.compress(GOLDEN)), "looks like an xz file"),
    "conllu": (lambda p: p.write_text(CONLLU, encoding="utf-8"), "looks like CoNLL-U"),
    "words": (lambda p: p.write_text(CONLLU[14:], encoding="utf-8"), "looks like CoNLL"),
    "empty": (lambda p: p.touch(), "empty file"),
    "text": (lambda p: p.write_text("hello world, this is text"), "is not a meprop_nlp model;"),
    "zeros": (lambda p: p.write_bytes(bytes(1000)), "is not a meprop_nlp model;"),
    "foreign": (write_foreign, "is not a meprop_nlp model; expected a .safetensors file of train,"),
    "foreign-metadata": (write_foreign_with_metadata, "is not a meprop_nlp model;"),
    "nested": (write_nested, "is not a meprop_nlp model;"),
    "pipe": (os.mkfifo, "is a pipe or a device, expected a model file"),
    "folder": (lambda p: p.mkdir(), "is a folder, expected the file of a model"),
    "missing": (lambda p: None, "there is no such file"),
}


@pytest.mark.parametrize("kind", list(NOT_MODELS))
def test_what_is_no_model_is_called_what_it_is(tmp_path: Path, kind: str) -> None:
    make, expected = NOT_MODELS[kind]
    path = tmp_path / "thing.safetensors"
    make(path)
    for read in (read_header, read_model_file, load, describe):
        with pytest.raises(CheckpointError) as caught:
            read(path)
        message = str(caught.value)
        assert message.startswith(f"{path}: ")
        assert expected in message
        assert "\n" not in message


@pytest.mark.parametrize("version", [FORMAT_VERSION + 1, 99, "two", None])
def test_newer_format_says_to_upgrade(tmp_path: Path, version: Any) -> None:
    path = tmp_path / "new.safetensors"
    write_model_file(path, {**HEADER, "format_version": version}, ARRAYS)
    for read in (read_header, read_model_file, load):
        with pytest.raises(CheckpointError, match=f"has format version {version}, this .* upgrade"):
            read(path)


def test_failing_write_leaves_the_old_file_and_no_temporary(
    golden: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bytes = Path.write_bytes

    def half(path: Path, content: bytes) -> int:
        write_bytes(path, content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(DataError, match=r"golden\.safetensors: cannot be written: No space left"):
        write_model_file(golden, HEADER, {})
    assert golden.read_bytes() == GOLDEN
    assert [p.name for p in golden.parent.iterdir()] == [golden.name]


def test_header_that_is_no_json_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_model_file(tmp_path / "m", {"set": {1}}, ARRAYS)
    assert list(tmp_path.iterdir()) == []


def test_folder_and_pipe_are_not_replaced_by_a_model(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for place in (tmp_path, pipe):
        with pytest.raises(DataError, match=r"is a folder|is no file"):
            write_model_file(place, HEADER, ARRAYS)
    assert pipe.is_fifo()


TAGGER: dict[str, Any] = {
    "kind": "model",
    "task": "tagger",
    "config": {"hidden": 1, "word_dim": 1, "feature_dim": 1},
    "lexicon": {
        "forms": ["<unk>", "a"],
        "features": {
            name: ["<unk>"]
            for name in ("lower", "prefix2", "prefix3", "suffix2", "suffix3", "suffix4", "shape")
        },
    },
    "tags": {"upos": ["NOUN", "VERB"]},
}
WEIGHTS: dict[str, Any] = {
    "words.weight": np.array([[0], [1]], np.float32),
    "features.weight": np.zeros((7, 1), np.float32),
    "heads.upos.weight": np.array([[0, 0], [1, 0]], np.float32),
    "heads.upos.bias": np.array([0.1, 0], np.float32),
} | {
    f"lstm.{way}.{name}": np.ones(shape, np.float32)
    for way in ("left_to_right", "right_to_left")
    for name, shape in (
        ("weight_ih_l0", (4, 8)),
        ("weight_hh_l0", (4, 1)),
        ("bias_ih_l0", 4),
        ("bias_hh_l0", 4),
    )
}


def test_model_made_by_hand_tags(tmp_path: Path) -> None:
    path = tmp_path / "m"
    write_model_file(path, TAGGER, WEIGHTS)
    model = load(path)
    assert isinstance(model, Model)
    assert model.task == "tagger"
    assert model(["a", "b"]).column("upos") == ["VERB", "VERB"]
    assert model.predicted == ("upos",)
    assert Tagger(ModelFile(TAGGER, WEIGHTS))(["b"]).column("upos") == ["VERB"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"task": "parser"}, "is a parser, expected a tagger"),
        ({"kind": "checkpoint"}, "is a checkpoint of a training run, expected its model"),
        ({"lexicon": {}}, "the model is incomplete"),
        ({"tags": {"xpos": ["A"]}}, "the model has no weights heads.xpos.weight"),
        ({"config": 3}, "`config` in its header is 3, expected settings by name"),
    ],
)
def test_model_of_another_kind_or_without_its_parts_is_refused(
    tmp_path: Path, change: dict[str, Any], expected: str
) -> None:
    path = tmp_path / "m"
    write_model_file(path, {**TAGGER, **change}, WEIGHTS)
    with pytest.raises(CheckpointError, match=expected) as caught:
        Tagger.load(path)
    assert str(path) in str(caught.value)


def test_checkpoint_is_no_model_to_load(tmp_path: Path) -> None:
    path = tmp_path / "m.checkpoint.safetensors"
    write_model_file(path, {"kind": "checkpoint", "settings": {}, "progress": {}}, ARRAYS)
    with pytest.raises(CheckpointError, match="is a checkpoint of a training run"):
        load(path)


def test_parser_refuses_a_tagger_and_unknown_tasks_are_named(tmp_path: Path) -> None:
    path = tmp_path / "m"
    write_model_file(path, TAGGER, WEIGHTS)
    with pytest.raises(CheckpointError, match="is a tagger, expected a parser"):
        DependencyParser.load(path)
    write_model_file(path, {**TAGGER, "task": "chunker"}, WEIGHTS)
    with pytest.raises(CheckpointError, match="is for the task 'chunker', which is not known"):
        load(path)


def test_setting_this_version_does_not_know_is_named_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "m"
    write_model_file(path, {**TAGGER, "config": {"colour": 1}}, WEIGHTS)
    with pytest.raises(CheckpointError, match=r"m: .*TaggerConfig has no setting 'colour'"):
        load(path)
    with pytest.raises(ConfigError):
        Tagger(ModelFile({**TAGGER, "config": {"colour": 1}}, WEIGHTS))


def test_missing_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m"
    write_model_file(path, TAGGER, {k: v for k, v in WEIGHTS.items() if "hh" not in k})
    with pytest.raises(CheckpointError, match=r"no weights .*weight_hh_l0; train it anew"):
        load(path)


def test_description_is_json_without_vocabularies(tmp_path: Path) -> None:
    path = tmp_path / "m"
    write_model_file(path, {**TAGGER, "scores": {"upos": 90.0}}, WEIGHTS)
    description = json.loads(json.dumps(describe(path)))
    assert description["word_forms"] == 1
    assert description["upos_values"] == 2
    assert description["bytes"] == path.stat().st_size
    assert description["scores"] == {"upos": 90.0}
    assert description.keys().isdisjoint({"lexicon", "tags", "checksum"})


def test_a_core_of_another_version_is_no_fault_of_the_file() -> None:
    """What the core says when it is called with other arguments than those it was built for."""
    another = pytest.raises(MePropError, match="the native core is of another version")
    with another as caught, naming_file("m.safetensors"):
        core = native.core()
        if core is None:
            raise TypeError("incompatible function arguments")
        core.TagLayer("neither", "nor")
    assert not isinstance(caught.value, CheckpointError)
