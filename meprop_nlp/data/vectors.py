"""Pretrained word vectors in the text format of word2vec, GloVe and fastText."""

import os
from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.lines import read_lines
from meprop_nlp.data.vocab import nfc
from meprop_nlp.errors import DataError


def read_vectors(
    path: str | os.PathLike[str], wanted: Collection[str]
) -> tuple[dict[str, npt.NDArray[np.float32]], int]:
    """Read the vectors of the wanted words.

    Each line holds a word and its values, separated by single spaces. The first line may be a
    header of two integers: the number of words and the number of values. The file may be compressed
    with gzip, xz or bzip2. Only the wanted words are kept in memory.

    Args:
        path: the file.
        wanted: forms in Unicode normal form C.

    Returns:
        A row of shape (D,) for each wanted form in the file (the first row, if it has several),
        and D.

    Raises:
        DataError: if a line has not D values, or a value of a wanted word is not a finite number,
            with file and line; or if the file has no vectors.
    """
    vectors: dict[str, npt.NDArray[np.float32]] = {}
    dim = 0
    for number, line in enumerate(read_lines(path), start=1):
        line = line.rstrip(" ")
        if not line:
            continue
        if number == 1:
            header = line.split(" ")
            if len(header) == 2 and all(field.isascii() and field.isdigit() for field in header):
                dim = int(header[1])
                continue
        if not dim:
            dim = line.count(" ")
        if dim < 1:
            raise DataError(f"{path}:{number}: found {line[:40]!r}, expected a word and its values")
        # split from the right: in some GloVe files, words contain spaces
        fields = line.rsplit(" ", dim)
        form = nfc(fields[0])
        if len(fields) != dim + 1 or (" " in form and _is_number(form.rpartition(" ")[2])):
            found = line.count(" ")
            raise DataError(f"{path}:{number}: found {found} values, expected {dim}")
        if form in wanted and form not in vectors:
            vectors[form] = _row(fields[1:], f"{path}:{number}")
    if not dim:
        raise DataError(f"{path}: no vectors in the file, expected a word and its values a line")
    return vectors, dim


def _row(fields: list[str], where: str) -> npt.NDArray[np.float32]:
    """Return the values: (D,)."""
    try:
        with np.errstate(over="ignore"):  # values too large become infinite, and are refused below
            row = np.array([float(field) for field in fields], dtype=np.float32)
    except (ValueError, OverflowError):
        wrong = next(field for field in fields if not _is_number(field))
        raise DataError(f"{where}: {wrong!r} is not a number") from None
    finite = np.isfinite(row)
    if not finite.all():
        wrong = fields[int(np.argmin(finite))]
        raise DataError(f"{where}: {wrong!r} is not a finite number") from None
    return row


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
