"""The joint model's tag head: an output layer for each tag column over the encoder's states."""

import numpy as np

from meprop_nlp.config import JointConfig
from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.errors import CheckpointError, MePropError
from meprop_nlp.models.encoder import States
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.head import Head
from meprop_nlp.models.heads.tags import SCORES
from meprop_nlp.models.parts import Array, tag_lists, take
from meprop_nlp.models.prediction import Prediction, TextColumn, Values
from meprop_nlp.models.words import Words


class StateTagsHead(Head):
    """Predicts UPOS, XPOS and FEATS, or some of these.

    Attributes:
        tags: the values of each predicted column, by column name.
    """

    name = "tags"
    activity = "tagging"

    def __init__(self, file: ModelFile, lexicon: Lexicon) -> None:
        self.config = JointConfig.from_dict(file.header["config"])
        self.tags = tag_lists(file.header["tags"])
        if not self.tags:
            raise CheckpointError("the model predicts no tags")
        self.reads, self.fills = (), tuple(self.tags)
        self.scores = tuple(SCORES.get(column, column) for column in self.tags)
        self._values = {column: Values(texts) for column, texts in self.tags.items()}
        self._outputs = {
            column: (
                take(file.arrays, f"tags.outputs.{column}.weight", len(values), None).T,
                take(file.arrays, f"tags.outputs.{column}.bias", len(values)),
            )
            for column, values in self.tags.items()
        }

    def annotate(
        self, words: Words, states: States | None = None, *, confidence: bool = False
    ) -> Prediction:
        assert states is not None
        texts, sure, tags = {}, {}, []
        for column, (weight, bias) in self._outputs.items():
            probabilities = softmax(states.context @ weight + bias)
            ids = probabilities.argmax(1).astype(np.int32)
            texts[column] = TextColumn(self._values[column], ids)
            tags.append(probabilities)
            if confidence:
                sure[f"{column.upper()}Conf"] = np.ascontiguousarray(probabilities.max(1))
        states.tags = np.concatenate(tags, 1)
        return Prediction(texts, confidence=sure)


def softmax(scores: Array) -> Array:
    """Return the softmax of each row.

    Raises:
        MePropError: scores are not finite.
    """
    if not np.isfinite(scores).all():
        raise MePropError("the model's weights give scores that are not finite; train it anew")
    shares: Array = np.exp(scores - scores.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    return shares
