"""Where a training keeps the encoder that it trains too: a folder beside the model file."""

import os
from pathlib import Path

from meprop_nlp.config import Knowledge
from meprop_nlp.errors import CheckpointError, ConfigError
from meprop_nlp.models.encoder_folder import demand_replaceable, encoder_path, remove_fine_tuned
from meprop_nlp.models.file import read_header


def demand_encoder_output(knowledge: Knowledge, output: Path | None, *, resume: bool) -> None:
    """Check that a training may write the encoder that it trains, if it trains one.

    Args:
        output: the model file, if there is one.
        resume: whether the run goes on from a checkpoint.

    Raises:
        ConfigError: it may not: a folder of that name is none that a training has written, or the
            run reads it; or there is no output; or the encoder of the best model so far is gone.
    """
    if not knowledge.fine_tune:
        return
    if output is None:
        raise ConfigError(
            "`fine_tune` needs `output`, a model file: the encoder is kept in a folder beside it"
        )
    folder = encoder_path(output)
    if folder.resolve() in _encoders_read(knowledge):
        raise ConfigError(
            f"{folder}: holds an encoder that this run reads, and the fine-tuned one would replace "
            "it; choose another output"
        )
    demand_replaceable(folder)
    if resume and _encoder_of(output) == folder.resolve() and not folder.is_dir():
        raise ConfigError(
            f"`resume`: {folder}, the encoder of the best model so far, is gone; start anew "
            "without `resume`"
        )


def replaced_encoder(knowledge: Knowledge, output: Path | None) -> Path | None:
    """Return the folder of an encoder whose model a run replaces; None if there is none.

    A run that trains no encoder removes it in the end, unless it reads it.
    """
    if output is None or knowledge.fine_tune:
        return None
    folder = encoder_path(output)
    is_read = folder.resolve() in _encoders_read(knowledge)
    return folder if _encoder_of(output) == folder.resolve() and not is_read else None


def remove_replaced(folder: Path | None) -> None:
    """Remove the folder that `replaced_encoder` has returned."""
    if folder is not None:
        remove_fine_tuned(folder)


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
