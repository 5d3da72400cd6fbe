"""libFuzzer (by Atheris) on the model loader: any model file is predicted with, or refused.

The bytes from libFuzzer choose a small valid model and the changes to it; the checksum is computed
again afterwards. Finally some bytes of the file itself may be changed.

    tools/fuzz.sh [SECONDS] model
    fuzz_model.py [CORE] [libFuzzer's options]    # CORE: a build of the core to use
"""

from __future__ import annotations

import copy
import io
import json
import sys
import tempfile
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import atheris
import numpy as np
from core_at import import_from_sources, use_core

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "models")]

if len(sys.argv) > 1 and sys.argv[1].endswith(".so"):
    use_core(Path(sys.argv.pop(1)))
else:
    import_from_sources()

with atheris.instrument_imports(include=["meprop_nlp"]):
    from meprop_nlp.commands.description import model_lines
    from meprop_nlp.errors import MePropError
    from meprop_nlp.models import annotate as annotating
    from meprop_nlp.models import file as model_file
    from meprop_nlp.models import packing
    from meprop_nlp.models.model import load

from models import (  # noqa: E402
    random_joint,
    random_parser,
    random_sentences,
    random_tagger,
    random_tokenizer,
)
from safetensors import SafetensorError, safe_open  # noqa: E402
from safetensors.numpy import load as load_arrays  # noqa: E402

Choices: TypeAlias = atheris.FuzzedDataProvider
Arrays = dict[str, np.ndarray]

# what a training writes into a header besides
TRAINING = {
    "training": {
        "epoch": 3,
        "data": {"train": {"file": "t.conllu", "sentences": 9}, "dev": {"sentences": 2}},
        "training": {"epochs": 9, "learning_rate": 0.1},
        "meprop": {"k": 4, "topk_mode": "example"},
        "simplify": {"keep": 0.5},
    },
    "scores": {"upos": 91.5, "uas": 80.25, "las": 75.0},
    "neurons": {"layers.0": 5},
    "calibration": {"ArcConf": [1.0, 0.1]},
}


def whole_model(seed: int, **config: Any) -> model_file.ModelFile:
    """A joint model with a tokenizer, and with all that its training says of itself."""
    joint, tokenizer = random_joint(seed, **config), random_tokenizer(seed)
    tokenizer.header["tokenizer"]["scores"] = {"words": 99.5}
    header = {**joint.header, **tokenizer.header, **TRAINING}
    return model_file.ModelFile(header, {**joint.arrays, **tokenizer.arrays})


MODELS = [
    random_tagger(1),
    random_tagger(2, units=(3, 6), columns=("xpos",)),
    random_parser(3, tag_columns=("upos",)),
    random_parser(4, transition_system="arc-hybrid", layers=2, activation="tanh", labels=3),
    random_parser(5, transition_system="arc-standard-swap", tag_columns=("xpos", "upos")),
    whole_model(7, tree="graph"),
    whole_model(8, tree="transitions", vector_width=3),
]


def stored(file: model_file.ModelFile) -> tuple[dict[str, Any], Arrays]:
    """The header and the arrays of a model as they stand in its file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.safetensors"
        model_file.write_model_file(path, file.header, file.arrays)
        with safe_open(path, "numpy") as opened:
            header = json.loads(opened.metadata()["meprop_nlp"])
        return header, load_arrays(path.read_bytes())


STORED = [stored(model) for model in MODELS]
SENTENCES = random_sentences(6, [1, 2, 9])
TEXT = "".join(map(str, SENTENCES)).encode()
PLAIN = "The old abc, isn't\u00a0it?\n\nAB c.".encode()
TYPES = ("f2", "f4", "f8", "i1", "u1", "i4", "i8", "?")
# the names in safetensors; the last are types that NumPy lacks, or that do not exist
NAMES = ("F16", "F32", "F64", "I8", "U8", "I32", "I64", "BOOL", "BF16", "F8_E4M3", "X")
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, 2, -1, 7, 2**31, 2**63, 2**64, 10**30, -(10**30), 0.5, 1e308,
    float("nan"), float("inf"), "", "_", "x", "<unk>", "a\tb", "a\nb", "\ud800", "\0", "acl\u2191",
    "upos", "xpos", "feats", "arc-standard", "cube", "tagger", "parser", "classifier", "é" * 300,
    [], {}, [[]], [0], ["x"], {"x": 1}, [None] * 50, list(range(300)), ["<unk>", "<unk>"],
)  # fmt: skip
NUMBERS = (np.nan, np.inf, -np.inf, 0.0, 1e-45, 3e38, -3e38, 65504.0, 1e30)
SIZES = (0, 1, 2, 3, 4, 47, 48, 96, 1000, 10**6, 2**31, 2**40, 2**63)


def change_json(choices: Choices, header: dict[str, Any]) -> None:
    """Change one value of the header somewhere."""
    value: Any = header
    while True:
        container = value
        if not container:
            return
        keys = list(container) if isinstance(container, dict) else list(range(len(container)))
        key = choices.PickValueInList(keys)
        value = container[key]
        if not isinstance(value, dict | list) or choices.ConsumeBool():
            break
    kind = choices.ConsumeIntInRange(0, 5)
    if kind == 0:
        del container[key]
    elif kind == 1 and isinstance(value, list):
        container[key] = value[: choices.ConsumeIntInRange(0, len(value))]
    elif kind == 2 and isinstance(value, list):
        container[key] = value + copy.deepcopy(value)[: choices.ConsumeIntInRange(0, 100)]
    elif kind == 3 and isinstance(container, dict):
        container[choices.PickValueInList(["x", "lexicon", "upos", "", "<unk>"])] = value
    elif kind == 4 and isinstance(value, int):
        container[key] = value + choices.ConsumeIntInRange(-3, 3)
    else:
        container[key] = copy.deepcopy(choices.PickValueInList(list(VALUES)))


def change_arrays(choices: Choices, arrays: Arrays) -> None:
    """Change one of the arrays: its name, type, shape or values."""
    if not arrays:
        return
    names = sorted(arrays)
    name = choices.PickValueInList(names)
    array = arrays[name]
    kind = choices.ConsumeIntInRange(0, 8)
    if kind == 0:
        del arrays[name]
    elif kind == 1:
        arrays[choices.PickValueInList([*names, "x", name + ".scale"])] = array
    elif kind == 2:
        with np.errstate(all="ignore"):
            arrays[name] = array.astype(choices.PickValueInList(list(TYPES)))
    elif kind == 3:
        shapes = [array.T.shape, (-1,), (1, -1), (-1, 1), (*array.shape, 1), (1, *array.shape)]
        arrays[name] = array.reshape(choices.PickValueInList(shapes))
    elif kind == 4 and array.ndim:
        axis = choices.ConsumeIntInRange(0, array.ndim - 1)
        length = choices.ConsumeIntInRange(0, min(200, 2 * array.shape[axis] + 2))
        if array.shape[axis]:
            arrays[name] = array.take(np.arange(length) % array.shape[axis], axis)
    elif kind == 5 and array.size and array.dtype.kind == "f":
        changed = array.copy()
        number = choices.PickValueInList(list(NUMBERS))
        with np.errstate(all="ignore"):
            changed.flat[choices.ConsumeIntInRange(0, array.size - 1)] = number
        arrays[name] = changed
    elif kind == 6 and array.dtype.kind == "f":
        with np.errstate(all="ignore"):
            number = choices.PickValueInList(list(NUMBERS))
            arrays[name] = (array * array.dtype.type(number)).astype(array.dtype)
    elif kind == 7:
        arrays[name] = np.zeros((choices.PickValueInList([0, 1, 9]),) * array.ndim, array.dtype)
    elif array.dtype == np.uint8:  # the packed vocabulary
        text = json.dumps(choices.PickValueInList(list(VALUES)))
        length = choices.PickValueInList([len(text), 1000, 10**7])
        content = (text * (length // len(text) + 1)).encode()
        arrays[name] = np.frombuffer(zlib.compress(content), np.uint8)


def file_of(choices: Choices, header: dict[str, Any], arrays: Arrays) -> bytes:
    """A safetensors file; some entries of its header may be wrong about the data."""
    entries: dict[str, Any] = {}
    data = b""
    for name, array in sorted(arrays.items()):
        values = np.ascontiguousarray(array)
        codes = {"f2": "F16", "f4": "F32", "f8": "F64", "i1": "I8", "u1": "U8", "i4": "I32"}
        code = codes.get(values.dtype.str[1:], "I64" if values.dtype.kind == "i" else "BOOL")
        end = len(data) + values.nbytes
        entry = {"dtype": code, "shape": list(array.shape), "data_offsets": [len(data), end]}
        entries[name] = entry
        data += values.tobytes()
    # compared with 7, as choices are 0 when the bytes are used up
    if choices.ConsumeIntInRange(0, 7) == 7 and entries:
        entry = entries[choices.PickValueInList(sorted(entries))]
        kind = choices.ConsumeIntInRange(0, 2)
        if kind == 0:
            entry["dtype"] = choices.PickValueInList(list(NAMES))
        elif kind == 1:
            sizes = [choices.PickValueInList(list(SIZES)) for _ in entry["shape"]]
            entry["shape"] = sizes
        else:
            entry["data_offsets"][choices.ConsumeIntInRange(0, 1)] = choices.PickValueInList(
                list(SIZES)
            )

    def whole(checksum: int) -> bytes:
        text = json.dumps({**header, "checksum": checksum})
        start = json.dumps({"__metadata__": {"meprop_nlp": text}, **entries}).encode()
        start += b" " * (-len(start) % 8)
        return len(start).to_bytes(8, "little") + start + data

    try:
        loaded = dict(sorted(load_arrays(whole(0)).items()))
        # as it will be read, with keys as text, and so on
        return whole(model_file._checksum(json.loads(json.dumps(header)), loaded))
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError):
        return whole(0)


def made_up(choices: Choices) -> bytes:
    """A model file."""
    number = choices.ConsumeIntInRange(0, len(MODELS) - 1)
    kind = choices.ConsumeIntInRange(0, 2)  # nothing is packed, by us, or as it is written
    if kind == 2:
        header, arrays = copy.deepcopy(STORED[number][0]), dict(STORED[number][1])
    else:
        header, arrays = copy.deepcopy(MODELS[number].header), dict(MODELS[number].arrays)
        header["format_version"] = 1 + kind
    changes: list[tuple[Callable[..., None], Any]] = [
        (change_json, header),
        (change_arrays, arrays),
    ]
    for _ in range(choices.ConsumeIntInRange(0, 3)):
        change, of = choices.PickValueInList(changes)
        change(choices, of)
    if kind == 1:
        with np.errstate(all="ignore"):
            arrays = packing.pack_arrays(arrays)
        if "lexicon" in header:
            text = json.dumps(header.pop("lexicon")).encode()
            arrays["lexicon"] = np.frombuffer(zlib.compress(text), np.uint8)
    for _ in range(choices.ConsumeIntInRange(0, 2)):
        change, of = choices.PickValueInList([(change_json, header), (change_arrays, arrays)])
        change(choices, of)
    content = bytearray(file_of(choices, header, arrays))
    for _ in range(choices.ConsumeIntInRange(0, 9) - 6):
        place = choices.ConsumeIntInRange(0, len(content) - 1)
        content[place] = choices.ConsumeIntInRange(0, 255)
        if choices.ConsumeIntInRange(0, 9) == 0:
            del content[place:]
            break
    return bytes(content)


# users would see a warning of NumPy
warnings.simplefilter("error", RuntimeWarning)


def predict(path: str) -> None:
    """Everything that can be done with a model, unless it is refused."""
    for use in (model_file.describe, load):
        try:
            model = use(path)
            if isinstance(model, dict):
                json.dumps(model)
                model_lines(model)
                continue
        except MePropError:
            continue
        try:
            list(model.pipe(SENTENCES, confidence=True))
            list(annotating.annotate(io.BytesIO(TEXT), [model], confidence=True))
            if model.tokenizer is not None:
                list(annotating.annotate(io.BytesIO(PLAIN), [model], input_format="text"))
        except MePropError:
            continue


def test_one_input(data: bytes) -> None:
    """What libFuzzer calls."""
    Path(PLACE).write_bytes(made_up(Choices(data)))
    predict(PLACE)


# always the same file: libFuzzer ends the process without a chance to remove it
PLACE = str(ROOT / "build" / "fuzz" / "model.safetensors")
if __name__ == "__main__":
    Path(PLACE).parent.mkdir(parents=True, exist_ok=True)
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
