"""What can be known to fail before a long training, said before it begins."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from meprop_nlp.commands.options import SIMPLIFY
from meprop_nlp.commands.streams import (
    check_input_format,
    demand_other_file,
    demand_rereadable,
    read_all,
)
from meprop_nlp.errors import CheckpointError, ConfigError, DataError

__all__ = ["check_flags", "check_method", "check_output", "check_test_files", "named_files"]


def named_files(options: Mapping[str, Any]) -> Iterator[str | Path]:
    """Yield the files that a training is to read."""
    for role in ("train", "dev", "test"):
        yield from options[role] or ()
    if options["vectors"]:
        yield options["vectors"]


def check_flags(options: Mapping[str, Any]) -> None:
    """Raise ConfigError for options that would be ignored without another.

    Raises:
        DataError: a file to read is not there.
    """
    check_input_format(options["input_format"])
    if options["train"] is None and (options["dev"] or options["test"]):
        raise ConfigError("--dev and --test go with --train; give the training file too")
    check_method(options)
    for path in named_files(options):
        if str(path) != "-" and not Path(path).exists():
            raise DataError(f"{path}: no such file")


def check_method(options: Mapping[str, Any]) -> None:
    """Raise ConfigError for options of meProp and meSimp that would be ignored without another."""
    if options["k"] is None and options["topk_mode"] != "example" and not options["simplify"]:
        raise ConfigError("--topk-mode goes with --k; give --k, for instance --k 20")
    if not options["simplify"]:
        for name in SIMPLIFY.__dataclass_fields__:
            if options[name] != getattr(SIMPLIFY, name):
                raise ConfigError(f"--{name.replace('_', '-')} goes with --simplify")


def check_output(output: Path, task: str, inputs: Iterable[str | Path]) -> None:
    """Raise where the model could not be written, or would take the place of something else.

    Raises:
        ConfigError: the output is an input file, no model, or a model for another task.
        DataError: the folder cannot be written to.
    """
    from meprop_nlp.models.file import read_header

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
        if found != task:
            raise ConfigError(
                f"--output {output} is a {found} already, and would be replaced by a {task}; "
                "choose another name, or remove it first"
            )
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=output.parent):
            pass
    except OSError as error:
        raise DataError(f"{output}: cannot be written: {error.strerror or error}") from None


def check_test_files(
    files: list[str] | None, input_format: str, encoding: str, trees: bool
) -> None:
    """Read the test files once, so that their faults are not found only when training is done.

    Raises:
        DataError: a file is faulty, or has no sentences.
    """
    for path in files or ():
        demand_rereadable(path, "--test")
        sentences = read_all([path], input_format, encoding=encoding, trees=trees)
        if not deque(sentences, maxlen=1):
            raise DataError(f"no sentences in {path}")
