"""Pretrained vectors: which files are read, and which are refused."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from meprop_nlp.data.vectors import LONGEST_WORD, WIDEST, demand_vectors, read_vectors
from meprop_nlp.data.vocab import nfc
from meprop_nlp.errors import DataError

Rows = list[tuple[str, list[float]]]
WORDS = st.text(
    st.characters(exclude_categories=["Cc", "Cs"], exclude_characters=" \ufeff\ufffd"),
    min_size=1,
    max_size=5,
)
VALUES = st.floats(width=32, allow_nan=False, allow_infinity=False)
FILES = st.integers(2, 5).flatmap(
    lambda d: st.lists(st.tuples(WORDS, st.lists(VALUES, min_size=d, max_size=d)), min_size=1)
)


def as_text(rows: Rows, *, header: bool = True) -> bytes:
    lines = [f"{word} {' '.join(map(repr, values))}" for word, values in rows]
    if header:
        lines.insert(0, f"{len(rows)} {len(rows[0][1])}")
    return "".join(f"{line}\n" for line in lines).encode()


def as_binary(rows: Rows, *, end: bytes = b"\n") -> bytes:
    start = f"{len(rows)} {len(rows[0][1])}\n".encode()
    return start + b"".join(
        word.encode() + b" " + np.array(values, "<f4").tobytes() + end for word, values in rows
    )


FORMS: dict[str, Callable[[Rows], bytes]] = {
    "text": as_text,
    "text without a header": lambda rows: as_text(rows, header=False),
    "binary": as_binary,
    "binary without line breaks": lambda rows: as_binary(rows, end=b""),
}
each_form = pytest.mark.parametrize("form", FORMS)


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


@each_form
@given(rows=FILES, first=st.integers(0, 12), data=st.data())
@example(rows=[("the", [1.0, 2.0]), ("e\u0301", [3.0, 4.0])], first=0, data=None)
def test_first_words_and_wanted_words_come_back(
    form: str, rows: Rows, first: int, data: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # values of real vectors are not all characters, which would make the binary form look like text
    rows = [("of", [0.5] * len(rows[0][1])), *rows]
    path = tmp_path_factory.mktemp("vectors") / "v"
    path.write_bytes(FORMS[form](rows))
    words = [nfc(word) for word, _ in rows]
    wanted = set(words) if data is None else data.draw(st.sets(st.sampled_from(words)))
    expected: dict[str, Any] = {}
    for rank, (word, (_, values)) in enumerate(zip(words, rows, strict=True)):
        if rank < first or word in wanted:
            expected.setdefault(word, np.array(values, np.float32))
    vectors, width = read_vectors(path, wanted, first=first)
    assert width == len(rows[0][1])
    assert list(vectors) == list(expected)
    for word, row in expected.items():
        assert vectors[word].dtype == np.float32
        np.testing.assert_array_equal(vectors[word], row)


ROWS: Rows = [
    ("the", [0.1, -2.5, 3e-7]),
    ("\u00e9t\u00e9", [7.0, 0.3, 1e5]),
    ("of", [1.5, 2.25, 0]),
]


@each_form
def test_file_cut_off_at_any_byte(form: str, path: Path) -> None:
    whole = FORMS[form](ROWS)
    path.write_bytes(whole)
    expected, _ = read_vectors(path, (), first=9)
    assert len(expected) == 3
    for n in range(len(whole)):
        path.write_bytes(whole[:n])
        vectors: dict[str, Any] = {}
        width = 0
        with contextlib.suppress(DataError):
            vectors, width = read_vectors(path, (), first=9)
        # text does not show that digits of its last value are missing, nor that lines are
        assert not vectors or form.startswith("text") or not whole[n:].strip(b"\n")
        assert list(vectors) == list(expected)[: len(vectors)]
        for word in list(vectors)[:-1]:
            np.testing.assert_array_equal(vectors[word], expected[word][:width])


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress, bz2.compress])
def test_compressed_binary_file(compress: Callable[[bytes], bytes], path: Path) -> None:
    content = compress(as_binary(ROWS))
    path.write_bytes(content)
    np.testing.assert_array_equal(read_vectors(path, {"of"})[0]["of"], [1.5, 2.25, 0])
    path.write_bytes(content[:-12])
    with pytest.raises(DataError, match="cut off"):
        read_vectors(path, {"of"})


@pytest.mark.parametrize("body", [b"a 1 2\n", b"a " + bytes(8), b""])
@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("1 99999999999999999999", "the header says 99999999999999999999 values a word"),
        ("1 " + "9" * 5000, "values a word, expected 1 to 10,000"),
        ("1 0", "the header says 0 values a word"),
        (f"1 {WIDEST + 1}", "the header says 10001 values a word"),
        ("99999999999999999999 2", "the header says 99999999999999999999 words"),
    ],
)
def test_impossible_header_is_refused(header: str, body: bytes, message: str, path: Path) -> None:
    path.write_bytes(header.encode() + b"\n" + body)
    with pytest.raises(DataError) as caught:
        read_vectors(path, (), first=5)
    assert str(caught.value).startswith(f"{path}:1: ")
    assert message in str(caught.value)
    assert len(str(caught.value)) < 300


def test_line_with_too_many_values_is_refused(path: Path) -> None:
    path.write_text("a" + " 1" * (WIDEST + 1))
    with pytest.raises(DataError, match=r":1: found 10,001 values, expected 1 to 10,000"):
        read_vectors(path, ())


def test_number_of_words_in_a_text_file_may_be_wrong(path: Path) -> None:
    for header in ("1 2", "900000000000 2", "0 2"):
        path.write_text(f"{header}\na 1 2\nb 3 4\n")
        assert list(read_vectors(path, (), first=5)[0]) == ["a", "b"]


@pytest.mark.parametrize("first_word", ["at name@domain.com", ". . .", "caf\u00e9"])
def test_text_with_a_header_is_not_taken_for_binary(first_word: str, path: Path) -> None:
    path.write_text(f"2 2\n{first_word} 0.25 1\nof 3 4\n", encoding="utf-8")
    vectors, _ = read_vectors(path, (), first=5)
    assert list(vectors) == [first_word, "of"]


@pytest.mark.parametrize("count", ["3", "999999999999"])
def test_number_of_words_in_a_binary_file_must_be_right(count: str, path: Path) -> None:
    content = as_binary(ROWS[:2]).replace(b"2 ", count.encode() + b" ", 1)
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(DataError) as caught:
            read_vectors(path, (), first=10**12)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert f"cut off at byte {len(content)}, in word 3 of {int(count):,}" in str(caught.value)
    path.write_bytes(as_binary(ROWS).replace(b"3 ", b"2 ", 1))
    with pytest.raises(DataError, match=r": byte \d+: more follows the 2 words"):
        read_vectors(path, ())


def test_word_without_an_end_is_refused(path: Path) -> None:
    path.write_bytes(b"2 2\na " + bytes(8) + b"\0" * (LONGEST_WORD + 9))
    with pytest.raises(DataError, match=r": byte 14: word 2 has over 16,384 bytes"):
        read_vectors(path, ())


def test_words_that_are_not_utf8_are_skipped(path: Path) -> None:
    path.write_bytes(b"3 4\nthe 1 2 3 4\nc\xe9 5 6 7 8\nof 1 2 3 4\n")
    assert list(read_vectors(path, (), first=3)[0]) == ["the", "of"]
    content = as_binary([("the", [1.0, 2.0]), ("caf#", [3.0, 4.0]), ("of", [5.0, 6.0])])
    path.write_bytes(content.replace(b"#", b"\xe9"))
    assert list(read_vectors(path, (), first=3)[0]) == ["the", "of"]
    # it counts as one of the first words
    assert list(read_vectors(path, (), first=2)[0]) == ["the"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_in_a_binary_file_must_be_finite(value: float, path: Path) -> None:
    path.write_bytes(as_binary([("a", [1.0, 2.0]), ("b", [0.5, value])]))
    assert list(read_vectors(path, {"a"})[0]) == ["a"]
    with pytest.raises(DataError, match=r": byte 17: value 2 of the word is (nan|inf), expected"):
        read_vectors(path, {"b"})


@pytest.mark.parametrize("binary", [True, False])
def test_memory_does_not_grow_with_the_file(binary: bool, path: Path) -> None:
    values = [0.25] * 50
    rows = [(f"w{n}", values) for n in range(20_000)]
    path.write_bytes(as_binary(rows) if binary else as_text(rows))
    del rows
    peaks = []
    for _ in range(3):  # a thread that an earlier test has left may take memory meanwhile
        tracemalloc.start()
        try:
            assert len(read_vectors(path, {"w19999"}, first=100)[0]) == 101
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert min(peaks) < 1_800_000  # all of the vectors are 4,000,000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no vectors in the file"),
        (b"2 3\n", "no vectors in the file"),
        (b"word\n", "v:1: found 'word', expected a word and its values"),
        (b"a 1 x\nb 1 2\n", "v:1: 'x' is not a number"),
        (b"a 1 2\nb 1\n", ""),  # only the beginning is looked at
        (b"1 2\na \x00\x00\x80\x3f\x00\x00\x00\x40", ""),
    ],
)
def test_beginning_of_a_file_is_looked_at(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "v"
    path.write_bytes(content)
    if not message:
        demand_vectors(path)
        return
    with pytest.raises(DataError, match=message):
        demand_vectors(path)
    with pytest.raises(DataError, match=message):
        read_vectors(path, {"a", "b"})
