"""Checks before a long training, so that it does not fail at its end."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from meprop_nlp.commands.streams import demand_other_file, demand_rereadable, read_all
from meprop_nlp.config import HEAD_OF
from meprop_nlp.errors import CheckpointError, ConfigError, DataError

if TYPE_CHECKING:
    from meprop_nlp.commands.options import Reading


def demand_files(paths: Iterable[str]) -> None:
    """Raise DataError if a file is missing."""
    for path in paths:
        if path != "-" and not Path(path).exists():
            raise DataError(f"{path}: no such file")


def check_output(output: Path, task: str, inputs: Iterable[str | Path]) -> None:
    """Check that the model can be written, and replaces nothing but an older model of its task.

    Raises:
        ConfigError: the output is an input file, is no model, or is a model for another task.
        DataError: the folder cannot be written to.
    """
    from meprop_nlp.models.file import noun_of, read_header

    if str(output) == "-" or output.suffix == ".jsonl":
        raise ConfigError(
            f"--output is {output}, expected the name of a model file, such as {task}.safetensors"
        )
    demand_other_file(output, inputs)
    if output.is_dir():
        raise DataError(f"{output}: is a folder, expected the name of a file to write")
    if output.exists() and not output.is_file():
        raise DataError(f"{output}: is a device or a pipe, expected the name of a file to write")
    if output.is_file() and output.stat().st_size:
        try:
            header = read_header(output)
        except CheckpointError as error:
            raise ConfigError(
                f"--output would replace a file: {error}; choose another name, or remove it first"
            ) from None
        found = "checkpoint" if header.get("kind") == "checkpoint" else header.get("task")
        # with `encoder` bilstm a tagger or a parser is a joint model with one head
        config = header.get("config")
        heads = config.get("heads") if found == "joint" and isinstance(config, dict) else None
        alike = heads == [HEAD_OF.get(task)]
        if found != task and not alike:
            raise ConfigError(
                f"--output {output} is a {noun_of(found)} already, and would be replaced by a "
                f"{noun_of(task)}; choose another name, or remove it first"
            )
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=output.parent):
            pass
    except OSError as error:
        raise DataError(f"{output}: cannot be written: {error.strerror or error}") from None


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
