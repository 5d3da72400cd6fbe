"""`VectorTable`: pretrained word vectors as a part of words' vectors, which is not trained."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from meprop_nlp.data.vector_forms import VectorForms
from meprop_nlp.models.file import VECTOR_FORMS, VECTOR_WIDTH
from meprop_nlp.models.packing import VECTORS, pack_arrays
from meprop_nlp.models.vectors import WordVectors
from meprop_nlp.training.encoder import INITIAL
from meprop_nlp.training.knowledge.vectors import Vectors


class VectorTable:
    """A row for each form that has a vector, and one of zeros for all others.

    The values are scaled to the standard deviation of the initial embeddings, and packed as they
    will be in the model file, so that training reads what decoding will read.

    Args:
        vectors: by form, at least one.

    Attributes:
        width: V, the number of values of a vector.
    """

    def __init__(self, vectors: Vectors) -> None:
        self._forms = VectorForms.build(vectors)
        self.width = len(next(iter(vectors.values())))
        table = np.zeros((len(self._forms), self.width), np.float32)
        np.stack(list(vectors.values()), out=table[1:])
        _scale(table[1:])
        self._arrays = pack_arrays({VECTORS: table})

    def of(self, forms: Sequence[str]) -> Tensor:
        """Return the vectors of forms, zeros for a form that has none: (forms, V)."""
        return torch.from_numpy(WordVectors(self._arrays, self._forms, self.width)(forms))

    def header(self) -> dict[str, Any]:
        """Return what the model file states of the table."""
        return {VECTOR_FORMS: self._forms.vocab.to_list(), VECTOR_WIDTH: self.width}

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays of the model file."""
        return dict(self._arrays)


def _scale(rows: npt.NDArray[np.float32]) -> None:
    """Scale values in place to the standard deviation `INITIAL`."""
    largest = np.abs(rows).max()
    if largest > 0:
        rows /= largest  # so that no square of a value overflows
    spread = rows.std()
    if spread > 0:
        rows *= INITIAL / spread
