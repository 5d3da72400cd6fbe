"""Measuring on dev how much what is known of lemmas counts, for `models.heads.lemma_evidence`."""

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.annotation import Annotation
from meprop_nlp.data.known_lemmas import Facts
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.models.batches import in_batches
from meprop_nlp.models.heads.lemma_evidence import LEAST, SCORE, USUAL
from meprop_nlp.models.heads.lemmas import N_BEST, LemmasHead
from meprop_nlp.models.model import Model
from meprop_nlp.models.words import SentenceWords
from meprop_nlp.training.measured.newton import Point, minimum

NAMES = (SCORE, *Facts._fields)
MOST_WORDS = 50_000  # of dev; more would hardly change anything
PRIOR = 2.0  # precision of each weight around its usual value

Candidate = tuple[float, ...]  # the values of `NAMES`


def measure_lemma_weights(model: Model, dev: Sequence[Sentence]) -> dict[str, float] | None:
    """Return how much a script's score counts in choosing a lemma, and each of the `Facts`.

    Args:
        model: a joint model.
        dev: gold sentences.

    Returns:
        None if the model has no lemma head that knows of lemmas, or dev nothing to choose: no
        lemmas, or none with others beside it.
    """
    head = model.heads.get(LemmasHead.name)
    if not isinstance(head, LemmasHead) or head.evidence is None:
        return None
    choices = list(islice(_choices(model, head, dev), MOST_WORDS))
    if not choices:
        return None
    features = np.zeros((len(choices), N_BEST, len(NAMES)))
    is_there = np.zeros(features.shape[:2], np.bool_)
    right = np.zeros(len(choices), np.int64)
    for n, (candidates, place) in enumerate(choices):
        features[n, : len(candidates)] = candidates
        is_there[n, : len(candidates)] = True
        right[n] = place
    weights = fitted_weights(features, is_there, right)
    return dict(zip(NAMES, weights, strict=True))


def _choices(
    model: Model, head: LemmasHead, dev: Sequence[Sentence]
) -> Iterator[tuple[list[Candidate], int]]:
    """Yield the candidates for the lemma of each word, and the place of the first right one.

    Words are left out whose lemma is not annotated or not among several candidates.
    """
    assert model.encoder is not None
    assert head.evidence is not None
    annotation, known = Annotation(dev), head.evidence.known
    for batch in in_batches(dev):
        words = SentenceWords(batch)
        states = model.encoder(words)
        for other in model.heads.values():
            if other.feeds:
                other.annotate(words, states)
        forms, tags = words.column("form"), head.tag_texts(states)
        best = head.candidates(forms, states)
        gold = [word for sentence in batch for word in sentence.words]
        is_known = annotation.of(gold, "lemma")
        for n in np.flatnonzero(is_known).tolist():
            found: list[Candidate] = []
            right = -1
            pairs = zip(best.scripts[n].tolist(), best.scores[n].tolist(), strict=True)
            for number, score in pairs:
                script = head.scripts[number]
                lemma = head.lemma(forms[n], number)
                if lemma is None or not np.isfinite(score):
                    continue
                if lemma == gold[n].lemma and right < 0:
                    right = len(found)
                found.append((score, *known.facts(forms[n], tags[n], script, lemma)))
            if right >= 0 and len(found) > 1:
                yield found, right


def fitted_weights(
    features: npt.NDArray[np.float64],
    is_there: npt.NDArray[np.bool_],
    right: npt.NDArray[np.int64],
) -> list[float]:
    """Return the weights under which the right candidates are most likely.

    A multinomial logistic regression by Newton's method. The weights are drawn to the usual ones,
    so that a few words, or words whose candidates are all alike, change little.

    Args:
        features: (N, C, F) of C candidates for each of N words.
        is_there: (N, C) which of these there are.
        right: (N,) the place of the right candidate.
    """
    usual = np.array([USUAL[name] for name in NAMES])
    rows = np.arange(len(features))

    def shares(weights: Point) -> npt.NDArray[np.float64]:
        scores = np.where(is_there, features @ weights, -np.inf)
        scores -= scores.max(1, keepdims=True, initial=-1e300)
        found: npt.NDArray[np.float64] = np.exp(scores)
        found /= found.sum(1, keepdims=True)
        return found

    def loss(weights: Point) -> float:
        likely = np.log(np.maximum(shares(weights)[rows, right], 1e-300))
        return float(-likely.sum() + 0.5 * PRIOR * ((weights - usual) ** 2).sum())

    def slopes(weights: Point) -> tuple[Point, npt.NDArray[np.float64]]:
        p = shares(weights)
        means = np.einsum("nc,ncf->nf", p, features)
        gradient = (means - features[rows, right]).sum(0) + PRIOR * (weights - usual)
        centred = features - means[:, None]
        curvature = np.einsum("nc,ncf,ncg->fg", p, centred, centred, optimize=True)
        return gradient, curvature + PRIOR * np.eye(len(usual))

    weights = minimum(usual, loss, slopes)
    weights[NAMES.index(SCORE)] = max(weights[NAMES.index(SCORE)], LEAST)
    return [round(float(weight), 4) for weight in weights]
