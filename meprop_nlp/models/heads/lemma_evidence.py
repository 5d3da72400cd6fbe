"""`Evidence`: how much what a treebank knows of a lemma counts beside the network's score.

A log-linear model of two parts: the score of a script, and the facts about the lemma that it makes.
How much each counts is measured on dev (`training.measured.lemma_weights`).
"""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.known_lemmas import MOST_FACTS, Facts, KnownLemmas
from meprop_nlp.errors import CheckpointError
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.parts import demand_size, take

KEYS, SHARES = "lemmas.known.keys", "lemmas.known.shares"
WEIGHTS = "lemma_weights"  # in the header
SCORE = "score"
NO_TAG = "_"  # stands for the tag of all words in a model that predicts no UPOS
LEAST = 0.01  # that the network's score counts
# where there is no dev to measure them on; about those of EWT, which are smaller than IMST's
USUAL = {
    SCORE: 0.65, "share": 0.6, "tagged": 0.4, "known": 1.0, "strange": -2.0, "single": -1.5,
    "same": 0.8,
}  # fmt: skip


class Evidence:
    """Weighs what is known of a lemma, in the unit of the scripts' scores.

    Args:
        known: the facts of the treebank.
        weights: of the network's score and of each fact.

    Attributes:
        score_weight: of the score.
        most: what the facts add to a score at most.
    """

    def __init__(self, known: KnownLemmas, weights: Mapping[str, float]) -> None:
        self.known = known
        self.score_weight = weights[SCORE]
        self._weights = Facts(*(weights[name] / self.score_weight for name in Facts._fields))
        self.most = sum(max(0.0, weight) for weight in self._weights)

    @staticmethod
    def arrays(known: KnownLemmas) -> dict[str, npt.NDArray[Any]]:
        """Return what is known as arrays of a model file."""
        return {KEYS: known.keys, SHARES: known.shares}

    @classmethod
    def of(cls, file: ModelFile) -> Self | None:
        """Return the evidence of a model; None if it has none.

        Raises:
            CheckpointError: it is damaged.
        """
        if KEYS not in file.arrays:
            return None
        keys = take(file.arrays, KEYS, None, dtype=np.uint32)
        demand_size("facts about lemmas", len(keys), MOST_FACTS)
        shares = take(file.arrays, SHARES, len(keys), dtype=np.uint8)
        weights = file.header.get(WEIGHTS, USUAL)
        if not isinstance(weights, dict) or weights.keys() != USUAL.keys():
            raise CheckpointError(f"the model's {WEIGHTS} are not for {', '.join(USUAL)}")
        if not all(map(_is_weight, weights.values())) or weights[SCORE] < LEAST:
            raise CheckpointError(
                f"the model's {WEIGHTS} are not finite, or the score's weight is below {LEAST}"
            )
        return cls(KnownLemmas(keys, shares), weights)

    def weigh(self, form: str, tag: str, script: str, lemma: str) -> tuple[float, float]:
        """Weigh the lemma that a script makes of a word.

        Returns:
            What is to be added to the script's score, and by how much the score must be higher than
            all others so that no other lemma can be better.
        """
        facts = self.known.facts(form, tag, script, lemma)
        weights = self._weights
        found = sum(weight * fact for weight, fact in zip(weights, facts, strict=True))
        most = self.most
        if not self.known.is_joined:
            # of the words with this form and tag, another lemma has at most the rest
            most -= max(0.0, weights.share) * facts.share
        return found, most - found


def _is_weight(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e6
