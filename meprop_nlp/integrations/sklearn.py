"""Estimators of scikit-learn: `fit`, `predict` and `score` on lists of sentences.

    tagger = TaggerEstimator(epochs=5)
    GridSearchCV(tagger, {"hidden": [100, 200]}, cv=3).fit(sentences)

X is a list of sentences: Sentences, lists of words, or lists of (word, UPOS) pairs. What is to be
learnt is y, or stands in the Sentences themselves. They are no arrays of numbers, so that an
estimator of scikit-learn's own cannot stand before or behind these in a pipeline.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isnan
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from meprop_nlp.errors import ConfigError, DataError, is_lack_of, missing_extra, number_of

try:
    from sklearn.base import BaseEstimator
    from sklearn.utils.validation import check_is_fitted
except ModuleNotFoundError as error:
    if not is_lack_of(error, "sklearn"):
        raise
    raise ModuleNotFoundError(missing_extra("scikit-learn", "sklearn"), name="sklearn") from None

from meprop_nlp.config import Settings
from meprop_nlp.data.document import Document
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.models.inputs import read_sentence
from meprop_nlp.training.joint_model import JointModel
from meprop_nlp.training.parser import DependencyParser
from meprop_nlp.training.tagger import Tagger
from meprop_nlp.training.trainable import TrainableModel

Objects = npt.NDArray[np.object_]
_METRICS = ("upos", "xpos", "ufeats", "lemmas", "uas", "las")
_METRIC_OF = {"upos": "upos", "xpos": "xpos", "feats": "ufeats"}


class _Estimator(BaseEstimator):
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


class TaggerEstimator(_Estimator):
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
        return _objects([columns[self.column] for columns in predicted])

    def _metric(self) -> str:
        return _METRIC_OF.get(self.column, self.column)

    def _own_settings(self) -> dict[str, Any]:
        return {"columns": (self.column,)}

    def _with_gold(self, sentence: Sentence, gold: Any, name: str) -> Sentence:
        tags = _list(gold, name, "a list of tags")
        return _with_columns(sentence, name, **{self.column: tags})


class ParserEstimator(_Estimator):
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
        return _objects([list(zip(c["head"], c["deprel"], strict=True)) for c in predicted])

    def _metric(self) -> str:
        return self.metric

    def _own_settings(self) -> dict[str, Any]:
        return {"tag_columns": tuple(self.tag_columns)}

    def _with_gold(self, sentence: Sentence, gold: Any, name: str) -> Sentence:
        arcs = _list(gold, name, "a list of (head, relation) pairs")
        if not all(isinstance(arc, tuple | list) and len(arc) == 2 for arc in arcs):
            raise DataError(f"`{name}` is not a list of (head, relation) pairs, one for each word")
        heads, deprels = [arc[0] for arc in arcs], [arc[1] for arc in arcs]
        return _with_columns(sentence, name, head=heads, deprel=deprels)


class JointEstimator(_Estimator):
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
        return _objects(list(self.model_.pipe(read_sentences(X))))

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


def read_sentences(X: Iterable[Any]) -> list[Sentence]:  # noqa: N803
    """Return the sentences that an estimator is given.

    Args:
        X: a list, or a one-dimensional array of objects, of Sentences, lists of words, or lists of
            (word, UPOS) pairs.

    Raises:
        DataError: it is anything else, or empty.
    """
    kind = type(X).__name__
    if isinstance(X, str | bytes | Sentence | Mapping) or not isinstance(X, Iterable):
        raise DataError(f"`X` is of type {kind}, expected a list of sentences")
    if not isinstance(X, list | tuple | Document) and getattr(X, "ndim", 1) != 1:
        raise DataError(
            f"`X` is of type {kind} with {X.ndim} dimensions, "  # type: ignore[attr-defined]
            "expected a list of sentences: Reshape your data, words are no numbers"
        )
    items = list(X)
    if not items:
        raise DataError("`X` is empty, expected at least one sentence (minimum of 1 is required)")
    return [_sentence(item, f"X[{i}]") for i, item in enumerate(items)]


def _sentence(item: Any, name: str) -> Sentence:
    pairs = isinstance(item, list | tuple) and item and isinstance(item[0], tuple | list)
    if not pairs:
        return read_sentence(item, name)
    if not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in item):
        raise DataError(f"`{name}` is not a list of (word, UPOS) pairs")
    sentence = read_sentence([word for word, _ in item], name)
    return _with_columns(sentence, name, upos=[tag for _, tag in item])


def _with_columns(sentence: Sentence, name: str, **columns: Sequence[Any]) -> Sentence:
    try:
        return sentence.with_columns(**columns)
    except DataError as error:
        raise DataError(f"`{name}`: {error}") from None


def _list(gold: Any, name: str, expected: str) -> list[Any]:
    if isinstance(gold, Sentence | str | bytes) or not isinstance(gold, Iterable):
        raise DataError(f"`{name}` is of type {type(gold).__name__}, expected {expected}")
    return list(gold)


def _objects(items: Sequence[Any]) -> Objects:
    """Return a one-dimensional array, which `cross_val_predict` can join with others."""
    array = np.empty(len(items), object)
    for i, item in enumerate(items):  # a slice would make two dimensions of lists of one length
        array[i] = item
    return array
