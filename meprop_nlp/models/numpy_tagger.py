"""The tagger in NumPy: one BiLSTM, one argmax per column; the reference of the native one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.lexicon import FormTable
from meprop_nlp.errors import MePropError
from meprop_nlp.models.weights import Array, TaggerWeights
from meprop_nlp.models.words import Tags, Words

__all__ = ["NumpyTagger"]


class NumpyTagger:
    """Tags batches of words, all sentences in step."""

    def __init__(self, weights: TaggerWeights) -> None:
        self._weights = weights

    def tag(self, words: Words, *, confidence: bool = False) -> Tags:
        """Predict the columns of all words.

        Raises:
            MePropError: scores are not finite.
        """
        table = FormTable()
        numbers = np.array(table.add(words.column("form")), np.int64)
        inputs = self._weights.form_vectors(table.forms())  # (D, I) for D distinct forms
        lengths = np.diff(words.bounds)
        order = np.argsort(-lengths, kind="stable")
        firsts = words.bounds[:-1][order]
        hidden = np.concatenate(
            [
                _lstm(
                    inputs @ weight_ih + bias,
                    weight_hh,
                    numbers,
                    firsts,
                    lengths[order],
                    reverse=bool(backward),
                )
                for backward, (weight_ih, weight_hh, bias) in enumerate(self._weights.directions)
            ],
            1,
        )  # (N, H forward + H backward)
        ids, shares = [], []
        for weight, bias in self._weights.heads.values():
            scores = hidden @ weight + bias
            if not np.isfinite(scores).all():
                raise MePropError("the tagger's weights give scores that are not finite")
            ids.append(scores.argmax(1))
            if confidence:
                shares.append(1 / np.exp(scores - scores.max(1, keepdims=True)).sum(1))
        return Tags(
            self._weights.tags,
            np.array(ids, np.int32).reshape(len(ids), len(numbers)),
            np.array(shares, np.float32) if confidence else None,
        )


def _lstm(
    table: Array,
    weight_hh: Array,
    words: npt.NDArray[np.int64],
    firsts: npt.NDArray[Any],
    lengths: npt.NDArray[Any],
    *,
    reverse: bool,
) -> Array:
    """Run one direction over sentences, the longest first.

    Args:
        table: (D, 4H), the input product of each distinct form, biases included.
        weight_hh: (H, 4H).
        words: (N,) rows of `table`, sentence after sentence.
        firsts, lengths: (S,) where in `words` the sentences begin; lengths do not rise.

    Returns:
        (N, H), in the order of `words`.
    """
    width = weight_hh.shape[0]
    output = np.empty((len(words), width), np.float32)
    h = np.zeros((len(lengths), width), np.float32)
    c = np.zeros_like(h)
    for step in range(int(lengths[0]) if len(lengths) else 0):
        live = int(np.searchsorted(-lengths, -step))  # sentences longer than `step`
        at = firsts[:live] + (lengths[:live] - 1 - step if reverse else step)
        gates = h[:live] @ weight_hh
        gates += table[words[at]]
        i, f, g, o = (gates[:, n * width : (n + 1) * width] for n in range(4))
        c[:live] = _sigmoid(f) * c[:live] + _sigmoid(i) * np.tanh(g)
        h[:live] = _sigmoid(o) * np.tanh(c[:live])
        output[at] = h[:live]
    return output


def _sigmoid(x: Array) -> Array:
    # tanh does not overflow
    return 0.5 * np.tanh(0.5 * x) + 0.5  # type: ignore[no-any-return]
