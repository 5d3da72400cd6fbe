"""The parser in NumPy, all sentences in step: the reference of the native one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.lexicon import FormTable
from meprop_nlp.errors import MePropError
from meprop_nlp.models.weights import Array, ParserWeights
from meprop_nlp.models.words import Exploration, Indices, Trees, Words, joined
from meprop_nlp.parsing.features import extract, extract_labels
from meprop_nlp.parsing.transitions import SWAPS_PER_WORD, ArcStandardSwap

__all__ = ["ACTIVATION_FUNCTIONS", "NumpyParser"]

ACTIVATION_FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "relu": lambda x: np.maximum(x, 0),
    "cube": lambda x: x * x * x,
    "tanh": lambda x: np.tanh(x),
}


class NumpyParser:
    """Parses batches of words, all sentences in step."""

    def __init__(self, weights: ParserWeights) -> None:
        self.weights = weights

    def parse(self, words: Words, *, confidence: bool = False) -> Trees:
        """Predict heads and labels of all words.

        Raises:
            MePropError: scores are not finite.
        """
        system = self.weights.system
        shares = np.ones(int(words.bounds[-1]), np.float32)
        run = _InStep(self, words)
        while run.live:
            scores = run.scores()
            chosen = scores.argmax(1).tolist()
            before = [run.states[i].stack[-2:] for i in run.live] if confidence else []
            live = run.live
            run.apply(chosen)
            if confidence:
                best = 1 / np.exp(scores - scores.max(1, keepdims=True)).sum(1)
                for n, (i, transition) in enumerate(zip(live, chosen, strict=True)):
                    if transition >= system.left_start:
                        (child,) = set(before[n]) - set(run.states[i].stack)
                        shares[words.bounds[i] + child - 1] = best[n]
        trees = [state.tree() for state in run.states]
        return Trees(
            np.array([head for heads, _ in trees for head in heads], np.int32),
            np.array([label for _, labels in trees for label in labels], np.int32),
            shares if confidence else None,
        )

    def explore(self, words: Words, heads: Indices, labels: Indices) -> Exploration:
        """Parse with the dynamic oracle beside it; `heads` and `labels` (N) are gold.

        Raises:
            ConfigError: the transition system has no dynamic oracle.
            MePropError: scores are not finite.
        """
        # training alone asks for it: what only decodes starts without
        from meprop_nlp.parsing.oracles import DynamicOracle

        spans = [slice(*span) for span in pairwise(words.bounds.tolist())]
        oracles = [
            DynamicOracle(self.weights.system, heads[span].tolist(), labels[span].tolist())
            for span in spans
        ]
        followed: list[list[int]] = [[] for _ in spans]
        targets: list[list[int]] = [[] for _ in spans]
        run = _InStep(self, words)
        while run.live:
            scores = run.scores()
            chosen = scores.argmax(1).tolist()
            for i, row, transition in zip(run.live, scores, chosen, strict=True):
                right = oracles[i].next(run.states[i])
                followed[i].append(transition)
                targets[i].append(right[int(row[list(right)].argmax())])
            run.apply(chosen)
        flat = (
            np.array([t for one in each for t in one], np.int32) for each in (followed, targets)
        )
        return Exploration(*flat)

    def score(self, hidden: Array) -> Array:
        """Return the scores of all transitions for the network's inputs: (n, transitions)."""
        activation = ACTIVATION_FUNCTIONS[self.weights.config.activation]
        for weight, bias in self.weights.layers[:-1]:
            hidden = activation(hidden @ weight + bias)
        weight, bias = self.weights.layers[-1]
        scores: Array = hidden @ weight + bias
        if not np.isfinite(scores).all():
            raise MePropError("the parser's weights give scores that are not finite; train it anew")
        return scores

    def embed(self, words: Words) -> tuple[Array, Array, npt.NDArray[np.int64]]:
        """Return the vectors of all words and of their tags, and where each sentence's begin."""
        special = self.weights.special
        forms, tags = FormTable(), FormTable()
        by_word = np.array(forms.add(words.column("form")), np.int64) + 2
        columns = list(self.weights.tags)
        keys = joined(words, columns) if columns else [""] * len(by_word)
        by_tag = np.array(tags.add(keys), np.int64) + 2
        word_table = np.concatenate([special[:2], self.weights.form_vectors(forms.forms())])
        tag_table = np.concatenate([special[2:], self.weights.tag_vectors(tags.forms())])
        lengths = np.diff(words.bounds)
        # each sentence is ROOT, its words, NULL
        root = words.bounds[:-1] + 2 * np.arange(len(lengths))
        order = np.zeros((2, len(by_word) + 2 * len(lengths)), np.int64)
        places = np.arange(len(by_word)) + 1 + 2 * np.repeat(np.arange(len(lengths)), lengths)
        order[0, places], order[1, places] = by_word, by_tag
        order[:, root + lengths + 1] = 1
        return word_table[order[0]], tag_table[order[1]], root


class _InStep:
    """Sentences on their way, each at the same transition.

    Attributes:
        states: of all sentences.
        live: numbers of those that are not finished.
    """

    def __init__(self, parser: NumpyParser, words: Words) -> None:
        self._parser, self._weights = parser, parser.weights
        self._word_rows, self._tag_rows, self._firsts = parser.embed(words)
        self._lengths = np.diff(words.bounds)
        system = self._weights.system
        self.states = [system.initial(length) for length in self._lengths.tolist()]
        self._swaps_left = [SWAPS_PER_WORD * length for length in self._lengths.tolist()]
        self.live = [i for i, state in enumerate(self.states) if not state.is_terminal()]

    def scores(self) -> Array:
        """Return the scores of all transitions, -inf where they are not valid: (live, moves)."""
        system, live = self._weights.system, self.live
        extracted = [extract(self.states[i], b0_has_children=system.b0_has_children) for i in live]
        positions = np.array(extracted, np.int64)  # (n, 18)
        labels = np.array(
            [extract_labels(self.states[i], at) for i, at in zip(live, extracted, strict=True)],
            np.int64,
        )  # (n, 12)
        # each sentence's block of rows is ROOT, its words, NULL; position -1 is NULL
        ends = self._lengths[live][:, None] + 1
        rows = self._firsts[live][:, None] + np.where(positions < 0, ends, positions)
        hidden = np.concatenate(
            [part.reshape(len(live), -1) for part in (self._word_rows[rows], self._tag_rows[rows])]
            + [self._weights.label_rows[labels].reshape(len(live), -1)],
            1,
        )  # (n, 48 E)
        masks = system.masks[[self._mask_index(i) for i in live]]
        return np.where(masks, self._parser.score(hidden), -np.inf)

    def apply(self, transitions: Sequence[int]) -> None:
        """Make one transition in each sentence that is not finished."""
        system = self._weights.system
        for i, transition in zip(self.live, transitions, strict=True):
            if 0 < transition < system.left_start:
                self._swaps_left[i] -= 1
            system.apply(self.states[i], transition)
        self.live = [i for i in self.live if not self.states[i].is_terminal()]

    def _mask_index(self, i: int) -> int:
        system, state = self._weights.system, self.states[i]
        if isinstance(system, ArcStandardSwap) and self._swaps_left[i] <= 0:
            return system.mask_index_without_swap(state)
        return system.mask_index(state)
