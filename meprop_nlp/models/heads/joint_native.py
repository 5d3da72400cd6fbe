"""The joint model's heads on the native core, with packed weights."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from meprop_nlp.errors import MePropError
from meprop_nlp.models.digits import DigitWeight, in_fours
from meprop_nlp.models.native_encoder import NativeStates
from meprop_nlp.models.parts import Array, demand_size
from meprop_nlp.models.prediction import Indices
from meprop_nlp.models.rows import padded
from meprop_nlp.models.words import Words

SLOPE = 0.1  # of the leaky ReLU of the heads' hidden layers below zero
MOST_TAG_WEIGHTS = 1 << 26  # of a layer over the probabilities of tags: a quarter of a gigabyte

Layer = tuple[Array, Array]  # weight (ins, outs) and bias (outs,)


def leaky_relu(values: Array) -> Array:
    """Return the activation of the heads' hidden layers."""
    result: Array = np.maximum(values, SLOPE * values)
    return result


def digit_layer(native: ModuleType, weight: Array, bias: Array) -> object:
    """Return a layer over states, packed: (W, n), (n,); n fills half vectors."""
    digits = DigitWeight.of(weight)
    rows = in_fours(digits.digits)
    return native.DigitLayer(rows, digits.scale, bias, len(rows))


class TagWeight(NamedTuple):
    """The weight of a layer over the probabilities of tags, (tags, n), and of how many each column.

    Attributes:
        weight: a row for each tag.
        sizes: how many tags each column has.
    """

    weight: Array
    sizes: Sequence[int]

    def packed(self, native: ModuleType) -> object:
        """Return the layer for the native core."""
        weight = np.ascontiguousarray(self.weight)
        return native.TagLayer(weight, np.array(self.sizes, np.int32))


def layers_over_tags(
    native: ModuleType, tags: TagWeight | None, weight: Array, bias: Array
) -> tuple[object, object | None]:
    """Return a layer over states and a vector of tags, packed.

    Args:
        native: the native core.
        tags: turns the probabilities of tags into the vector, of width T; None without tags.
        weight, bias: (W + T, n), (n,); n fills half vectors.

    Returns:
        Its parts over states and over the probabilities of tags, if any.

    Raises:
        CheckpointError: there are too many tags for so many outputs.
    """
    if tags is None:
        return digit_layer(native, weight, bias), None
    of_states, of_tags = np.split(weight, [len(weight) - tags.weight.shape[1]])
    demand_size("weights over tags", len(tags.weight) * of_tags.shape[1], MOST_TAG_WEIGHTS)
    folded = tags._replace(weight=tags.weight @ of_tags)
    return digit_layer(native, of_states, bias), folded.packed(native)


@contextmanager
def as_model_errors() -> Iterator[None]:
    """Turn an error of the core into a MePropError."""
    try:
        yield
    except ValueError as error:
        raise MePropError(f"the model cannot be used: {error}; train it anew") from None


class NativeTags:
    """Chooses the tags of each column, and writes the probabilities of all tags into the states.

    Args:
        native: the native core.
        outputs: the output layer of each column.
        flat: probabilities below it are written as their mean over the column.
    """

    def __init__(self, native: ModuleType, outputs: Sequence[Layer], flat: float) -> None:
        lanes = native.lanes()
        weights = [padded(weight, lanes) for weight, _ in outputs]
        biases = [padded(bias, lanes) for _, bias in outputs]
        layer = digit_layer(native, np.concatenate(weights, 1), np.concatenate(biases))
        sizes = [len(bias) for _, bias in outputs]
        firsts = np.cumsum([0, *map(len, biases[:-1])])
        self._n_columns, self._n_tags = len(sizes), sum(sizes)
        columns = np.array([firsts, sizes], np.int32).T.copy()
        self._scorer = native.TagScorer(layer, columns, flat)

    def choose(self, states: NativeStates, *, confidence: bool) -> tuple[Indices, Array | None]:
        """Return the ids of the best tags, (columns, N), and their probabilities if asked for."""
        n_words = len(states.context)
        ids = np.empty((self._n_columns, n_words), np.int32)
        sure = np.empty(ids.shape, np.float32) if confidence else None
        states.tags = np.empty((n_words, self._n_tags), np.float32)
        with as_model_errors():
            self._scorer.choose(states.context, ids, sure, states.tags)
        return ids, sure


class NativeEnds:
    """Chooses what ends after each character of a text.

    Args:
        native: the native core.
        weight, bias: of the output layer, (W, ends), (ends,).
    """

    def __init__(self, native: ModuleType, weight: Array, bias: Array) -> None:
        lanes = native.lanes()
        layer = digit_layer(native, padded(weight, lanes), padded(bias, lanes))
        self._scorer = native.TagScorer(layer, np.array([[0, len(bias)]], np.int32))

    def choose(self, states: Array) -> npt.NDArray[np.uint8]:
        """Return the end with the best score for each of some states, (n, W): (n,)."""
        found = np.empty((1, len(states)), np.int32)
        with as_model_errors():
            self._scorer.choose(states, found)
        ends: npt.NDArray[np.uint8] = found[0].astype(np.uint8)
        return ends


class NativeLemmas:
    """Chooses the script of each word.

    Args:
        native: the native core.
        context, tags: the parts of the hidden layer's weight, (W, F); `tags` may be missing.
        output: the output layer.
    """

    def __init__(
        self, native: ModuleType, context: Array, tags: TagWeight | None, output: Layer
    ) -> None:
        weight, bias = output
        self._native = native
        wide = padded(context, native.lanes())
        self._scorer = native.ScriptScorer(
            digit_layer(native, wide, np.zeros(wide.shape[1], np.float32)),
            None if tags is None else tags.packed(native),
            native.PackedLayer(np.ascontiguousarray(weight), bias),
            len(bias),
        )

    def choose(
        self, states: NativeStates, *, confidence: bool
    ) -> tuple[Indices, Array | None, Array]:
        """Return the ids of the best scripts, their probabilities if asked for, and leads: (N,)."""
        ids = np.empty(len(states.context), np.int32)
        sure = np.empty(ids.shape, np.float32) if confidence else None
        lead = np.empty(ids.shape, np.float32)
        with as_model_errors():
            self._scorer.choose(
                states.rows, states.columns["lemmas"], states.context, states.tags, ids, sure, lead
            )
        return ids, sure, lead

    def rank(self, states: NativeStates, words: Indices, n_best: int) -> tuple[Indices, Array]:
        """Return the ids of the best scripts of some words and their scores: (n, n_best) each."""
        ids = np.empty((len(words), n_best), np.int32)
        scores = np.empty(ids.shape, np.float32)
        tags = None if states.tags is None else states.tags[words]
        with as_model_errors():
            self._scorer.rank(
                states.rows,
                states.columns["lemmas"],
                words,
                states.context[words],
                tags,
                ids,
                scores,
            )
        return ids, scores

    def number_pairs(self, states: NativeStates, scripts: Indices) -> tuple[Indices, list[int]]:
        """Number the distinct pairs of a form and a number, such as that of a script.

        Returns:
            The number of each word's pair, and the first word of each pair.
        """
        numbers = np.empty_like(scripts)
        firsts = self._native.number_pairs_of_forms(states.rows, scripts, numbers)
        return numbers, firsts


class NativeGraph:
    """Finds trees.

    Args:
        native: the native core.
        tags: turns the probabilities of tags into a vector; None without tags.
        vectors: the layers that make the vectors of a word as dependent and as head, first those
            for arcs, then those for labels.
        root: (inputs,) ROOT's input to these layers.
        arcs: the layer over dependents whose product with a head is the score of an arc.
        labels: the layer that scores the labels of an arc.
    """

    def __init__(
        self,
        native: ModuleType,
        tags: TagWeight | None,
        vectors: Sequence[Layer],
        root: Array,
        arcs: Layer,
        labels: Layer,
    ) -> None:
        def packed(layer: Layer) -> object:
            return native.PackedLayer(*map(np.ascontiguousarray, layer))

        lanes = native.lanes()
        layers = [(padded(weight, lanes), padded(bias, lanes)) for weight, bias in vectors]
        _, (weight, bias), _, (label_weight, label_bias) = layers
        arc_root = leaky_relu(root @ weight + bias)

        whole = np.concatenate([weight for weight, _ in layers], 1)
        self._parser = native.GraphParser(
            *layers_over_tags(native, tags, whole, np.concatenate([bias for _, bias in layers])),
            packed(arcs),
            packed(labels),
            np.concatenate([arc_root, root @ label_weight + label_bias]),
            len(labels[1]),
        )
        self._reads_tags = tags is not None

    def parse(
        self, words: Words, states: NativeStates, *, confidence: bool
    ) -> tuple[Indices, Indices, Array | None]:
        """Return heads (N,), ids of labels (N,), and the probability of heads if asked for."""
        heads = np.empty(len(states.context), np.int32)
        labels = np.empty_like(heads)
        sure = np.empty(heads.shape, np.float32) if confidence else None
        tags = states.tags if self._reads_tags else None
        with as_model_errors():
            self._parser.parse(states.context, tags, words.bounds, heads, labels, sure)
        return heads, labels, sure
