"""The parsing head: a table encoder of forms and tags, and a transition parser."""

from collections.abc import Collection, Iterable

import numpy as np

from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.models.batches import in_batches
from meprop_nlp.models.encoder import States
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.head import TREE_SCORES, Head
from meprop_nlp.models.heads.in_step import Exploration
from meprop_nlp.models.heads.tree_native import NativeParser
from meprop_nlp.models.heads.tree_numpy import NumpyParser
from meprop_nlp.models.prediction import Indices, Prediction
from meprop_nlp.models.words import SentenceWords, Words
from meprop_nlp.native import core


class TreeHead(Head):
    """Predicts HEAD and DEPREL.

    Attributes:
        tags, labels, system: see `NumpyParser`.
        reference: the network in NumPy.
    """

    name = "tree"
    activity = "parsing"

    def __init__(self, file: ModelFile, lexicon: Lexicon) -> None:
        self.reference = NumpyParser(file, lexicon)
        self.config, self.system = self.reference.config, self.reference.system
        self.tags, self.labels = self.reference.tags, self.reference.labels
        self.reads = tuple(self.tags)
        # in training data without tags, words without a tag were seen
        self.needs = tuple(name for name, tags in self.tags.items() if "_" not in tags)
        self.fills = ("head", "deprel")
        self.scores = TREE_SCORES
        native = core()
        self._parser = self.reference if native is None else NativeParser(self.reference, native)

    def annotate(
        self,
        words: Words,
        states: States | None = None,
        *,
        confidence: bool = False,
        keep: Collection[str] = (),
    ) -> Prediction:
        trees = self._parser.parse(words, confidence=confidence)
        return self.reference.relations.prediction(trees, words)

    def explore(
        self, sentences: Iterable[Sentence], heads: Indices, labels: Indices
    ) -> Exploration:
        """Parse, and ask the dynamic oracle in each state, for training (Goldberg & Nivre 2012).

        Args:
            sentences: N words in all, at least one.
            heads, labels: (N,) int32, gold trees with one root each that the transition system can
                build; the labels are indices of `self.labels`.

        Raises:
            ConfigError: the transition system has no dynamic oracle.
            MePropError: the weights give scores that are not finite.
        """
        explored, start = [], 0
        for batch in in_batches(sentences):
            words = SentenceWords(batch)
            end = start + int(words.bounds[-1])
            with np.errstate(all="ignore"):
                explored.append(self._parser.explore(words, heads[start:end], labels[start:end]))
            start = end
        return Exploration(*map(np.concatenate, zip(*explored, strict=True)))
