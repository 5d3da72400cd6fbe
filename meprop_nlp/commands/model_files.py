"""Which model file is meant: one that was named, the one at its usual place, or a boxed one."""

from functools import partial
from pathlib import Path

import typer

from meprop_nlp.commands import console
from meprop_nlp.commands.options import JOINT_MODEL
from meprop_nlp.models.boxed import ENGLISH, boxed_models


def model_path(text: str) -> Path:
    """Return the file that an option names: `en` is the boxed model, and `./en` a file."""
    return boxed_models().get(text) or Path(text)


# the option of a command that takes a model; give it its `help`
model_option = partial(typer.Option, "--model", "-m", metavar="FILE", parser=model_path)


def usual_model(given: Path | None, usual: Path, *, quiet: bool) -> Path:
    """Return the model that was named, or the one to use where none was.

    That is the one at its usual place, which a note says on a terminal. Where no model has been
    trained it is the English one that comes with the package, and a note says so anywhere.

    Args:
        given: the model that was named.
        usual: the usual place of the model; train's model beside it counts as trained too.
        quiet: whether to leave the notes out.
    """
    if given is not None:
        return given
    boxed = boxed_models().get(ENGLISH)
    if usual.exists() and not quiet and console.is_seen():
        other = "" if boxed is None else "; the English model of the package is --model en"
        console.note(f"using {usual}{other}")
    if boxed is None or usual.exists() or JOINT_MODEL.exists():
        return usual
    if not quiet:
        console.note(f"no --model and no {usual}: using the English model of the package (en)")
    return boxed
