"""Measuring what a model's confidence is worth on dev, for `models.calibration`."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.annotation import Annotation
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import Word
from meprop_nlp.models.batches import in_batches
from meprop_nlp.models.calibration import ARCS, ROOTS, logit
from meprop_nlp.models.model import Model
from meprop_nlp.models.prediction import Scores
from meprop_nlp.models.words import SentenceWords
from meprop_nlp.training.measured.newton import Point, minimum

# the columns that are judged by other kinds of confidence than that of arcs
_COLUMNS = {"UPOSConf": "upos", "XPOSConf": "xpos", "FEATSConf": "feats", "LemmaConf": "lemma"}
_FEWEST = 20  # answers of a kind; with fewer there is nothing to measure


def measure_calibration(model: Model, dev: Sequence[Sentence]) -> dict[str, list[float]]:
    """Return slope and offset of each kind of confidence, see `Calibration`.

    Args:
        model: without calibration.
        dev: gold sentences.
    """
    return {
        kind: fitted_line(confidence, is_right)
        for kind, (confidence, is_right) in answers(model, dev).items()
        if len(confidence) >= _FEWEST
    }


def answers(
    model: Model, gold: Sequence[Sentence]
) -> dict[str, tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]]:
    """Return how sure a model is of its answers, and which are right, by kind: (N,) each.

    Kinds of confidence that are not known here are left out, and of a joint model's answers those
    about words that are not annotated in gold.
    """
    annotation = Annotation(gold) if model.task == "joint" else None
    found: dict[str, tuple[list[Scores], list[npt.NDArray[np.bool_]]]] = {}

    def add(kind: str, values: Scores, is_right: npt.NDArray[np.bool_]) -> None:
        confidence, right = found.setdefault(kind, ([], []))
        confidence.append(values)
        right.append(is_right)

    for batch in in_batches(gold):
        words = SentenceWords(batch)
        each = [word for sentence in batch for word in sentence.words]
        prediction = model.annotate(words, confidence=True)
        for kind, values in prediction.confidence.items():
            if kind in _COLUMNS:
                column = _COLUMNS[kind]
                predicted = prediction.texts[column].to_list()
                is_right = np.array(predicted) == np.array(words.column(column))
                known = _known(annotation, each, column)
                add(kind, values[known], is_right[known])
            if kind != ARCS:
                continue
            assert prediction.heads is not None
            heads = np.array([word.head for word in each])
            is_right, is_root = prediction.heads == heads, prediction.heads == 0
            known = _known(annotation, each, "head")
            for arcs, chosen in ((ROOTS, known & is_root), (ARCS, known & ~is_root)):
                add(arcs, values[chosen], is_right[chosen])
    return {
        kind: (np.concatenate(confidence), np.concatenate(right))
        for kind, (confidence, right) in found.items()
    }


def _known(
    annotation: Annotation | None, words: Sequence[Word], column: str
) -> npt.NDArray[np.bool_]:
    """Return which words are annotated in a column; all of them without an annotation: (N,)."""
    if annotation is None:
        return np.ones(len(words), np.bool_)
    return np.array(annotation.of(words, column), np.bool_)


def fitted_line(
    confidence: npt.NDArray[np.float32], is_right: npt.NDArray[np.bool_]
) -> list[float]:
    """Return slope and offset of the logit under which the answers are most likely.

    A logistic regression by Newton's method. As in Platt (1999), each answer counts as slightly
    less than certain, and the slope is drawn to 1, so that a few answers, or answers that are all
    right, give finite numbers.

    Args:
        confidence: (N,).
        is_right: (N,) whether each answer is right.
    """
    n_right = int(is_right.sum())
    n_wrong = len(is_right) - n_right
    targets = np.where(is_right, (n_right + 1) / (n_right + 2), 1 / (n_wrong + 2))
    x = np.stack([logit(confidence), np.ones(len(confidence))], 1)
    prior = np.array([1.0, 1e-3])  # precision of slope and offset around 1 and 0

    def loss(line: Point) -> float:
        scores = x @ line
        likelihood = np.logaddexp(0, scores) - targets * scores
        return float(likelihood.sum() + 0.5 * (prior * (line - [1, 0]) ** 2).sum())

    def slopes(line: Point) -> tuple[Point, npt.NDArray[np.float64]]:
        p = 1 / (1 + np.exp(-(x @ line)))
        gradient = x.T @ (p - targets) + prior * (line - [1, 0])
        return gradient, (x * (p * (1 - p))[:, None]).T @ x + np.diag(prior)

    return [round(float(number), 6) for number in minimum(np.array([1.0, 0.0]), loss, slopes)]
