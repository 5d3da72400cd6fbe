"""`tag` and `parse`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meprop_nlp.commands import console
from meprop_nlp.commands.deps import fills_deps, warned_of_empty_nodes
from meprop_nlp.commands.options import (
    PARSER_MODEL,
    TAGGER_MODEL,
    Confidence,
    Encoding,
    Files,
    InputFormat,
    OnError,
    Out,
    Progress,
    Quiet,
    Threads,
)
from meprop_nlp.commands.streams import check_input_format, load_model, note_skipped, write_all

if TYPE_CHECKING:
    from meprop_nlp.models.annotate import Piece
    from meprop_nlp.models.model import Model

__all__ = ["parse", "tag"]


def tag(
    files: Files = None,
    model: Annotated[
        Path, typer.Option("--model", "-m", metavar="FILE", help="A model of train-tagger.")
    ] = TAGGER_MODEL,
    output: Out = "-",
    input_format: InputFormat = "auto",
    encoding: Encoding = "utf-8",
    on_error: OnError = "fail",
    confidence: Confidence = False,
    threads: Threads = 0,
    progress: Progress = True,
    quiet: Quiet = False,
) -> None:
    """Tag CoNLL files with a model of train-tagger.

    UPOS, XPOS and FEATS are replaced, as far as the model predicts them; all else stays.
    """
    check_input_format(input_format, on_error)
    models = [load_model(model, "tagger", TAGGER_MODEL)]
    pieces = _annotate_files(
        files, models, input_format, encoding, on_error, threads, confidence=confidence
    )
    write_all(
        pieces,
        output,
        keep=[*(files or ()), model],
        verb="tagged",
        progress=progress and not quiet,
    )


def parse(
    files: Files = None,
    model: Annotated[
        Path, typer.Option("--model", "-m", metavar="FILE", help="A model of train-parser.")
    ] = PARSER_MODEL,
    tagger: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Tag with this model first; without it the files' tags are used."
        ),
    ] = None,
    output: Out = "-",
    input_format: InputFormat = "auto",
    encoding: Encoding = "utf-8",
    on_error: OnError = "fail",
    confidence: Confidence = False,
    threads: Threads = 0,
    progress: Progress = True,
    quiet: Quiet = False,
) -> None:
    """Parse CoNLL files with a model of train-parser.

    HEAD and DEPREL are replaced, DEPS is emptied (in a file with empty nodes, which need it, the
    tree is written there), and so are PHEAD and PDEPREL of CoNLL-X; all else stays. The parser
    reads tags: those of the files, or of --tagger.
    """
    check_input_format(input_format, on_error)
    models = [load_model(model, "parser", PARSER_MODEL)]
    if tagger is not None:
        models.insert(0, load_model(tagger, "tagger", TAGGER_MODEL))
    pieces = _annotate_files(
        files, models, input_format, encoding, on_error, threads, confidence=confidence
    )
    write_all(
        pieces,
        output,
        keep=[*(files or ()), model, tagger],
        verb="parsed",
        progress=progress and not quiet,
    )


def _annotate_files(
    files: list[str] | None,
    models: Sequence[Model],
    input_format: str,
    encoding: str,
    on_error: str,
    threads: int,
    *,
    confidence: bool,
) -> Iterator[Piece]:
    """Annotate one file after the other."""
    from meprop_nlp.data.report import TreebankReport
    from meprop_nlp.data.source import source_name
    from meprop_nlp.models.annotate import annotate
    from meprop_nlp.threads import usable_threads

    parses = any("head" in model.fills for model in models)
    for number, path in enumerate(files or ["-"]):
        report = TreebankReport() if on_error == "skip" else None
        fill_deps = parses and fills_deps(path, encoding)
        pieces = annotate(
            path,
            models,
            confidence=confidence,
            input_format=input_format,
            encoding=encoding,
            on_error=on_error,
            report=report,
            fill_deps=fill_deps,
            threads=usable_threads(threads),
        )
        if parses and not fill_deps:
            pieces = warned_of_empty_nodes(pieces, source_name(path))
        if number == 0:
            pieces = _warned_without_tags(pieces, source_name(path), models[0].reads)
        yield from pieces
        note_skipped(path, report)


def _warned_without_tags(
    pieces: Iterable[Piece], path: str, columns: Sequence[str]
) -> Iterator[Piece]:
    """Pass annotated sentences on; warn if the first ones lack the tags that the parser reads."""
    for number, piece in enumerate(pieces):
        if number == 0:
            missing = [c for c in columns if all(tag == "_" for tag in piece.words.column(c))]
            if missing:
                names = " and no ".join(name.upper() for name in missing)
                console.warning(
                    f"{path} has no {names}, which the parser reads; "
                    "give --tagger MODEL to tag it first"
                )
        yield piece
