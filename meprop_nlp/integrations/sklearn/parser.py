"""`ParserEstimator`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sklearn.utils.validation import check_is_fitted

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import DataError
from meprop_nlp.integrations.sklearn.estimator import Estimator
from meprop_nlp.integrations.sklearn.sentences import (
    Objects,
    list_of,
    objects,
    read_sentences,
    with_columns,
)
from meprop_nlp.training.parser import DependencyParser


class ParserEstimator(Estimator):
    """A transition-based parser: `predict` returns (head, relation) pairs for each sentence.

    It reads tags: X is Sentences with UPOS, or lists of (word, UPOS) pairs. The head of a word is
    the number of another, from 1, or 0 for the root.

    Args:
        tag_columns: the tags that it reads: some of upos, xpos and feats.
        metric: what `score` returns: las or uas.
        hidden, k, epochs, learning_rate, random_state, threads, settings: see `TaggerEstimator`;
            the network is that of `ParserConfig`.
    """

    _model_class = DependencyParser

    def __init__(
        self,
        *,
        tag_columns: Sequence[str] = ("upos",),
        metric: str = "las",
        hidden: int | None = None,
        k: int | None = None,
        epochs: int | None = None,
        learning_rate: float | None = None,
        random_state: int = 1,
        threads: int = 1,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.tag_columns = tag_columns
        self.metric = metric
        self.hidden = hidden
        self.k = k
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.random_state = random_state
        self.threads = threads
        self.settings = settings

    def predict(self, X: Iterable[Any]) -> Objects:  # noqa: N803
        """Return a list of (head, relation) pairs for each sentence, as an array of objects, (n,).

        Raises:
            DataError: X is no list of sentences, or one of them has no tags.
            NotFittedError: `fit` was not called.
        """
        check_is_fitted(self)
        predicted = self.model_.predict(read_sentences(X))
        return objects([list(zip(c["head"], c["deprel"], strict=True)) for c in predicted])

    def _metric(self) -> str:
        return self.metric

    def _own_settings(self) -> dict[str, Any]:
        return {"tag_columns": tuple(self.tag_columns)}

    def _with_gold(self, sentence: Sentence, gold: Any, name: str) -> Sentence:
        arcs = list_of(gold, name, "a list of (head, relation) pairs")
        if not all(isinstance(arc, tuple | list) and len(arc) == 2 for arc in arcs):
            raise DataError(f"`{name}` is not a list of (head, relation) pairs, one for each word")
        heads, deprels = [arc[0] for arc in arcs], [arc[1] for arc in arcs]
        return with_columns(sentence, name, head=heads, deprel=deprels)
