"""A small training, for one process or for those that torchrun starts: task, output, more."""

import json
import sys

from meprop_nlp import DependencyParser, JointModel, Tagger, read
from meprop_nlp.data.sample.treebank import sample_treebank

NO_CHANCE = {"dropout": 0.0, "input_dropout": 0.0, "word_dropout": 0.0}
JOINT = {
    "heads": ["tags", "lemmas", "tree"],
    "layers": 1,
    "part_dropout": 0.0,
    "ngram_rows": 50,
    "character_dim": 4,
    "spelling_dim": 8,
}
CLASSES = {"joint": JointModel, "tagger": Tagger, "parser": DependencyParser}

if __name__ == "__main__":
    task, output, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    sentences = list(read(sample_treebank("train")))[:30]
    network = {"hidden": 24, **NO_CHANCE, **(JOINT if task == "joint" else {})}
    # Adam would make a step as large of a gradient that is rounding alone
    training = {"epochs": 3, "threads": 1, "optimizer": "sgd", "learning_rate": 0.1, "warmup": 0}
    CLASSES[task].train(
        sentences,
        sentences[:10],
        output=output,
        config=network | options.pop("config", {}),
        training=training | {"average": 0.0} | options.pop("training", {}),
        **options,
    )
