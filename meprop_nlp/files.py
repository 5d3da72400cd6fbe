"""Writing files.

Most are written atomically, by `replacing`: to a temporary file beside it, which is then renamed.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import DataError


def demand_writable(path: str | os.PathLike[str]) -> None:
    """Raise DataError if `replacing` could not write to `path`; missing folders are made.

    Call this before long work whose result would be lost otherwise.
    """
    target = Path(path)
    try:
        _demand_file(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        writable = os.access(os.path.realpath(target.parent), os.W_OK | os.X_OK)
    except OSError as error:
        raise DataError(f"{target}: cannot be written: {error.strerror or error}") from None
    if not writable:
        raise DataError(f"{target}: cannot be written: no right to write to its folder")


@contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Raise a DataError that names the file in place of an OSError within the block."""
    try:
        yield
    except OSError as error:
        name = error.filename or os.fspath(path)
        raise DataError(f"{name}: cannot be written: {error.strerror or error}") from None


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`, which replaces `path` when the block ends.

    If the block raises, also on Ctrl-C, the temporary file is removed and `path` is unchanged.
    Missing folders are made.

    Raises:
        DataError: the folder cannot be made or written to, or the disk is full; or `path` exists
            and is no file, but a folder or a device.
    """
    # a link stays a link: its target is replaced
    target = Path(os.path.realpath(path))
    temporary: Path | None = None
    try:
        _demand_file(Path(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{target.name}.", suffix="".join(target.suffixes[-1:]), dir=target.parent
        )
        os.close(handle)
        temporary = Path(name)
        yield temporary
        # mkstemp makes the file private; a model or a treebank has the usual permissions
        temporary.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
        temporary.replace(target)
        temporary = None
    except OSError as error:
        raise DataError(
            f"{target}: cannot be written: {error.strerror or error}; "
            "what was there before is untouched"
        ) from None
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a new folder beside `path`, which takes the place of `path` when the block ends.

    All that was in a folder `path` is gone then; see to it that it may be. If the block raises,
    also on Ctrl-C, the new folder is removed and `path` is unchanged. Missing folders above are
    made.

    Raises:
        DataError: the folder cannot be made or written to, or the disk is full.
    """
    target = Path(os.path.realpath(path))
    made: list[Path] = []
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        made.append(new)
        yield new
        # mkdtemp makes the folder private, and safetensors what it writes
        for each in (new, *new.rglob("*")):
            each.chmod((0o777 if each.is_dir() else 0o666) & ~_umask())
        if target.exists():
            # a folder with files in it cannot be replaced at once
            old = new.with_name(f"{new.name}.old")
            target.rename(old)
            try:
                new.rename(target)
            except BaseException:
                old.rename(target)
                raise
            made.append(old)
        else:
            new.rename(target)
    except OSError as error:
        raise DataError(
            f"{target}: cannot be written: {error.strerror or error}; "
            "what was there before is untouched"
        ) from None
    finally:
        for folder in made:
            shutil.rmtree(folder, ignore_errors=True)


def _demand_file(target: Path) -> None:
    if target.is_dir():
        raise DataError(f"{target}: is a folder, expected the name of a file to write")
    if target.exists() and not target.is_file():
        raise DataError(f"{target}: is no file but a device or a pipe, which cannot be replaced")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
