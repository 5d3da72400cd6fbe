"""IDX files: every array comes back, and every damage is told by file, found and expected."""

from __future__ import annotations

import gzip
import lzma
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from meprop_nlp.data.idx import read_idx
from meprop_nlp.errors import DataError

from ..idx_files import CODES, idx_bytes

made_up = st.sampled_from(list(CODES)).flatmap(
    lambda dtype: arrays(dtype, array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4))
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that each example writes anew."""
    return tmp_path_factory.mktemp("idx") / "images"


def refusal(path: Path, shape: tuple[int | None, ...] = (None, 2)) -> str:
    with pytest.raises(DataError) as caught:
        read_idx(path, shape)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


@given(array=made_up, pack=st.sampled_from([bytes, gzip.compress, lzma.compress]))
def test_any_array_comes_back(array: np.ndarray[Any, Any], pack: Any, path: Path) -> None:
    path.write_bytes(pack(idx_bytes(array)))
    actual = read_idx(path, [None] * array.ndim, array.dtype)
    assert actual.dtype == array.dtype
    np.testing.assert_array_equal(actual, array)
    np.testing.assert_array_equal(read_idx(path, array.shape, array.dtype), array)


@given(array=made_up, pack=st.sampled_from([bytes, gzip.compress]), data=st.data())
def test_every_truncation_is_refused(
    array: np.ndarray[Any, Any], pack: Any, path: Path, data: st.DataObject
) -> None:
    content = pack(idx_bytes(array))
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(DataError, match=r"cut short|cut off|is empty|expected an IDX file"):
        read_idx(path, array.shape, array.dtype)


@given(
    array=made_up,
    pack=st.sampled_from([bytes, gzip.compress]),
    rest=st.binary(min_size=1, max_size=3),
)
def test_bytes_that_follow_are_refused(
    array: np.ndarray[Any, Any], pack: Any, rest: bytes, path: Path
) -> None:
    path.write_bytes(pack(idx_bytes(array) + rest))
    with pytest.raises(DataError, match="bytes follow the"):
        read_idx(path, array.shape, array.dtype)


def header(type_code: int, *sizes: int) -> bytes:
    return struct.pack(f">BBBB{len(sizes)}I", 0, 0, type_code, len(sizes), *sizes)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty, expected an IDX file"),
        (b"\0\0\x08", "begins with 00 00 08, expected an IDX file"),
        (b"# text", "begins with 23 20 74 65, expected an IDX file"),
        (header(0x0A, 1), "the type code is 0x0a, expected one of 0x08 (uint8), 0x09 (int8)"),
        (header(0x0C, 1, 2), "holds 1 x 2 int32 values, expected uint8"),
        (header(0x08, 3), "holds 3 uint8 values, expected any x 2"),
        (header(0x08), "holds no dimensions: uint8 values, expected any x 2"),
        (header(0x08, 3, 3), "holds 3 x 3 uint8 values, expected any x 2"),
        (header(0x08, 3, 2)[:9], "cut short: 9 bytes, expected a header of 12 for 2 dimensions"),
        (header(0x08, 3, 2) + b"abcde", "cut short: 5 bytes after its header, expected 6 (3 x 2"),
        (header(0x08, 3, 2) + b"abcdefg", "bytes follow the 6 expected after its header (3 x 2"),
        # what would not fit into memory is not asked for
        (header(0x08, 2**32 - 1, 2), "0 bytes after its header, expected 8,589,934,590"),
    ],
)
def test_what_is_wrong_is_told_with_what_is_expected(
    content: bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "labels.gz"  # not packed, whatever it is called
    path.write_bytes(content)
    assert message in refusal(path)


def test_packed_file_with_something_behind_it_is_refused(path: Path) -> None:
    path.write_bytes(gzip.compress(header(0x08, 1, 2) + b"ab") + b"more")
    assert "the compressed file is damaged or cut off" in refusal(path)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nowhere") == "no such file"
    with pytest.raises(DataError, match="is a directory, expected a file"):
        read_idx(tmp_path, (None,))
