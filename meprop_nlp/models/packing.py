"""Compact storage of weights and vocabularies in a model file.

Word and feature tables and the joint model's encoder, which are most of a model, are stored as
8-bit integers with one scale per row, all other matrices as float16. `rounded` returns the weights
as they will be read back, so that training scores exactly the model that it saves.
"""

import json
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]

TABLES = ("words.weight", "features.weight")
ENCODER = "encoder."  # begins the names of the joint model's encoder
# The table of pretrained vectors, which stays packed in memory: it may be larger than all the rest
# of a model, and a text needs few of its rows.
VECTORS = "encoder.vectors.weight"
_LEVELS = 127
_SCALE = ".scale"
VECTOR_SCALES = VECTORS + _SCALE
# Vocabularies shrink to a third or a fifth. What expands far more is an attack on the memory.
_MOST_PACKED = 50
_LEAST_ROOM = 1 << 16  # bytes; a short text may expand by any factor


def pack_arrays(arrays: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    """Return the arrays to store; an array that overflows the smaller type stays float32."""
    packed: Arrays = {}
    for name, array in arrays.items():
        packed[name] = array
        if array.dtype != np.float32 or array.ndim < 2 or not np.isfinite(array).all():
            continue
        with np.errstate(over="ignore"):
            if array.ndim == 2 and (name in TABLES or name.startswith(ENCODER)):
                top = np.abs(array).max(1, initial=0)
                scale = (top / _LEVELS).astype(np.float16)
                # a row whose scale is zero in float16 becomes zero
                steps = np.divide(
                    array, scale[:, None], where=scale[:, None] > 0, out=np.zeros_like(array)
                )
                whole = np.clip(np.rint(steps), -_LEVELS, _LEVELS)
                if np.isfinite(whole).all() and np.isfinite(scale).all():
                    packed[name] = whole.astype(np.int8)
                    packed[name + _SCALE] = scale
            else:
                half = array.astype(np.float16)
                if np.isfinite(half).all():
                    packed[name] = half
    return packed


def unpack_arrays(stored: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    """Undo `pack_arrays`; arrays of other types, and `VECTORS`, are returned as they are.

    Raises:
        ValueError: an array does not have one scale for each of its rows.
    """
    arrays: Arrays = {}
    for name, array in stored.items():
        if name in (VECTORS, VECTOR_SCALES):
            arrays[name] = array
        elif name + _SCALE in stored:
            scale = stored[name + _SCALE].astype(np.float32)
            if array.ndim != 2 or scale.shape != array.shape[:1]:
                raise ValueError(f"{name} has no scale for each of its rows")
            with np.errstate(invalid="ignore"):  # `take` refuses weights that are not finite
                arrays[name] = array.astype(np.float32) * scale[:, None]
        elif not name.endswith(_SCALE):
            arrays[name] = array.astype(np.float32) if array.dtype == np.float16 else array
    return arrays


def rounded(arrays: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    """Return the arrays as they will be after they are stored and read back."""
    return unpack_arrays(pack_arrays(arrays))


def pack_json(value: Any) -> npt.NDArray[np.uint8]:
    """Return a JSON value as an array of compressed bytes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return np.frombuffer(zlib.compress(text, 9), np.uint8)


def unpack_json(stored: npt.NDArray[Any]) -> Any:
    """Undo `pack_json`.

    Raises:
        ValueError: the bytes were not made by `pack_json`, or expand to far too many.
    """
    reader = zlib.decompressobj()
    try:
        text = reader.decompress(stored.tobytes(), _LEAST_ROOM + _MOST_PACKED * stored.nbytes)
    except zlib.error as error:
        raise ValueError(f"a compressed part is damaged: {error}") from None
    if not reader.eof:
        raise ValueError("a compressed part is cut off, or too large")
    return json.loads(text)
