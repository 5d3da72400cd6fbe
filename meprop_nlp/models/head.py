"""`Head`: one task of a model, frozen; it fills some columns of the words it is given."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar

from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.prediction import Prediction
from meprop_nlp.models.words import PredictedWords, Words
from meprop_nlp.settings import Config

__all__ = ["Head", "predict"]


class Head(ABC):
    """A task over plain arrays, without torch; safe to use from several threads.

    Attributes:
        name: the key of the head in `Model.heads`.
        activity: what a table of speeds calls its work, such as "tagging".
        config: the settings it was trained with.
        reads: the columns that it reads besides FORM.
        fills: the columns that it predicts.
        scores: the names of the scores that judge what it predicts, as in `scoring.scores`.
    """

    name: ClassVar[str]
    activity: ClassVar[str]
    config: Config
    reads: tuple[str, ...]
    fills: tuple[str, ...]
    scores: tuple[str, ...]

    @abstractmethod
    def __init__(self, file: ModelFile, lexicon: Lexicon) -> None:
        """Take the head's weights from a model file, on the native core where there is one.

        Raises:
            CheckpointError: a part is missing, or the parts do not fit together.
            MePropError: a weight is not finite, or a setting unknown.
        """

    @abstractmethod
    def annotate(self, words: Words, *, confidence: bool = False) -> Prediction:
        """Predict the columns of all words.

        Args:
            confidence: also return the softmax of each choice, by its attribute in MISC.

        Raises:
            MePropError: the weights give scores that are not finite.
        """


def predict(heads: Iterable[Head], words: Words, *, confidence: bool = False) -> Prediction:
    """Return what heads predict one after the other, each reading the columns filled before it.

    Arguments and errors are those of `Head.annotate`.
    """
    prediction = Prediction()
    for head in heads:
        prediction |= head.annotate(PredictedWords(words, prediction), confidence=confidence)
    return prediction
