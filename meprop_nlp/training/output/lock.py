"""`writing_alone`: only one training at a time writes a model file and what stands beside it."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from meprop_nlp.errors import ConfigError
from meprop_nlp.files import discard, hold, writing
from meprop_nlp.signals import uninterrupted


def lock_path(output: Path) -> Path:
    """Return the file whose lock the training of a model holds; `m` and `m.safetensors` share it.

    The side files of these two are the same.
    """
    return output.with_name(f".{output.name.removesuffix('.safetensors')}.lock")


@contextmanager
def writing_alone(*outputs: Path) -> Iterator[None]:
    """Within the block, refuse other trainings that would write one of these model files.

    A link stands for the file that it leads to, and has side files of its own.

    The system lets go of the lock of a process that is killed. Where the file system has no locks,
    nobody is refused.

    Raises:
        ConfigError: another training writes one of them.
        DataError: the folder cannot be made or written to.
    """
    with ExitStack() as held:
        locks = {path: output for output in outputs for path in _lock_paths(output)}
        for path, output in locks.items():
            held.enter_context(_locked(path, output))
        yield


def _lock_paths(output: Path) -> list[Path]:
    """Return the lock files of a model file and, if it is a link, of the file that is replaced."""
    place = Path(os.path.realpath(output.parent), output.name)
    return [lock_path(place), lock_path(Path(os.path.realpath(output)))]


@contextmanager
def _locked(path: Path, output: Path) -> Iterator[None]:
    handle = None
    try:
        with writing(path), uninterrupted():
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = _held(path)
        if handle is None:
            raise ConfigError(
                f"{output}: another training writes here{_by_whom(path)}; wait until it ends, or "
                "choose another `output`"
            )
        yield
    finally:
        if handle is not None:
            with uninterrupted():
                # removed while it is held, so that a process that has just opened it finds it gone
                discard(path)
                os.close(handle)


def _by_whom(path: Path) -> str:
    with suppress(OSError):
        if number := path.read_text(encoding="utf-8").strip():
            return f", process {number}"
    return ""


def _held(path: Path) -> int | None:
    """Return the open lock file; None if another training holds it."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            held = hold(handle)
        except OSError:  # there are no locks here
            held = True
        if not held:
            os.close(handle)
            return None
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), path.stat()):
                os.truncate(handle, 0)
                os.write(handle, f"{os.getpid()}\n".encode())
                return handle
        os.close(handle)  # removed by the training that held it
