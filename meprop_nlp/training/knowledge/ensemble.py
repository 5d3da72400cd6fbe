"""An ensemble of teachers: the network that is to learn from them, trained with other seeds."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from meprop_nlp.models.file import read_header
from meprop_nlp.models.model import Model, load
from meprop_nlp.training.checkpoint import checkpoint_path, demand_checkpoint
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.knowledge.teachers import checksum_of_answers
from meprop_nlp.training.outputs import is_finished
from meprop_nlp.training.records import Note

# in the header of a teacher's file, under `training`: its number from 1
TEACHER_NUMBER = "teacher_number"

# Trains one teacher: its number from 1, its model file, whether to resume, and hooks.
TrainOne = Callable[[int, Path | None, bool, Hooks], Model]
# Raises ConfigError unless a finished teacher, with its number, is what would be trained now.
DemandOne = Callable[[int, Model], None]


def teacher_path(output: Path, number: int) -> Path:
    """Return the model file of a teacher beside that of the network that learns from it."""
    return output.with_name(
        f"{output.name.removesuffix('.safetensors')}.teacher-{number}.safetensors"
    )


def networks_of(output: Path, n_teachers: int) -> list[Path]:
    """Return the model files of the networks that are trained: the learner's and its teachers'."""
    return [output, *(teacher_path(output, number + 1) for number in range(n_teachers))]


def train_teachers(
    n: int,
    train_one: TrainOne,
    demand_one: DemandOne,
    *,
    output: Path | None,
    resume: bool,
    hooks: Hooks,
) -> list[Model]:
    """Return `n` teachers, trained one after the other.

    Args:
        train_one: trains one of them.
        demand_one: checks one that an earlier run has trained.
        output: the model file of the network that learns from them; theirs stand beside it and
            stay there. None: they are kept in memory.
        resume: take those that are finished, and go on with the one that is not.

    Raises:
        ConfigError: there is nothing to resume, or it was begun with other settings.
        KeyboardInterrupt: `hooks.stop` returned True.
    """
    models = []
    if resume and output is not None:
        paths = [teacher_path(output, number) for number in range(1, n + 1)]
        there = [each.exists() or checkpoint_path(each).exists() for each in paths]
        if not there[0] or (all(there) and _has_learnt_from(output, paths)):
            demand_checkpoint(output)
    for number in range(1, n + 1):
        path = output and teacher_path(output, number)
        begun = resume and path is not None and checkpoint_path(path).exists()
        if resume and path is not None and path.exists() and not begun and is_finished(path):
            hooks.on_record(Note(f"teacher {number} of {n}: {path} is finished"))
            model = load(path)
            demand_one(number, model)
            models.append(model)
            continue
        hooks.on_record(Note(f"teacher {number} of {n}"))
        quiet = Hooks(on_record=_without_notes(hooks), stop=hooks.stop)
        models.append(train_one(number, path, begun, quiet))
    return models


def _has_learnt_from(output: Path, teachers: Sequence[Path]) -> bool:
    """Return whether a model is there that these teachers taught, and not an older one."""
    if not output.exists() or any(checkpoint_path(each).exists() for each in teachers):
        return False
    stated = read_header(output).get("training", {}).get("teachers") or []
    own = [checksum_of_answers(load(each)) for each in teachers]
    return bool(stated[-len(own) :] == own)


def _without_notes(hooks: Hooks) -> Callable[[Any], None]:
    """Return what passes records on, except notes, which are the same for each teacher."""

    def on_record(record: Any) -> None:
        if not isinstance(record, Note):
            hooks.on_record(record)

    return on_record
