"""Writing files.

Most are written atomically, by `replacing`: to a temporary file beside it, which is then renamed.
What took long to make is also on the disk before it replaces anything (`durable`, and folders), so
that a power cut leaves the old file or the new one, and never an empty one.
"""

import errno
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import DataError
from .signals import uninterrupted

_NOT_FOR_FOLDERS = (errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EPERM)  # of fsync


def demand_writable(path: str | os.PathLike[str]) -> None:
    """Raise DataError if `replacing` could not write to `path`; missing folders are made.

    Call this before long work whose result would be lost otherwise. It makes the same temporary
    file as `replacing` does, and removes it.
    """
    target = Path(os.path.realpath(path))
    try:
        _demand_file(Path(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        with uninterrupted():
            temporary, handle = _temporary_beside(target)
            temporary.unlink()
            if handle is not None:
                os.close(handle)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror or error}") from None


@contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Raise a DataError that names the file in place of an OSError within the block."""
    try:
        yield
    except OSError as error:
        name = error.filename or os.fspath(path)
        raise DataError(f"{name}: cannot be written: {error.strerror or error}") from None


@contextmanager
def replacing(path: str | os.PathLike[str], *, durable: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path`, which replaces `path` when the block ends.

    If the block raises, also on Ctrl-C, the temporary file is removed and `path` is unchanged.
    Missing folders are made.

    Args:
        path: the file to write.
        durable: write the content to the disk before it replaces `path`, and the folder after.

    Raises:
        DataError: the folder cannot be made or written to, or the disk is full; or `path` exists
            and is no file, but a folder or a device.
    """
    # a link stays a link: its target is replaced
    target = Path(os.path.realpath(path))
    temporary: Path | None = None
    handle: int | None = None
    untouched = True
    try:
        _demand_file(Path(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        with uninterrupted():
            temporary, handle = _temporary_beside(target)
        yield temporary
        # mkstemp makes the file private; a model or a treebank has the usual permissions
        temporary.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
        if durable:
            _sync(temporary)
        with uninterrupted():
            temporary.replace(target)
            temporary, untouched = None, False
        if durable:
            _sync(target.parent)
    except OSError as error:
        raise _unwritten(target, error, untouched=untouched) from None
    finally:
        with uninterrupted():
            if temporary is not None:
                discard(temporary)
            if handle is not None:
                os.close(handle)


def remove_unfinished(paths: Iterable[str | os.PathLike[str]]) -> None:
    """Remove the temporary files that `replacing` left for these paths where it was killed.

    One that a living process writes is locked, and stays. Call this when work begins, once for all
    its files, because it looks through their folders.
    """
    targets = {Path(os.path.realpath(path)) for path in paths}
    patterns: dict[Path, list[str]] = {}
    for target in targets:
        pattern = rf"\.{re.escape(target.name)}\.[a-z0-9_]{{8}}{re.escape(target.suffix)}"
        patterns.setdefault(target.parent, []).append(pattern)
    for folder, some in patterns.items():
        unfinished = re.compile("|".join(some))
        with suppress(OSError):
            for path in folder.iterdir():
                if unfinished.fullmatch(path.name):
                    _remove_unless_held(path)


def discard(path: Path) -> None:
    """Remove a file if it is there and can be removed."""
    with suppress(OSError):
        path.unlink()


def hold(handle: int) -> bool:
    """Take the lock of an open file until it is closed; return whether nobody else has it.

    Raises:
        OSError: the file system has no locks.
    """
    if sys.platform == "win32":
        raise OSError("no locks on Windows")
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _temporary_beside(target: Path) -> tuple[Path, int | None]:
    """Return a new file beside a path, and a handle that holds its lock while it is written.

    There is no handle where there are no locks; Windows, which has none, renames no open file.
    """
    while True:
        handle, name = tempfile.mkstemp(
            prefix=f".{target.name}.", suffix=target.suffix, dir=target.parent
        )
        temporary = Path(name)
        try:
            held = hold(handle)
        except OSError:
            os.close(handle)
            return temporary, None
        if held and temporary.exists():
            return temporary, handle
        # another process takes it for one that was left, and removes it
        os.close(handle)
        discard(temporary)


def _remove_unless_held(path: Path) -> None:
    with suppress(OSError):
        # Windows has no such flag, and no locks either
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        try:
            if hold(handle):
                path.unlink()
        finally:
            os.close(handle)


@contextmanager
def replacing_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a new folder beside `path`, which takes the place of `path` when the block ends.

    All that was in a folder `path` is gone then; see to it that it may be. If the block raises,
    also on Ctrl-C, the new folder is removed and `path` is unchanged. Missing folders above are
    made. The new files are on the disk before they replace anything.

    Raises:
        DataError: the folder cannot be made or written to, or the disk is full.
    """
    target = Path(os.path.realpath(path))
    made: list[Path] = []
    untouched = True
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with uninterrupted():
            new = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
            made.append(new)
        yield new
        # mkdtemp makes the folder private, and safetensors what it writes
        for each in (new, *new.rglob("*")):
            each.chmod((0o777 if each.is_dir() else 0o666) & ~_umask())
            _sync(each)
        with uninterrupted():
            if target.exists():
                # a folder with files in it cannot be replaced at once
                old = new.with_name(f"{new.name}.old")
                target.rename(old)
                try:
                    new.rename(target)
                except OSError:
                    old.rename(target)
                    raise
                made.append(old)
            else:
                new.rename(target)
            untouched = False
        _sync(target.parent)
    except OSError as error:
        raise _unwritten(target, error, untouched=untouched) from None
    finally:
        with uninterrupted():
            for folder in made:
                shutil.rmtree(folder, ignore_errors=True)


def remove_unfinished_folder(path: str | os.PathLike[str]) -> None:
    """Remove what `replacing_folder` left for this path where it was killed.

    A folder that it had moved away, and not yet replaced, is put back. Call this while nobody else
    writes to the path.
    """
    target = Path(os.path.realpath(path))
    pattern = re.compile(rf"\.{re.escape(target.name)}\.[a-z0-9_]{{8}}(\.old)?")
    with suppress(OSError):
        for found in list(target.parent.iterdir()):
            match = pattern.fullmatch(found.name)
            if match is None or found.is_symlink() or not found.is_dir():
                continue
            if match[1] and not target.exists():
                found.rename(target)
            else:
                shutil.rmtree(found, ignore_errors=True)


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    is_folder = path.is_dir()
    # Windows does this only for files that are open for writing
    mode = os.O_RDWR if sys.platform == "win32" and not is_folder else os.O_RDONLY
    try:
        handle = os.open(path, mode)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        # some systems cannot do this for a folder, or not for one that this user may not list
        if not is_folder or error.errno not in _NOT_FOR_FOLDERS:
            raise


def _unwritten(target: Path, error: OSError, *, untouched: bool) -> DataError:
    """Return the error that says why a file or a folder was not replaced."""
    rest = "; what was there before is untouched" if untouched else ""
    return DataError(f"{target}: cannot be written: {error.strerror or error}{rest}")


def _demand_file(target: Path) -> None:
    if target.is_dir():
        raise DataError(f"{target}: is a folder, expected the name of a file to write")
    if target.exists() and not target.is_file():
        raise DataError(f"{target}: is no file but a device or a pipe, which cannot be replaced")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
