"""The joint model's tag head: an output layer for each tag column over the encoder's states."""

from collections.abc import Collection, Mapping
from types import ModuleType

import numpy as np

from meprop_nlp.config import JointConfig
from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.errors import CheckpointError, MePropError
from meprop_nlp.models.digits import DigitWeight
from meprop_nlp.models.encoder import SharedEncoder, States
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.head import Head
from meprop_nlp.models.heads.joint_native import NativeTags
from meprop_nlp.models.heads.tags import SCORES
from meprop_nlp.models.native_encoder import NativeStates
from meprop_nlp.models.parts import Array, demand_inputs, tag_lists, take
from meprop_nlp.models.prediction import Indices, Prediction, TextColumn, Values
from meprop_nlp.models.words import Words

FLAT = 0.003  # heads take probabilities of tags below it for their mean: then products are quick


class StateTagsHead(Head):
    """Predicts UPOS, XPOS and FEATS, or some of these.

    Attributes:
        tags: the values of each predicted column, by column name.
    """

    name = "tags"
    activity = "tagging"
    feeds = True

    def __init__(self, file: ModelFile, lexicon: Lexicon) -> None:
        self.config = JointConfig.from_dict(file.header["config"])
        self.tags = tag_lists(file.header["tags"])
        if not self.tags:
            raise CheckpointError("the model predicts no tags")
        self.reads, self.fills = (), tuple(self.tags)
        self.scores = tuple(SCORES.get(column, column) for column in self.tags)
        self._values = {column: Values(texts) for column, texts in self.tags.items()}
        self._ids = {
            column: {text: i for i, text in enumerate(texts)} for column, texts in self.tags.items()
        }
        self._native: NativeTags | None = None
        self._outputs = {
            column: (
                take(file.arrays, f"tags.outputs.{column}.weight", len(values), None).T,
                take(file.arrays, f"tags.outputs.{column}.bias", len(values)),
            )
            for column, values in self.tags.items()
        }

    def prepare(self, native: ModuleType | None, encoder: SharedEncoder) -> None:
        for column, (weight, _) in self._outputs.items():
            demand_inputs(f"tags.outputs.{column}", len(weight), encoder.width)
        if native is not None:
            self._native = NativeTags(native, list(self._outputs.values()), FLAT)

    def annotate(
        self,
        words: Words,
        states: States | None = None,
        *,
        confidence: bool = False,
        keep: Collection[str] = (),
    ) -> Prediction:
        assert states is not None
        ids, sure = self._choose(states, confidence=confidence)
        texts, confident, first = {}, {}, 0
        for n, (column, values) in enumerate(self._values.items()):
            part = slice(first, first + len(values.texts))
            first = part.stop
            if column in keep:
                assert states.tags is not None
                own = states.tags[:, part]
                states.tags[:, part] = read_tags(words, column, self._ids[column], own)
                continue
            texts[column] = TextColumn(values, ids[n])
            if sure is not None:
                confident[f"{column.upper()}Conf"] = sure[n]
        return Prediction(texts, confidence=confident)

    def probabilities(self, states: States) -> dict[str, Array]:
        """Return the probability of each tag by column: (N, tags of the column).

        Raises:
            MePropError: the scores are not finite.
        """
        return {
            column: softmax(DigitWeight.of(weight).product(states.context) + bias)
            for column, (weight, bias) in self._outputs.items()
        }

    def _choose(self, states: States, *, confidence: bool) -> tuple[Indices, Array | None]:
        """Return the ids of the best tags, (columns, N), and their probabilities if asked for.

        The probabilities of all tags go into the states, the low ones flattened.
        """
        if isinstance(states, NativeStates) and self._native is not None:
            return self._native.choose(states, confidence=confidence)
        each = list(self.probabilities(states).values())
        states.tags = np.concatenate([flattened(shares) for shares in each], 1)
        ids = np.array([shares.argmax(1) for shares in each], np.int32)
        return ids, np.array([shares.max(1) for shares in each]) if confidence else None


def flattened(shares: Array) -> Array:
    """Return the probabilities of a column's tags with those below `FLAT` as their mean: (N, tags).

    A network trained with label smoothing (Szegedy et al. 2016) gives each tag a little, so that
    hundreds of rows of the next layer would be multiplied by next to nothing. As they are alike,
    the sum of the rows is enough, and scores stay as they are: for a model of UD English EWT and
    one of Turkish IMST, dev LAS and lemmas changed by at most 0.03.
    """
    low = shares < FLAT
    mean = np.where(low, shares, 0).sum(1, keepdims=True) / np.maximum(low.sum(1, keepdims=True), 1)
    flat: Array = np.where(low, mean, shares).astype(np.float32)
    return flat


def read_tags(words: Words, column: str, ids: Mapping[str, int], probabilities: Array) -> Array:
    """Return the probabilities of one column's tags, certain where the words have a known tag.

    A word without a tag, or with one that the model does not know, keeps the model's own
    probabilities. `_` is a tag, such as "no features", if the model knows it and another word of
    the sentence has a value.

    Args:
        ids: the number of each tag.
        probabilities: (N, tags) the model's own.
    """
    texts = words.column(column)
    found = np.array([ids.get(text, -1) for text in texts], np.int64)
    if "_" in ids:
        n_filled = np.cumsum([0, *(text != "_" for text in texts)])[words.bounds]
        found[np.repeat(np.diff(n_filled) == 0, np.diff(words.bounds))] = -1
    known = np.flatnonzero(found >= 0)
    mixed = probabilities.copy()
    mixed[known] = 0
    mixed[known, found[known]] = 1
    return mixed


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
