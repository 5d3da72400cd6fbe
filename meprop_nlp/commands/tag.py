"""`tag`."""

from pathlib import Path
from typing import Annotated

from meprop_nlp.commands.model_files import model_option, usual_model
from meprop_nlp.commands.options import TAGGER_MODEL, Results, Texts, Verbosity
from meprop_nlp.commands.predict import Annotating, annotate_files
from meprop_nlp.commands.streams import load_model


def tag(
    files: Texts = None,
    model: Annotated[
        Path | None,
        model_option(
            help="A model of train-tagger or of train, or en, the English model of the package. "
            f"Unless given, {TAGGER_MODEL}, and en where no model was trained.",
        ),
    ] = None,
    output: Results = "-",
    *,
    annotating: Annotating,
    verbosity: Verbosity,
) -> None:
    """Tag text or CoNLL files with a trained model.

    Of UPOS, XPOS and FEATS, those that the model predicts are replaced; all else stays. A model of
    train tags too, and if it has a tokenizer, it tags text.
    """
    path = usual_model(model, TAGGER_MODEL, quiet=verbosity.quiet)
    models = [load_model(path, "tagger", TAGGER_MODEL, loading=annotating.loading)]
    annotate_files(files, models, output, annotating, verbosity, verb="tagged", inputs=[path])
