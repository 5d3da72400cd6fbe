"""The parser in NumPy, all sentences in step: the reference of the native one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.lexicon import FormTable
from meprop_nlp.decoding.weights import Array, ParserWeights
from meprop_nlp.decoding.words import Trees, Words, joined
from meprop_nlp.errors import MePropError
from meprop_nlp.parsing.features import extract, extract_labels
from meprop_nlp.parsing.state import State
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
        self._weights = weights

    def parse(self, words: Words, *, confidence: bool = False) -> Trees:
        """Predict heads and labels of all words.

        Raises:
            MePropError: scores are not finite.
        """
        system = self._weights.system
        word_rows, tag_rows, firsts = self._embed(words)
        lengths = np.diff(words.bounds)
        states = [system.initial(int(length)) for length in lengths]
        swaps_left = [SWAPS_PER_WORD * length for length in lengths.tolist()]
        shares = np.ones(int(words.bounds[-1]), np.float32)
        live = [i for i, length in enumerate(lengths) if length]
        while live:
            extracted = [extract(states[i]) for i in live]
            positions = np.array(extracted, np.int64)  # (n, 18)
            labels = np.array(
                [extract_labels(states[i], at) for i, at in zip(live, extracted, strict=True)],
                np.int64,
            )  # (n, 12)
            # each sentence's block of rows is ROOT, its words, NULL; position -1 is NULL
            ends = lengths[live][:, None] + 1
            rows = firsts[live][:, None] + np.where(positions < 0, ends, positions)
            hidden = np.concatenate(
                [part.reshape(len(live), -1) for part in (word_rows[rows], tag_rows[rows])]
                + [self._weights.label_rows[labels].reshape(len(live), -1)],
                1,
            )  # (n, 48 E)
            scores = self.score(hidden)
            masks = system.masks[[self._mask_index(states[i], swaps_left[i] > 0) for i in live]]
            scores = np.where(masks, scores, -np.inf)
            chosen = scores.argmax(1).tolist()
            if confidence:
                best = 1 / np.exp(scores - scores.max(1, keepdims=True)).sum(1)
            for n, (i, transition) in enumerate(zip(live, chosen, strict=True)):
                before = states[i].stack[-2:]
                if 0 < transition < system.left_start:
                    swaps_left[i] -= 1
                system.apply(states[i], transition)
                if confidence and transition >= system.left_start:
                    (child,) = set(before) - set(states[i].stack)
                    shares[words.bounds[i] + child - 1] = best[n]
            live = [i for i in live if not states[i].is_terminal()]
        trees = [state.tree() for state in states]
        return Trees(
            np.array([head for heads, _ in trees for head in heads], np.int32),
            np.array([label for _, labels in trees for label in labels], np.int32),
            shares if confidence else None,
        )

    def _mask_index(self, state: State, may_swap: bool) -> int:
        system = self._weights.system
        if isinstance(system, ArcStandardSwap) and not may_swap:
            return system.mask_index_without_swap(state)
        return system.mask_index(state)

    def score(self, hidden: Array) -> Array:
        """Return the scores of all transitions for the network's inputs: (n, transitions)."""
        activation = ACTIVATION_FUNCTIONS[self._weights.config.activation]
        for weight, bias in self._weights.layers[:-1]:
            hidden = activation(hidden @ weight + bias)
        weight, bias = self._weights.layers[-1]
        scores: Array = hidden @ weight + bias
        if not np.isfinite(scores).all():
            raise MePropError("the parser's weights give scores that are not finite; train it anew")
        return scores

    def _embed(self, words: Words) -> tuple[Array, Array, npt.NDArray[np.int64]]:
        """Return the vectors of all words and of their tags, and where each sentence's begin."""
        special = self._weights.special
        forms, tags = FormTable(), FormTable()
        by_word = np.array(forms.add(words.column("form")), np.int64) + 2
        columns = list(self._weights.tags)
        keys = joined(words, columns) if columns else [""] * len(by_word)
        by_tag = np.array(tags.add(keys), np.int64) + 2
        word_table = np.concatenate([special[:2], self._weights.form_vectors(forms.forms())])
        tag_table = np.concatenate([special[2:], self._weights.tag_vectors(tags.forms())])
        lengths = np.diff(words.bounds)
        # each sentence is ROOT, its words, NULL
        root = words.bounds[:-1] + 2 * np.arange(len(lengths))
        order = np.zeros((2, len(by_word) + 2 * len(lengths)), np.int64)
        places = np.arange(len(by_word)) + 1 + 2 * np.repeat(np.arange(len(lengths)), lengths)
        order[0, places], order[1, places] = by_word, by_tag
        order[:, root + lengths + 1] = 1
        return word_table[order[0]], tag_table[order[1]], root
