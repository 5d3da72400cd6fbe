"""Arrays in IDX files, the format of MNIST: packed or not, told by what is in the file.

Two zero bytes, a type code, the number of dimensions, each size as a big-endian 32-bit integer,
then the values, big-endian, the last dimension fastest.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.source import opened
from meprop_nlp.errors import DataError

__all__ = ["TYPE_CODES", "read_idx"]

TYPE_CODES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype(">u1"),
    0x09: np.dtype(">i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
_PIECE = 1 << 20


def read_idx(
    path: str | os.PathLike[str],
    shape: Sequence[int | None],
    dtype: npt.DTypeLike = np.uint8,
) -> npt.NDArray[Any]:
    """Read the array of an IDX file, packed by gzip, xz or bzip2 or not.

    Args:
        shape: what its shape must be; None for a size that the file itself tells.
        dtype: what its values must be.

    Returns:
        the array, in the machine's byte order.

    Raises:
        DataError: the file is missing, no IDX file, cut off, too long, or holds another array.
    """
    name, dtype = os.fspath(path), np.dtype(dtype)
    with opened(name) as stream:
        stored, sizes = _read_header(stream, name)
        expected = math.prod(sizes) * stored.itemsize
        described = f"{_shown(sizes)} {stored.name} values"
        if stored.newbyteorder("=") != dtype:
            raise DataError(f"{name}: holds {described}, expected {dtype.name}")
        if len(sizes) != len(shape) or any(
            wanted not in (None, size) for size, wanted in zip(sizes, shape, strict=True)
        ):
            raise DataError(f"{name}: holds {described}, expected {_shown(shape)}")
        values = _read(stream, expected + 1)  # to its end, so that a checksum is looked at too
    if len(values) < expected:
        raise DataError(
            f"{name}: the file is cut short: {len(values):,} bytes after its header, "
            f"expected {expected:,} ({described}); get it again"
        )
    if len(values) > expected:
        raise DataError(
            f"{name}: bytes follow the {expected:,} expected after its header ({described}); "
            "get it again"
        )
    return np.frombuffer(values, stored).reshape(sizes).astype(dtype)


def _read_header(stream: Any, name: str) -> tuple[np.dtype[Any], list[int]]:
    magic = _read(stream, 4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        found = f"begins with {magic.hex(' ')}" if magic else "is empty"
        raise DataError(
            f"{name}: {found}, expected an IDX file: two zero bytes, a type code and the number "
            "of dimensions"
        )
    if magic[2] not in TYPE_CODES:
        codes = ", ".join(f"0x{code:02x} ({kind.name})" for code, kind in TYPE_CODES.items())
        raise DataError(f"{name}: the type code is 0x{magic[2]:02x}, expected one of {codes}")
    sizes = _read(stream, 4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise DataError(
            f"{name}: the file is cut short: {4 + len(sizes)} bytes, expected a header of "
            f"{4 + 4 * magic[3]} for {magic[3]} dimensions; get it again"
        )
    return TYPE_CODES[magic[2]], [int(size) for size in np.frombuffer(sizes, ">u4")]


def _read(stream: Any, most: int) -> bytearray:
    """Read up to `most` bytes; a header that promises too many costs no memory."""
    content = bytearray()
    while len(content) < most:
        piece = stream.read(min(_PIECE, most - len(content)))
        if not piece:
            break
        content += piece
    return content


def _shown(shape: Sequence[int | None]) -> str:
    return " x ".join("any" if size is None else f"{size:,}" for size in shape) or "no dimensions:"
