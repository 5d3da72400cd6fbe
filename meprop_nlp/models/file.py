"""The model file: one safetensors file with weights, vocabularies, configuration and scores.

It holds plain arrays, and one JSON text in its header. There is no pickle in it, so that opening a
stranger's model runs no code. Opening a file takes at most four times its size and 64 MB of memory,
whatever is in it. What its header says of the model is checked once, by `read_header`, for every
use. Training checkpoints are stored in the same way (training/checkpoint.py).
"""

import io
import json
import os
import stat
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save

from meprop_nlp.data.lexicon import FEATURES
from meprop_nlp.data.lines import shortened
from meprop_nlp.data.vocab import UNK, Vocab
from meprop_nlp.errors import CheckpointError, DataError, number_of
from meprop_nlp.files import replacing
from meprop_nlp.kinds import (
    Kind,
    either,
    is_anything,
    is_count,
    is_none,
    is_nothing,
    is_number,
    is_setting,
    is_text,
    is_truth,
    list_of,
    table_of,
)
from meprop_nlp.models.packing import (
    StoredArrays,
    demand_few_values,
    load_json,
    pack_arrays,
    pack_texts,
    size_of,
    unpack_json,
    unpack_texts,
)
from meprop_nlp.scoring.names import SCORE_NAMES

FORMAT_VERSION = 3  # in version 1 no part is packed, in version 2 vocabularies are JSON
_KEY = "meprop_nlp"
_LEXICON = "lexicon"  # the array that holds the packed vocabulary
# in the header: the forms that have pretrained vectors, packed into an array of this name, so that
# the file's header has their number in this place; and the number of values of each vector
VECTOR_FORMS = "vector_forms"
VECTOR_WIDTH = "vector_width"
TOKENIZER = "tokenizer"  # in the header of a model that has one, and before its arrays
_MAX_HEADER = 8_000_000  # bytes; that of an English model has 50,000
_ENTRY = 200  # bytes of it for an array, at most about


_TEXTS = list_of(is_text)
_SCORES = table_of(either(is_number, is_none))
_SETTINGS = table_of(either(is_setting, list_of(is_setting)), heads=_TEXTS)
_SPLITS = table_of(
    is_anything, "rules", "always", rules=table_of(list_of(is_setting)), always=_TEXTS
)
_ENCODER: dict[str, Kind] = {
    **dict.fromkeys(("folder", "name", "fingerprint", "licence"), is_text),
    **dict.fromkeys(("layers", "width"), is_count),
}
# What the parts of a header are, in words and as a kind. One that is not here is shown by `info`,
# and not used.
_PARTS: dict[str, tuple[str, Kind]] = {
    "kind": ("a text", is_text),
    "checksum": ("a number", is_count),
    "config": ("settings by name", _SETTINGS),
    _LEXICON: (
        "forms and features",
        table_of(is_anything, "forms", "features", forms=_TEXTS, features=table_of(_TEXTS)),
    ),
    "word_forms": ("a number", is_count),
    "tags": ("lists of texts by column", table_of(_TEXTS)),
    "labels": ("a list of texts", _TEXTS),
    "root_labels": ("a list of whole numbers", list_of(is_count)),
    "other_labels": ("a list of whole numbers", list_of(is_count)),
    "scripts": ("a list of texts", _TEXTS),
    "characters": ("a list of texts", _TEXTS),
    "treebanks": ("a list of texts", _TEXTS),
    "taught_with": ("a list of texts", _TEXTS),
    "scores": ("numbers by name", _SCORES),
    "neurons": ("numbers by name", table_of(is_count)),
    "calibration": ("two numbers by name", table_of(list_of(is_number))),
    "lemma_weights": ("numbers by name", table_of(is_number)),
    "pretrained": (
        f"{', '.join(_ENCODER)} of an encoder",
        table_of(is_nothing, *_ENCODER, **_ENCODER, fine_tuned=is_truth),
    ),
    VECTOR_FORMS: ("a number, or a list of texts", either(is_count, _TEXTS)),
    VECTOR_WIDTH: ("a number", is_count),
    TOKENIZER: (
        "characters and splits",
        table_of(
            is_anything, "characters", "splits", characters=is_text, splits=_SPLITS, scores=_SCORES
        ),
    ),
    "training": (
        "settings by name",
        table_of(
            is_anything,
            epoch=is_count,
            data=table_of(table_of(is_setting, sentences=is_count)),
            training=_SETTINGS,
            meprop=either(_SETTINGS, is_none),
            simplify=either(_SETTINGS, is_none),
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class ModelFile:
    """The content of a file: `header` (task, config, vocabularies, scores, ...) and `arrays`.

    Vocabularies are lists of texts, or `Vocab`s where they were read from a file.
    """

    header: dict[str, Any]
    arrays: Mapping[str, npt.NDArray[Any]]


def write_model_file(
    path: str | os.PathLike[str],
    header: Mapping[str, Any],
    arrays: Mapping[str, npt.NDArray[Any]],
) -> None:
    """Write a model file, completely or not at all.

    A model (`kind` in its header) is packed; a checkpoint keeps every bit.

    Raises:
        DataError: the file cannot be written.
    """
    card = _with_encoder(header, lambda folder: os.path.relpath(folder, Path(path).parent))
    try:
        content = model_bytes({**header, **card}, arrays)
    except DataError as error:
        raise DataError(f"{os.fspath(path)}: cannot be written: {error}") from None
    with replacing(path, durable=True) as temporary:
        # save_file would write to a file of its own beside this one, which a kill leaves behind
        temporary.write_bytes(content)


def model_bytes(
    header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]], *, exact: bool = False
) -> bytes:
    """Return the bytes of a model file; a fine-tuned encoder is named as the header names it.

    Args:
        exact: keep every bit of the weights, also where a file would hold them rounded.

    Raises:
        DataError: the header is too large.
    """
    stored: dict[str, Any] = {"format_version": 1, **header}
    stored.pop("checksum", None)  # of the file that the header was read from
    if header.get("kind") == "model":
        stored["format_version"] = FORMAT_VERSION
        arrays = pack_arrays(arrays, exact=exact)
        if lexicon := stored.pop("lexicon", None):
            stored["word_forms"] = len(lexicon["forms"]) - 1
            features = (lexicon["features"][name] for name, _ in FEATURES)
            arrays[_LEXICON] = pack_texts(lexicon["forms"], *features)
        if forms := stored.get(VECTOR_FORMS):
            stored[VECTOR_FORMS] = len(forms) - 1
            arrays[VECTOR_FORMS] = pack_texts(forms)
    ordered = {name: np.asarray(arrays[name], order="C") for name in sorted(arrays)}
    text = _to_json({**stored, "checksum": _checksum(stored, ordered)})
    try:
        # what is escaped in a text within a text counts twice
        n_bytes = len(text.encode()) + text.count('"') + text.count("\\")
        if n_bytes + _ENTRY * len(ordered) > _MAX_HEADER:
            raise ValueError(f"it has {n_bytes:,} bytes")
        demand_few_values(text, sum(array.nbytes for array in ordered.values()))
    except ValueError as error:
        raise DataError(f"its header is too large: {error}") from None
    return save(ordered, metadata={_KEY: text})


def noun_of(task: object) -> str:
    """Return what a model of a task is called, such as `joint model`."""
    return "joint model" if task == "joint" else str(task)


def read_header(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read only the header of a model file, whatever the size of its weights.

    Raises:
        CheckpointError: the file is missing, not a model, cut short, or from a newer version; or
            what its header says is not of the kind that a training writes.
    """
    name = os.fspath(path)
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            # a pipe could be read once only, and one that nobody writes to would be waited for
            raise CheckpointError(f"{name}: is a pipe or a device, expected a model file")
        with Path(path).open("rb") as stream:
            return _header_of(stream, status.st_size, name)
    except IsADirectoryError:
        raise CheckpointError(f"{name}: is a folder, expected the file of a model") from None
    except FileNotFoundError:
        raise CheckpointError(f"{name}: there is no such file") from None
    except OSError as error:
        raise CheckpointError(f"{name}: cannot be read: {error.strerror or error}") from None


def _header_of(stream: BinaryIO, size: int, name: str) -> dict[str, Any]:
    """Return the header of a model of `size` bytes; errors are as for `read_header`."""
    start = stream.read(8)
    length = int.from_bytes(start, "little")
    if len(start) < 8 or not 2 <= length <= _MAX_HEADER or stream.read(1) != b"{":
        raise CheckpointError(f"{name}: {_not_a_model(start)}")
    raw = b"{" + stream.read(length - 1)
    if len(raw) < length:
        raise CheckpointError(f"{name}: the file is cut short: {size:,} bytes, header incomplete")
    try:
        tensors = load_json(raw, size)
        header = load_json(tensors.pop("__metadata__")[_KEY], size)
        version = header["format_version"]
        ends = [entry["data_offsets"][1] for entry in tensors.values()]
        expected = 8 + length + max(ends, default=0)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        raise CheckpointError(f"{name}: {_not_a_model(start)}") from None
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise CheckpointError(
            f"{name}: has format version {version}, this meprop_nlp reads up to {FORMAT_VERSION}; "
            "upgrade with: pip install --upgrade meprop-nlp"
        )
    if size < expected:
        raise CheckpointError(
            f"{name}: the file is cut short: {size:,} of {expected:,} bytes; copy it again"
        )
    if size > expected:
        raise CheckpointError(
            f"{name}: cannot be read as a model: {size - expected:,} bytes follow its weights"
        )
    _demand_kinds(name, header)
    return dict(header)


def read_model_file(path: str | os.PathLike[str]) -> ModelFile:
    """Read a whole model file.

    Raises:
        CheckpointError: as for `read_header`, or the weights are damaged.
    """
    header = read_header(path)
    card = _with_encoder(header, lambda folder: str(Path(path).parent / folder))
    return _whole(header, card, Path(path).read_bytes, os.fspath(path))


def read_model_bytes(content: bytes, name: str = "<bytes>") -> ModelFile:
    """Read the bytes of a model file.

    Args:
        name: names them in messages.

    Raises:
        CheckpointError: as for `read_model_file`.
    """
    header = _header_of(io.BytesIO(content), len(content), name)
    return _whole(header, {}, lambda: content, name)


def _whole(
    header: dict[str, Any], card: dict[str, Any], read: Callable[[], bytes], file: str
) -> ModelFile:
    """Return what follows a header, with it.

    Args:
        card: what takes the place of a part of the header, once the checksum is compared.
        read: returns the bytes of the whole file.
        file: names it in messages.
    """
    stored = {name: value for name, value in header.items() if name != "checksum"}
    arrays: Mapping[str, npt.NDArray[Any]]
    header |= card
    try:
        content = read()
        size = len(content)
        arrays = load(content)
        del content
        checksum = _checksum(stored, dict(sorted(arrays.items())))
    # safetensors has types that NumPy lacks
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{file}: cannot be read as a model: {error}") from None
    if checksum != header.get("checksum"):
        raise CheckpointError(f"{file}: the file is damaged (checksum differs); copy it again")
    if header["format_version"] > 1:
        try:
            _unpack_vocabularies(header, arrays, size)
            arrays = StoredArrays(arrays)
        except (ValueError, RecursionError, DataError) as error:
            raise CheckpointError(f"{file}: {error}; train it anew") from None
    return ModelFile(header, arrays)


def _unpack_vocabularies(
    header: dict[str, Any], arrays: dict[str, npt.NDArray[Any]], size: int
) -> None:
    """Put the vocabularies that are stored as arrays into the header.

    Raises:
        ValueError: they are not as they are written, or far too large for the file's size.
    """
    version = header["format_version"]
    if _LEXICON in arrays:
        packed = arrays.pop(_LEXICON)
        if version == 2:
            header["lexicon"] = unpack_json(packed, size)
            _demand_kind("lexicon", header["lexicon"])
        else:
            forms, *features = map(Vocab.from_lines, unpack_texts(packed, size))
            names = [name for name, _ in FEATURES]
            if len(features) != len(names):
                raise ValueError(f"the lexicon has {len(features)} features")
            header["lexicon"] = {
                "forms": forms,
                "features": dict(zip(names, features, strict=True)),
            }
        header.pop("word_forms", None)
    if VECTOR_FORMS in arrays:
        packed = arrays.pop(VECTOR_FORMS)
        if version == 2:
            header[VECTOR_FORMS] = unpack_json(packed, size)
            _demand_kind(VECTOR_FORMS, header[VECTOR_FORMS])
        else:
            lists = unpack_texts(packed, size)
            if len(lists) != 1:
                raise ValueError(f"the vectors have {len(lists)} lists of forms")
            header[VECTOR_FORMS] = Vocab.from_lines(lists[0])


def _demand_kinds(file: str, header: Mapping[str, Any]) -> None:
    """Raise CheckpointError if a part of a header is not what a training writes."""
    try:
        for name, value in header.items():
            _demand_kind(name, value)
    except ValueError as error:
        raise CheckpointError(f"{file}: {error}; train it anew") from None


def _demand_kind(name: str, value: Any) -> None:
    expected, kind = _PARTS.get(name, ("anything", is_anything))
    if not kind(value):
        raise ValueError(f"`{name}` in its header is {shortened(repr(value))}, expected {expected}")


def _with_encoder(header: Mapping[str, Any], place: Callable[[str], str]) -> dict[str, Any]:
    """Return the part of a header on a fine-tuned encoder, its folder named otherwise; or nothing.

    In a file it is named as seen from the folder of the file, so that both can be moved together.

    Args:
        place: returns the folder's new name, given the old one.
    """
    card = header.get("pretrained")
    if not isinstance(card, dict) or card.get("fine_tuned") is not True:
        return {}
    folder = card.get("folder")
    if not isinstance(folder, str):
        return {}
    return {"pretrained": card | {"folder": os.path.normpath(place(folder))}}


def describe(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return a description of a model file for a person, without vocabularies and weights.

    Raises:
        CheckpointError: as for `read_header`.
    """
    header = read_header(path)
    lexicon = header.pop("lexicon", None)
    labels = header.pop("labels", [])
    tags = header.pop("tags", {})
    scripts, characters = header.pop("scripts", []), header.pop("characters", [])
    tokenizer = header.pop(TOKENIZER, None)
    for hidden in ("checksum", "calibration", "lemma_weights", "root_labels", "other_labels"):
        header.pop(hidden, None)
    return {
        "file": os.fspath(path),
        "bytes": Path(path).stat().st_size,
        **({} if lexicon is None else {"word_forms": len(lexicon["forms"]) - 1}),
        **{f"{name}_values": len(values) for name, values in tags.items()},
        **({"lemma_scripts": len(scripts)} if scripts else {}),
        **({"characters": len(characters)} if characters else {}),
        **({} if tokenizer is None else {TOKENIZER: _tokenizer_summary(tokenizer)}),
        **header,
        **({"labels": labels} if labels else {}),
    }


def summary(file: ModelFile) -> dict[str, str]:
    """Return what a file says of a model's training and network, by name, for a person.

    What the header lacks is left out, and so is what is not as a training writes it.
    """
    header = file.header
    training = _mapping(header.get("training"))
    data = {role: _mapping(of_role) for role, of_role in _mapping(training.get("data")).items()}
    trained = [
        number_of(count, f"{role} sentence")
        for role in ("train", "dev")
        if isinstance(count := data.get(role, {}).get("sentences"), int) and count
    ]
    if "epoch" in training:
        trained.append(f"epoch {training['epoch']}")
    known = {
        "forms": _mapping(header.get("lexicon")).get("forms"),
        **_mapping(header.get("tags")),
        "lemma scripts": header.get("scripts"),
        "relations": header.get("labels"),
    }
    weights, n_bytes = size_of(file.arrays)
    treebanks = header.get("treebanks")
    lines = {
        "trained": ", ".join(trained),
        "treebanks": ", ".join(map(str, treebanks)) if isinstance(treebanks, list) else "",
        "dev, words given": _numbers(header.get("scores"), SCORE_NAMES, ".2f"),
        "network": _numbers(header.get("neurons"), None, ","),
        "encoder": str(_mapping(header.get("pretrained")).get("name", "")),
        "knows": "  ".join(
            f"{name} {len(values) - (UNK in values):,}"
            for name, values in known.items()
            if isinstance(values, list | Vocab)
        ),
        "size": f"{weights:,} weights, {n_bytes / 1e6:.1f} MB in memory",
    }
    return {name: line for name, line in lines.items() if line}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _numbers(values: object, names: Mapping[str, str] | None, form: str) -> str:
    """Return numbers in one line, each after its name, or after what it is called in `names`."""
    return "  ".join(
        f"{name if names is None else names[name]} {number:{form}}"
        for name, number in _mapping(values).items()
        if isinstance(number, int | float) and (names is None or name in names)
    )


def _tokenizer_summary(tokenizer: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "characters": len(tokenizer["characters"]),
        "multiword_endings": len(tokenizer["splits"]["rules"]),
        "scores": tokenizer.get("scores", {}),
    }


def _to_json(header: Mapping[str, Any]) -> str:
    # not sorted: the order of the tag columns is the order of their rows in the parser's table
    return json.dumps(header, ensure_ascii=False)


def _checksum(header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> int:
    """Return a checksum of the whole content; it detects a single changed byte."""
    total = zlib.crc32(_to_json(header).encode())
    for name, array in arrays.items():
        total = zlib.crc32(f"{name} {array.dtype} {array.shape}".encode(), total)
        total = zlib.crc32(np.ascontiguousarray(array).data, total)
    return total


def _not_a_model(start: bytes) -> str:
    kinds = {
        b"PK\x03\x04": "a zip file or a PyTorch checkpoint",
        b"\x1f\x8b": "a gzip file",
        b"\xfd7zXZ": "an xz file",
        b"# ": "CoNLL-U",
        b"1\t": "CoNLL",
    }
    looks = next((kind for magic, kind in kinds.items() if start.startswith(magic)), None)
    hint = f" (looks like {looks})" if looks else " (empty file)" if not start else ""
    return (
        f"is not a meprop_nlp model{hint}; "
        "expected a .safetensors file of train, train-tagger or train-parser"
    )
