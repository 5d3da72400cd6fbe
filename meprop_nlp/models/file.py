"""The model file: one safetensors file with weights, vocabularies, configuration and scores.

Plain arrays and one JSON text in the file's header; no pickle, so that opening a stranger's model
runs no code. The same container holds training checkpoints (training/checkpoint.py).
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save_file

from meprop_nlp.errors import CheckpointError
from meprop_nlp.files import replacing
from meprop_nlp.models.packing import pack_arrays, pack_json, unpack_arrays, unpack_json

__all__ = [
    "FORMAT_VERSION",
    "ModelFile",
    "describe",
    "read_header",
    "read_model_file",
    "write_model_file",
]

FORMAT_VERSION = 2  # 1: as 2, but no part is packed
_KEY = "meprop_nlp"
_LEXICON = "lexicon"  # the array that holds the packed vocabulary
_MAX_HEADER = 100_000_000  # safetensors' own limit


@dataclass(frozen=True, slots=True)
class ModelFile:
    """What a file holds: `header` (task, config, vocabularies, scores, ...) and named arrays."""

    header: dict[str, Any]
    arrays: dict[str, npt.NDArray[Any]]


def write_model_file(
    path: str | os.PathLike[str],
    header: Mapping[str, Any],
    arrays: Mapping[str, npt.NDArray[Any]],
) -> None:
    """Write a model file at once or not at all.

    A model (`kind` in its header) is packed; a checkpoint keeps every bit.

    Raises:
        DataError: the place cannot be written to.
    """
    stored: dict[str, Any] = {"format_version": 1, **header}
    if header.get("kind") == "model":
        stored["format_version"] = FORMAT_VERSION
        arrays = pack_arrays(arrays)
        if lexicon := stored.pop("lexicon", None):
            stored["word_forms"] = len(lexicon["forms"]) - 1
            arrays[_LEXICON] = pack_json(lexicon)
    ordered = {name: np.asarray(arrays[name], order="C") for name in sorted(arrays)}
    text = _to_json({**stored, "checksum": _checksum(stored, ordered)})
    with replacing(path) as temporary:
        try:
            save_file(ordered, temporary, metadata={_KEY: text})
        except SafetensorError as error:
            raise OSError(str(error)) from None


def read_header(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read only the header of a model file, whatever the size of its weights.

    Raises:
        CheckpointError: the file is missing, no model, cut short, or from a newer version.
    """
    name = os.fspath(path)
    try:
        size = Path(path).stat().st_size
        with Path(path).open("rb") as stream:
            start = stream.read(8)
            length = int.from_bytes(start, "little")
            if len(start) < 8 or not 2 <= length <= _MAX_HEADER or stream.read(1) != b"{":
                raise CheckpointError(f"{name}: {_not_a_model(start)}")
            raw = b"{" + stream.read(length - 1)
    except OSError as error:
        raise CheckpointError(f"{name}: cannot be read: {error.strerror or error}") from None
    if len(raw) < length:
        raise CheckpointError(f"{name}: the file is cut short: {size:,} bytes, header incomplete")
    try:
        tensors = json.loads(raw)
        expected = (
            8
            + length
            + max(
                (
                    entry["data_offsets"][1]
                    for key, entry in tensors.items()
                    if key != "__metadata__"
                ),
                default=0,
            )
        )
        header = json.loads(tensors["__metadata__"][_KEY])
        version = header["format_version"]
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
    return dict(header)


def read_model_file(path: str | os.PathLike[str]) -> ModelFile:
    """Read a model file whole.

    Raises:
        CheckpointError: as `read_header`, or the weights are damaged.
    """
    header = read_header(path)
    stored = {name: value for name, value in header.items() if name != "checksum"}
    try:
        arrays = load(Path(path).read_bytes())
        checksum = _checksum(stored, dict(sorted(arrays.items())))
    # safetensors knows types that NumPy has not
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{os.fspath(path)}: cannot be read as a model: {error}") from None
    if checksum != header.get("checksum"):
        raise CheckpointError(
            f"{os.fspath(path)}: the file is damaged (checksum differs); copy it again"
        )
    if header["format_version"] > 1:
        try:
            if _LEXICON in arrays:
                header["lexicon"] = unpack_json(arrays.pop(_LEXICON))
                header.pop("word_forms", None)
            arrays = unpack_arrays(arrays)
        except (ValueError, RecursionError) as error:
            raise CheckpointError(f"{os.fspath(path)}: {error}; train it anew") from None
    return ModelFile(header, arrays)


def describe(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what a model file is, for a person: no vocabularies, no weights.

    Raises:
        CheckpointError: as `read_header`.
    """
    header = read_header(path)
    lexicon = header.pop("lexicon", None)
    labels = header.pop("labels", [])
    tags = header.pop("tags", {})
    for hidden in ("checksum", "root_labels", "other_labels"):
        header.pop(hidden, None)
    try:
        description = {
            "file": os.fspath(path),
            "bytes": Path(path).stat().st_size,
            **({} if lexicon is None else {"word_forms": len(lexicon["forms"]) - 1}),
            **{f"{name}_values": len(values) for name, values in tags.items()},
            **header,
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{os.fspath(path)}: the model is incomplete ({error!r}); train it anew"
        ) from None
    if labels:
        description["labels"] = labels
    return description


def _to_json(header: Mapping[str, Any]) -> str:
    # in the header's own order: the parser numbers its tag columns by it
    return json.dumps(header, ensure_ascii=False)


def _checksum(header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> int:
    """Return a checksum of all that a file says: one changed byte is found."""
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
        "expected a .safetensors file of train-tagger or train-parser"
    )
