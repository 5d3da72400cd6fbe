"""The weights that turn words into vectors: `FormTables` for forms, `BiLSTM` for their context."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.models.parts import Array, demand_unknown_entries, take


class FormTables:
    """Embedding tables of word forms and of the seven features of their spelling.

    Args:
        arrays: the arrays of the model file.
        lexicon: the vocabularies whose entries are the rows of the tables.
        width: the width that both tables must have; None allows any.

    Raises:
        CheckpointError: a table is missing or does not fit the lexicon.
        MePropError: a weight is not finite.
    """

    def __init__(
        self, arrays: Mapping[str, npt.NDArray[Any]], lexicon: Lexicon, *, width: int | None = None
    ) -> None:
        demand_unknown_entries(lexicon.forms, *lexicon.features)
        self._lexicon = lexicon
        self._forms = take(arrays, "words.weight", len(lexicon.forms), width)  # (V, word_dim)
        n_features = int(lexicon.feature_offsets[-1])
        self._features = take(arrays, "features.weight", n_features, width)  # (rows, feature_dim)

    @property
    def concatenated_width(self) -> int:
        """Return the width of the vectors that `concatenated` makes."""
        width: int = self._forms.shape[1] + len(self._lexicon.features) * self._features.shape[1]
        return width

    def concatenated(self, forms: Sequence[str]) -> Array:
        """Return the embeddings of each form and its features side by side: (n, I)."""
        rows = self._lexicon.encode(forms)
        features = self._features[rows[:, 1:]]  # (n, 7, feature_dim)
        width = features.shape[1] * features.shape[2]  # reshape cannot infer it if n is 0
        return np.concatenate([self._forms[rows[:, 0]], features.reshape(len(rows), width)], 1)

    def summed(self, forms: Sequence[str]) -> Array:
        """Return the sum of the embeddings of each form and its features: (n, E)."""
        rows = self._lexicon.encode(forms)
        vectors: Array = self._forms[rows[:, 0]] + self._features[rows[:, 1:]].sum(1)
        return vectors


class BiLSTM:
    """One LSTM from left to right and one back, in NumPy.

    Args:
        arrays: the arrays of the model file.
        inputs: I, the width of the input vectors.

    Attributes:
        directions: (weight_ih (I, 4H), weight_hh (H, 4H), bias (4H,)), left to right and back;
            gates in PyTorch's order i, f, g, o. H may differ.

    Raises:
        CheckpointError: an array is missing or has another shape.
        MePropError: a weight is not finite.
    """

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]], inputs: int) -> None:
        self.directions: list[tuple[Array, Array, Array]] = []
        for name in ("left_to_right", "right_to_left"):
            prefix = f"lstm.{name}."
            h = take(arrays, prefix + "weight_hh_l0", None, None).shape[1]
            self.directions.append(
                (
                    take(arrays, prefix + "weight_ih_l0", 4 * h, inputs).T,
                    take(arrays, prefix + "weight_hh_l0", 4 * h, h).T.copy(),
                    take(arrays, prefix + "bias_ih_l0", 4 * h)
                    + take(arrays, prefix + "bias_hh_l0", 4 * h),
                )
            )

    @property
    def units(self) -> int:
        """Return the width of the output: the units of both directions."""
        return sum(len(weight_hh) for _, weight_hh, _ in self.directions)

    def __call__(
        self, inputs: Array, rows: npt.NDArray[np.int64], bounds: npt.NDArray[Any]
    ) -> Array:
        """Return the states of both directions side by side for each word: (N, units).

        Args:
            inputs: (D, I) the distinct input vectors.
            rows: (N,) the row of `inputs` of each word.
            bounds: as in `Words`.
        """
        lengths = np.diff(bounds)
        order = np.argsort(-lengths, kind="stable")
        firsts, lengths = bounds[:-1][order], lengths[order]
        states = []
        for n, (weight_ih, weight_hh, bias) in enumerate(self.directions):
            table = inputs @ weight_ih + bias
            states.append(_run(table, weight_hh, rows, firsts, lengths, reverse=n == 1))
        return np.concatenate(states, 1)


def _run(
    table: Array,
    weight_hh: Array,
    rows: npt.NDArray[np.int64],
    firsts: npt.NDArray[Any],
    lengths: npt.NDArray[Any],
    *,
    reverse: bool,
) -> Array:
    """Run one direction over all sentences, the longest first.

    Args:
        table: (D, 4H) the input product of each distinct vector, biases included.
        weight_hh: (H, 4H).
        rows: (N,) the row of `table` of each word, sentence after sentence.
        firsts: (S,) the index of each sentence's first word.
        lengths: (S,) the number of its words, in descending order.

    Returns:
        (N, H), in the order of `rows`.
    """
    width = weight_hh.shape[0]
    output = np.empty((len(rows), width), np.float32)
    h = np.zeros((len(lengths), width), np.float32)
    c = np.zeros_like(h)
    for step in range(int(lengths[0]) if len(lengths) else 0):
        live = int(np.searchsorted(-lengths, -step))  # sentences longer than `step`
        at = firsts[:live] + (lengths[:live] - 1 - step if reverse else step)
        gates = h[:live] @ weight_hh
        gates += table[rows[at]]
        i, f, g, o = (gates[:, n * width : (n + 1) * width] for n in range(4))
        c[:live] = _sigmoid(f) * c[:live] + _sigmoid(i) * np.tanh(g)
        h[:live] = _sigmoid(o) * np.tanh(c[:live])
        output[at] = h[:live]
    return output


def _sigmoid(x: Array) -> Array:
    # tanh does not overflow
    return 0.5 * np.tanh(0.5 * x) + 0.5  # type: ignore[no-any-return]
