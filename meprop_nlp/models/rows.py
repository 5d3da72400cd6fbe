"""`RowSource`: the output rows of a first layer, computed once for each distinct word."""

from collections.abc import Callable, Sequence
from threading import Lock
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from meprop_nlp.errors import MePropError
from meprop_nlp.models.parts import Array
from meprop_nlp.models.words import Words

GATES = 4  # of an LSTM
# Bytes beside a row: its entry in the cache, and a key of the longest kind that is kept
# (kLongestKey in native/rows/row_cache.hpp).
_ROW_BYTES = 64 + 256


class RowSource:
    """The outputs of a linear layer whose input depends only on some columns of a word.

    A native cache keeps the rows by the text of the columns. Safe to use from several threads.

    Args:
        native: the native core.
        columns: the names of the columns.
        vectors: returns the layer's input for each key, (keys, I); a key is the text of a word's
            columns, joined with tabs.
        weight: (I, O); O is a multiple of the core's lanes.
        bias: (O,); None for a layer without one.
        n_bytes: the memory that cached rows and their keys may take; rows that are in use can
            exceed it.
    """

    def __init__(
        self,
        native: ModuleType,
        columns: Sequence[str],
        vectors: Callable[[Sequence[str]], Array],
        weight: Array,
        bias: Array | None = None,
        *,
        n_bytes: int,
    ) -> None:
        self._columns, self._vectors = columns, vectors
        width = weight.shape[1]
        if bias is None:
            bias = np.zeros(width, np.float32)
        capacity = max(1, n_bytes // (4 * width + _ROW_BYTES))  # float32
        self._cache = native.RowCache(weight, bias, capacity)
        self._lock = Lock()

    def find(self, words: Words) -> Any:
        """Return the rows of all words, in the form that the native decoders take.

        Raises:
            MePropError: a row is not finite.
        """
        with self._lock:
            rows = words.find(self._cache, self._columns)
            missing = rows.missing
            if missing:
                try:
                    rows.fill(np.ascontiguousarray(self._vectors(missing), dtype=np.float32))
                except ValueError as error:
                    raise MePropError(f"the model cannot be used: {error}; train it anew") from None
        return rows


def padded(array: npt.NDArray[Any], multiple: int) -> Array:
    """Return the array in float32, with its last axis padded with zeros to a multiple."""
    extra = -array.shape[-1] % multiple
    widths = [(0, 0)] * (array.ndim - 1) + [(0, extra)]
    return np.ascontiguousarray(np.pad(array, widths), dtype=np.float32)


def by_panels(weight: npt.NDArray[Any], lanes: int) -> Array:
    """Reorder (n, 4H) to (n, panels x 4 x lanes), with the gates of neighbouring units together."""
    rows, width = weight.shape
    gates = padded(weight.reshape(rows, GATES, width // GATES), lanes)
    panels = gates.reshape(rows, GATES, -1, lanes).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(panels.reshape(rows, -1))
