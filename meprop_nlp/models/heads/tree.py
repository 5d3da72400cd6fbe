"""The parsing head: a table encoder of forms and tags, and a transition parser."""

from collections.abc import Collection, Iterable

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.models.batches import in_batches
from meprop_nlp.models.encoder import States
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.head import Head
from meprop_nlp.models.heads.tree_native import NativeParser
from meprop_nlp.models.heads.tree_numpy import Exploration, NumpyParser, Trees
from meprop_nlp.models.prediction import Indices, Prediction, TextColumn, Values
from meprop_nlp.models.words import SentenceWords, Words
from meprop_nlp.native import core
from meprop_nlp.parsing.projectivity import LIFTED, deprojectivize


class TreeHead(Head):
    """Predicts HEAD and DEPREL.

    Attributes:
        tags, labels, system: see `NumpyParser`.
        relations: dependency relations as they are written: the labels, then the relations that
            occur only inside lifted labels.
        reference: the network in NumPy.
    """

    name = "tree"
    activity = "parsing"

    def __init__(self, file: ModelFile, lexicon: Lexicon) -> None:
        self.reference = NumpyParser(file, lexicon)
        self.config, self.system = self.reference.config, self.reference.system
        self.tags, self.labels = self.reference.tags, self.reference.labels
        self.reads = tuple(self.tags)
        self.fills = ("head", "deprel")
        self.scores = ("uas", "las", "clas", "ucm", "lcm")
        native = core()
        self._parser = self.reference if native is None else NativeParser(self.reference, native)
        self.relations = list(self.labels)
        self._is_lifted = np.zeros(len(self.labels), np.bool_)
        if self.config.nonprojective == "pseudo":
            self._is_lifted[:] = [LIFTED in label for label in self.labels]
            plain = (label.partition(LIFTED)[0] for label in self.labels)
            self.relations += sorted(set(plain) - set(self.labels))
        self._relation_ids = {relation: i for i, relation in enumerate(self.relations)}
        self._values = Values(self.relations)

    def annotate(
        self,
        words: Words,
        states: States | None = None,
        *,
        confidence: bool = False,
        keep: Collection[str] = (),
    ) -> Prediction:
        with np.errstate(all="ignore"):  # an overflow shows in the scores
            trees = self._parser.parse(words, confidence=confidence)
        lifted = self._is_lifted[trees.labels]
        if lifted.any():
            self._deprojectivize(trees, words, np.flatnonzero(lifted))
        return Prediction(
            {"deprel": TextColumn(self._values, trees.labels)},
            trees.heads,
            {} if trees.confidence is None else {"ArcConf": trees.confidence},
        )

    def _deprojectivize(self, trees: Trees, words: Words, lifted: npt.NDArray[np.int64]) -> None:
        """Undo the pseudo-projective encoding, in place, of the sentences with lifted labels.

        Afterwards their labels are indices of `relations`.
        """
        sentences = np.unique(np.searchsorted(words.bounds, lifted, side="right") - 1)
        for sentence in sentences.tolist():
            span = slice(*words.bounds[sentence : sentence + 2].tolist())
            encoded = [self.labels[label] for label in trees.labels[span].tolist()]
            heads, deprels = deprojectivize(trees.heads[span].tolist(), encoded)
            trees.heads[span] = heads
            trees.labels[span] = [self._relation_ids[deprel] for deprel in deprels]

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
