"""`Tagger`: the part-of-speech tagger as users know it: train, load, save, tag."""

from meprop_nlp.config import TaggerConfig
from meprop_nlp.training.trainable import TrainableModel


class Tagger(TrainableModel):
    """A BiLSTM tagger for UPOS, XPOS and FEATS, any of these at once.

    What `train-tagger --encoder bilstm` trains is a `JointModel` with `heads=("tags",)`.

    >>> tagger = Tagger.train("train.conllu", "dev.conllu", output="tagger.safetensors")
    ... # doctest: +SKIP
    >>> tagger(["Time", "flies"]).column("upos")  # doctest: +SKIP
    ['NOUN', 'VERB']
    """

    task = "tagger"
    config_class = TaggerConfig
