"""`tag` and `parse`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meprop_nlp.commands import console
from meprop_nlp.commands.deps import fills_deps, warned_of_empty_nodes
from meprop_nlp.commands.options import (
    PARSER_MODEL,
    TAGGER_MODEL,
    Annotating,
    Files,
    Output,
    Verbosity,
)
from meprop_nlp.commands.streams import demand_model, told_skips, write_all

if TYPE_CHECKING:
    from meprop_nlp.models.annotator import Annotator, Piece

__all__ = ["parse", "tag"]


def tag(
    files: Files = None,
    model: Annotated[
        Path, typer.Option("--model", "-m", metavar="FILE", help="A model of train-tagger.")
    ] = TAGGER_MODEL,
    output: Output = "-",
    *,
    annotating: Annotating,
    verbosity: Verbosity,
) -> None:
    """Tag CoNLL files with a model of train-tagger.

    UPOS, XPOS and FEATS are replaced, as far as the model predicts them; all else stays.
    """
    from meprop_nlp.models.annotator import Annotator
    from meprop_nlp.models.tagger import FrozenTagger

    demand_model(model, "train-tagger", TAGGER_MODEL)
    annotator = Annotator(tagger=FrozenTagger.load(model), confidence=annotating.confidence)
    pieces = _annotate_files(files, annotator, annotating)
    write_all(
        pieces,
        output,
        keep=[*(files or ()), model],
        verb="tagged",
        verbosity=verbosity,
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
    output: Output = "-",
    *,
    annotating: Annotating,
    verbosity: Verbosity,
) -> None:
    """Parse CoNLL files with a model of train-parser.

    HEAD and DEPREL are replaced, DEPS is emptied (in a file with empty nodes, which need it, the
    tree is written there), and so are PHEAD and PDEPREL of CoNLL-X; all else stays. The parser
    reads tags: those of the files, or of --tagger.
    """
    from meprop_nlp.models.annotator import Annotator
    from meprop_nlp.models.parser import FrozenParser
    from meprop_nlp.models.tagger import FrozenTagger

    demand_model(model, "train-parser", PARSER_MODEL)
    parser = FrozenParser.load(model)
    first = None
    if tagger is not None:
        demand_model(tagger, "train-tagger", TAGGER_MODEL)
        first = FrozenTagger.load(tagger)
    annotator = Annotator(tagger=first, parser=parser, confidence=annotating.confidence)
    untagged = [] if first is not None else list(parser.tags)
    pieces = _annotate_files(files, annotator, annotating, parses=True, reads=untagged)
    write_all(
        pieces,
        output,
        keep=[*(files or ()), model, tagger],
        verb="parsed",
        verbosity=verbosity,
    )


def _annotate_files(
    files: list[str] | None,
    annotator: Annotator,
    annotating: Annotating,
    *,
    parses: bool = False,
    reads: Iterable[str] = (),
) -> Iterator[Piece]:
    """Annotate one file after the other; `reads` are the tag columns that should be filled."""
    from meprop_nlp.data.report import TreebankReport
    from meprop_nlp.data.source import source_name
    from meprop_nlp.models.annotate import annotate
    from meprop_nlp.threads import usable_threads

    for number, path in enumerate(files or ["-"]):
        report = TreebankReport() if annotating.on_error == "skip" else None
        fill_deps = parses and fills_deps(path, annotating.encoding)
        pieces = annotate(
            path,
            annotator,
            input_format=annotating.input_format,
            encoding=annotating.encoding,
            on_error=annotating.on_error,
            report=report,
            fill_deps=fill_deps,
            threads=usable_threads(annotating.threads),
        )
        if parses and not fill_deps:
            pieces = warned_of_empty_nodes(pieces, source_name(path))
        if number == 0:
            pieces = _warned_without_tags(pieces, source_name(path), list(reads))
        yield from pieces
        told_skips(path, report)


def _warned_without_tags(pieces: Iterable[Piece], path: str, columns: list[str]) -> Iterator[Piece]:
    """Say once when the tags that the parser reads are not in the file."""
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
