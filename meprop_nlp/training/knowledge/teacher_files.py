"""`read_teachers`: the models that `teacher` names, each with the encoder that it reads."""

from pathlib import Path

from meprop_nlp.config import Knowledge
from meprop_nlp.errors import ConfigError
from meprop_nlp.models.encoder_folder import EncoderCard, EncoderFolder
from meprop_nlp.models.model import Model
from meprop_nlp.models.word_states import FolderStates
from meprop_nlp.training.knowledge.joint_file import read_joint


def read_teachers(knowledge: Knowledge) -> list[Model]:
    """Read the models of `teacher`.

    A pretrained encoder is looked for in the folders of `teacher_pretrained`, in that of
    `pretrained`, then where it was when the teacher was trained; it is told by its fingerprint.

    Raises:
        CheckpointError: a file is not a joint model, damaged, or too new.
        ConfigError: a teacher's encoder is in none of these folders, or a folder of
            `teacher_pretrained` has none that a teacher reads.
        DataError: a folder lacks a file.
    """
    paths = knowledge.teacher or ()
    models = [read_joint(path, "teacher") for path in paths]
    cards = [
        EncoderCard.from_dict(model.file.header["pretrained"])
        if "pretrained" in model.file.header
        else None
        for model in models
    ]
    given = [EncoderFolder(folder) for folder in knowledge.teacher_pretrained or ()]
    own = [EncoderFolder(knowledge.pretrained)] if any(cards) and knowledge.pretrained else []
    # computed once, as all weights are read for it
    prints = [(folder.fingerprint(), folder) for folder in (*own, *given)]
    found = {fingerprint: folder.path for fingerprint, folder in prints}
    for fingerprint, folder in prints[len(own) :]:
        if fingerprint not in {card.fingerprint for card in cards if card}:
            raise ConfigError(
                f"`teacher_pretrained`: {folder.path} holds {folder.name}, which no `teacher` "
                "reads; leave it out"
            )
    return [
        model if card is None else _reading(path, model, card, found.get(card.fingerprint))
        for path, model, card in zip(paths, models, cards, strict=True)
    ]


def _reading(path: str, model: Model, card: EncoderCard, folder: Path | None) -> Model:
    """Return a teacher that reads its encoder in a folder; None: where it was in training.

    Raises:
        ConfigError: it is not there.
        DataError: the folder lacks a file.
    """
    if folder is None:
        usual = Path(card.folder)
        if not usual.is_dir() or EncoderFolder(usual).fingerprint() != card.fingerprint:
            raise ConfigError(
                f"`teacher`: {path} reads the pretrained encoder {card.name} (fingerprint "
                f"{card.fingerprint}), which is no longer in {usual}; give its folder with "
                "`teacher_pretrained`"
            )
        folder = usual
    return Model(model.file, FolderStates(card, folder))
