"""Models that a stranger, a fuzzer or a damaged disk made: each is refused with the reason."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import re
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from meprop_nlp.commands.description import model_lines
from meprop_nlp.errors import CheckpointError, ConfigError, MePropError
from meprop_nlp.models.annotate import annotate
from meprop_nlp.models.file import (
    ModelFile,
    _checksum,
    describe,
    read_header,
    read_model_file,
    write_model_file,
)
from meprop_nlp.models.model import Model, freeze, load
from meprop_nlp.models.packing import VECTORS, StoredArrays, pack_arrays
from meprop_nlp.models.speed import measure

from .models import (
    random_joint,
    random_parser,
    random_sentences,
    random_tagger,
    with_tokenizer,
)

Change = Callable[[dict[str, Any], dict[str, Any]], None]


def refusal(model: ModelFile, change: Change, path: Path) -> str:
    """The error of `load` about a model after the change."""
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
        (without_unknown, "a vocabulary of the model has no entry <unk>"),
        (setting([], "labels"), "labels are not a list, or the list is empty"),
        (setting("abcde", "labels"), "`labels` in its header is 'abcde', expected a list of texts"),
        (setting(["a", "b", "c", "d", 5], "labels"), r"`labels` in its header is \['a', .*, 5\]"),
        (setting(["a", "b", "c", "d", ""], "labels"), "'' is among the model's labels"),
        (setting(["a", "b", "c", "d", "\u2191a"], "labels"), "'' is among the model's labels"),
        (setting(["a", "b", "c", "d", "e\tf"], "labels"), "without tab"),
        (
            setting([0.5], "other_labels"),
            "`other_labels` in its header is .0.5., expected a list",
        ),
        (
            setting([True], "root_labels"),
            "`root_labels` in its header is .True., expected a list",
        ),
        (setting([5], "root_labels"), "`root_labels` holds 5, expected ids from 0 to 4"),
        (setting({"form": ["x"]}, "tags"), "the columns .'form'., expected some of upos"),
        (setting({"upos": ["x"]}, "tags"), "a vocabulary of the model has no entry <unk>"),
        (setting(3, "tags"), "`tags` in its header is 3, expected lists of texts by column"),
        (setting(2, "config", "layers"), "no weights layers.2.weight|layers.1.weight are"),
        (setting("x", "config", "dropout"), "`dropout` is .x., expected a number from 0"),
        (setting(1.0, "config", "layers"), "`layers` is 1.0, expected a whole number from 1"),
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
        (setting({"upos": []}, "tags"), "values of upos are not a list, or the list is empty"),
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
        for module in ("tags", "tree"):
            monkeypatch.setattr(f"meprop_nlp.models.heads.{module}.core", lambda: None)
    model = make(1)
    huge = np.full_like(model.arrays[name], 3e38)
    frozen = freeze(ModelFile(model.header, {**model.arrays, name: huge}))
    with pytest.raises(MePropError, match="not finite"):
        list(frozen.pipe([["the", "old", "man"]]))


MODELS: dict[str, Callable[[], ModelFile]] = {
    "tagger": lambda: random_tagger(1),
    "parser": lambda: random_parser(1, tag_columns=("upos",)),
    "graph": lambda: random_joint(2, tree="graph"),
    "transitions": lambda: random_joint(
        3, tree="transitions", vector_width=3, spelling=(5, 5), spelling_dim=4
    ),
    "tokenizer": lambda: with_tokenizer(random_joint(1)),
}


@pytest.mark.parametrize("kernels", ["native", "NumPy"])
@pytest.mark.parametrize("kind", MODELS)
def test_any_weights_are_predicted_with_or_refused_without_a_warning(
    kind: str, kernels: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kernels == "NumPy":
        for module in ("model", "tokenizer", "heads.tags", "heads.tree"):
            monkeypatch.setattr(f"meprop_nlp.models.{module}.core", lambda: None)
    file = MODELS[kind]()
    stored = pack_arrays(file.arrays)
    words = "".join(map(str, random_sentences(1, [1, 3, 9]))).encode()
    inputs = [(words, "conllu")]
    if kind == "tokenizer":
        inputs.append((b"Time flies. It rains, at 12.\n\nx y", "text"))
    for name, array in stored.items():
        for value, sign in [(3e38, 1), (3e38, -1), (6e4, 1)]:
            changed = np.full(array.shape, value, np.float32)
            changed.flat[::2] *= sign
            if name.startswith(VECTORS):  # always stored as it is here
                most = 127 if name == VECTORS else 65504
                changed = changed.clip(-most, most).astype(array.dtype)
            arrays = StoredArrays({**stored, name: changed})
            try:
                model = Model(ModelFile(file.header, arrays))
                for content, kind_of_input in inputs:
                    annotating = annotate(
                        io.BytesIO(content), [model], input_format=kind_of_input, confidence=True
                    )
                    assert b"".join(chunk.text for chunk in annotating)
            except MePropError as error:
                assert "finite" in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "name", ["encoder.words.weight", "lemmas.hidden.bias", "tree.label_head.bias"]
)
def test_pace_of_huge_weights_is_measured_or_refused_without_a_warning(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meprop_nlp.models.model.core", lambda: None)
    file, path = random_joint(2, tree="graph"), tmp_path / "some.conllu"
    huge = np.full_like(file.arrays[name], 3e38)
    path.write_text("".join(map(str, random_sentences(1, [1, 3, 9]))), encoding="utf-8")
    model = Model(ModelFile(file.header, {**file.arrays, name: huge}))
    with contextlib.suppress(MePropError):
        assert measure(path, [model], rounds=1, seconds=0)


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
        ({"lexicon": packed("[" + "[]," * 10**6)}, "has over 200,\\d+ values"),
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


HUGE = 10**400
WRONG_VALUES: list[Any] = [
    None,
    True,
    -1,
    0.5,
    HUGE,
    float("nan"),
    "x",
    [],
    [[]],
    [HUGE],
    {"x": []},
    {"uas": HUGE},
]


def parts_of(header: dict[str, Any]) -> list[tuple[str, ...]]:
    """Where the values of a header stand, to two levels."""
    places: list[tuple[str, ...]] = []
    for name, value in header.items():
        places.append((name,))
        if isinstance(value, dict):
            places += [(name, inner) for inner in value]
    return places


# what a training writes, beside the parts of `random_joint`
WRITTEN: dict[str, Any] = {
    "scores": {"upos": 90.5, "las": None},
    "neurons": {"layer1": 3},
    "training": {
        "epoch": 3,
        "training": {"epochs": 5},
        "meprop": {"k": 0},
        "simplify": None,
        "data": {"train": {"sentences": 5}, "dev": {"sentences": 2}},
    },
    "pretrained": {
        **dict.fromkeys(("folder", "name", "fingerprint", "licence"), "x"),
        "layers": 1,
        "width": 2,
    },
    "tokenizer": {
        "characters": "ab",
        "splits": {"rules": {}, "always": []},
        "scores": {"tokens": 1.0},
    },
}


def error_of(use: Callable[[Path], object], path: Path) -> str:
    """The message of an error that a user sees in one line; an empty text if there is none."""
    try:
        use(path)
    except (CheckpointError, ConfigError) as error:
        return str(error)
    return ""


def test_header_with_any_wrong_value_is_described_or_refused_in_one_line(tmp_path: Path) -> None:
    model = random_joint(1, vector_width=3)
    header = {name: value for name, value in model.header.items() if name != "vector_forms"}
    header |= WRITTEN
    refused = 0
    for place in parts_of(header):
        for value in WRONG_VALUES:
            changed = copy.deepcopy(header)
            part = changed if len(place) == 1 else changed[place[0]]
            part[place[-1]] = value
            path = stored(tmp_path / "m", changed, model.arrays)
            for use in (lambda path: model_lines(describe(path)), load):
                message = error_of(use, path)
                refused += bool(message)
                assert not message or message.startswith(str(path)), (place, value)
                assert "\n" not in message
                assert len(message) < 1000
    assert refused > 500


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({"lexicon": {}}, r"`lexicon` in its header is {}, expected forms and features"),
        ({"lexicon": 3}, "`lexicon` in its header is 3"),
        ({"tags": {"upos": 1}}, r"`tags` in its header is {'upos': 1}, expected lists of texts"),
        ({"scores": {"uas": HUGE}}, "`scores` in its header is .*, expected numbers by name"),
        ({"training": {"epoch": "5"}}, "`training` in its header is"),
        ({"neurons": [1]}, "`neurons` in its header is"),
        ({"tokenizer": {"characters": "a", "splits": []}}, "`tokenizer` in its header is"),
    ],
)
def test_header_is_checked_for_every_use(
    header: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    path = stored(tmp_path / "m", {"task": "tagger", **header}, {"a": np.ones(1, np.int8)})
    for use in (describe, load, read_header, read_model_file):
        with pytest.raises(CheckpointError, match=expected):
            use(path)


# The most memory that opening a file may take, and what it takes, in a process of its own.
MEASURED = """
import sys, time
from pathlib import Path
from meprop_nlp.models.file import describe
from meprop_nlp.models.model import load
from meprop_nlp.errors import MePropError
from meprop_nlp.native import core
core()
def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024
path = Path(sys.argv[1])
Path("/proc/self/clear_refs").write_text("5")
before = status("VmRSS")
for use in (describe, load):
    try:
        use(path)
    except MePropError as error:
        assert "\\n" not in str(error)
print(status("VmHWM") - before, 4 * path.stat().st_size + (64 << 20))
"""


def nested_header(path: Path) -> None:
    metadata = json.dumps(
        {"meprop_nlp": json.dumps({"x": 1})[:-1] + ', "y": [' + "[]," * 2_500_000}
    )
    start = f'{{"__metadata__":{metadata}}}'.encode()
    path.write_bytes(len(start).to_bytes(8, "little") + start)


def escaped_header(path: Path) -> None:
    # of what is counted, nothing is in the outer text
    metadata = '"{\\u0022x\\u0022: \\u005b' + "\\u005b\\u005d\\u002c" * 400_000 + '"'
    start = f'{{"__metadata__":{{"meprop_nlp":{metadata}}}}}'.encode()
    path.write_bytes(len(start).to_bytes(8, "little") + start)


def wide_header(path: Path) -> None:
    # one character makes a text of all others four times as large
    header = {"task": "tagger", "x": "a" * 7_000_000 + "\U0001f600"}
    stored(path, header, {"a": np.ones(1, np.int8)})


def many_arrays(path: Path) -> None:
    stored(path, {"task": "tagger"}, {f"a{n}": np.ones(1, np.int8) for n in range(19_000)})


def distinct_lines(n: int) -> bytes:
    return "\n".join(["<unk>", *(f"{i:x}" for i in range(n))]).encode()


def large_model(path: Path) -> None:
    """A model of 20 MB, most of it a table of 200,000 forms."""
    model = random_tagger(1, word_dim=90)
    forms = ["<unk>", *(f"w{i}" for i in range(200_000))]
    lexicon = {**model.header["lexicon"], "forms": forms}
    table = np.ones((len(forms), 90), np.float32)
    arrays = {**model.arrays, "words.weight": table}
    write_model_file(path, {**model.header, "lexicon": lexicon}, arrays)


def expanding_little() -> bytes:
    """A nested text that shrinks to a twentieth only."""
    digits = np.random.default_rng(1).bytes(600_000).hex().encode()
    return b'["' + digits + b'"' + b",[]" * 5_000_000 + b"]"


# the text of a vocabulary, and the format version of its file
LEXICONS: dict[str, tuple[Callable[[], bytes], int]] = {
    "nested": (lambda: b"[" + b"[]," * 3_000_000, 2),
    "nested in a large file": (expanding_little, 2),
    "list": (lambda: b'{"forms":[' + b'"",' * 1_900_000, 2),
    "eight large": (lambda: b"\n\n".join([distinct_lines(60_000)] * 8), 3),
    "eight small": (lambda: b"\n\n".join([distinct_lines(25_000)] * 8), 3),
    "one form": (lambda: "é".encode() * 2_900_000, 3),
    "many forms": (lambda: distinct_lines(480_000), 3),
}


def demand_little_memory(path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", MEASURED, path], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    taken, most = map(int, ran.stdout.split())
    assert taken <= most, f"{taken / 2**20:.0f} MB, expected at most {most / 2**20:.0f}"


only_linux = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="memory is measured as Linux does it"
)


@only_linux
@pytest.mark.parametrize(
    "make", [nested_header, escaped_header, wide_header, many_arrays, large_model]
)
def test_opening_any_file_takes_little_memory(
    make: Callable[[Path], object], tmp_path: Path
) -> None:
    make(tmp_path / "m")
    demand_little_memory(tmp_path / "m")


@only_linux
@pytest.mark.parametrize("name", LEXICONS)
def test_opening_any_vocabulary_takes_little_memory(name: str, tmp_path: Path) -> None:
    text, version = LEXICONS[name]
    header = {"format_version": version, "kind": "model", "task": "tagger"}
    array = np.frombuffer(zlib.compress(text(), 1), np.uint8)
    demand_little_memory(stored(tmp_path / "m", header, {"lexicon": array}))
