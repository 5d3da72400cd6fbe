"""`WordVectors`: the pretrained vectors of word forms that a joint model was trained with."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.vector_forms import VectorForms
from meprop_nlp.data.vocab import Vocab
from meprop_nlp.models.file import VECTOR_FORMS, VECTOR_WIDTH, ModelFile
from meprop_nlp.models.packing import VECTOR_SCALES, VECTORS
from meprop_nlp.models.parts import Array, demand_unknown_entries, take


class WordVectors:
    """A table of vectors by form, which was not trained, in the packed form of the model file.

    Args:
        arrays: the arrays of the model file.
        forms: numbers the rows of the table; the row of unknown forms is zeros.
        width: D.

    Raises:
        CheckpointError: the table is missing or does not fit the forms.
        MePropError: a value is not finite.
    """

    def __init__(
        self, arrays: Mapping[str, npt.NDArray[Any]], forms: VectorForms, width: int
    ) -> None:
        demand_unknown_entries(forms.vocab)
        self._forms = forms
        self._digits = take(arrays, VECTORS, len(forms), width, dtype=np.int8)
        self._scales = take(arrays, VECTOR_SCALES, len(forms), dtype=np.float16)
        self.width = self._digits.shape[1]

    @classmethod
    def of(cls, file: ModelFile) -> Self | None:
        """Return the vectors of a model; None if it has none."""
        if VECTOR_FORMS not in file.header:
            return None
        forms = VectorForms(Vocab.from_list(file.header[VECTOR_FORMS]))
        return cls(file.arrays, forms, file.header[VECTOR_WIDTH])

    def __call__(self, forms: Sequence[str]) -> Array:
        """Return the vectors of forms, zeros for a form that has none: (forms, D)."""
        rows = self._forms.rows(forms)
        vectors: Array = self._digits[rows] * self._scales[rows].astype(np.float32)[:, None]
        return vectors
