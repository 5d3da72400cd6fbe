"""`LayerMix`: a pretrained encoder's states as one vector for each word, in NumPy."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from meprop_nlp.models.encoder_folder import EncoderCard
from meprop_nlp.models.parts import Array, take
from meprop_nlp.models.word_states import WordStates

PREFIX = "encoder.pretrained."


class LayerMix:
    """A weighted sum of the layers (Peters et al. 2018, section 3.2), then a linear layer.

    Args:
        arrays: the arrays of the model file.
        states: gives the states of words.

    Attributes:
        width: P, of the vectors.

    Raises:
        CheckpointError: an array is missing or does not fit the encoder.
        MePropError: a weight is not finite.
    """

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]], states: WordStates) -> None:
        card: EncoderCard = states.card
        self._states = states
        weights = take(arrays, PREFIX + "weights", card.layers)
        shares = np.exp(weights - weights.max())
        self._shares = shares / shares.sum() * take(arrays, PREFIX + "gamma", 1)
        self._weight = take(arrays, PREFIX + "projection.weight", None, card.width).T
        self.width: int = self._weight.shape[1]
        self._bias = take(arrays, PREFIX + "projection.bias", self.width)

    def __call__(self, forms: Sequence[str], bounds: npt.NDArray[Any]) -> Array:
        """Return the vectors of the words of some sentences: (N, P).

        Args:
            forms: (N,) of the words, sentence after sentence.
            bounds: as in `Words`.
        """
        sentences = [forms[first:end] for first, end in pairwise(bounds.tolist())]
        vectors = np.empty((len(forms), self.width), np.float32)
        for words, states in self._states.batches(sentences):
            mixed = np.einsum("nlw,l->nw", states, self._shares)
            vectors[words] = mixed @ self._weight + self._bias
        return vectors
