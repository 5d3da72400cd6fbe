"""`unpack`: the files of a treebank out of a .tar.gz archive that a stranger may have made.

Of the archive's names only those of a treebank's files are used, after they were checked; links and
special files are never made, and what is read is limited, so that an archive cannot fill the disk
or the memory.
"""

from __future__ import annotations

import gzip
import re
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from meprop_nlp.errors import DataError
from meprop_nlp.files import writing

LARGEST_TREEBANK = 4 << 30  # bytes, unpacked; the largest of UD 2.17 has a fraction of that
_MOST_MEMBERS = 50_000
_MOST_BETWEEN = 1 << 20  # bytes of headers and padding between two files
_PIECE = 1 << 18
# what tarfile and zlib raise for bytes that are no archive
_DAMAGED = (tarfile.TarError, zlib.error, EOFError, OverflowError, RecursionError)

_TREEBANK_FILE = re.compile(r"\w+-ud-(train|dev|test)[\w-]*\.conllu", flags=re.ASCII)
# licence and readme, which a folder of other things may have too
ABOUT_TREEBANK = re.compile(r"(LICEN[SC]E|README)(\.txt|\.md)?")


def unpack(archive: Path, folder: Path, *, largest: int = LARGEST_TREEBANK) -> list[Path]:
    """Write a treebank's files to a folder: train, dev and test in CoNLL-U, licence and readme.

    They stand at the top of the archive, or in a folder at its top, as in the archives of GitHub.
    Other files in the archive are left out.

    Args:
        archive: the .tar.gz file.
        folder: exists and is empty. If an error is raised, some files may be in it.
        largest: the number of bytes, unpacked, at which to give up.

    Returns:
        The files that were written, sorted by name.

    Raises:
        DataError: the file is no archive, damaged, too large, or without a treebank; it leads out
            of its folder, or has a link in place of a file; a file cannot be written.
    """
    try:
        with gzip.open(archive) as packed:
            written = _unpacked(_Limited(packed, archive, largest), folder, archive)
    except DataError:
        raise
    except (*_DAMAGED, OSError, ValueError) as error:
        text = str(error)
        detail = f": {text}" if text.isascii() and text.isprintable() and text else ""
        raise DataError(
            f"{archive}: damaged, cut short, or no .tar.gz archive{detail}; fetch it again"
        ) from None
    if not any(path.suffix == ".conllu" for path in written):
        raise DataError(f"{archive}: holds no train, dev or test file of a treebank in CoNLL-U")
    return sorted(written)


def _unpacked(stream: _Limited, folder: Path, archive: Path) -> list[Path]:
    written: dict[str, Path] = {}
    with tarfile.open(fileobj=stream, mode="r|") as members:  # type: ignore[call-overload]
        for number, member in enumerate(members, start=1):
            if number > _MOST_MEMBERS:
                raise DataError(f"{archive}: more than {_MOST_MEMBERS:,} files in it")
            stream.allow(member.size + _MOST_BETWEEN)
            name = _wanted(member, archive)
            if name is None:
                continue
            if name in written:
                raise DataError(f"{archive}: holds {name} twice")
            written[name] = folder / name
            source = members.extractfile(member)
            assert source is not None  # of a plain file
            _copy(source, written[name])
    while stream.read(_PIECE):  # gzip's checksum stands at the end
        pass
    return list(written.values())


def _wanted(member: tarfile.TarInfo, archive: Path) -> str | None:
    """Return the name under which a member is written; None if it is none of a treebank's files."""
    parts = PurePosixPath(member.name).parts
    if not parts:
        return None
    if ".." in parts or parts[0].startswith("/"):
        raise DataError(f"{archive}: holds a file outside its folder, {member.name!a}")
    name = parts[-1]
    is_wanted = _TREEBANK_FILE.fullmatch(name) or ABOUT_TREEBANK.fullmatch(name)
    if len(parts) > 2 or member.isdir() or not is_wanted:
        return None
    if not member.isreg() or member.issparse():
        raise DataError(f"{archive}: {name} is no plain file but a link or a device")
    return name


def _copy(source: IO[bytes], path: Path) -> None:
    """Write a member of the archive to a new file; tarfile raises an error if it is too short."""
    with writing(path):
        target = path.open("xb", buffering=0)  # closing it has nothing left to write
    with target:
        while piece := source.read(_PIECE):
            left = memoryview(piece)
            while left:
                with writing(path):
                    left = left[target.write(left) :]


class _Limited:
    """A stream that ends in an error after so many bytes; between two files, after fewer.

    tarfile keeps all headers in memory, and a header may say of itself that it is as long as it
    likes.
    """

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, archive: Path, largest: int) -> None:
        self._stream, self._archive, self._largest = stream, archive, largest
        self._n_bytes = 0
        self._allowed = min(_MOST_BETWEEN, largest)

    def allow(self, n_bytes: int) -> None:
        """Let so many more bytes be read."""
        self._allowed = min(self._n_bytes + n_bytes, self._largest)

    def read(self, size: int) -> bytes:
        """Return so many bytes, or fewer at the end."""
        piece = self._stream.read(size)
        self._n_bytes += len(piece)
        if self._n_bytes > self._allowed:
            limit = "a file's header" if self._allowed < self._largest else "a treebank"
            raise DataError(f"{self._archive}: larger than {limit} is, {self._n_bytes:,} bytes on")
        return piece
