"""`JointEstimator`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sklearn.utils.validation import check_is_fitted

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import DataError
from meprop_nlp.integrations.sklearn.estimator import Estimator
from meprop_nlp.integrations.sklearn.sentences import Objects, objects, read_sentences
from meprop_nlp.training.joint_model import JointModel


class JointEstimator(Estimator):
    """Tags, lemmas and trees by one network: `predict` returns annotated Sentences.

    What is learnt stands in the Sentences of X, or of y.

    Args:
        heads: what is predicted, of tags, lemmas and tree.
        metric: what `score` returns: las, uas, upos, xpos, ufeats or lemmas; None: las if a tree is
            predicted, else upos, else lemmas.
        hidden, k, epochs, learning_rate, random_state, threads, settings: see `TaggerEstimator`;
            the network is that of `JointConfig`.
    """

    _model_class = JointModel

    def __init__(
        self,
        *,
        heads: Sequence[str] = ("tags", "lemmas", "tree"),
        metric: str | None = None,
        hidden: int | None = None,
        k: int | None = None,
        epochs: int | None = None,
        learning_rate: float | None = None,
        random_state: int = 1,
        threads: int = 1,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.heads = heads
        self.metric = metric
        self.hidden = hidden
        self.k = k
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.random_state = random_state
        self.threads = threads
        self.settings = settings

    def predict(self, X: Iterable[Any]) -> Objects:  # noqa: N803
        """Return the sentences with what was predicted, as an array of objects, (n,).

        Raises:
            DataError: X is no list of sentences.
            NotFittedError: `fit` was not called.
        """
        check_is_fitted(self)
        return objects(list(self.model_.pipe(read_sentences(X))))

    def _metric(self) -> str:
        if self.metric is not None:
            return self.metric
        return "las" if "tree" in self.heads else "upos" if "tags" in self.heads else "lemmas"

    def _own_settings(self) -> dict[str, Any]:
        return {"heads": tuple(self.heads)}

    def _with_gold(self, sentence: Sentence, gold: Any, name: str) -> Sentence:
        if not isinstance(gold, Sentence) or gold.forms != sentence.forms:
            raise DataError(f"`{name}` is no Sentence with the words of its sentence in `X`")
        return gold
