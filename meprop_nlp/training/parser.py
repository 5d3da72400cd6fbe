"""`DependencyParser`: the dependency parser as users know it: train, load, save, parse."""

from meprop_nlp.config import ParserConfig
from meprop_nlp.training.trainable import TrainableModel


class DependencyParser(TrainableModel):
    """A transition-based parser with one small network (Chen & Manning 2014).

    It is trained on gold trees with the tags that stand in the file, or, with the setting
    `jackknife`, with predicted ones. What `train-parser --encoder bilstm` trains is a `JointModel`
    with `heads=("tree",)`.

    >>> parser = DependencyParser.train("train.conllu", "dev.conllu", output="parser.safetensors")
    ... # doctest: +SKIP
    >>> parser(tagger(["Time", "flies"])).column("head")  # doctest: +SKIP
    [2, 0]
    """

    task = "parser"
    config_class = ParserConfig
