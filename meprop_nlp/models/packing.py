"""Compact storage of weights and vocabularies in a model file.

Word and feature tables and the joint model's encoder, which are most of a model, are stored as
8-bit integers with one scale per row, all other matrices as float16. `rounded` returns the weights
as they will be read back, so that training scores exactly the model that it saves.

What is read may be a stranger's, so that nothing is unpacked to much more than the file's size:
weights stay as they are stored until they are asked for, vocabularies are texts, in which nothing
is nested, and JSON has a bounded number of values.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

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
# What may be unpacked from any file, and besides from one of a certain size. A value of JSON takes
# three bytes in a file, and up to 150 in memory with its name.
_LEAST_TEXT = 6_000_000  # bytes, and as many as the file has
_LEAST_VALUES = 200_000  # of JSON, and one for so many bytes of the file:
_BYTES_A_VALUE = 64
_LEAST_TEXTS = 500_000  # of vocabularies, and one for so many bytes of the file:
_BYTES_A_TEXT = 16


class Table(NamedTuple):
    """A table of embeddings, whose rows are unpacked when they are looked up.

    Attributes:
        values: (rows, D), float32, or int8 where there are scales.
        scales: (rows,) float16; what each row is to be multiplied by.
    """

    values: npt.NDArray[Any]
    scales: npt.NDArray[np.float16] | None = None

    @property
    def width(self) -> int:
        """Return D."""
        return int(self.values.shape[1])

    def rows(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return the rows of these numbers, (...): (..., D)."""
        rows: npt.NDArray[np.float32] = self.values[numbers]
        if self.scales is not None:
            rows = rows * self.scales[numbers].astype(np.float32)[..., None]
        return rows


class StoredArrays(Mapping[str, npt.NDArray[Any]]):
    """Arrays by name, kept as `pack_arrays` returns them; each is unpacked when it is asked for.

    `VECTORS` and its scales are returned as they are stored.

    Attributes:
        stored: the arrays as they were stored, scales among them.

    Raises:
        ValueError: an array does not have one scale for each of its rows.
    """

    def __init__(self, stored: Mapping[str, npt.NDArray[Any]]) -> None:
        self.stored = stored
        self._names = [name for name in stored if name == VECTOR_SCALES or not _is_scale(name)]
        for name in self._names:
            array, scales = stored[name], self._scales(name)
            if scales is not None and (array.ndim != 2 or scales.shape != array.shape[:1]):
                raise ValueError(f"{name} has no scale for each of its rows")

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        if name != VECTOR_SCALES and _is_scale(name):
            raise KeyError(name)
        array, scales = self.stored[name], self._scales(name)
        if scales is None:
            return array.astype(np.float32) if _is_half(name, array) else array
        with np.errstate(all="ignore"):  # `take` refuses weights that are not finite
            unpacked = array.astype(np.float32)
            unpacked *= scales.astype(np.float32)[:, None]
        return unpacked

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def table(self, name: str) -> Table | None:
        """Return an array with a scale for each row as it is stored; None if it is another."""
        scales = self._scales(name)
        if scales is None or self.stored[name].dtype != np.int8 or scales.dtype != np.float16:
            return None
        return Table(self.stored[name], scales)

    @property
    def n_weights(self) -> int:
        """Return how many weights they have, without scales."""
        return sum(self.stored[name].size for name in self._names)

    @property
    def n_bytes(self) -> int:
        """Return how many bytes they take."""
        return sum(array.nbytes for array in self.stored.values())

    def _scales(self, name: str) -> npt.NDArray[Any] | None:
        return None if name == VECTORS else self.stored.get(name + _SCALE)


def size_of(arrays: Mapping[str, npt.NDArray[Any]]) -> tuple[int, int]:
    """Return the number of weights in some arrays, and of the bytes that they take in memory."""
    if isinstance(arrays, StoredArrays):
        return arrays.n_weights, arrays.n_bytes
    return sum(a.size for a in arrays.values()), sum(a.nbytes for a in arrays.values())


def _is_scale(name: str) -> bool:
    return name.endswith(_SCALE)


def _is_half(name: str, array: npt.NDArray[Any]) -> bool:
    return array.dtype == np.float16 and name != VECTOR_SCALES


def pack_arrays(arrays: Mapping[str, npt.NDArray[Any]], *, exact: bool = False) -> Arrays:
    """Return the arrays to store; an array that overflows the smaller type stays float32.

    What was read from a file stays as it was stored there, to the bit.

    Args:
        exact: pack nothing, so that the others keep every bit too.
    """
    if isinstance(arrays, StoredArrays):
        return dict(arrays.stored)
    if exact:
        return dict(arrays)
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


def rounded(arrays: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    """Return the arrays as they will be after they are stored and read back."""
    return dict(StoredArrays(pack_arrays(arrays)))


def pack_texts(*lists: Iterable[str]) -> npt.NDArray[np.uint8]:
    """Return lists of texts as an array of compressed bytes.

    Raises:
        ValueError: a list is empty, or a text in it is, or has a line break.
    """
    parts = []
    for texts in map(list, lists):
        part = "\n".join(texts)
        if not all(texts) or part.count("\n") != len(texts) - 1:
            raise ValueError("texts to store are empty, or have line breaks")
        parts.append(part.encode())
    return np.frombuffer(zlib.compress(b"\n\n".join(parts), 9), np.uint8)


def unpack_texts(stored: npt.NDArray[Any], n_bytes: int) -> list[bytes]:
    """Return each list of `pack_texts` as UTF-8, a text a line, without a break after the last.

    Args:
        n_bytes: the size of the file.

    Raises:
        ValueError: the bytes were not compressed, or expand to far too many.
    """
    text = _expanded(stored, n_bytes)
    most = _LEAST_TEXTS + n_bytes // _BYTES_A_TEXT
    if text.count(b"\n") >= most:
        raise ValueError(f"a compressed part has over {most:,} texts")
    return text.split(b"\n\n")


def unpack_json(stored: npt.NDArray[Any], n_bytes: int) -> Any:
    """Return a JSON value that was stored as an array of compressed bytes.

    Vocabularies were, in files of format version 2.

    Args:
        n_bytes: the size of the file.

    Raises:
        ValueError: the bytes were not compressed, expand to far too many, or are no JSON.
    """
    return load_json(_expanded(stored, n_bytes), n_bytes)


def load_json(text: bytes | str, n_bytes: int) -> Any:
    """Return the value of a JSON text.

    Args:
        n_bytes: the size of the file that has it.

    Raises:
        ValueError: it is no JSON, or would have more values than a file of this size may have.
        RecursionError: it is nested too deeply.
    """
    demand_few_values(text, n_bytes)
    return json.loads(text)


def demand_few_values(text: bytes | str, n_bytes: int) -> None:
    """Raise ValueError if a JSON text has more values than a file of this size may have.

    Marks within texts count as if they were between values.
    """
    most = _LEAST_VALUES + n_bytes // _BYTES_A_VALUE
    marks: Sequence[Any] = ",[{" if isinstance(text, str) else (b",", b"[", b"{")
    if sum(map(text.count, marks)) > most:
        raise ValueError(f"a part has over {most:,} values")


def _expanded(stored: npt.NDArray[Any], n_bytes: int) -> bytes:
    reader = zlib.decompressobj()
    try:
        text = reader.decompress(stored.tobytes(), _LEAST_TEXT + n_bytes)
    except zlib.error as error:
        raise ValueError(f"a compressed part is damaged: {error}") from None
    if not reader.eof:
        raise ValueError("a compressed part is cut off, or too large")
    return text
