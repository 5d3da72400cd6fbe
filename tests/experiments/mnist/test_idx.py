"""IDX files: every array comes back, and every damage is refused with the file's name."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from experiments.mnist.images import read_idx
from meprop_nlp.errors import DataError

from .idx_files import header, idx_bytes

made_up = arrays(np.uint8, array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that each example writes anew."""
    return tmp_path_factory.mktemp("idx") / "images"


def refusal(path: Path, *item: int) -> str:
    with pytest.raises(DataError) as caught:
        read_idx(path, *item)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


@given(array=made_up, pack=st.sampled_from([bytes, gzip.compress, lzma.compress]))
def test_any_array_comes_back(array: np.ndarray[Any, Any], pack: Any, path: Path) -> None:
    path.write_bytes(pack(idx_bytes(array)))
    actual = read_idx(path, *array.shape[1:])
    assert actual.dtype == np.uint8
    np.testing.assert_array_equal(actual, array)


@given(array=made_up, pack=st.sampled_from([bytes, gzip.compress]), data=st.data())
def test_every_truncation_is_refused(
    array: np.ndarray[Any, Any], pack: Any, path: Path, data: st.DataObject
) -> None:
    content = pack(idx_bytes(array))
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(DataError, match=r"is damaged|cut off"):
        read_idx(path, *array.shape[1:])


@given(
    array=made_up,
    pack=st.sampled_from([bytes, gzip.compress]),
    rest=st.binary(min_size=1, max_size=3),
)
def test_bytes_that_follow_are_refused(
    array: np.ndarray[Any, Any], pack: Any, rest: bytes, path: Path
) -> None:
    path.write_bytes(pack(idx_bytes(array) + rest))
    with pytest.raises(DataError, match="is damaged, or no IDX file"):
        read_idx(path, *array.shape[1:])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\x08",
        b"# text",
        header(0x0A, 1, 2) + b"ab",
        header(0x0C, 1, 2) + b"abcdefgh",
        header(0x08, 3) + b"abc",
        header(0x08),
        header(0x08, 3, 3) + b"abcdefghi",
        header(0x08, 3, 2)[:9],
        header(0x08, 3, 2) + b"abcde",
        header(0x08, 3, 2) + b"abcdefg",
        header(0x08, 2**32 - 1, 2),
    ],
)
def test_what_is_no_such_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "labels.gz"  # not packed, whatever it is called
    path.write_bytes(content)
    assert refusal(path, 2) == "is damaged, or no IDX file of N x 2 bytes; get it again"
    path.write_bytes(header(0x08, 3, 2) + b"abcdef")
    assert read_idx(path, 2).tolist() == [[97, 98], [99, 100], [101, 102]]


def test_packed_file_with_something_behind_it_is_refused(path: Path) -> None:
    path.write_bytes(gzip.compress(header(0x08, 1, 2) + b"ab") + b"more")
    assert "the compressed file is damaged or cut off" in refusal(path, 2)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nowhere") == "no such file"
    with pytest.raises(DataError, match="is a directory, expected a file"):
        read_idx(tmp_path)
