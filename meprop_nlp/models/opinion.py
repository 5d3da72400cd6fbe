"""`Opinion`: how probable a joint model holds each answer, for a network that learns from it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from meprop_nlp.models.heads.graph import GraphHead
from meprop_nlp.models.heads.lemmas import LemmasHead
from meprop_nlp.models.heads.state_tags import StateTagsHead, flattened
from meprop_nlp.models.heads.transitions import TransitionHead
from meprop_nlp.models.model import Model
from meprop_nlp.models.parts import Array
from meprop_nlp.models.prediction import Indices
from meprop_nlp.models.words import Words


class Opinion:
    """What a joint model holds probable of N words.

    Args:
        model: of the task `joint`.
        words: the words.

    Attributes:
        shares: the probability of each value, (N, values), by the name of what is predicted:
            `upos`, `xpos`, `feats`, `scripts` (of lemmas), and `arcs`, (N, longest sentence + 1),
            ROOT first. What the model has no head for is missing.

    Raises:
        MePropError: the weights give scores that are not finite.
    """

    def __init__(self, model: Model, words: Words) -> None:
        assert model.encoder is not None
        self._words = words
        self._tree: GraphHead | TransitionHead | None = None
        self.shares: dict[str, Array] = {}
        with np.errstate(all="ignore"):  # an overflow shows in the scores
            states = self._states = model.encoder(words)
            for head in model.heads.values():
                if isinstance(head, StateTagsHead):
                    tags = head.probabilities(states)
                    states.tags = np.concatenate([flattened(each) for each in tags.values()], 1)
                    self.shares |= tags
                elif isinstance(head, LemmasHead):
                    self.shares["scripts"] = head.probabilities(states)
                elif isinstance(head, GraphHead | TransitionHead):
                    self._tree = head
                    self.shares["arcs"] = head.arc_probabilities(words, states)

    def labels(self, heads: Indices) -> Array | None:
        """Return the probability of each label of the arcs from these heads: (N, labels).

        None without a tree head.
        """
        if self._tree is None:
            return None
        with np.errstate(all="ignore"):
            return self._tree.label_probabilities(self._words, self._states, heads)


def values_of(header: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the values that a joint model predicts, by the names of `Opinion.shares`.

    Args:
        header: of the model's file. `labels` are among the values, `arcs` are not.
    """
    values: dict[str, list[str]] = dict(header.get("tags", {}))
    for name in ("scripts", "labels"):
        if name in header:
            values[name] = header[name]
    return values
