"""A trained tagger over plain arrays: the native core where there is one, else NumPy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.native_tagger import NativeTagger
from meprop_nlp.models.numpy_tagger import NumpyTagger
from meprop_nlp.models.predictor import Predictor, as_sentence
from meprop_nlp.models.stream import chunks
from meprop_nlp.models.weights import TaggerWeights
from meprop_nlp.models.words import SentenceWords, Tags, Words
from meprop_nlp.native import core

__all__ = ["FrozenTagger"]


class FrozenTagger(Predictor):
    """A tagger that only predicts. Made by `load`, or by `freeze`.

    Attributes:
        config: the settings it was trained with.
        tags: the values of each predicted column, by column name.
    """

    task = "tagger"

    def __init__(self, model: ModelFile) -> None:
        super().__init__(model)
        weights = TaggerWeights(model, self.lexicon)
        self.config, self.tags = weights.config, weights.tags
        native = core()
        self._tagger = NumpyTagger(weights) if native is None else NativeTagger(weights, native)

    @property
    def predicted(self) -> tuple[str, ...]:
        return tuple({"feats": "ufeats"}.get(column, column) for column in self.tags)

    def annotate(self, words: Words, *, confidence: bool = False) -> Tags:
        """Predict the columns of all words.

        Raises:
            MePropError: the weights give scores that are not finite.
        """
        with np.errstate(all="ignore"):  # what overflows is found in the scores
            return self._tagger.tag(words, confidence=confidence)

    def predict(
        self, sentences: Iterable[Sentence | Sequence[str]]
    ) -> Iterator[dict[str, list[str]]]:
        """Yield the tags of each sentence, a list by column, without making Sentences of them.

        >>> next(tagger.predict([["Time", "flies"]]))  # doctest: +SKIP
        {'upos': ['NOUN', 'VERB']}
        """
        for chunk in chunks(map(as_sentence, sentences)):
            yield from self._predict(chunk)

    def _predict(
        self, chunk: Sequence[Sentence], *, confidence: bool = False
    ) -> Iterator[dict[str, Any]]:
        words = SentenceWords(chunk)
        tags = self.annotate(words, confidence=confidence)
        columns = {name: tags.column(name) for name in self.tags}
        if tags.shares:
            columns["misc"] = words.misc_with(tags.shares)
        return words.split(**columns)
