"""`read_joint`: a trained joint model that a training draws on, which may come from a stranger.

A model checks what it needs to annotate. A training reads more of its header: settings, the names
of the rows, what taught it. That is checked here, for the models to start from and to learn from.
"""

import os
from itertools import chain

from meprop_nlp.config import JointConfig
from meprop_nlp.errors import CheckpointError
from meprop_nlp.models.file import ModelFile, read_model_file
from meprop_nlp.models.model import Model
from meprop_nlp.models.parts import demand_texts, naming_file

TAUGHT_WITH = "taught_with"  # in a model's header, the pretrained encoders of its teachers

# what the header states of a head
_OF_HEAD: dict[str, tuple[str, ...]] = {
    "tags": (),  # always there, by column
    "lemmas": ("scripts",),
    "tree": ("labels", "transition_system", "root_labels", "other_labels"),
}
_OF_TRANSITIONS = ("transition_system", "root_labels", "other_labels")


class _JointModel(Model):
    task = "joint"


def read_joint(path: str | os.PathLike[str], role: str) -> Model:
    """Return a joint model whose header can be relied on.

    Its pretrained encoder, if it reads one, is not looked for.

    Args:
        role: the setting that names the file.

    Raises:
        CheckpointError: the file is not a joint model, damaged, or too new.
    """
    name = os.fspath(path)
    try:
        file = read_model_file(path)
        if refusal := _JointModel.refusal(file.header):
            advice = ""
            if file.header.get("task") in ("tagger", "parser"):
                advice = "; the command train makes one, and so does `encoder` bilstm"
            raise CheckpointError(f"{name}: {refusal}{advice}")
        with naming_file(path):
            model = _JointModel(file)
            model.file = _checked(model)
    except CheckpointError as error:
        raise CheckpointError(f"`{role}`: {error}") from None
    return model


def _checked(model: Model) -> ModelFile:
    """Return what the file of a joint model states of the heads that it has.

    All settings are there. The number of neurons is left out: the arrays have it.

    Raises:
        CheckpointError: a part is not what a training would have written.
    """
    header, config = dict(model.file.header), JointConfig.from_dict(model.file.header["config"])
    header["config"] = config.to_dict()
    header["lexicon"] = model.lexicon.to_dict()
    header.pop("neurons", None)
    foreign = [head for head in _OF_HEAD if head not in config.heads]
    arrays = {
        name: array
        for name, array in model.file.arrays.items()
        if name.partition(".")[0] not in foreign
    }
    for name in chain(*(_OF_HEAD[head] for head in foreign)):
        header.pop(name, None)
    if config.tree == "graph":
        for name in _OF_TRANSITIONS:
            header.pop(name, None)
    if "tags" in foreign:
        header["tags"] = {}
    demand_texts("characters", header["characters"])
    for name in ("scripts", "labels"):
        if name in header:
            demand_texts(name, header[name])
    if TAUGHT_WITH in header:
        demand_texts("teachers' encoders", header[TAUGHT_WITH])
    return ModelFile(header, arrays)
