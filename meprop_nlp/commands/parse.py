"""`parse`."""

from pathlib import Path
from typing import Annotated

import typer

from meprop_nlp.commands.model_files import model_option, model_path, usual_model
from meprop_nlp.commands.options import PARSER_MODEL, TAGGER_MODEL, Results, Texts, Verbosity
from meprop_nlp.commands.predict import Annotating, annotate_files
from meprop_nlp.commands.streams import load_model, loadings_of


def parse(
    files: Texts = None,
    model: Annotated[
        Path | None,
        model_option(
            help="A model of train-parser or of train, or en, the English model of the package. "
            f"Unless given, {PARSER_MODEL}, and en where no model was trained.",
        ),
    ] = None,
    tagger: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            parser=model_path,
            help="Tag with this model first; without it, the tags in the files are used. A file "
            f"without tags is tagged with {TAGGER_MODEL}, or with the tags of a model of train.",
        ),
    ] = None,
    output: Results = "-",
    *,
    annotating: Annotating,
    verbosity: Verbosity,
) -> None:
    """Parse text or CoNLL files with a trained model.

    HEAD and DEPREL are replaced. Where a sentence has a graph in DEPS, or empty nodes, the tree
    takes the place of the graph; elsewhere DEPS stays empty. PHEAD and PDEPREL of CoNLL-X are
    emptied; all else stays. The parser reads tags: those in the files, or those of --tagger. A
    model of train parses too, and needs none: where a word has no tag, it uses its own; if it has a
    tokenizer, it parses text. One that was trained with --encoder bilstm reads none.
    """
    path = usual_model(model, PARSER_MODEL, quiet=verbosity.quiet)
    own, taggers = loadings_of(annotating.loading, [path, tagger])
    models = [load_model(path, "parser", PARSER_MODEL, loading=own)]
    if tagger is not None:
        models.insert(0, load_model(tagger, "tagger", TAGGER_MODEL, loading=taggers))
    inputs = [path, tagger, TAGGER_MODEL]
    annotate_files(files, models, output, annotating, verbosity, verb="parsed", inputs=inputs)
