"""The models that come with the package, each under a short name: `load("en")`."""

import os
from pathlib import Path
from typing import NamedTuple

from meprop_nlp.errors import CheckpointError

FOLDER = Path(__file__).parent
ENGLISH = "en"
# the file of each name; one that is not installed is left out of `boxed_models`
_FILES = {ENGLISH: "english.safetensors"}
LICENCES = {
    ENGLISH: "CC BY-SA 4.0: trained on UD English EWT; english.NOTICE beside it names its sources"
}


class Publication(NamedTuple):
    """How a model of the package is described where others publish it.

    Attributes:
        language: the code of its language.
        licence: the identifier of its licence, as the Hugging Face Hub has it.
        notice: the name of the file beside it that names its sources.
    """

    language: str
    licence: str
    notice: str


_PUBLISHED = {ENGLISH: Publication("en", "cc-by-sa-4.0", "english.NOTICE")}


def published_as(name: str) -> Publication:
    """Return how a model of the package is described where others publish it."""
    return _PUBLISHED[name]


def notice_of(name: str) -> str:
    """Return the notice that goes wherever a model of the package goes."""
    return (FOLDER / _PUBLISHED[name].notice).read_text(encoding="utf-8")


def boxed_models() -> dict[str, Path]:
    """Return the files of the models that come with this installation, by name."""
    files = {name: FOLDER / file for name, file in _FILES.items()}
    return {name: path for name, path in files.items() if path.is_file()}


def licence_of(path: str | os.PathLike[str]) -> str | None:
    """Return the licence of a model that comes with the package; None for any other file."""
    return next((LICENCES[n] for n, file in boxed_models().items() if file == Path(path)), None)


def model_file(model: str | os.PathLike[str]) -> str | os.PathLike[str]:
    """Return the file that is meant by a name or a path.

    The text `en` is the name of the model that comes with the package, also where the working
    folder holds a file `en`: that is `./en`, or `Path("en")`. A Path is always a file.

    Raises:
        CheckpointError: it is neither a name nor a file.
    """
    boxed = boxed_models()
    if isinstance(model, str) and model in boxed:
        return boxed[model]
    path = Path(model)
    if path.exists():
        return model
    lack = "there is no such file"
    if os.fspath(model) == path.name and not path.suffix:
        lack = f"no model of this name comes with the package, and {lack}"
        path = path.with_suffix(".safetensors")
        if path.is_file():
            raise CheckpointError(f"{model}: {lack}; did you mean {path}?")
    raise CheckpointError(
        f"{model}: {lack}; {in_words(boxed)}; train one on a treebank of yours: "
        f"meprop-nlp train -o {path}"
    )


def in_words(boxed: dict[str, Path]) -> str:
    """Return which models come with this installation, for a message."""
    if not boxed:
        return "no models come with this installation"
    return f"models that come with this installation: {', '.join(boxed)}"
