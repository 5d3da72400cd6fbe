"""`tag`."""

from pathlib import Path
from typing import Annotated

import typer

from meprop_nlp.commands.options import TAGGER_MODEL, Results, Texts, Verbosity
from meprop_nlp.commands.predict import Annotating, annotate_files
from meprop_nlp.commands.streams import load_model


def tag(
    files: Texts = None,
    model: Annotated[
        Path,
        typer.Option("--model", "-m", metavar="FILE", help="A model of train-tagger, or of train."),
    ] = TAGGER_MODEL,
    output: Results = "-",
    *,
    annotating: Annotating,
    verbosity: Verbosity,
) -> None:
    """Tag CoNLL files with a model of train-tagger.

    Of UPOS, XPOS and FEATS, those that the model predicts are replaced; all else stays. A model of
    train tags too, and if it has a tokenizer, it tags text.
    """
    models = [load_model(model, "tagger", TAGGER_MODEL, loading=annotating.loading)]
    annotate_files(files, models, output, annotating, verbosity, verb="tagged", inputs=[model])
