"""`TaggerEstimator`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sklearn.utils.validation import check_is_fitted

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.integrations.sklearn.estimator import Estimator
from meprop_nlp.integrations.sklearn.sentences import (
    Objects,
    list_of,
    objects,
    read_sentences,
    with_columns,
)
from meprop_nlp.training.tagger import Tagger

_METRIC_OF = {"upos": "upos", "xpos": "xpos", "feats": "ufeats"}


class TaggerEstimator(Estimator):
    """A BiLSTM tagger: `predict` returns a list of tags for each sentence.

    Args:
        column: what is predicted: upos, xpos or feats.
        hidden: LSTM units in each direction; None: the default of `TaggerConfig`.
        k: entries kept of each gradient (meProp); None or 0: all of them.
        epochs: passes over X; None: the default of `TrainingConfig`.
        learning_rate: the peak; None: the default for the optimiser.
        random_state: the seed, a whole number; one number always gives the same model.
        threads: CPU threads of a training; a search with `n_jobs` trains several at a time.
        settings: any other setting by name, as `Settings.of` takes it: `{"simplify": True}`.
    """

    _model_class = Tagger

    def __init__(
        self,
        *,
        column: str = "upos",
        hidden: int | None = None,
        k: int | None = None,
        epochs: int | None = None,
        learning_rate: float | None = None,
        random_state: int = 1,
        threads: int = 1,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.column = column
        self.hidden = hidden
        self.k = k
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.random_state = random_state
        self.threads = threads
        self.settings = settings

    def predict(self, X: Iterable[Any]) -> Objects:  # noqa: N803
        """Return a list of tags for each sentence, as an array of objects, (n,).

        Raises:
            DataError: X is no list of sentences.
            NotFittedError: `fit` was not called.
        """
        check_is_fitted(self)
        predicted = self.model_.predict(read_sentences(X))
        return objects([columns[self.column] for columns in predicted])

    def _metric(self) -> str:
        return _METRIC_OF.get(self.column, self.column)

    def _own_settings(self) -> dict[str, Any]:
        return {"columns": (self.column,)}

    def _with_gold(self, sentence: Sentence, gold: Any, name: str) -> Sentence:
        tags = list_of(gold, name, "a list of tags")
        return with_columns(sentence, name, **{self.column: tags})
