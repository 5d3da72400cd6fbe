"""The joint model's encoder on the native core, and what it gives to the heads.

The products of the first layer depend on the word form alone, so the core keeps a row of them for
each form. A head that reads the form as well has its products in the same row. Where the first
layer also reads a pretrained encoder, its products are made for each word, by NumPy.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.ngrams import MOST, SIZES, marked
from meprop_nlp.errors import MePropError
from meprop_nlp.models.digits import DigitWeight, in_fours
from meprop_nlp.models.encoder import DigitBiLSTM, SharedEncoder, States, distinct_forms
from meprop_nlp.models.layer_mix import LayerMix
from meprop_nlp.models.parts import Array
from meprop_nlp.models.rows import GATES, RowSource, by_panels, padded
from meprop_nlp.models.words import Words

CACHE_BYTES = 70 << 20  # rows, and up to a tenth of it their keys


class FormLayer(NamedTuple):
    """A linear layer over the vectors of forms.

    Attributes:
        weight: (I, F).
        bias: (F,).
    """

    weight: Array
    bias: Array


class NativeStates(States):
    """The states of words, and the folded rows of their forms.

    The vectors of forms are computed only if a head reads them.

    Attributes:
        rows: of all words, in the form that the native core takes; None where no head reads any.
        columns: where in a row the products of a head begin, by the name of the head.
    """

    __slots__ = ("_vectors", "_words", "columns", "rows")

    def __init__(
        self,
        vectors: "NativeFormVectors",
        words: Words,
        rows: Any,
        columns: Mapping[str, int],
        context: Array,
    ) -> None:
        self._vectors, self._words = vectors, words
        self.rows, self.columns = rows, columns
        self.context, self.tags = context, None

    def __getattr__(self, name: str) -> Any:
        # called for an attribute of `States` that is not set yet
        if name not in ("forms", "form_of"):
            raise AttributeError(name)
        forms, self.form_of = distinct_forms(self._words)
        self.forms = self._vectors(forms)
        return getattr(self, name)

    def only(self, indices: Sequence[int], forms: Sequence[str]) -> States:
        """Return the states of some words, whose forms are given."""
        return States(
            self._vectors(forms),
            np.arange(len(indices)),
            self.context[indices],
            None if self.tags is None else self.tags[indices],
        )


class NativeEncoder:
    """The network of a `SharedEncoder` on the native core.

    Args:
        encoder: the network in NumPy, which computes the vectors of new forms.
        native: the native core.
        form_layers: the layers of heads that read forms, by the name of the head.
    """

    def __init__(
        self, encoder: SharedEncoder, native: ModuleType, form_layers: Mapping[str, FormLayer]
    ) -> None:
        self._vectors, self._width = NativeFormVectors(encoder, native), encoder.width
        lanes = native.lanes()
        first = encoder.layers[0]
        weights, biases = map(list, zip(*_input_layers(first, lanes), strict=True))
        self._mix = encoder.mix
        if self._mix is not None:
            self._gates = np.concatenate(weights, 1), np.concatenate(biases)
            weights, biases = [], []
        self._columns = {}
        for name, (weight, bias) in form_layers.items():
            self._columns[name] = sum(map(len, biases))
            weights.append(padded(weight, lanes))
            biases.append(padded(bias, lanes))
        self._forms: RowSource | None = None
        if weights:
            self._forms = RowSource(
                native,
                ["form"],
                self._vectors,
                np.concatenate(weights, 1),
                np.concatenate(biases),
                n_bytes=CACHE_BYTES,
            )
        layers = [_packed(first, native)]
        layers += [_packed(layer, native, below.sizes) for below, layer in pairwise(encoder.layers)]
        self._layers = native.JointEncoder(layers)

    def __call__(self, words: Words) -> NativeStates:
        """Return the states of words.

        Raises:
            MePropError: the row of a form is not finite.
        """
        rows = self._forms.find(words) if self._forms is not None else None
        context = np.empty((int(words.bounds[-1]), self._width), np.float32)
        if self._mix is None:
            self._layers.run(rows, words.bounds, context)
        else:
            table = self._input_products(self._mix, words)
            numbers = np.arange(len(table), dtype=np.int32)
            self._layers.run_table(table, numbers, words.bounds, context)
        return NativeStates(self._vectors, words, rows, self._columns, context)

    def _input_products(self, mix: LayerMix, words: Words) -> Array:
        """Return the first layer's input products of all words, by panels: (N, gates).

        Raises:
            MePropError: they are not finite.
        """
        weight, bias = self._gates
        forms, form_of = distinct_forms(words)
        vectors = self._vectors(forms)
        own, others = np.split(weight, [vectors.shape[1]])
        products: Array = (vectors @ own + bias)[form_of]
        products += mix(words.column("form"), words.bounds) @ others
        if not np.isfinite(products).all():
            raise MePropError("the model's weights give sums that are not finite; train it anew")
        return products


class NativeFormVectors:
    """Computes what `SharedEncoder.vectors` does, in large part on the native core."""

    def __init__(self, encoder: SharedEncoder, native: ModuleType) -> None:
        self._encoder, self._native = encoder, native
        self._spelling = NativeBiLSTM(encoder.spelling, encoder.letters, native)

    def __call__(self, forms: Sequence[str]) -> Array:
        """Return the vectors of forms: (forms, I)."""
        ngrams = self._encoder.ngrams
        means = np.empty((len(forms), ngrams.shape[1]), np.float32)
        texts = list(map(marked, forms))
        self._native.average_ngrams(texts, SIZES[0], SIZES[-1], MOST, ngrams, means)
        spelled = self._encoder.spelled(forms, self._spelling)
        return self._encoder.joined(forms, means, spelled)


class NativeBiLSTM:
    """A `DigitBiLSTM` over known vectors, on the native core.

    Args:
        layer: does not read states.
        inputs: (D, I) the vectors.
        native: the native core.

    Raises:
        MePropError: its sums are not finite.
    """

    def __init__(self, layer: DigitBiLSTM, inputs: Array, native: ModuleType) -> None:
        weights, biases = zip(*_input_layers(layer, native.lanes()), strict=True)
        self._table = inputs @ np.concatenate(weights, 1) + np.concatenate(biases)
        if not np.isfinite(self._table).all():
            raise MePropError("the model's weights give sums that are not finite; train it anew")
        self._units = layer.units
        self._layer = native.JointEncoder([_packed(layer, native)])

    def __call__(self, rows: npt.NDArray[np.integer[Any]], bounds: npt.NDArray[Any]) -> Array:
        """Return the states of both directions side by side; see `BiLSTM`."""
        states = np.empty((len(rows), self._units), np.float32)
        self._layer.run_table(self._table, rows.astype(np.int32), bounds.astype(np.int32), states)
        return states


def _input_layers(layer: DigitBiLSTM, lanes: int) -> Iterator[tuple[Array, Array]]:
    """Yield the weight and the bias of the input products of both directions, by panels.

    Only for a layer that does not read states.
    """
    for weight, _, bias in layer.directions:
        assert not isinstance(weight, DigitWeight)
        yield _by_panels(weight, lanes), _row_by_panels(bias, lanes)


def _by_panels(weight: npt.NDArray[Any], lanes: int) -> Array:
    """Reorder (n, 4H) like `by_panels`, with a last panel of half the lanes if that is enough."""
    units = weight.shape[1] // GATES
    rest = units % lanes
    if not 0 < rest <= lanes // 2:
        return by_panels(weight, lanes)
    gates = weight.reshape(len(weight), GATES, units)
    whole, half = (part.reshape(len(weight), -1) for part in np.split(gates, [units - rest], 2))
    return np.concatenate([by_panels(whole, lanes), by_panels(half, lanes // 2)], 1)


def _row_by_panels(values: Array, lanes: int) -> Array:
    """Reorder (4H,) in the same way."""
    row: Array = _by_panels(values[None], lanes)[0]
    return row


def _packed(layer: DigitBiLSTM, native: ModuleType, below: Sequence[int] = ()) -> tuple[Any, Any]:
    """Return the two directions of a layer, each packed, with its number of units.

    Args:
        below: the number of units of each direction of the layer whose states this one reads.
    """
    lanes = native.lanes()
    directions = []
    for size, (weight, units, bias) in zip(layer.sizes, layer.directions, strict=True):
        parts = [units.digits]
        if isinstance(weight, DigitWeight):
            parts = [*np.split(weight.digits, np.cumsum(below)[:-1]), *parts]
        padded = [in_fours(_by_panels(part, lanes)) for part in parts]
        digits = native.DigitLayer(
            np.concatenate(padded),
            _row_by_panels(units.scale, lanes),
            _row_by_panels(bias, lanes),
            sum(map(len, padded[:-1])),
        )
        directions.append((digits, size))
    return directions[0], directions[1]
