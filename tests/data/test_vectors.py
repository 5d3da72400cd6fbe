"""Pretrained vectors: which files are read, and which are refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from meprop_nlp.data.vectors import read_vectors
from meprop_nlp.errors import DataError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vectors.txt"


@pytest.mark.parametrize("header", ["", "3 2\n"])
@pytest.mark.parametrize("end", ["\n", " \n", "\r\n", ""])
def test_wanted_words_are_read(header: str, end: str, path: Path) -> None:
    path.write_bytes((header + "a 1 -2.5" + (end or "\n") + "b 0 0\nc 3e-1 4" + end).encode())
    vectors, dim = read_vectors(path, {"a", "c", "z"})
    assert (dim, sorted(vectors)) == (2, ["a", "c"])
    np.testing.assert_array_equal(vectors["a"], np.array([1, -2.5], dtype=np.float32))
    assert vectors["c"].dtype == np.float32


def test_compressed_file_and_normal_form(path: Path) -> None:
    path.write_bytes(gzip.compress("e\u0301 1 2\n".encode()))
    assert list(read_vectors(path, {"\u00e9"})[0]) == ["\u00e9"]


def test_first_of_two_vectors_counts(path: Path) -> None:
    path.write_text("a 1 1\na 2 2\n", encoding="utf-8")
    assert read_vectors(path, {"a"})[0]["a"][0] == 1


def test_forms_with_spaces_are_kept_whole(path: Path) -> None:
    text = "2 2\n. . . 1 2\na\u00a0b 3 4\n\u2028 5 6\n7 8 9\n"
    path.write_text(text, encoding="utf-8", newline="")
    vectors, _ = read_vectors(path, {". . .", "a\u00a0b", "\u2028", "7"})
    assert len(vectors) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a 1 2\nb 1\n", ":2: found 1 values, expected 2"),
        ("a 1 2\nb 1 2 3\n", ":2: found 3 values, expected 2"),
        ("1 3\na 1 2\n", ":2: found 2 values, expected 3"),
        ("a 1 2\nb 1 x\n", ":2: 'x' is not a number"),
        ("a 1 2\nb 1 nan\n", ":2: 'nan' is not a finite number"),
        ("a 1 2\nb 1e99 2\n", ":2: '1e99' is not a finite number"),
        ("a\n", ":1: found 'a', expected a word and its values"),
        ("", ": no vectors in the file"),
    ],
)
def test_bad_line_is_refused(text: str, message: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_vectors(path, {"a", "b"})
    assert str(path) + message in str(caught.value)
