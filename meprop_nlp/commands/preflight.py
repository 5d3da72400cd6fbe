"""Checks before a long training, so that it does not fail at its end."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from meprop_nlp.commands.streams import demand_other_file, demand_rereadable, read_all
from meprop_nlp.config import Knowledge, Settings
from meprop_nlp.errors import ConfigError, DataError

if TYPE_CHECKING:
    from meprop_nlp.commands.options import Reading


def demand_files(paths: Iterable[str]) -> None:
    """Raise DataError if a file is missing."""
    for path in paths:
        if path != "-" and not Path(path).exists():
            raise DataError(f"{path}: no such file")


def check_output(
    output: Path,
    task: str,
    inputs: Sequence[str | Path],
    settings: Settings,
    knowledge: Knowledge,
    *,
    resume: bool,
) -> None:
    """Check that the model can be written, and that nothing but older ones of its task is replaced.

    Args:
        task: of the command.
        inputs, settings, knowledge, resume: of the training.

    Raises:
        ConfigError: the output is an input file, is no model, or is a model for another task; or a
            file beside it would be replaced that no training has written.
        DataError: the folder cannot be written to, the name is too long, or the output is a folder
            or a device.
    """
    from meprop_nlp.training.output.side_files import (
        demand_own,
        demand_places,
        demand_replaceable,
        side_files,
    )

    if str(output) == "-":
        raise ConfigError(
            f"--output is {output}, expected the name of a model file, such as {task}.safetensors"
        )
    demand_places(output)
    demand_other_file(output, inputs)
    demand_replaceable(output, task)
    demand_own(side_files(output, settings, knowledge), resume=resume, inputs=inputs)


def check_test_files(paths: Sequence[str], reading: Reading, *, trees: bool | None) -> None:
    """Read the test files once, so that a faulty one is found before training, not after it.

    Args:
        trees: what is demanded of the heads, see `read`.

    Raises:
        ConfigError: a file is a pipe, which could not be read again.
        DataError: a file is faulty, or has no sentences.
    """
    for path in paths:
        demand_rereadable(path, "--test")
        if not deque(read_all([path], reading, trees=trees), maxlen=1):
            raise DataError(f"no sentences in {path}")
