"""`validate`."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meprop_nlp.commands import console
from meprop_nlp.commands.options import Files, Json, Reading
from meprop_nlp.commands.printing import print_json
from meprop_nlp.commands.streams import is_rereadable
from meprop_nlp.commands.wording import in_options, spellings
from meprop_nlp.errors import ConfigError, ConlluError, DataError, number_of

if TYPE_CHECKING:
    from meprop_nlp.data.conll.official import OfficialValidator
    from meprop_nlp.data.conll.validate import Finding
    from meprop_nlp.data.report import TreebankReport


def validate(
    context: typer.Context,
    files: Files = None,
    *,
    reading: Reading,
    trees: Annotated[bool, typer.Option(help="Require a full tree for every sentence.")] = True,
    level: Annotated[
        int | None,
        typer.Option(
            metavar="1..5",
            help="Also run the official validator, udtools, at this level: 1 is the format, 2 the "
            "values, 3 the guidelines, 4 and 5 what a language allows. Needs meprop-nlp[ud].",
        ),
    ] = None,
    lang: Annotated[
        str | None,
        typer.Option(
            metavar="CODE",
            help="Language of the file for the official validator, such as en; the default is ud, "
            "what all languages have.",
        ),
    ] = None,
    max_errors: Annotated[int, typer.Option(help="Findings to show per file.")] = 100,
    json: Json = False,
) -> None:
    """Check CoNLL files and print what is in them.

    The exit status is 1 if there are errors: sentences that cannot be read, or that are no valid
    CoNLL-U at level 1 of the official validator, udtools. Warnings are about UPOS, FEATS, DEPREL,
    DEPS and roots that Universal Dependencies does not allow at its level 2, and what is seldom
    intended. Only that validator knows the guidelines, from level 3 on, and which features and
    relations a language has, from level 4 on: `--level 4 --lang en` adds what it finds.
    """
    from meprop_nlp.data.conll.official import READ, UNIVERSAL, OfficialValidator
    from meprop_nlp.data.conll.validate import NOT_LOOKED_AT
    from meprop_nlp.data.source import source_name

    if max_errors < 0:
        raise ConfigError(f"--max-errors is {max_errors}, expected a whole number of at least 0")
    if lang is not None and level is None:
        raise ConfigError("--lang is for the official validator; give it a level, as by --level 4")
    if level is not None and (reading.encoding != "utf-8" or reading.input_format not in READ):
        raise ConfigError("--level reads CoNLL-U in UTF-8 alone, as the official validator does")
    official = None if level is None else OfficialValidator(level, lang or UNIVERSAL)
    failed = False
    reports = []
    for path in files or ["-"]:
        name = source_name(path)
        try:
            findings, report = _check(path, reading, official, trees=trees)
        except DataError as error:  # the other files are checked all the same
            message = in_options(str(error), spellings(context.command.params))
            console.error(message)
            failed = True
            if json:
                reports.append(_as_json(path, [], None) | {"error": message})
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
        n_warnings = len(findings) - n_errors
        print(f"{name}: {number_of(n_errors, 'error')}, {number_of(n_warnings, 'warning')}")
        if report is not None:
            print(f"{name}: {report}")
            for warning in report.warnings:
                console.warning(f"{name}: {warning}")
    if json:
        print_json(reports)
    elif official is None:
        print(NOT_LOOKED_AT)
    else:
        print(f"with udtools {official.version}, level {official.level}, language {official.lang}")
    if failed:
        raise typer.Exit(1)


def _check(
    path: str, reading: Reading, official: OfficialValidator | None, *, trees: bool
) -> tuple[list[Finding], TreebankReport | None]:
    """Return the findings in a file, and a report of its content unless it cannot be read.

    Args:
        official: the validator whose findings are added.
    """
    from meprop_nlp.data.conll.official import merged
    from meprop_nlp.data.conll.reading import read
    from meprop_nlp.data.conll.validate import in_order
    from meprop_nlp.data.conll.validate import validate as check
    from meprop_nlp.data.report import TreebankReport
    from meprop_nlp.data.source import source_name

    # the file is read several times, and a pipe can be read once
    content = None if is_rereadable(path) else _read(path)

    def source() -> Any:
        return path if content is None else _Buffered(content, source_name(path))

    input_format, encoding = reading.input_format, reading.encoding
    findings = in_order(check(source(), input_format=input_format, encoding=encoding, trees=trees))
    if official is not None:
        findings = merged(findings, official.findings(source()), official.level)
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
    except ConlluError:  # it is among the findings
        return findings, None
    return findings, report


class _Buffered(io.BytesIO):
    """The content of a pipe or standard input under its name."""

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
