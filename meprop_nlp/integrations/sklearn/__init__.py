"""Estimators of scikit-learn: `fit`, `predict` and `score` on lists of sentences.

    tagger = TaggerEstimator(epochs=5)
    GridSearchCV(tagger, {"hidden": [100, 200]}, cv=3).fit(sentences)

X is a list of sentences: Sentences, lists of words, or lists of (word, UPOS) pairs. What is to be
learnt is y, or stands in the Sentences themselves. They are no arrays of numbers, so that an
estimator of scikit-learn's own cannot stand before or behind these in a pipeline.
"""

from meprop_nlp.errors import is_lack_of, missing_extra

try:
    import sklearn  # noqa: F401
except ModuleNotFoundError as error:
    if not is_lack_of(error, "sklearn"):
        raise
    raise ModuleNotFoundError(missing_extra("scikit-learn", "sklearn"), name="sklearn") from None

from meprop_nlp.integrations.sklearn.joint import JointEstimator
from meprop_nlp.integrations.sklearn.parser import ParserEstimator
from meprop_nlp.integrations.sklearn.tagger import TaggerEstimator

__all__ = ["JointEstimator", "ParserEstimator", "TaggerEstimator"]
