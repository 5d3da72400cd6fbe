"""Measuring what a model's confidence is worth on dev, for `models.calibration`."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.models.batches import in_batches
from meprop_nlp.models.calibration import ARCS, ROOTS, logit
from meprop_nlp.models.model import Model
from meprop_nlp.models.words import SentenceWords

_COLUMNS = {"UPOSConf": "upos", "XPOSConf": "xpos", "FEATSConf": "feats", "LemmaConf": "lemma"}
_FEWEST = 20  # answers of a kind; with fewer there is nothing to measure


def measure_calibration(model: Model, dev: Sequence[Sentence]) -> dict[str, list[float]]:
    """Return slope and offset of each kind of confidence, see `Calibration`.

    Args:
        model: without calibration.
        dev: gold sentences.
    """
    confidence: dict[str, list[npt.NDArray[np.float32]]] = {}
    right: dict[str, list[npt.NDArray[np.bool_]]] = {}

    def add(kind: str, values: npt.NDArray[np.float32], is_right: npt.NDArray[np.bool_]) -> None:
        confidence.setdefault(kind, []).append(values)
        right.setdefault(kind, []).append(is_right)

    for batch in in_batches(dev):
        words = SentenceWords(batch)
        prediction = model.annotate(words, confidence=True)
        for kind, values in prediction.confidence.items():
            if kind != ARCS:
                column = _COLUMNS.get(kind)
                if column is None:
                    continue  # a head whose answers are not known to be right
                found = prediction.texts[column].to_list()
                add(kind, values, np.array(found) == np.array(words.column(column)))
                continue
            assert prediction.heads is not None
            gold = np.array([word.head for sentence in batch for word in sentence.words])
            is_right, is_root = prediction.heads == gold, prediction.heads == 0
            add(ROOTS, values[is_root], is_right[is_root])
            add(ARCS, values[~is_root], is_right[~is_root])
    return {
        kind: fitted_line(np.concatenate(values), np.concatenate(right[kind]))
        for kind, values in confidence.items()
        if sum(map(len, values)) >= _FEWEST
    }


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
    line = np.array([1.0, 0.0])
    prior = np.array([1.0, 1e-3])  # precision of slope and offset around 1 and 0
    for _ in range(50):
        p = 1 / (1 + np.exp(-(x @ line)))
        gradient = x.T @ (p - targets) + prior * (line - [1, 0])
        curvature = (x * (p * (1 - p))[:, None]).T @ x + np.diag(prior)
        step = np.linalg.solve(curvature, gradient)
        line -= np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-8:
            break
    return [round(float(number), 6) for number in line]
