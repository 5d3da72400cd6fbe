"""A trained parser over plain arrays: the native core where there is one, else NumPy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.native_parser import NativeParser
from meprop_nlp.models.numpy_parser import NumpyParser
from meprop_nlp.models.predictor import Predictor, as_sentence
from meprop_nlp.models.stream import chunks
from meprop_nlp.models.weights import ParserWeights
from meprop_nlp.models.words import Exploration, Indices, SentenceWords, Trees, Words
from meprop_nlp.native import core
from meprop_nlp.parsing.projectivity import LIFTED, deprojectivize

__all__ = ["FrozenParser"]


class FrozenParser(Predictor):
    """A parser that only predicts. Made by `load`, or by `freeze`.

    Attributes:
        config: the settings it was trained with.
        tags: the vocabulary of each tag column it reads, by column name.
        labels: dependency relations by index, in the encoding of `config.nonprojective`.
        relations: dependency relations as they are written, by the label ids of `annotate`.
    """

    task = "parser"

    def __init__(self, model: ModelFile) -> None:
        super().__init__(model)
        weights = ParserWeights(model, self.lexicon)
        self.config, self.tags, self.labels = weights.config, weights.tags, weights.labels
        self.system = weights.system
        native = core()
        self._parser = NumpyParser(weights) if native is None else NativeParser(weights, native)
        self.relations = list(self.labels)
        self._lifted = np.zeros(len(self.labels), np.bool_)
        if self.config.nonprojective == "pseudo":
            self._lifted[:] = [LIFTED in label for label in self.labels]
            plain = (label.partition(LIFTED)[0] for label in self.labels)
            self.relations += sorted(set(plain) - set(self.labels))
        self._relation_ids = {relation: i for i, relation in enumerate(self.relations)}

    @property
    def predicted(self) -> tuple[str, ...]:
        return ("uas", "las", "clas", "ucm", "lcm")

    def annotate(self, words: Words, *, confidence: bool = False) -> Trees:
        """Predict heads and labels of all words; labels are places in `relations`.

        Raises:
            MePropError: the weights give scores that are not finite.
        """
        with np.errstate(all="ignore"):  # what overflows is found in the scores
            trees = self._parser.parse(words, confidence=confidence)
        lifted = self._lifted[trees.labels]
        if lifted.any():
            self._take_down(trees, words, np.flatnonzero(lifted))
        return trees

    def explore(
        self, sentences: Sequence[Sentence], heads: Indices, labels: Indices
    ) -> Exploration:
        """Parse trees with the dynamic oracle beside it, for training (Goldberg & Nivre 2012).

        Args:
            sentences: N words in all, one at least.
            heads, labels: (N) int32, gold trees that the transition system can build, one root
                each; labels are places in `labels`.

        Raises:
            ConfigError: the transition system has no dynamic oracle.
            MePropError: the weights give scores that are not finite.
        """
        parts, start = [], 0
        for chunk in chunks(sentences):
            words = SentenceWords(chunk)
            end = start + int(words.bounds[-1])
            with np.errstate(all="ignore"):
                parts.append(self._parser.explore(words, heads[start:end], labels[start:end]))
            start = end
        return Exploration(*map(np.concatenate, zip(*parts, strict=True)))

    def _take_down(self, trees: Trees, words: Words, lifted: npt.NDArray[np.int64]) -> None:
        """Undo the pseudo-projective encoding, in place, of the sentences that hold such words."""
        sentences = np.unique(np.searchsorted(words.bounds, lifted, side="right") - 1)
        for sentence in sentences.tolist():
            span = slice(*words.bounds[sentence : sentence + 2].tolist())
            encoded = [self.labels[label] for label in trees.labels[span].tolist()]
            heads, deprels = deprojectivize(trees.heads[span].tolist(), encoded)
            trees.heads[span] = heads
            trees.labels[span] = [self._relation_ids[deprel] for deprel in deprels]

    def predict(
        self, sentences: Iterable[Sentence | Sequence[str]]
    ) -> Iterator[tuple[list[int], list[str]]]:
        """Yield (heads, labels) of each sentence, without making Sentences of them.

        The parser reads tags, and bare words have none: give it Sentences that are tagged.

        >>> next(parser.predict(tagger.pipe([["Time", "flies"]])))  # doctest: +SKIP
        ([2, 0], ['nsubj', 'root'])
        """
        for chunk in chunks(map(as_sentence, sentences)):
            for columns in self._predict(chunk):
                yield columns["head"], columns["deprel"]

    def _predict(
        self, chunk: Sequence[Sentence], *, confidence: bool = False
    ) -> Iterator[dict[str, Any]]:
        words = SentenceWords(chunk)
        trees = self.annotate(words, confidence=confidence)
        columns: dict[str, list[Any]] = {
            "head": trees.heads.tolist(),
            "deprel": [self.relations[label] for label in trees.labels.tolist()],
            # enhanced dependencies would be stale beside new heads
            "deps": ["_"] * len(trees.heads),
        }
        if trees.shares:
            columns["misc"] = words.misc_with(trees.shares)
        return words.split(**columns)
