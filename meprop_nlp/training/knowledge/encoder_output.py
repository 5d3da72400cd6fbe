"""Where a training keeps each encoder that it trains: in a folder beside the model file."""

import os
from pathlib import Path

from meprop_nlp.config import Knowledge
from meprop_nlp.errors import CheckpointError, ConfigError
from meprop_nlp.files import remove_unfinished_folder
from meprop_nlp.models.encoder_folder import demand_replaceable_folder, encoder_path
from meprop_nlp.models.file import read_header
from meprop_nlp.training.knowledge.ensemble import networks_of


def demand_encoder_output(knowledge: Knowledge, output: Path | None, *, resume: bool) -> None:
    """Check that a training may write the encoders that it trains, if it trains any.

    What an earlier run left of them where it was killed is removed. Call this while nobody else
    writes to the output.

    Args:
        output: the model file, if there is one; teachers have theirs, and their encoders, beside
            it.
        resume: whether the run goes on from a checkpoint.

    Raises:
        ConfigError: it may not: a folder of that name is none that a training has written, or the
            run reads it; or there is no output; or the encoder of the best model so far is gone.
    """
    if output is None:
        if knowledge.fine_tune:
            raise ConfigError(
                "`fine_tune` needs `output`, a model file: the encoder is kept in a folder beside "
                "it"
            )
        return
    for model in networks_of(output, knowledge.teachers):
        folder = encoder_path(model)
        remove_unfinished_folder(folder)
        if not knowledge.fine_tune:
            continue
        if folder.resolve() in _encoders_read(knowledge):
            raise ConfigError(
                f"{folder}: holds an encoder that this run reads, and the fine-tuned one would "
                "replace it; choose another `output`"
            )
        demand_replaceable_folder(folder)
        if resume and _encoder_of(model) == folder.resolve() and not folder.is_dir():
            raise ConfigError(
                f"`resume`: {folder}, the encoder of the best model so far, is gone; start anew "
                "without `resume`"
            )


def replaced_encoders(knowledge: Knowledge, output: Path) -> list[Path]:
    """Return the folders of encoders whose models a run replaces.

    A run that trains no encoder removes them in the end, unless it reads them.
    """
    if knowledge.fine_tune:
        return []
    kept = _encoders_read(knowledge)
    models = {encoder_path(m): m for m in networks_of(output, knowledge.teachers)}
    return [
        folder
        for folder, model in models.items()
        if _encoder_of(model) == folder.resolve() and folder.resolve() not in kept
    ]


def _encoders_read(knowledge: Knowledge) -> set[Path]:
    """Return the folders of pretrained encoders that a run reads, or whose models it reads."""
    folders = [knowledge.pretrained, *(knowledge.teacher_pretrained or ())]
    found = {Path(folder).resolve() for folder in folders if folder}
    models = [*(knowledge.teacher or ()), knowledge.init_from]
    return found | {folder for path in models if path and (folder := _encoder_of(path))}


def _encoder_of(model: str | os.PathLike[str]) -> Path | None:
    """Return the folder of the encoder that was trained with a model, if one was."""
    if not Path(model).is_file():  # opening a pipe would wait for its other end
        return None
    try:
        card = read_header(model).get("pretrained")
    except CheckpointError:
        return None
    if not isinstance(card, dict) or not card.get("fine_tuned"):
        return None
    return (Path(model).parent / str(card.get("folder"))).resolve()
