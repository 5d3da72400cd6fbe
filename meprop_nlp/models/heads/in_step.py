"""Transition-based parsing in NumPy, the reference of the native parsers.

All sentences are parsed in step, one transition of each at a time.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from meprop_nlp.errors import MePropError
from meprop_nlp.models.parts import Array
from meprop_nlp.models.prediction import Indices
from meprop_nlp.parsing.state import State
from meprop_nlp.parsing.transitions import SWAPS_PER_WORD, ArcStandardSwap, TransitionSystem

# Takes the numbers of some sentences and their states; returns the scores of all transitions,
# (states, transitions).
Score = Callable[[Sequence[int], Sequence[State]], Array]


class Trees(NamedTuple):
    """The trees of N words.

    Attributes:
        heads: (N,) the id of each word's head in its sentence, 0 for ROOT.
        labels: (N,) label ids.
        confidence: (N,) the softmax, among the valid transitions, of the one that attached the
            word; None unless asked for.
    """

    heads: Indices
    labels: Indices
    confidence: npt.NDArray[np.float32] | None


class Exploration(NamedTuple):
    """The states of a parser that follows its own choices: N words, 2 N states.

    Attributes:
        followed: (2 N,) int32, the transition with the best score in each state, which was made.
        targets: (2 N,) int32, the one with the best score among those that the oracle returns.
    """

    followed: Indices
    targets: Indices


class InStep:
    """Sentences that are parsed together.

    Args:
        system: the transition system.
        bounds: (sentences + 1,) the first word of each.
        score: scores the transitions of states.

    Attributes:
        states: the state of each sentence.
        live: the indices of the sentences that are not finished.
    """

    def __init__(self, system: TransitionSystem, bounds: Indices, score: Score) -> None:
        self._system, self._bounds, self._score = system, bounds.tolist(), score
        lengths = np.diff(bounds).tolist()
        self.states = [system.initial(length) for length in lengths]
        self._swaps_left = [SWAPS_PER_WORD * length for length in lengths]
        self.live = [i for i, state in enumerate(self.states) if not state.is_terminal()]

    def parse(self, *, confidence: bool) -> Trees:
        """Parse all sentences.

        Raises:
            MePropError: scores are not finite.
        """
        system, bounds = self._system, self._bounds
        probabilities = np.ones(bounds[-1], np.float32)
        while self.live:
            scores = self._scores()
            chosen = scores.argmax(1).tolist()
            before = [self.states[i].stack[-2:] for i in self.live] if confidence else []
            live = self.live
            self._apply(chosen)
            if confidence:
                best = 1 / np.exp(scores - scores.max(1, keepdims=True)).sum(1)
                for n, (i, transition) in enumerate(zip(live, chosen, strict=True)):
                    if transition >= system.left_start:
                        (child,) = set(before[n]) - set(self.states[i].stack)
                        probabilities[bounds[i] + child - 1] = best[n]
        trees = [state.tree() for state in self.states]
        return Trees(
            np.array([head for heads, _ in trees for head in heads], np.int32),
            np.array([label for _, labels in trees for label in labels], np.int32),
            probabilities if confidence else None,
        )

    def explore(self, heads: Indices, labels: Indices) -> Exploration:
        """Parse, and ask the dynamic oracle in each state; `heads` and `labels` (N,) are gold.

        Raises:
            ConfigError: the transition system has no dynamic oracle.
            MePropError: scores are not finite.
        """
        # only training explores: decoding starts faster without the import
        from meprop_nlp.parsing.oracles import DynamicOracle

        spans = [slice(*span) for span in pairwise(self._bounds)]
        oracles = [
            DynamicOracle(self._system, heads[span].tolist(), labels[span].tolist())
            for span in spans
        ]
        followed: list[list[int]] = [[] for _ in spans]
        targets: list[list[int]] = [[] for _ in spans]
        while self.live:
            scores = self._scores()
            chosen = scores.argmax(1).tolist()
            for i, row, transition in zip(self.live, scores, chosen, strict=True):
                right = oracles[i].next(self.states[i])
                followed[i].append(transition)
                targets[i].append(right[int(row[list(right)].argmax())])
            self._apply(chosen)
        flat = (
            np.array([t for one in each for t in one], np.int32) for each in (followed, targets)
        )
        return Exploration(*flat)

    def _scores(self) -> Array:
        """Return the scores of all transitions, -inf for invalid ones: (live, transitions)."""
        scores = self._score(self.live, [self.states[i] for i in self.live])
        if not np.isfinite(scores).all():
            raise MePropError("the parser's weights give scores that are not finite; train it anew")
        masks = self._system.masks[[self._mask_index(i) for i in self.live]]
        return np.where(masks, scores, -np.inf)

    def _apply(self, transitions: Sequence[int]) -> None:
        """Apply one transition to each sentence that is not finished."""
        system = self._system
        for i, transition in zip(self.live, transitions, strict=True):
            if 0 < transition < system.left_start:
                self._swaps_left[i] -= 1
            system.apply(self.states[i], transition)
        self.live = [i for i in self.live if not self.states[i].is_terminal()]

    def _mask_index(self, i: int) -> int:
        system, state = self._system, self.states[i]
        if isinstance(system, ArcStandardSwap) and self._swaps_left[i] <= 0:
            return system.mask_index_without_swap(state)
        return system.mask_index(state)
