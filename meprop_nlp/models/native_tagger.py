"""The tagger on the native core: its weights packed, its input folded into one row a word form."""

from __future__ import annotations

from threading import Lock
from types import ModuleType

import numpy as np
import numpy.typing as npt

from meprop_nlp.errors import MePropError
from meprop_nlp.models.folding import capacity_for, filled, padded
from meprop_nlp.models.weights import Array, TaggerWeights
from meprop_nlp.models.words import Tags, Words

__all__ = ["NativeTagger"]

GATES = 4
CACHE_BYTES = 32 << 20


class NativeTagger:
    """Tags batches of words; safe to use from several threads."""

    def __init__(self, weights: TaggerWeights, core: ModuleType) -> None:
        self._weights = weights
        lanes = core.lanes()
        weight = np.concatenate(
            [_by_panels(weight_ih, lanes) for weight_ih, _, _ in weights.directions], 1
        )
        bias = np.concatenate(
            [_by_panels(bias[None], lanes) for _, _, bias in weights.directions], 1
        )
        self._forms = core.RowCache(weight, bias[0], capacity_for(weight.shape[1], CACHE_BYTES))
        self._lock = Lock()
        recurrent = [
            # (units, panels x 4 x lanes) -> [panel][unit][gate][lane]
            np.ascontiguousarray(
                _by_panels(weight_hh, lanes)
                .reshape(len(weight_hh), -1, GATES, lanes)
                .transpose(1, 0, 2, 3)
            )
            for _, weight_hh, _ in weights.directions
        ]
        heads, bias, columns = _pack_heads(weights, lanes)
        self._decoder = core.TaggerDecoder(*recurrent, heads, bias, columns)

    def tag(self, words: Words, *, confidence: bool = False) -> Tags:
        """Predict the columns of all words.

        Raises:
            MePropError: scores are not finite.
        """
        forms = filled(words, self._forms, ["form"], self._weights.form_vectors, self._lock)
        ids = np.empty((len(self._weights.tags), len(forms)), np.int32)
        shares = np.empty(ids.shape, np.float32) if confidence else None
        try:
            self._decoder.tag(forms, words.bounds, ids, shares)
        except ValueError as error:
            raise MePropError(f"the tagger cannot be used: {error}; train it anew") from None
        return Tags(self._weights.tags, ids, shares)


def _by_panels(weight: Array, lanes: int) -> Array:
    """Return (n, 4H) as (n, panels x 4 x lanes): the gates of neighbouring units together."""
    rows, width = weight.shape
    gates = padded(weight.reshape(rows, GATES, width // GATES), lanes)
    panels = gates.reshape(rows, GATES, -1, lanes).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(panels.reshape(rows, -1))


def _pack_heads(weights: TaggerWeights, lanes: int) -> tuple[Array, Array, npt.NDArray[np.int32]]:
    """Return all columns' weights as [four panels][unit][panel][lane], biases, and places."""
    n_forward = weights.directions[0][1].shape[0]
    packed, biases, columns = [], [], []
    first = 0
    for weight, bias in weights.heads.values():
        halves = [
            padded(half.T, lanes).T for half in (weight[:n_forward], weight[n_forward:])
        ]  # their rows are padded like the units
        packed.append(padded(np.concatenate(halves), lanes))
        biases.append(padded(bias, lanes))
        columns.append((first, len(bias)))
        first += len(biases[-1])
    all_weights = padded(np.concatenate(packed, 1), GATES * lanes)
    units, scores = all_weights.shape
    panels = all_weights.reshape(units, scores // (GATES * lanes), GATES, lanes)
    return (
        np.ascontiguousarray(panels.transpose(1, 0, 2, 3)),
        padded(np.concatenate(biases), GATES * lanes),
        np.array(columns, np.int32),
    )
