"""`writing_alone`: only one training at a time writes a model file and what stands beside it."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from meprop_nlp.errors import ConfigError
from meprop_nlp.files import hold, writing


def lock_path(output: Path) -> Path:
    """Return the file whose lock the training of a model holds; `m` and `m.safetensors` share it.

    The side files of these two are the same.
    """
    return output.with_name(f".{output.name.removesuffix('.safetensors')}.lock")


@contextmanager
def writing_alone(*outputs: Path) -> Iterator[None]:
    """Within the block, refuse other trainings that would write one of these model files.

    The system lets go of the lock of a process that is killed. Where the file system has no locks,
    nobody is refused.

    Raises:
        ConfigError: another training writes one of them.
        DataError: the folder cannot be made or written to.
    """
    with ExitStack() as held:
        for output in outputs:
            held.enter_context(_locked(output))
        yield


@contextmanager
def _locked(output: Path) -> Iterator[None]:
    path = lock_path(output)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = _held(path)
    if handle is None:
        number = ""
        with suppress(OSError):
            number = path.read_text(encoding="utf-8").strip()
        raise ConfigError(
            f"{output}: another training writes here{f', process {number}' if number else ''}; "
            "wait until it ends, or choose another `output`"
        )
    try:
        yield
    finally:
        # removed while it is held: whoever opened it meanwhile finds that it is gone
        with suppress(OSError):
            path.unlink()
        os.close(handle)


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
