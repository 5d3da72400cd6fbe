"""`Treebank`: a treebank of Universal Dependencies at a release, and how to get its files."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from meprop_nlp.data.ud.archive import ABOUT_TREEBANK, unpack
from meprop_nlp.data.ud.transfer import OnBytes, Transfer
from meprop_nlp.errors import ConfigError, DataError
from meprop_nlp.files import writing

SERVER = "https://github.com/UniversalDependencies"
LATEST_RELEASE = "r2.17"  # November 2025, the newest when this was written
LARGEST_ARCHIVE = 1 << 30  # bytes
_ARCHIVE_ENDINGS = (".tar.gz", ".tgz")


@dataclass(frozen=True, slots=True)
class Downloaded:
    """The files of a treebank, as they came.

    Attributes:
        url: where they came from.
        sha256: the SHA-256 of the archive that held them, in hexadecimal digits.
        files: each file with its SHA-256, sorted by name.
    """

    url: str
    sha256: str
    files: dict[Path, str]

    def of_role(self, role: str) -> list[Path]:
        """Return the files of `train`, `dev` or `test`: none, one, or the parts of a large one."""
        return [path for path in self.files if f"-ud-{role}" in path.name]


@dataclass(frozen=True, slots=True)
class Treebank:
    """A treebank at a release.

    Attributes:
        name: that of its repository, such as UD_German-GSD.
        release: the tag of the release, such as r2.17.
    """

    name: str
    release: str

    @classmethod
    def of(cls, name: str, release: str = LATEST_RELEASE) -> Self:
        """Return the treebank of a name, with or without UD_, and a release, with or without r.

        Raises:
            ConfigError: there can be none of such a name or release.
        """
        full = name if name.startswith("UD_") else f"UD_{name}"
        if not re.fullmatch(r"UD_[A-Za-z_]+-[A-Za-z0-9]+", full):
            raise ConfigError(
                f"the treebank is {name!r}, expected a name as on universaldependencies.org, "
                "such as UD_German-GSD"
            )
        if not re.fullmatch(r"r?[0-9]{1,3}\.[0-9]{1,3}", release):
            raise ConfigError(f"`release` is {release}, expected one such as {LATEST_RELEASE}")
        return cls(full, release if release.startswith("r") else f"r{release}")

    def url(self, server: str = SERVER) -> str:
        """Return the address of the archive.

        Args:
            server: where the repositories are, laid out as on GitHub; or the archive itself, if it
                ends in .tar.gz or .tgz.

        Raises:
            ConfigError: it is no address with https, http or file.
        """
        try:
            parts = urlsplit(server)
            is_address = parts.scheme in ("https", "http", "file") and server.isprintable()
            is_address &= bool(parts.netloc) or parts.scheme == "file"
            (parts.hostname or "").encode("idna")  # or UnicodeError, a ValueError
        except ValueError:
            is_address = False
        if not is_address or " " in server:
            raise ConfigError(
                f"`server` is {server!a}, expected one such as https://server/folder or "
                "file:///folder/archive.tar.gz"
            )
        if parts.path.endswith(_ARCHIVE_ENDINGS):
            return server
        return f"{server.rstrip('/')}/{self.name}/archive/refs/tags/{self.release}.tar.gz"

    def download(
        self,
        folder: str | os.PathLike[str],
        *,
        server: str = SERVER,
        sha256: str | None = None,
        force: bool = False,
        timeout: float = 30,
        on_bytes: OnBytes | None = None,
    ) -> Downloaded:
        """Write the treebank's files to a folder: train, dev and test, licence and readme.

        All of them are written, or none. An archive that came in part is kept in the folder, as a
        hidden file, and the next call goes on from there if the server can.

        Args:
            folder: is made if it is missing.
            server: see `url`.
            sha256: what the archive must have as its SHA-256.
            force: replace files of the treebank that are there already. A licence or readme without
                a treebank of this name beside it is never replaced.
            timeout: seconds to wait for the server, each time.
            on_bytes: is called with the number of bytes so far, and of all of them if known.

        Raises:
            ConfigError: `sha256` is none, or the address is none.
            DataError: the archive cannot be had, is another than `sha256` says, damaged, or none of
                a treebank; files are there already, or cannot be written.
        """
        url, target = self.url(server), Path(folder)
        if sha256 is not None and not re.fullmatch("[0-9a-fA-F]{64}", sha256):
            raise ConfigError(f"`sha256` is {sha256!a}, expected 64 hexadecimal digits")
        self._demand_room(target, force=force)
        with _made(target):
            transfer = self._transfer(target, url, timeout)
            transfer.run(on_bytes)
            with _forgotten(transfer):
                digest = _sha256(transfer.path)
                if sha256 is not None and digest != sha256.lower():
                    raise DataError(
                        f"{url}: has the SHA-256 {digest}, expected {sha256.lower()}; "
                        "nothing of it is kept"
                    )
                try:
                    files = _unpack_into(target, transfer.path, force=force)
                except DataError as error:
                    # the archive has a name of ours; the user knows the address
                    raise DataError(str(error).replace(str(transfer.path), url)) from None
            return Downloaded(url, digest, files)

    def kept_bytes(self, folder: str | os.PathLike[str]) -> int:
        """Return how many bytes are kept of a download to a folder that was stopped."""
        return self._transfer(Path(folder)).kept_bytes

    def _demand_room(self, folder: Path, *, force: bool) -> None:
        """Raise DataError if the folder cannot be written to, or holds files that would go."""
        if folder.exists() and not folder.is_dir():
            raise DataError(f"{folder}: is a file, expected the name of a folder")
        there = sorted(folder.glob("*-ud-*.conllu"))
        about = sorted(path for path in folder.glob("*") if ABOUT_TREEBANK.fullmatch(path.name))
        for path in (*there, *about):
            if path.is_dir():
                raise DataError(f"{path}: is a folder, where a file of the treebank should be")
        if there and not force:
            raise DataError(f"{there[0]} is there already; give another folder, or `force`")
        # files of UD_German-GSD are named as de_gsd-ud-train.conllu
        ending = f"_{self.name.rpartition('-')[2].lower()}"
        if any(path.name.partition("-ud-")[0].endswith(ending) for path in there):
            return
        if about:
            raise DataError(
                f"{about[0]} is there already, and no file of {self.name} is; give a new folder, "
                f"such as {folder / self.name}"
            )

    def _transfer(self, folder: Path, url: str = "", timeout: float = 0) -> Transfer:
        return Transfer(
            url,
            folder / f".{self.name}-{self.release}.tar.gz.part",
            timeout,
            LARGEST_ARCHIVE,
            f"{self.name} has no release {self.release}, or there is no treebank of this name; "
            "universaldependencies.org lists them",
        )


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make a folder; remove it again if nothing is in it at the end."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        with suppress(OSError):  # it is not empty
            folder.rmdir()


@contextmanager
def _forgotten(transfer: Transfer) -> Iterator[None]:
    """Remove a file that was fetched when the block ends, however it ends."""
    try:
        yield
    finally:
        transfer.forget()


@contextmanager
def _emptied(folder: Path) -> Iterator[Path]:
    """Make a folder, without what an earlier process has left there; remove it at the end."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unpack_into(folder: Path, archive: Path, *, force: bool) -> dict[Path, str]:
    """Move the files of an archive to a folder when all are there; return them with their SHA-256.

    Raises:
        DataError: as of `unpack`, or a file of this name is there already.
    """
    with writing(folder), _emptied(archive.with_suffix(".unpacked")) as new:
        found = unpack(archive, new)
        for path in found:
            target = folder / path.name
            if target.is_dir():
                raise DataError(f"{target}: is a folder, where a file of the treebank should be")
            if target.exists() and not force:
                raise DataError(f"{target} is there already; give another folder, or `force`")
        files = {folder / path.name: _sha256(path) for path in found}
        for path in found:
            path.replace(folder / path.name)
    return files


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
