"""`info` and `validate`."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meprop_nlp.commands import console, tables
from meprop_nlp.commands.options import Encoding, InputFormat, Json
from meprop_nlp.commands.streams import check_input_format, demand_model, is_rereadable
from meprop_nlp.errors import ConfigError, ConlluError, DataError

if TYPE_CHECKING:
    from meprop_nlp.data.conll.validate import Finding
    from meprop_nlp.data.report import TreebankReport

__all__ = ["info", "validate"]


def info(
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="MODEL",
            help="A model file; none: say what is installed here.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Say what a model file holds, or what is installed here.

    Of a model: task, scores on dev, neurons, vocabulary, labels, and the settings it was trained
    with. Of both: what training computes with here, the native core or PyTorch alone.
    """
    from meprop_nlp.native import kernels_in_use

    if model is None:
        description = {**_installed(), "kernels": kernels_in_use()}
    else:
        from meprop_nlp.models.file import describe

        demand_model(model, "train-tagger or train-parser")
        description = {**describe(model), "kernels": kernels_in_use()}
    if json:
        _print_json(description)
    else:
        print(tables.model_lines(description) if model else tables.name_lines(description))


def _installed() -> dict[str, str | int]:
    """Return the versions of what matters for results and speed, and how many threads are used."""
    import platform
    from importlib.metadata import version

    from meprop_nlp import __version__
    from meprop_nlp.threads import usable_threads

    return {
        "meprop-nlp": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "numpy")},
        "threads": usable_threads(),
    }


def validate(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE...",
            help="CoNLL files; none or - is standard input.",
            show_default=False,
        ),
    ] = None,
    input_format: InputFormat = "auto",
    encoding: Encoding = "utf-8",
    trees: Annotated[bool, typer.Option(help="Demand a full tree of every sentence.")] = True,
    max_errors: Annotated[int, typer.Option(help="How many findings to show per file.")] = 100,
    json: Json = False,
) -> None:
    """Check CoNLL files and say what is in them.

    The exit status is 1 when there are errors, sentences that cannot be read; warnings are of
    things that are allowed, but seldom meant.
    """
    from meprop_nlp.data.source import source_name

    if max_errors < 0:
        raise ConfigError(f"--max-errors is {max_errors}, expected a whole number of at least 0")
    check_input_format(input_format)
    failed = False
    reports = []
    for path in files or ["-"]:
        name = source_name(path)
        try:
            findings, report = _check(path, input_format, encoding, trees=trees)
        except DataError as error:  # the others are checked all the same
            console.error(str(error))
            failed = True
            if json:
                reports.append(_as_json(path, [], None) | {"error": str(error)})
            continue
        n_errors = sum(finding.severity == "error" for finding in findings)
        failed |= n_errors > 0
        if json:
            reports.append(_as_json(path, findings, report))
            continue
        for finding in findings[:max_errors]:
            print(f"{finding.severity}: {finding}")
        if len(findings) > max_errors:
            print(f"{name}: {len(findings) - max_errors} more; see --max-errors")
        print(f"{name}: {n_errors} errors, {len(findings) - n_errors} warnings")
        if report is not None:
            print(f"{name}: {report}")
            for warning in report.warnings:
                console.warning(f"{name}: {warning}")
    if json:
        _print_json(reports)
    if failed:
        raise typer.Exit(1)


def _check(
    path: str, input_format: str, encoding: str, *, trees: bool
) -> tuple[list[Finding], TreebankReport | None]:
    """Return what is wrong in a file, and what is in it, unless it cannot be read at all."""
    from meprop_nlp.data.conll.reading import read
    from meprop_nlp.data.conll.validate import validate as check
    from meprop_nlp.data.report import TreebankReport
    from meprop_nlp.data.source import source_name

    # the file is read twice, and a pipe can be read once
    kept = None if is_rereadable(path) else _read(path)

    def source() -> Any:
        return path if kept is None else _Kept(kept, source_name(path))

    findings = list(check(source(), input_format=input_format, encoding=encoding, trees=trees))
    report = TreebankReport()
    try:
        for _ in read(
            source(),
            input_format=input_format,
            encoding=encoding,
            trees=trees,
            on_error="skip",
            report=report,
        ):
            pass
    except ConlluError:  # told among the findings
        return findings, None
    return findings, report


class _Kept(io.BytesIO):
    """A pipe or standard input, read before."""

    def __init__(self, text: bytes, name: str) -> None:
        super().__init__(text)
        self.name = name


def _read(path: str) -> bytes:
    from meprop_nlp.data.source import opened

    with opened(path) as stream:
        return b"" if stream is None else bytes(stream.read())


def _as_json(path: str, findings: list[Finding], report: TreebankReport | None) -> dict[str, Any]:
    described: dict[str, Any] = {"path": path, "readable": report is not None}
    if report is not None:
        names = (
            "sentences",
            "words",
            "multiword_tokens",
            "empty_nodes",
            "trees",
            "nonprojective",
            "several_roots",
            "skipped",
        )
        described |= {name: getattr(report, name) for name in names}
    described["findings"] = [
        {
            "severity": finding.severity,
            "code": finding.code,
            "line": finding.problem.line,
            "sent_id": finding.problem.sent_id,
            "message": finding.problem.message,
        }
        for finding in findings
    ]
    return described


def _print_json(value: object) -> None:
    from json import dumps

    print(dumps(value, ensure_ascii=False, indent=2))
