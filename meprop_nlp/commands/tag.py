"""`tag`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from meprop_nlp.commands.options import TAGGER_MODEL, Files, Output, Verbosity
from meprop_nlp.commands.predict import Annotating, annotate_files
from meprop_nlp.commands.streams import demand_model, write_all

__all__ = ["tag"]


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

    Of UPOS, XPOS and FEATS, those that the model predicts are replaced; all else stays.
    """
    from meprop_nlp.models.annotator import Annotator
    from meprop_nlp.models.tagger import FrozenTagger

    demand_model(model, "train-tagger", TAGGER_MODEL)
    annotator = Annotator(tagger=FrozenTagger.load(model), confidence=annotating.confidence)
    pieces = annotate_files(files, annotator, annotating)
    write_all(
        pieces,
        output,
        keep=[*(files or ()), model],
        verb="tagged",
        verbosity=verbosity,
    )
