"""Models that a stranger, a fuzzer or a damaged disk made: each is refused, and told why."""

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
from safetensors.numpy import save_file

from meprop_nlp.errors import CheckpointError, MePropError
from meprop_nlp.models.file import (
    ModelFile,
    _checksum,
    describe,
    read_model_file,
    write_model_file,
)
from meprop_nlp.models.loading import freeze, load

from .models import random_parser, random_tagger

Change = Callable[[dict[str, Any], dict[str, Any]], None]


def refusal(model: ModelFile, change: Change, path: Path) -> str:
    """What `load` says of a model after the change."""
    header, arrays = copy.deepcopy(model.header), dict(model.arrays)
    change(header, arrays)
    write_model_file(path, header, arrays)
    with pytest.raises(CheckpointError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert message.count(str(path)) == 1
    return message


def resized(name: str, *shape: int) -> Change:
    """Give an array another shape."""

    def change(header: dict[str, Any], arrays: dict[str, Any]) -> None:
        arrays[name] = np.ones(shape, np.float32)

    return change


def setting(value: Any, *keys: str) -> Change:
    """Put a value into the header."""

    def change(header: dict[str, Any], arrays: dict[str, Any]) -> None:
        place = header
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value

    return change


def halves(header: dict[str, Any], arrays: dict[str, Any]) -> None:
    arrays["special.weight"] = arrays["special.weight"].astype(np.float64)


def without_unknown(header: dict[str, Any], arrays: dict[str, Any]) -> None:
    header["lexicon"]["forms"][0] = "known"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (resized("words.weight", 6, 3), r"the weights words.weight are 6 x 3, expected \d+ x 3"),
        (resized("features.weight", 4, 3), "features.weight are 4 x 3, expected"),
        (resized("tags.weight", 9, 3), "tags.weight are 9 x 3, expected 1 x 3"),
        (resized("special.weight", 4), "special.weight are 4, expected 4 x 1 or more"),
        (resized("special.weight", 4, 0), "special.weight are 4 x 0, expected 4 x 1 or more"),
        (resized("special.weight"), "special.weight are one number, expected 4 x 1 or more"),
        (resized("labels.weight", 5, 3), "labels.weight are 5 x 3, expected 6 x 3"),
        (resized("layers.0.weight", 9, 143), "layers.0.weight are 9 x 143, expected .* x 144"),
        (resized("layers.0.bias", 8), "layers.0.bias are 8, expected 9"),
        (resized("layers.1.weight", 10, 9), "layers.1.weight are 10 x 9, expected 11 x 9"),
        (resized("layers.1.bias", 1, 11), "layers.1.bias are 1 x 11, expected 11"),
        (halves, "special.weight are float64, expected float32"),
        (without_unknown, "a vocabulary of the model is without <unk>"),
        (setting([], "labels"), "labels are no list, or an empty one"),
        (setting("abcde", "labels"), "labels are no list"),
        (setting(["a", "b", "c", "d", 5], "labels"), "5 is among the model's labels"),
        (setting(["a", "b", "c", "d", ""], "labels"), "'' is among the model's labels"),
        (setting(["a", "b", "c", "d", "\u2191a"], "labels"), "'' is among the model's labels"),
        (setting(["a", "b", "c", "d", "e\tf"], "labels"), "without tab"),
        (setting([0.5], "other_labels"), "other_labels are no list of whole numbers"),
        (setting([True], "root_labels"), "root_labels are no list of whole numbers"),
        (setting([5], "root_labels"), "root_labels holds 5, expected ids from 0 to 4"),
        (setting({"form": ["x"]}, "tags"), "the columns .'form'., expected some of upos"),
        (setting({"upos": ["x"]}, "tags"), "a vocabulary of the model is without <unk>"),
        (setting(3, "tags"), "the columns 3, expected some of upos"),
        (setting(2, "config", "layers"), "no weights layers.2.weight|layers.1.weight are"),
        (setting("x", "config", "dropout"), "`dropout` is 'x', expected a number from 0 up to"),
        (setting(1.0, "config", "layers"), "`layers` is 1.0, expected a whole number from 1 to 5"),
    ],
)
def test_parser_whose_parts_do_not_fit(change: Change, message: str, tmp_path: Path) -> None:
    model = random_parser(1, nonprojective="pseudo")
    assert re.search(message, refusal(model, change, tmp_path / "m"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (resized("features.weight", 3, 2), "features.weight are 3 x 2, expected"),
        (resized("lstm.left_to_right.weight_ih_l0", 20, 17), "are 20 x 17, expected .* x 18"),
        (resized("lstm.left_to_right.weight_ih_l0", 18, 18), "are 18 x 18, expected 20 x 18"),
        (resized("lstm.right_to_left.weight_hh_l0", 20, 6), "are 20 x 18, expected 24 x 18"),
        (resized("lstm.right_to_left.weight_hh_l0", 21, 5), "are 21 x 5, expected 20 x 5"),
        (resized("lstm.right_to_left.weight_hh_l0", 3, 0), "are 3 x 0, expected 1 or more x"),
        (resized("lstm.right_to_left.bias_ih_l0", 1), "are 1, expected 20"),
        (resized("lstm.right_to_left.bias_hh_l0", 21), "are 21, expected 20"),
        (resized("heads.upos.weight", 4, 9), "heads.upos.weight are 4 x 9, expected 4 x 10"),
        (resized("heads.xpos.bias", 1), "heads.xpos.bias are 1, expected 3"),
        (setting({}, "tags"), "the model predicts no column"),
        (setting({"upos": ["a", "b", "c", "d\n"]}, "tags"), "without tab, line break or NUL"),
        (setting({"upos": []}, "tags"), "values of upos are no list, or an empty one"),
        (setting(["<unk>"] * 9, "lexicon", "forms"), "a vocabulary lists '<unk>' twice"),
    ],
)
def test_tagger_whose_parts_do_not_fit(change: Change, message: str, tmp_path: Path) -> None:
    assert re.search(message, refusal(random_tagger(1), change, tmp_path / "m"))


def test_models_in_memory_are_checked_too() -> None:
    model = random_parser(1)
    arrays = {**model.arrays, "layers.0.bias": np.ones(3, np.float32)}
    with pytest.raises(CheckpointError, match=r"layers\.0\.bias are 3, expected 9"):
        freeze(ModelFile(model.header, arrays))


@pytest.mark.parametrize("system", ["arc-hybrid", "arc-standard"])
def test_models_of_other_features_are_refused(system: Any) -> None:
    model = random_parser(1, transition_system=system)
    freeze(model)
    header = {name: value for name, value in model.header.items() if name != "template"}
    if system == "arc-standard":  # what has none has the first
        freeze(ModelFile(header, model.arrays))
        header["template"] = 2
    with pytest.raises(CheckpointError, match=f"features are not those of {system}"):
        freeze(ModelFile(header, model.arrays))


# in NumPy the tagger's gates are open or closed, however large the numbers are
@pytest.mark.parametrize(
    ("make", "kernels"),
    [(random_parser, "native"), (random_parser, "reference"), (random_tagger, "native")],
)
@pytest.mark.parametrize("name", ["words.weight", "features.weight"])
def test_weights_that_overflow_are_an_error_without_warnings(
    make: Any, kernels: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kernels == "reference":
        for module in ("tagger", "parser"):
            monkeypatch.setattr(f"meprop_nlp.models.{module}.core", lambda: None)
    model = make(1)
    huge = np.full_like(model.arrays[name], 3e38)
    frozen = freeze(ModelFile(model.header, {**model.arrays, name: huge}))
    with pytest.raises(MePropError, match="not finite"):
        list(frozen.pipe([["the", "old", "man"]]))


def test_small_file_that_needs_much_memory_is_refused(tmp_path: Path) -> None:
    # 12 rows of hidden neurons a label: 60 GB of a file of 2 MB
    n_labels, hidden = 20_000, 60_000
    model = random_parser(1, embedding_dim=1, layers=2)
    header, arrays = copy.deepcopy(model.header), dict(model.arrays)
    header["labels"] = [f"l{i}" for i in range(n_labels)]
    header["other_labels"] = []
    shapes = {
        "labels.weight": (n_labels + 1, 1),
        "layers.0.weight": (hidden, 48),
        "layers.0.bias": (hidden,),
        "layers.1.weight": (1, hidden),
        "layers.1.bias": (1,),
        "layers.2.weight": (1 + 2 * n_labels, 1),
        "layers.2.bias": (1 + 2 * n_labels,),
    }
    arrays |= {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    with pytest.raises(CheckpointError, match="labels times neurons, expected at most"):
        freeze(ModelFile(header, arrays))
    arrays["layers.0.weight"] = np.zeros((70_000, 48), np.float32)
    arrays["layers.0.bias"] = np.zeros(70_000, np.float32)
    with pytest.raises(CheckpointError, match="70,000 neurons in a layer, expected at most"):
        freeze(ModelFile(header, arrays))
    header["labels"] = [f"l{i}" for i in range(100_000)]
    with pytest.raises(CheckpointError, match="100,000 labels, expected at most"):
        freeze(ModelFile(header, arrays))


def stored(path: Path, header: dict[str, Any], arrays: dict[str, Any]) -> Path:
    """Write arrays as they are, with the right checksum."""
    header = {"format_version": 2, **header}
    arrays = {name: np.ascontiguousarray(array) for name, array in sorted(arrays.items())}
    try:
        checksum = _checksum(header, arrays)
    except UnicodeEncodeError:
        checksum = 0
    text = json.dumps({**header, "checksum": checksum})
    save_file(arrays, path, metadata={"meprop_nlp": text})
    return path


def packed(value: str) -> Any:
    return np.frombuffer(zlib.compress(value.encode(), 9), np.uint8)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"lexicon": packed("[" * 60_000)}, "recursion"),
        ({"lexicon": packed("[]," * 10**7)}, "cut off, or too large"),
        ({"lexicon": np.zeros(3, np.float32)}, "a compressed part is damaged"),
        # a row for each scale would be made of one row: 40 GB
        (
            {"a": np.ones((1, 10**5), np.int8), "a.scale": np.ones(10**5, np.float16)},
            "a has no scale for each of its rows",
        ),
        ({"a": np.ones(3, np.int8), "a.scale": np.ones(3, np.float16)}, "a has no scale"),
        ({"a": np.ones((3, 2), np.int8), "a.scale": np.float16(1)}, "a has no scale"),
    ],
)
def test_packed_parts_that_are_no_such_thing(
    arrays: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = stored(tmp_path / "m", {"kind": "model", "task": "tagger"}, arrays)
    with pytest.raises(CheckpointError, match=message):
        read_model_file(path)


def test_type_that_numpy_has_not_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m"
    for name in ("BF16", "F8_E4M3"):
        width = 2 if name == "BF16" else 1
        entry = json.dumps({"dtype": name, "shape": [4 // width], "data_offsets": [0, 4]})
        metadata = json.dumps({"meprop_nlp": json.dumps({"format_version": 2, "task": "tagger"})})
        start = f'{{"__metadata__": {metadata}, "a": {entry}}}'.encode()
        start += b" " * (-len(start) % 8)
        path.write_bytes(len(start).to_bytes(8, "little") + start + bytes(4))
        with pytest.raises(CheckpointError, match="cannot be read as a model"):
            load(path)


def test_header_that_is_no_unicode_is_refused(tmp_path: Path) -> None:
    path = stored(tmp_path / "m", {"task": "tagger", "x": "\ud800"}, {"a": np.ones(1, np.int8)})
    with pytest.raises(CheckpointError, match="surrogates not allowed"):
        load(path)


@pytest.mark.parametrize(
    "header", [{"lexicon": {}}, {"lexicon": 3}, {"tags": []}, {"tags": {"upos": 1}}]
)
def test_description_of_half_a_model_is_refused(header: dict[str, Any], tmp_path: Path) -> None:
    path = stored(tmp_path / "m", {"task": "tagger", **header}, {"a": np.ones(1, np.int8)})
    with pytest.raises(CheckpointError, match="the model is incomplete"):
        describe(path)
