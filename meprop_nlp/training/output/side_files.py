"""`side_files`: what a training writes beside its model, and whether what is there is its own."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from meprop_nlp.config import HEAD_OF, Knowledge, ParserConfig, Settings
from meprop_nlp.errors import CheckpointError, ConfigError, DataError
from meprop_nlp.files import demand_writable, remove_unfinished
from meprop_nlp.models.file import TOKENIZER, noun_of, read_header
from meprop_nlp.training.checkpoint import checkpoint_path
from meprop_nlp.training.heads.predicted_tags import tags_path
from meprop_nlp.training.knowledge.ensemble import TEACHER_NUMBER, networks_of, teacher_path
from meprop_nlp.training.knowledge.sources import answers_path
from meprop_nlp.training.records import log_path
from meprop_nlp.training.tokenizer import allows_tokenizer, tokenizer_path

_MOST_TEACHERS = 99  # whose numbers are thought of where names are tried


class SideFile(NamedTuple):
    """A file beside a model, or a folder, that a training writes and may remove.

    Attributes:
        path: where it is.
        what: it is, in words.
        is_own: returns whether the file that is there is such a one; CheckpointError means no.
    """

    path: Path
    what: str
    is_own: Callable[[Path], bool]


def demand_places(path: Path) -> None:
    """Check that a model file can be written, and all that a training may write beside it.

    Raises:
        DataError: the folder cannot be written to, or the name is too long with what is added to it
            beside the model.
    """
    demand_writable(path)
    longest = checkpoint_path(teacher_path(path, _MOST_TEACHERS))
    try:
        demand_writable(longest)
        remove_unfinished([longest])  # of an earlier start that was killed just then
    except DataError as error:
        raise DataError(
            f"{path}: files of the training stand beside it, and {error}; choose a shorter name"
        ) from None


def models_of(output: Path, settings: Settings, knowledge: Knowledge) -> list[Path]:
    """Return the model files that a training writes: its own, its tokenizer's, its teachers'."""
    networks = networks_of(output, knowledge.teachers)
    tokenizer = [tokenizer_path(output)] if allows_tokenizer(settings.network) else []
    return [*networks, *tokenizer]


def side_files(output: Path, settings: Settings, knowledge: Knowledge) -> Iterator[SideFile]:
    """Yield what a training writes beside its model."""
    for model in models_of(output, settings, knowledge):
        if model == tokenizer_path(output):
            yield SideFile(model, "the tokenizer", _is_tokenizer)
        elif model != output:
            yield SideFile(model, "a teacher", _is_teacher)
        yield SideFile(log_path(model), "the log", _is_log)
        yield SideFile(checkpoint_path(model), "the checkpoint", _is_checkpoint)
    if isinstance(settings.network, ParserConfig) and settings.network.jackknife:
        yield SideFile(tags_path(output), "predicted tags", _is_checkpoint)
    if (knowledge.teacher or knowledge.teachers) and not knowledge.cache:
        yield SideFile(answers_path(output), "the teachers' answers", Path.is_dir)


def remove_left(output: Path, settings: Settings, knowledge: Knowledge) -> None:
    """Remove what an earlier run with this output would be resumed from; its model stays."""
    for model in models_of(output, settings, knowledge):
        checkpoint_path(model).unlink(missing_ok=True)
        if model != output:
            model.unlink(missing_ok=True)


def demand_own(
    files: Iterable[SideFile], *, resume: bool, inputs: Iterable[str | os.PathLike[str]] = ()
) -> None:
    """Raise ConfigError if a training would replace or remove a file that is not for it to replace.

    Such is a file that no training has written, and one that this training reads.

    Args:
        resume: whether checkpoints are to be read, which will say what is wrong with them.
        inputs: the files that are read.
    """
    read = [path for path in map(Path, inputs) if path.exists()]
    for path, what, is_own in files:
        if not path.exists():
            continue
        if any(path.samefile(each) for each in read):
            raise ConfigError(
                f"{path}: is read by this training, and stands where {what} would be stored; "
                "move it away, or choose another `output`"
            )
        if is_own is not Path.is_dir and path.is_file() and not path.stat().st_size:
            continue
        if resume and is_own is _is_checkpoint:
            continue
        try:
            own = (path.is_file() or path.is_dir()) and is_own(path)
        except CheckpointError:
            own = False
        if not own:
            raise ConfigError(
                f"{path}: stands where {what} would be stored, and is something else; move it "
                "away, or choose another `output`"
            )


def demand_replaceable(output: Path, *tools: str) -> None:
    """Raise ConfigError if the model would replace a file that is no older model of its kind.

    Args:
        tools: what the model is for, of tagger, parser and joint; see `tools_of`.
    """
    if output.suffix == ".jsonl":
        raise ConfigError(
            f"`output` is {output}, expected the name of a model file, such as "
            f"{tools[0]}.safetensors"
        )
    if not output.is_file() or not output.stat().st_size:
        return
    try:
        header = read_header(output)
    except CheckpointError as error:
        raise ConfigError(
            f"`output` would replace a file: {error}; choose another name, or remove it first"
        ) from None
    found = "checkpoint" if header.get("kind") == "checkpoint" else header.get("task")
    if {found, *_single(found, header.get("config"))}.isdisjoint(tools):
        raise ConfigError(
            f"`output` {output} is a {noun_of(found)} already, and would be replaced by a "
            f"{noun_of(tools[0])}; choose another name, or remove it first"
        )


def tools_of(task: str, settings: Settings) -> list[str]:
    """Return what a model is for: with `encoder` bilstm a tagger or a parser is a joint model."""
    return [task, *_single(task, settings.network.to_dict())]


def _single(task: object, config: Any) -> list[str]:
    """Return what a joint model with a single head is for, beside `joint`."""
    heads = config.get("heads") if task == "joint" and isinstance(config, dict) else None
    return [tool for tool, head in HEAD_OF.items() if heads and list(heads) == [head]]


def _is_checkpoint(path: Path) -> bool:
    return read_header(path).get("kind") == "checkpoint"


def _is_tokenizer(path: Path) -> bool:
    return read_header(path).get("task") == TOKENIZER


def _is_teacher(path: Path) -> bool:
    training = read_header(path).get("training")
    return isinstance(training, dict) and TEACHER_NUMBER in training


def _is_log(path: Path) -> bool:
    """Return whether a file begins with the record of an epoch."""
    try:
        with path.open("rb") as stream:
            record = json.loads(stream.readline(1 << 20))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(record, dict) and {"epoch", "loss", "neurons"} <= record.keys()
