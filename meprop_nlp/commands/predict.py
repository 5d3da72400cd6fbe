"""`tag` and `parse`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meprop_nlp.commands import console
from meprop_nlp.commands.deps import with_fitting_deps
from meprop_nlp.commands.options import (
    PARSER_MODEL,
    TAGGER_MODEL,
    Encoding,
    Files,
    InputFormat,
    OnError,
    Out,
    Progress,
    Quiet,
)
from meprop_nlp.commands.streams import check_input_format, demand_model, read_all, write_all

if TYPE_CHECKING:
    from meprop_nlp.data.sentence import Sentence

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
    progress: Progress = True,
    quiet: Quiet = False,
) -> None:
    """Tag CoNLL files with a model of train-tagger.

    UPOS, XPOS and FEATS are replaced, as far as the model predicts them; all else stays.
    """
    from meprop_nlp.decoding.tagger import FrozenTagger

    check_input_format(input_format, on_error)
    demand_model(model, "train-tagger", TAGGER_MODEL)
    tagger = FrozenTagger.load(model)
    sentences = read_all(files, input_format, encoding=encoding, on_error=on_error)
    write_all(
        tagger.pipe(sentences),
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
    progress: Progress = True,
    quiet: Quiet = False,
) -> None:
    """Parse CoNLL files with a model of train-parser.

    HEAD and DEPREL are replaced, DEPS is emptied (in a file with empty nodes, which need it, the
    tree is written there), all else stays. The parser reads tags: those
    of the files, or of --tagger.
    """
    from meprop_nlp.decoding.parser import FrozenParser
    from meprop_nlp.decoding.tagger import FrozenTagger

    check_input_format(input_format, on_error)
    demand_model(model, "train-parser", PARSER_MODEL)
    parser = FrozenParser.load(model)
    sentences: Iterable[Sentence]
    sentences = read_all(files, input_format, encoding=encoding, on_error=on_error)
    if tagger is not None:
        demand_model(tagger, "train-tagger", TAGGER_MODEL)
        sentences = FrozenTagger.load(tagger).pipe(sentences)
    else:
        sentences = _warn_without_tags(sentences, list(parser.tags))
    write_all(
        with_fitting_deps(parser.pipe(sentences), encoding),
        output,
        keep=[*(files or ()), model, tagger],
        verb="parsed",
        progress=progress and not quiet,
    )


def _warn_without_tags(sentences: Iterable[Sentence], columns: list[str]) -> Iterator[Sentence]:
    """Say once when the tags that the parser reads are not in the file."""
    for number, sentence in enumerate(sentences):
        if number == 0 and columns:
            missing = [c for c in columns if all(tag == "_" for tag in sentence.column(c))]
            if missing:
                names = " and no ".join(name.upper() for name in missing)
                console.warning(
                    f"{sentence.path} has no {names}, which the parser reads; "
                    "give --tagger MODEL to tag it first"
                )
        yield sentence
