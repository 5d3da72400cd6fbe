"""`JointModel`: tags, lemmas and trees as users know them: train, load, save, annotate."""

from meprop_nlp.config import JointConfig
from meprop_nlp.training.trainable import TrainableModel


class JointModel(TrainableModel):
    """One encoder under UPOS, XPOS, FEATS, lemmas and dependency trees, any of these.

    >>> model = JointModel.train("train.conllu", "dev.conllu", output="model.safetensors")
    ... # doctest: +SKIP
    >>> model(["Time", "flies"]).column("head")  # doctest: +SKIP
    [2, 0]
    """

    task = "joint"
    config_class = JointConfig
