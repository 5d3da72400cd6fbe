"""`Relations`: the labels of a transition-based parser, and the relations that they stand for."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from meprop_nlp.errors import CheckpointError
from meprop_nlp.models.heads.in_step import Trees
from meprop_nlp.models.heads.root_labels import RootLabels
from meprop_nlp.models.parts import demand_size, demand_texts
from meprop_nlp.models.prediction import Prediction, TextColumn, Values
from meprop_nlp.models.words import Words
from meprop_nlp.parsing.projectivity import LIFTED, deprojectivize
from meprop_nlp.parsing.transitions import TransitionSystem, make_system

MOST_LABELS = 1 << 16  # far more than any real model has


class Relations:
    """The labels of a parser.

    Args:
        header: of the model file; it has the labels, and which of them arcs may have.
        lifted: whether labels are in the pseudo-projective encoding.

    Attributes:
        labels: dependency relations by index, as the transitions have them.
        relations: dependency relations as they are written: the labels, then the relations that
            occur only inside lifted labels.

    Raises:
        CheckpointError: the labels are not texts.
    """

    def __init__(self, header: Mapping[str, Any], *, lifted: bool) -> None:
        self._header = header
        self.labels: list[str] = header["labels"]
        demand_texts("labels", self.labels)
        demand_size("labels", len(self.labels), MOST_LABELS)
        self.relations = list(self.labels)
        self._is_lifted = np.zeros(len(self.labels), np.bool_)
        if lifted:
            plain = [label.partition(LIFTED)[0] for label in self.labels]
            demand_texts("labels", plain)
            self._is_lifted[:] = [LIFTED in label for label in self.labels]
            self.relations += sorted(set(plain) - set(self.labels))
        self._ids = {relation: i for i, relation in enumerate(self.relations)}
        self._root_labels = RootLabels(self.relations)
        self._values = Values(self._root_labels.relations)

    def system(self, name: str) -> TransitionSystem:
        """Return the transition system with these labels.

        Raises:
            CheckpointError, ConfigError: a label that an arc may have is not one of them.
        """
        allowed = {name: self._header[name] for name in ("root_labels", "other_labels")}
        for of_arcs, labels in allowed.items():
            if not isinstance(labels, list) or not all(type(label) is int for label in labels):
                raise CheckpointError(f"the model's {of_arcs} are not a list of whole numbers")
        return make_system(name, len(self.labels), **allowed)

    def prediction(self, trees: Trees, words: Words) -> Prediction:
        """Return trees as columns; those with lifted labels are changed in place."""
        lifted = self._is_lifted[trees.labels]
        if lifted.any():
            self._deprojectivize(trees, words, np.flatnonzero(lifted))
        labels = self._root_labels.corrected(trees.labels, trees.heads)
        return Prediction(
            {"deprel": TextColumn(self._values, labels)},
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
            trees.labels[span] = [self._ids[deprel] for deprel in deprels]
