"""`annotate`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from meprop_nlp.commands.model_files import model_option, usual_model
from meprop_nlp.commands.options import JOINT_MODEL, Keeping, Results, Texts, Verbosity
from meprop_nlp.commands.predict import Annotating, annotate_files
from meprop_nlp.commands.streams import load_model
from meprop_nlp.config import HEAD_NAMES, TOKENS
from meprop_nlp.errors import ConfigError
from meprop_nlp.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Choosing(Keeping):
    """What to predict."""

    heads: tuple[str, ...] = setting(
        (),
        choices=(TOKENS, *HEAD_NAMES),
        distinct=True,
        metavar="NAMES",
        help="What to predict, such as tags,tree; unless given, all that the model can. Tags that "
        "are not predicted are kept, as with `keep`. With tokens alone, text is split into words, "
        "and that is all.",
    )


def annotate(
    files: Texts = None,
    model: Annotated[
        Path | None,
        model_option(
            help="A model of train, or en, the English model of the package. Unless given, "
            f"{JOINT_MODEL}, and en where there is none.",
        ),
    ] = None,
    output: Results = "-",
    *,
    choosing: Choosing,
    annotating: Annotating,
    verbosity: Verbosity,
) -> None:
    """Annotate text or CoNLL files with a model of train.

    Tags, lemmas and trees in one pass: the columns that the model predicts are replaced, except
    those of --keep; all else stays. Where a sentence has a graph in DEPS, or empty nodes, a new
    tree takes the place of the graph. Text needs a model with a tokenizer.
    """
    path = usual_model(model, JOINT_MODEL, quiet=verbosity.quiet)
    found = load_model(path, "joint", JOINT_MODEL, loading=annotating.loading)
    models, heads = [found], [head for head in choosing.heads if head != TOKENS]
    if TOKENS in choosing.heads and found.tokenizer is None:
        raise ConfigError(f"{path} has no tokenizer; train one with tokens among its `heads`")
    if choosing.heads:
        models = [found.only(*heads)] if heads else []
    for each in models:
        each.demand_kept(choosing.keep)
    if not models and choosing.keep:
        raise ConfigError("`keep` goes with a head that predicts the columns, found `heads=tokens`")
    annotate_files(
        files,
        models,
        output,
        annotating,
        verbosity,
        verb="annotated",
        inputs=[path],
        keep=choosing.keep,
        tokenizer=found.tokenizer,
    )
