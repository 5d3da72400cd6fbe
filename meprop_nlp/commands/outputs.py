"""`planned`: which file gets the result of which, where each input has a result of its own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from meprop_nlp.errors import ConfigError, DataError

_PACKED = re.compile(r"\.(gz|xz|bz2)$", re.IGNORECASE)
# files in which CoNLL may come, and whose layout the result has
_CONLL = re.compile(r"\.(conllx|conll|conll0[67]|malttab)$", re.IGNORECASE)


class Job(NamedTuple):
    """A file to read, and the file for its result."""

    source: str
    output: str


def gives_several(output: str) -> bool:
    """Return whether an output is many files: a folder, or a name with `{}` for the input's."""
    return "{}" in output or output.endswith(("/", os.sep)) or Path(output).is_dir()


def planned(
    files: Sequence[str], output: str, ending: str, keep: Iterable[str | Path | None] = ()
) -> list[Job]:
    """Return the result's file for each input; of a folder, for each file in it, in order.

    The result of DIR/a/b.txt is OUTPUT/a/b and its ending. Hidden files are left out, and the
    results of an earlier run where they are in a folder within DIR.

    Args:
        files: files and folders.
        output: a folder, or a name with `{}`; see `gives_several`.
        ending: of the results' names, in a folder.
        keep: files, besides the inputs, that must not be replaced.

    Raises:
        ConfigError: two inputs would have the same result; a result would replace an input, or be
            an input of the next run.
        DataError: there is no file in a folder.
    """
    head = output.partition("{}")[0]
    folder = Path(output) if head == output else Path(f"{head}x").parent
    jobs: list[Job] = []
    seen: set[str] = set()
    for file in files:
        if file == "-":
            raise ConfigError(
                f"--output {output} names results after their inputs, and standard input has no "
                "name; give files, or the name of a file"
            )
        for path, name in _files_in(file, folder):
            if os.path.realpath(path) not in seen:
                seen.add(os.path.realpath(path))
                jobs.append(Job(str(path), _result(name, output, ending)))
    _demand_apart(jobs, seen, keep)
    _demand_outside(jobs, files, folder)
    return jobs


def _files_in(file: str, output: Path) -> Iterator[tuple[Path, str]]:
    """Yield a file and its name; of a folder, all files in it and their names there."""
    path = Path(file)
    if not path.is_dir():
        yield path, path.name
        return
    skipped = output.resolve() if _is_within(output, path) else None
    found = 0
    for each in sorted(path.rglob("*")):
        parts = each.relative_to(path).parts
        if any(part.startswith(".") for part in parts) or not each.is_file():
            continue
        if skipped is not None and skipped in each.resolve().parents:
            continue
        found += 1
        yield each, each.relative_to(path).as_posix()
    if not found:
        raise DataError(f"{file}: no files in this folder")


def _is_within(path: Path, folder: Path) -> bool:
    return folder.resolve() in path.resolve().parents


def _result(name: str, output: str, ending: str) -> str:
    plain = _PACKED.sub("", name)
    stem = plain.removesuffix(Path(plain).suffix)
    if "{}" in output:
        return output.replace("{}", stem)
    if ending == ".conllu" and _CONLL.search(plain):
        ending = Path(plain).suffix
    return str(Path(output) / f"{stem}{ending}")


def _demand_apart(
    jobs: Iterable[Job], sources: set[str], keep: Iterable[str | Path | None]
) -> None:
    kept = sources | {os.path.realpath(path) for path in keep if path is not None}
    by_output: dict[str, str] = {}
    for source, output in jobs:
        place = os.path.realpath(output)
        other = by_output.setdefault(place, source)
        if other != source:
            raise ConfigError(
                f"--output: the results of {other} and {source} would both be {output}; give one "
                "of them, or annotate them apart"
            )
        if place in kept:
            raise ConfigError(
                f"--output: the result of {source} would be {output}, which is an input file too; "
                "choose another folder or name"
            )


def _demand_outside(jobs: Iterable[Job], files: Iterable[str], output: Path) -> None:
    """Raise ConfigError if the next run would find a result among the files of a folder."""
    for file in files:
        folder = Path(file)
        if not folder.is_dir() or _is_within(output, folder):  # then the results are left out
            continue
        for source, result in jobs:
            if _is_within(Path(result), folder):
                raise ConfigError(
                    f"--output: the result of {source} would be {result}, which the next run would "
                    f"take for one of the files in {file}; give a folder for the results, such as "
                    f"{folder / 'results'}/"
                )
