"""Read sentences and models from the files that a user names, and write to the user's output."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from meprop_nlp.commands import console
from meprop_nlp.errors import CheckpointError, ConfigError, DataError

if TYPE_CHECKING:
    from meprop_nlp.data.report import TreebankReport
    from meprop_nlp.data.sentence import Sentence
    from meprop_nlp.models.annotate import Piece
    from meprop_nlp.models.model import Model

__all__ = [
    "check_input_format",
    "demand_model",
    "demand_other_file",
    "demand_rereadable",
    "is_rereadable",
    "load_model",
    "note_skipped",
    "read_all",
    "write_all",
]


def check_input_format(input_format: str, on_error: str = "fail") -> None:
    """Raise ConfigError about the options, before anything is opened."""
    from meprop_nlp.data.conll.layout import FORMATS

    if input_format not in FORMATS:
        raise ConfigError(f"--input-format is {input_format!r}, expected {', '.join(FORMATS)}")
    if on_error not in ("fail", "skip"):
        raise ConfigError(f"--on-error is {on_error!r}, expected fail or skip")


def read_all(
    files: list[str] | None,
    input_format: str,
    *,
    encoding: str = "utf-8",
    trees: bool = False,
    on_error: str = "fail",
) -> Iterator[Sentence]:
    """Yield the sentences of all files, one file after the other."""
    from meprop_nlp.data.conll.reading import read
    from meprop_nlp.data.report import TreebankReport

    check_input_format(input_format, on_error)
    for path in files or ["-"]:
        report = TreebankReport() if on_error == "skip" else None
        yield from read(
            path,
            input_format=input_format,
            encoding=encoding,
            trees=trees,
            on_error=on_error,
            report=report,
        )
        note_skipped(path, report)


def write_all(
    pieces: Iterator[Piece],
    output: str,
    *,
    keep: Iterable[str | Path | None],
    verb: str,
    progress: bool,
) -> None:
    """Write annotated sentences to a file or to standard output as they come.

    Args:
        keep: files that must not be overwritten.
        verb: what the progress bar says was done to the words, such as "tagged".
    """
    from meprop_nlp.data.conll.writing import write_pieces

    demand_other_file(output, keep)
    show = progress and sys.stderr.isatty() and not (output == "-" and sys.stdout.isatty())
    counted = console.counted(pieces, verb=verb, show=show)
    write_pieces((piece.text for piece in counted), output, flush=True)


def note_skipped(path: str, report: TreebankReport | None) -> None:
    """Report the faulty sentences of a file that were skipped."""
    from meprop_nlp.data.source import source_name

    if report is not None and report.skipped:
        for problem in report.problems:
            console.note(f"skipped: {problem}")
        console.note(f"{source_name(path)}: {report.skipped} faulty sentences skipped")


def demand_rereadable(path: str, name: str) -> None:
    """Raise ConfigError if the input of an option can be read only once: a pipe or a terminal."""
    if path == "-" or (Path(path).exists() and not is_rereadable(path)):
        raise ConfigError(f"{name} is read more than once, so it needs a file, not {path}")


def is_rereadable(path: str) -> bool:
    """Return whether the input can be read more than once."""
    return path != "-" and (Path(path).is_file() or Path(path).is_dir())


def demand_other_file(output: str | Path, keep: Iterable[str | Path | None]) -> None:
    """Raise ConfigError if the output would overwrite one of the files."""
    target = Path(output)
    if str(output) == "-" or not target.is_file():
        return
    for path in keep:
        if path is None or str(path) == "-":
            continue
        if Path(path).exists() and Path(path).samefile(target):
            raise ConfigError(f"--output {output} is an input file too; choose another name")


def demand_model(path: Path, command: str, default: Path | None = None) -> None:
    """Raise DataError, with the command that trains a model, if there is no model file."""
    if not path.exists():
        hint = f"train one with: meprop-nlp {command}"
        if path != default:
            hint += f" -o {path}"
        raise DataError(f"there is no model {path}; {hint}")


def load_model(path: Path, task: str, default: Path | None = None) -> Model:
    """Load a model of a task.

    Raises:
        DataError: there is no such file.
        CheckpointError: the file is no model, or one for another task.
    """
    from meprop_nlp.models.model import load

    demand_model(path, f"train-{task}", default)
    model = load(path)
    if model.task != task:
        raise CheckpointError(f"{path}: is a {model.task}, expected a {task}")
    return model
