"""What the frozen tagger and parser share: one sentence, a stream, evaluation."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.stream import chunks
from meprop_nlp.models.trained import TrainedModel

if TYPE_CHECKING:
    from meprop_nlp.scoring.scores import Scores

__all__ = ["Predictor", "as_sentence"]


def as_sentence(sentence: Sentence | Sequence[str]) -> Sentence:
    """Return a Sentence as it is, and word forms as one."""
    return sentence if isinstance(sentence, Sentence) else Sentence.from_words(sentence)


class Predictor(TrainedModel, ABC):
    """A trained model over sentences; subclasses say what it predicts.

    Attributes:
        lexicon: word forms and their features.
    """

    def __init__(self, model: ModelFile) -> None:
        super().__init__(model)
        self.lexicon = Lexicon.from_dict(model.header["lexicon"])

    def __call__(self, sentence: Sentence | Sequence[str]) -> Sentence:
        """Predict for one sentence, given as a Sentence or as its word forms.

        Returns a new Sentence. The parser reads tags, and bare forms have none: give it what a
        tagger returned.
        """
        return next(self.pipe([sentence]))

    def pipe(
        self, sentences: Iterable[Sentence | Sequence[str]], *, confidence: bool = False
    ) -> Iterator[Sentence]:
        """Predict for a stream of sentences: lazily, in order, in bounded memory.

        Args:
            sentences: Sentences, or lists of word forms.
            confidence: write into MISC how sure the model is of each word, as a softmax from 0
                to 1: `UPOSConf`, `XPOSConf`, `FEATSConf` by a tagger, `ArcConf` by a parser. Only
                CoNLL-U has room for it; what was read in another format is left without.
        """
        for chunk in chunks(map(as_sentence, sentences)):
            for sentence, columns in zip(
                chunk, self._predict(chunk, confidence=confidence), strict=True
            ):
                if sentence.layout.kind != "conllu":
                    columns.pop("misc", None)  # where it has confidence alone
                yield sentence.with_columns(**columns)

    def evaluate(
        self,
        gold: str | os.PathLike[str] | Iterable[Sentence],
        *,
        exclude_punct: bool = False,
    ) -> Scores:
        """Predict anew what gold sentences (or a file of them) say, and score against them.

        Only what this model predicts is scored.
        """
        from meprop_nlp.scoring.metrics import (
            evaluate,  # a command that only predicts starts sooner
        )

        if isinstance(gold, str | os.PathLike):
            gold = read(Path(gold), trees=self.task == "parser")
        gold = list(gold)
        scores = evaluate(gold, self.pipe(gold), exclude_punct=exclude_punct)
        return scores.only(self.predicted)

    @property
    @abstractmethod
    def predicted(self) -> tuple[str, ...]:
        """Return the names of the scores that judge what this model predicts."""

    @abstractmethod
    def _predict(self, chunk: Sequence[Sentence], *, confidence: bool) -> Iterator[dict[str, Any]]:
        """Yield the predicted columns of each sentence."""
