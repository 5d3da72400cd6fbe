"""Writing files.

Most are written atomically, by `replacing`: to a temporary file beside it, which is then renamed.
"""

import os
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


def _demand_file(target: Path) -> None:
    if target.is_dir():
        raise DataError(f"{target}: is a folder, expected the name of a file to write")
    if target.exists() and not target.is_file():
        raise DataError(f"{target}: is no file but a device or a pipe, which cannot be replaced")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
