"""`Estimator`: what the estimators of scikit-learn share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import isnan
from typing import Any, ClassVar, Self

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from meprop_nlp.config import Settings
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import ConfigError, DataError, number_of
from meprop_nlp.integrations.sklearn.sentences import read_sentences
from meprop_nlp.training.trainable import TrainableModel

_METRICS = ("upos", "xpos", "ufeats", "lemmas", "uas", "las")


class Estimator(BaseEstimator):
    """What the estimators share: the settings, training and scores.

    Attributes:
        model_: the trained model, a `Tagger`, `DependencyParser` or `JointModel`.
    """

    _model_class: ClassVar[type[TrainableModel]]

    hidden: int | None
    k: int | None
    epochs: int | None
    learning_rate: float | None
    random_state: int
    threads: int
    settings: Mapping[str, Any] | None
    model_: TrainableModel

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.no_validation = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def fit(self, X: Iterable[Any], y: Iterable[Any] | None = None, *, dev: Any = None) -> Self:  # noqa: N803
        """Train, and return the estimator.

        Args:
            X: the sentences.
            y: what is to be learnt for each; None: it stands in the Sentences of X.
            dev: Sentences by which the best epoch is chosen; None: the last one is kept.

        Raises:
            ConfigError: a setting is unknown, out of range, or does not go with another.
            DataError: X or y is none of these, or X is empty; or the sentences lack what is to be
                learnt.
        """
        gold = self._gold(X, y)
        settings = self._settings()
        self.model_ = self._model_class.train(
            gold,
            dev,
            config=settings.network,
            meprop=settings.meprop,
            simplify=settings.simplify,
            training=settings.training,
            quiet=True,  # a search would show a table for each of its many trainings
        )
        return self

    def score(self, X: Iterable[Any], y: Iterable[Any] | None = None) -> float:  # noqa: N803
        """Return a share of right words, from 0 to 1; which, is said by `metric`.

        Raises:
            ConfigError: `metric` is unknown, or not predicted.
            DataError: as for `fit`.
            NotFittedError: `fit` was not called.
        """
        check_is_fitted(self)
        metric = self._metric()
        if metric not in _METRICS:
            raise ConfigError(f"`metric` is {metric!r}, expected one of {', '.join(_METRICS)}")
        scores = self.model_.evaluate(self._gold(X, y))
        if metric not in scores.annotated:
            raise ConfigError(
                f"`metric` is {metric}, which this model does not predict, or X has no gold for; "
                f"expected one of {', '.join(m for m in _METRICS if m in scores.annotated)}"
            )
        share = float(getattr(scores, metric))
        if isnan(share):
            raise DataError("`X` has no word to count for the score")
        return share / 100

    def _metric(self) -> str:
        raise NotImplementedError

    def _with_gold(self, sentence: Sentence, gold: Any, name: str) -> Sentence:
        """Return a sentence with its part of y in it; `name` names that in messages."""
        raise NotImplementedError

    def _gold(self, X: Iterable[Any], y: Iterable[Any] | None) -> list[Sentence]:  # noqa: N803
        """Return the sentences with what is to be learnt."""
        items = list(X) if isinstance(X, Iterator) else X
        sentences = read_sentences(items)
        if y is None:
            if not all(isinstance(item, Sentence) for item in items):
                raise DataError(
                    "`y` is None, which goes with Sentences that have their own annotation; give "
                    f"{type(self).__name__} what is to be learnt as `y`"
                )
            return sentences
        targets = list(y)
        if len(targets) != len(sentences):
            raise DataError(
                f"`y` has {number_of(len(targets), 'item')}, and `X` has "
                f"{number_of(len(sentences), 'sentence')}; expected as many"
            )
        return [
            self._with_gold(sentence, gold, f"y[{i}]")
            for i, (sentence, gold) in enumerate(zip(sentences, targets, strict=True))
        ]

    def _settings(self) -> Settings:
        """Return the settings of a training, from the parameters."""
        named = {
            "hidden": self.hidden,
            "k": self.k,
            "epochs": self.epochs,
            "learning_rate": self.learning_rate,
        }
        given = {name: value for name, value in named.items() if value is not None}
        further = dict(self.settings or {})
        if twice := sorted(further.keys() & {*named, "seed", "threads"}):
            raise ConfigError(
                f"`settings` has {', '.join(twice)}; give these as parameters of "
                f"{type(self).__name__}, the seed as `random_state`"
            )
        own = {"seed": self.random_state, "threads": self.threads}
        return Settings.of(self._model_class.task, **further | given | own | self._own_settings())

    def _own_settings(self) -> dict[str, Any]:
        return {}
