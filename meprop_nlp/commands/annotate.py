"""`annotate`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from meprop_nlp.commands.options import JOINT_MODEL, Keeping, Results, Texts, Verbosity
from meprop_nlp.commands.predict import Annotating, annotate_files
from meprop_nlp.commands.streams import load_model
from meprop_nlp.config import HEAD_NAMES
from meprop_nlp.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Choosing(Keeping):
    """What to predict."""

    heads: tuple[str, ...] = setting(
        (),
        choices=HEAD_NAMES,
        distinct=True,
        metavar="NAMES",
        help="What to predict, such as tags,tree; unless given, all that the model can. Tags that "
        "are not predicted are kept, as with `keep`.",
    )


def annotate(
    files: Texts = None,
    model: Annotated[
        Path, typer.Option("--model", "-m", metavar="FILE", help="A model of train.")
    ] = JOINT_MODEL,
    output: Results = "-",
    *,
    choosing: Choosing,
    annotating: Annotating,
    verbosity: Verbosity,
) -> None:
    """Annotate text or CoNLL files with a model of train.

    Tags, lemmas and trees in one pass: the columns that the model predicts are replaced, except
    those of --keep. With a new tree, DEPS is emptied as by parse; all else stays. Text needs a
    model with a tokenizer.
    """
    found = load_model(model, "joint", JOINT_MODEL, loading=annotating.loading)
    if choosing.heads:
        found = found.only(*choosing.heads)
    found.demand_kept(choosing.keep)
    annotate_files(
        files,
        [found],
        output,
        annotating,
        verbosity,
        verb="annotated",
        inputs=[model],
        keep=choosing.keep,
    )
