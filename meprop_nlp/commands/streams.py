"""Reading sentences from the user's files, and writing them to the user's output."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meprop_nlp.commands import console
from meprop_nlp.commands.options import JOINT_MODEL, Loading
from meprop_nlp.config import HEAD_OF
from meprop_nlp.errors import CheckpointError, ConfigError, DataError
from meprop_nlp.models.boxed import boxed_models, in_words

ANY_TRAINING = "train, train-tagger or train-parser"

# the command that trains a model of each task
_TRAINING = {"tagger": "train-tagger", "parser": "train-parser", "joint": "train"}
# and the one that runs it
COMMAND_OF = {"tagger": "tag", "parser": "parse", "joint": "annotate"}
# what a training leaves beside a model
_SIDE_FILE = re.compile(r".*\.(checkpoint|tokenizer|tags|teacher-\d+)\.safetensors")

if TYPE_CHECKING:
    from meprop_nlp.commands.options import Reading
    from meprop_nlp.data.report import TreebankReport
    from meprop_nlp.data.sentence import Sentence
    from meprop_nlp.models.model import Model


def read_all(
    files: Sequence[str], reading: Reading, *, trees: bool | None = False
) -> Iterator[Sentence]:
    """Yield the sentences of all files, one file after the other."""
    from meprop_nlp.data.conll.reading import read

    for path in files:
        yield from read(
            path, input_format=reading.input_format, encoding=reading.encoding, trees=trees
        )


def note_skipped(path: str, report: TreebankReport | None) -> None:
    """Print which faulty sentences of a file were skipped."""
    from meprop_nlp.data.source import source_name

    if report is not None and report.skipped:
        for problem in report.problems:
            console.note(f"skipped: {problem}")
        console.note(f"{source_name(path)}: {report.skipped} faulty sentences skipped")


def demand_rereadable(path: str, name: str) -> None:
    """Raise ConfigError for a pipe or a terminal, which can be read only once.

    Args:
        name: the option or argument that names `path`.
    """
    if path == "-" or (Path(path).exists() and not is_rereadable(path)):
        raise ConfigError(f"{name} is read more than once, so it needs a file, not {path}")


def is_rereadable(path: str) -> bool:
    """Whether a path can be read more than once."""
    return path != "-" and (Path(path).is_file() or Path(path).is_dir())


def demand_other_file(output: str | Path, keep: Iterable[str | Path | None]) -> None:
    """Raise ConfigError if the output would replace one of the files in `keep`."""
    target = Path(output)
    if str(output) == "-" or not target.is_file():
        return
    for path in keep:
        if path is None or str(path) == "-":
            continue
        if Path(path).exists() and Path(path).samefile(target):
            raise ConfigError(f"--output {output} is an input file too; choose another name")


def demand_model(path: Path, task: str | None = None, default: Path | None = None) -> None:
    """Raise DataError if there is no model file; the message says how to make one, or names others.

    Args:
        task: what the model is for; None: any.
        default: where the command that trains it writes it unless told otherwise.
    """
    if path.is_dir():
        found = _models_in(path, task)
        hint = f"such as {found[0]}" if found else "which a training writes"
        raise DataError(f"{path} is a folder, expected the file of a model, {hint}")
    if not path.exists():
        command = ANY_TRAINING if task is None else _TRAINING[task]
        named = path if path.suffix else Path(f"{path}.safetensors")
        if named != path and named.is_file():
            raise DataError(f"there is no model {path}; did you mean {named}?")
        hint = f"train one with: meprop-nlp {command}"
        if path != default:
            hint += f" --train FILE -o {named}"
        if trained := _models_in(JOINT_MODEL.parent, task):
            hint += f", or give --model {' or '.join(map(str, trained))}"
        if boxed := boxed_models():
            hint += f"; {in_words(boxed)}"
        raise DataError(f"there is no model {path}; {hint}")


def _models_in(folder: Path, task: str | None) -> list[Path]:
    """Return the first models in a folder that do a task; None: any."""
    files = (p for p in sorted(folder.glob("*.safetensors")) if not _SIDE_FILE.fullmatch(p.name))
    return list(islice((path for path in files if _does(path, task)), 3))


def _does(path: Path, task: str | None) -> bool:
    """Whether a file is a model that does a task, alone or beside others."""
    header = _header(path)
    found = header.get("task")
    if task is None or found == task:
        return found in _TRAINING
    heads = header.get("config", {}).get("heads")  # none are named where there are all
    return found == "joint" and task in HEAD_OF and (not heads or HEAD_OF[task] in heads)


def load_model(
    path: Path, task: str, default: Path | None = None, *, loading: Loading | None = None
) -> Model:
    """Load a model of a task; in place of a tagger or a parser, the head of a joint model.

    Args:
        loading: how it is loaded; see `Model.load`.

    Raises:
        DataError: there is no such file.
        CheckpointError: the file is no model, or one for another task.
        ConfigError: `loading` does not fit the model; see `Model.load`.
    """
    from meprop_nlp.models.file import noun_of
    from meprop_nlp.models.model import load

    demand_model(path, task, default)
    loading = loading or Loading()
    model = load(path, pretrained=loading.pretrained, treebank=loading.treebank_id)
    if model.task == task:
        return model
    head = HEAD_OF.get(task)
    if head is None or model.task != "joint":
        other = " or a joint model" if head else ""
        raise CheckpointError(
            f"{path}: is a {noun_of(model.task)}, expected a {noun_of(task)}{other}"
        )
    if head not in model.heads:
        raise CheckpointError(
            f"{path}: is a joint model with the heads {', '.join(model.heads)}, and has no {head}"
        )
    return model.only(head)


def loadings_of(loading: Loading, paths: Sequence[Path | None]) -> list[Loading]:
    """Return how each of several models is loaded, of which an option may be meant for one.

    An option is for the models that were trained with an encoder of its fingerprint, or know a
    treebank of its name; else for those that read any encoder, or know any treebanks; else for the
    first, which then says that it has no use.

    Args:
        loading: what the user has given.
        paths: of the models; None, or one that cannot be read, is given nothing.
    """
    if len(paths) == 1 or loading == Loading():
        return [loading] * len(paths)
    headers = [_header(path) for path in paths]
    given: list[dict[str, str]] = [{} for _ in paths]
    for option, field, fits in (
        ("pretrained", "pretrained", _is_encoder),
        ("treebank_id", "treebanks", _is_known),
    ):
        value = getattr(loading, option)
        if value is None:
            continue
        having = [n for n, header in enumerate(headers) if field in header]
        if len(having) > 1:
            having = [n for n in having if fits(value, headers[n][field])] or having
        for n in having or [0]:
            given[n][option] = value
    return [Loading(**options) for options in given]


def _header(path: Path | None) -> dict[str, Any]:
    """Return the header of a model; nothing if it cannot be read, which loading it will tell."""
    from meprop_nlp.models.file import read_header

    try:
        return {} if path is None else read_header(path)
    except CheckpointError:
        return {}


def _is_encoder(folder: str, card: Any) -> bool:
    """Whether a folder holds the encoder that a model states."""
    from meprop_nlp.models.encoder_folder import EncoderCard, EncoderFolder

    try:
        return EncoderCard.from_dict(card).fingerprint == EncoderFolder(folder).fingerprint()
    except CheckpointError:
        return False


def _is_known(name: str, names: Any) -> bool:
    """Whether a treebank is among those that a model states."""
    return isinstance(names, list) and name in names
