"""The weights that turn words into vectors: `FormTables` for forms, `BiLSTM` for their context.

`SharedEncoder` is the joint model's: a stack of BiLSTMs under all heads.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from meprop_nlp.config import JointConfig
from meprop_nlp.data.characters import Characters
from meprop_nlp.data.lexicon import FormTable, Lexicon
from meprop_nlp.data.ngrams import ngram_bags
from meprop_nlp.errors import CheckpointError
from meprop_nlp.models.digits import DigitWeight
from meprop_nlp.models.layer_mix import LayerMix
from meprop_nlp.models.parts import Array, demand_unknown_entries, take, take_table
from meprop_nlp.models.vectors import WordVectors
from meprop_nlp.models.word_states import WordStates
from meprop_nlp.models.words import Words

# Takes the row of each word among known input vectors, and bounds; see `BiLSTM.__call__`.
Recurrence = Callable[[npt.NDArray[np.integer[Any]], npt.NDArray[Any]], Array]


class FormTables:
    """Embedding tables of word forms and of the seven features of their spelling.

    Args:
        arrays: the arrays of the model file.
        lexicon: the vocabularies whose entries are the rows of the tables.
        width: the width that both tables must have; None allows any.
        prefix: of the arrays' names.

    Raises:
        CheckpointError: a table is missing or does not fit the lexicon.
        MePropError: a weight is not finite.
    """

    def __init__(
        self,
        arrays: Mapping[str, npt.NDArray[Any]],
        lexicon: Lexicon,
        *,
        width: int | None = None,
        prefix: str = "",
    ) -> None:
        demand_unknown_entries(lexicon.forms, *lexicon.features)
        self._lexicon = lexicon
        self._forms = take_table(arrays, f"{prefix}words.weight", len(lexicon.forms), width)
        n_features = int(lexicon.feature_offsets[-1])
        self._features = take_table(arrays, f"{prefix}features.weight", n_features, width)

    @property
    def concatenated_width(self) -> int:
        """Return the width of the vectors that `concatenated` makes."""
        n_features = len(self._lexicon.features)
        return self._forms.width + n_features * self._features.width

    def concatenated(self, forms: Sequence[str]) -> Array:
        """Return the embeddings of each form and its features side by side: (n, I)."""
        rows = self._lexicon.encode(forms)
        features = self._features.rows(rows[:, 1:])  # (n, 7, feature_dim)
        width = features.shape[1] * features.shape[2]  # reshape cannot infer it if n is 0
        return np.concatenate([self._forms.rows(rows[:, 0]), features.reshape(len(rows), width)], 1)

    def summed(self, forms: Sequence[str]) -> Array:
        """Return the sum of the embeddings of each form and its features: (n, E)."""
        rows = self._lexicon.encode(forms)
        vectors: Array = self._forms.rows(rows[:, 0])
        vectors = vectors + self._features.rows(rows[:, 1:]).sum(1)
        return vectors


class BiLSTM:
    """One LSTM from left to right and one back, in NumPy.

    Args:
        arrays: the arrays of the model file.
        inputs: I, the width of the input vectors.
        prefix: of the arrays' names.

    Attributes:
        directions: (weight_ih (I, 4H), weight_hh (H, 4H), bias (4H,)), left to right and back;
            gates in PyTorch's order i, f, g, o. H may differ.

    Raises:
        CheckpointError: an array is missing or has another shape.
        MePropError: a weight is not finite.
    """

    def __init__(
        self, arrays: Mapping[str, npt.NDArray[Any]], inputs: int, *, prefix: str = "lstm."
    ) -> None:
        self.directions: list[tuple[Array, Array, Array]] = []
        for name in ("left_to_right", "right_to_left"):
            part = f"{prefix}{name}."
            h = take(arrays, part + "weight_hh_l0", None, None).shape[1]
            self.directions.append(
                (
                    take(arrays, part + "weight_ih_l0", 4 * h, inputs).T,
                    take(arrays, part + "weight_hh_l0", 4 * h, h).T.copy(),
                    take(arrays, part + "bias_ih_l0", 4 * h)
                    + take(arrays, part + "bias_hh_l0", 4 * h),
                )
            )

    @property
    def sizes(self) -> tuple[int, int]:
        """Return the number of units of each direction."""
        forward, backward = (len(weight_hh) for _, weight_hh, _ in self.directions)
        return forward, backward

    @property
    def units(self) -> int:
        """Return the width of the output: the units of both directions."""
        return sum(self.sizes)

    def __call__(
        self, inputs: Array, rows: npt.NDArray[np.integer[Any]], bounds: npt.NDArray[Any]
    ) -> Array:
        """Return the states of both directions side by side for each word: (N, units).

        Args:
            inputs: (D, I) the distinct input vectors.
            rows: (N,) the row of `inputs` of each word.
            bounds: as in `Words`.
        """
        order = ByLength.of(bounds)
        states = []
        for n, (weight_ih, weight_hh, bias) in enumerate(self.directions):
            table = inputs @ weight_ih + bias
            states.append(_run(table, partial(_times, weight_hh), rows, order, reverse=n == 1))
        return np.concatenate(states, 1)


class DigitDirection(NamedTuple):
    """The weights of one direction of a `DigitBiLSTM`.

    Attributes:
        inputs: (I, 4H), digits if the inputs are states.
        units: (H, 4H).
        bias: (4H,)
    """

    inputs: Array | DigitWeight
    units: DigitWeight
    bias: Array


class DigitBiLSTM:
    """A `BiLSTM` that multiplies digits.

    Args:
        arrays, inputs, prefix: see `BiLSTM`.
        reads_states: whether the inputs are the states of another LSTM, and so digits too.

    Attributes:
        directions: the weights, left to right and back.

    Raises:
        CheckpointError, MePropError: see `BiLSTM`.
    """

    def __init__(
        self,
        arrays: Mapping[str, npt.NDArray[Any]],
        inputs: int,
        *,
        prefix: str,
        reads_states: bool,
    ) -> None:
        whole = BiLSTM(arrays, inputs, prefix=prefix)
        self.sizes, self.units = whole.sizes, whole.units
        self.directions: list[DigitDirection] = []
        for weight_ih, weight_hh, bias in whole.directions:
            if reads_states:  # a gate's weights share their scale
                both = DigitWeight.of(np.concatenate([weight_ih, weight_hh]))
                below, own = np.split(both.digits, [inputs])
                self.directions.append(
                    DigitDirection(
                        DigitWeight(below, both.scale), DigitWeight(own, both.scale), bias
                    )
                )
            else:
                self.directions.append(DigitDirection(weight_ih, DigitWeight.of(weight_hh), bias))

    def __call__(
        self, inputs: Array, rows: npt.NDArray[np.integer[Any]], bounds: npt.NDArray[Any]
    ) -> Array:
        """Return the states of both directions; see `BiLSTM`."""
        order = ByLength.of(bounds)
        states = []
        for n, direction in enumerate(self.directions):
            weight = direction.inputs
            sums = weight.product(inputs) if isinstance(weight, DigitWeight) else inputs @ weight
            table = sums + direction.bias
            states.append(_run(table, direction.units.product, rows, order, reverse=n == 1))
        return np.concatenate(states, 1)


@dataclass(slots=True)
class States:
    """What the shared encoder gives to the heads for N words of D distinct forms.

    Attributes:
        forms: (D, I) the vectors that depend on the word form alone.
        form_of: (N,) which of the forms each word has.
        context: (N, W) the states of the last layer.
        tags: (N, tags) the probability of each tag of all columns side by side; the tag head writes
            them for the heads after it.
    """

    forms: Array
    form_of: npt.NDArray[np.int64]
    context: Array
    tags: Array | None = None

    def only(self, indices: Sequence[int], forms: Sequence[str]) -> "States":
        """Return the states of some words, whose forms are given."""
        rows = list(indices)
        tags = None if self.tags is None else self.tags[rows]
        return States(self.forms, self.form_of[rows], self.context[rows], tags)


class SharedEncoder:
    """The joint model's encoder in NumPy: a stack of BiLSTMs over vectors of word forms.

    Args:
        arrays: the arrays of the model file.
        lexicon: the vocabularies of forms and features.
        characters: the vocabulary of characters.
        config: the settings of the network.
        word_vectors: pretrained vectors that are a part of the forms' vectors, if there are any.
        pretrained: gives the states of a pretrained encoder, for a model that reads them.
        treebank: the row of the treebank that words are read as those of, in a model of several;
            None in a model of one.

    Attributes:
        input_width, width: of the vectors of forms, and of the states.
        mix: makes of the pretrained encoder's states what the first layer reads beside the vectors
            of forms; None without one.
        tables, ngrams, letters: embeddings of forms and features, of character n-grams, and of
            characters.
        spelling: the BiLSTM over the characters of a form.
        layers: the BiLSTMs over words.

    Raises:
        CheckpointError: an array is missing or has another shape.
        MePropError: a weight is not finite.
    """

    def __init__(
        self,
        arrays: Mapping[str, npt.NDArray[Any]],
        lexicon: Lexicon,
        characters: Characters,
        config: JointConfig,
        word_vectors: WordVectors | None = None,
        pretrained: WordStates | None = None,
        treebank: int | None = None,
    ) -> None:
        demand_unknown_entries(characters.vocab)
        self._word_vectors = word_vectors
        self._characters = characters
        self.letters = take(arrays, "encoder.characters.weight", len(characters), None)
        self.spelling = DigitBiLSTM(
            arrays, self.letters.shape[1], prefix="encoder.spelling.", reads_states=False
        )
        self.tables = FormTables(arrays, lexicon, prefix="encoder.")
        self.ngrams = take(arrays, "encoder.ngrams.weight", config.ngram_rows, None)
        self.input_width = (
            self.tables.concatenated_width + self.ngrams.shape[1] + self.spelling.units
        )
        if word_vectors is not None:
            self.input_width += word_vectors.width
        self.layers: list[DigitBiLSTM] = []
        width = self.input_width
        self.mix = None if pretrained is None else LayerMix(arrays, pretrained)
        if self.mix is not None:
            width += self.mix.width
        for n in range(config.layers):
            first = n == 0 and treebank is not None
            of_layer = _read_as_of(arrays, treebank or 0, width) if first else arrays
            layer = DigitBiLSTM(of_layer, width, prefix=f"encoder.layers.{n}.", reads_states=n > 0)
            self.layers.append(layer)
            width = layer.units
        self.width = width

    def vectors(self, forms: Sequence[str]) -> Array:
        """Return the vectors of forms: (forms, I)."""
        rows, bounds = ngram_bags(forms, len(self.ngrams))
        means = np.empty((len(forms), self.ngrams.shape[1]), np.float32)
        if len(forms):  # every form has n-grams, so no part is empty
            means[:] = np.add.reduceat(self.ngrams[rows], bounds[:-1], axis=0)
            means /= np.diff(bounds)[:, None]
        return self.joined(forms, means, self.spelled(forms))

    def joined(self, forms: Sequence[str], ngrams: Array, spelled: Array) -> Array:
        """Return the vectors of forms, given the means of their n-grams and what `spelled` does."""
        parts = [self.tables.concatenated(forms), ngrams, spelled]
        if self._word_vectors is not None:
            parts.append(self._word_vectors(forms))
        return np.concatenate(parts, 1)

    def spelled(self, forms: Sequence[str], spelling: Recurrence | None = None) -> Array:
        """Return the last states of both directions over the characters of each form.

        Args:
            spelling: what runs over the characters' numbers in place of `self.spelling`.
        """
        numbers, bounds = self._characters.spell(forms)
        states = (spelling or partial(self.spelling, self.letters))(numbers, bounds)
        n_forward, _ = self.spelling.sizes
        last, first = bounds[1:] - 1, bounds[:-1]
        return np.concatenate([states[last, :n_forward], states[first, n_forward:]], 1)

    def __call__(self, words: Words) -> States:
        """Return the vectors of words, with and without their context."""
        distinct, form_of = distinct_forms(words)
        forms = self.vectors(distinct)
        states, rows = forms, form_of
        if self.mix is not None:
            read = self.mix(words.column("form"), words.bounds)
            states, rows = np.concatenate([forms[form_of], read], 1), np.arange(len(form_of))
        for layer in self.layers:
            states, rows = layer(states, rows, words.bounds), np.arange(len(form_of))
        return States(forms, form_of, states)


def _read_as_of(
    arrays: Mapping[str, npt.NDArray[Any]], treebank: int, width: int
) -> dict[str, npt.NDArray[Any]]:
    """Return the first layer's arrays in an encoder that reads words as those of one treebank.

    What the layer makes of the treebank's embedding is then a part of its bias.

    Args:
        treebank: the row of its embedding.
        width: of what the first layer reads besides.
    """
    table = take(arrays, "encoder.treebanks.weight", None, None)
    if treebank >= len(table):
        raise CheckpointError(f"the model has embeddings of {len(table)} treebanks only")
    prefix = "encoder.layers.0."
    folded = {name: arrays[name] for name in arrays if name.startswith(prefix)}
    for name in ("left_to_right", "right_to_left"):
        part = f"{prefix}{name}."
        weight = take(arrays, part + "weight_ih_l0", None, width + table.shape[1])
        bias = take(arrays, part + "bias_ih_l0", len(weight))
        folded[part + "weight_ih_l0"] = np.ascontiguousarray(weight[:, :width])
        folded[part + "bias_ih_l0"] = bias + weight[:, width:] @ table[treebank]
    return folded


def distinct_forms(words: Words) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Return the distinct forms of words, and which of them each word has: (N,)."""
    table = FormTable()
    form_of = np.array(table.add(words.column("form")), np.int64)
    return table.forms(), form_of


class ByLength(NamedTuple):
    """Sentences, the longest first.

    Attributes:
        firsts: (S,) the index of each sentence's first word.
        lengths: (S,) the number of its words, in descending order.
    """

    firsts: npt.NDArray[Any]
    lengths: npt.NDArray[Any]

    @classmethod
    def of(cls, bounds: npt.NDArray[Any]) -> "ByLength":
        """Order sentences with these bounds."""
        lengths = np.diff(bounds)
        order = np.argsort(-lengths, kind="stable")
        return cls(bounds[:-1][order], lengths[order])


def _run(
    table: Array,
    recur: Callable[[Array], Array],
    rows: npt.NDArray[np.integer[Any]],
    sentences: ByLength,
    *,
    reverse: bool,
) -> Array:
    """Run one direction over all sentences.

    Args:
        table: (D, 4H) the input product of each distinct vector, biases included.
        recur: multiplies the units, (n, H), with their weight.
        rows: (N,) the row of `table` of each word, sentence after sentence.
        sentences: the order in which they run.

    Returns:
        (N, H), in the order of `rows`.
    """
    firsts, lengths = sentences
    width = table.shape[1] // 4
    output = np.empty((len(rows), width), np.float32)
    h = np.zeros((len(lengths), width), np.float32)
    c = np.zeros_like(h)
    for step in range(int(lengths[0]) if len(lengths) else 0):
        live = int(np.searchsorted(-lengths, -step))  # sentences longer than `step`
        at = firsts[:live] + (lengths[:live] - 1 - step if reverse else step)
        gates = recur(h[:live])
        gates += table[rows[at]]
        i, f, g, o = (gates[:, n * width : (n + 1) * width] for n in range(4))
        c[:live] = _sigmoid(f) * c[:live] + _sigmoid(i) * np.tanh(g)
        h[:live] = _sigmoid(o) * np.tanh(c[:live])
        output[at] = h[:live]
    return output


def _times(weight: Array, values: Array) -> Array:
    return values @ weight


def _sigmoid(x: Array) -> Array:
    # tanh does not overflow
    return 0.5 * np.tanh(0.5 * x) + 0.5  # type: ignore[no-any-return]
