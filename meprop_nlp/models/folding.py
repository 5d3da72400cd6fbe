"""What the native tagger and parser share: padding to vectors, and row caches that fill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

import numpy as np

from meprop_nlp.errors import MePropError
from meprop_nlp.models.weights import Array
from meprop_nlp.models.words import Words

__all__ = ["capacity_for", "filled", "padded"]


def padded(array: Array, multiple: int) -> Array:
    """Return the array, float32 and contiguous, with zeros up to a multiple in its last axis."""
    extra = -array.shape[-1] % multiple
    widths = [(0, 0)] * (array.ndim - 1) + [(0, extra)]
    return np.ascontiguousarray(np.pad(array, widths), dtype=np.float32)


def capacity_for(width: int, n_bytes: int) -> int:
    """Return how many rows of float32 fit into so many bytes."""
    return max(1, n_bytes // (4 * width))


def filled(
    words: Words,
    cache: Any,
    columns: Sequence[str],
    vectors_of: Callable[[Sequence[str]], Array],
    lock: Lock,
) -> Any:
    """Return the rows of all words by their `columns`, folding those that are not there yet.

    Raises:
        MePropError: a folded row is not finite.
    """
    with lock:
        rows = words.find(cache, columns)
        missing = rows.missing
        if missing:
            try:
                rows.fill(np.ascontiguousarray(vectors_of(missing), dtype=np.float32))
            except ValueError as error:
                raise MePropError(f"the model cannot be used: {error}; train it anew") from None
    return rows
