"""Transitions on the native core: what all parsers by transitions share, and the joint model's."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from meprop_nlp.config import TRANSITION_SYSTEMS
from meprop_nlp.models.heads.in_step import Exploration, Trees
from meprop_nlp.models.heads.joint_native import (
    Layer,
    TagWeight,
    as_model_errors,
    layers_over_tags,
)
from meprop_nlp.models.native_encoder import NativeStates
from meprop_nlp.models.parts import Array
from meprop_nlp.models.prediction import Indices
from meprop_nlp.models.rows import padded
from meprop_nlp.models.words import Words
from meprop_nlp.parsing.transitions import TransitionSystem

# In the order of native/parser/network.hpp; the first three are those of `ParserConfig`.
ACTIVATIONS = ("relu", "cube", "tanh", "leaky_relu")


def transition_scorer(
    native: ModuleType,
    system: TransitionSystem,
    activation: str,
    bias: Array,
    layers: Sequence[Layer],
) -> Any:
    """Return the layers from the sum of a state's rows to the scores, for the native core.

    Args:
        bias: (hidden,) of the first layer.
        layers: the others; the last has the scores of the system's transitions.
    """
    lanes = native.lanes()
    others = [(padded(weight, lanes), padded(b, lanes)) for weight, b in layers]
    # the inputs of each layer are the padded outputs of the one before
    matrices = [np.ascontiguousarray(padded(weight.T, lanes).T) for weight, _ in others]
    masks, forced = _masks(system, matrices[-1].shape[1])
    return native.TransitionScorer(
        TRANSITION_SYSTEMS.index(system.name),
        ACTIVATIONS.index(activation),
        padded(bias, lanes),
        matrices,
        [b for _, b in others],
        system.left_start,
        system.n_transitions,
        masks,
        forced,
    )


class NativeTransitions:
    """The joint model's transition parser on the native core.

    Args:
        native: the native core.
        system: the transition system.
        tags: turns the probabilities of tags into a vector; None without tags.
        places: the layer of each place in a state.
        special: (2, inputs) their inputs for ROOT, and where there is no word.
        output: the layer that scores transitions.
    """

    def __init__(
        self,
        native: ModuleType,
        system: TransitionSystem,
        tags: TagWeight | None,
        places: Sequence[Layer],
        special: Array,
        output: Layer,
    ) -> None:
        lanes = native.lanes()
        weight = np.concatenate([padded(weight, lanes) for weight, _ in places], 1)
        bias = np.concatenate([padded(bias, lanes) for _, bias in places])
        self._parser = native.StateParser(
            _scorer(native, system, output),
            *layers_over_tags(native, tags, weight, bias),
            np.ascontiguousarray(special @ weight + bias),
        )
        self._reads_tags = tags is not None

    def parse(self, words: Words, states: NativeStates, *, confidence: bool) -> Trees:
        """Return the trees of all words.

        Raises:
            MePropError: scores are not finite.
        """
        heads, labels = np.empty((2, len(states.context)), np.int32)
        sure = np.empty(heads.shape, np.float32) if confidence else None
        tags = states.tags if self._reads_tags else None
        with as_model_errors():
            self._parser.parse(states.context, tags, words.bounds, heads, labels, sure)
        return Trees(heads, labels, sure)


def explore_rows(
    native: ModuleType,
    system: TransitionSystem,
    rows: Array,
    output: Layer,
    bounds: Indices,
    heads: Indices,
    labels: Indices,
) -> Exploration:
    """Parse by rows on the native core; see `transitions.explore`.

    Raises:
        ValueError: scores are not finite.
    """
    table = padded(rows, native.lanes())
    table = table.reshape(len(table), -1)
    own_heads, own_labels = np.empty((2, len(heads)), np.int32)
    followed, targets = np.empty((2, 2 * len(heads)), np.int32)
    _scorer(native, system, output).explore_rows(
        table[:-2], table[-2:], bounds, heads, labels, own_heads, own_labels, followed, targets
    )
    return Exploration(followed, targets)


def _scorer(native: ModuleType, system: TransitionSystem, output: Layer) -> Any:
    """Return the joint model's scorer; the rows of the places have the bias."""
    no_bias = np.zeros(len(output[0]), np.float32)
    return transition_scorer(native, system, "leaky_relu", no_bias, [output])


def _masks(system: TransitionSystem, width: int) -> tuple[Array, npt.NDArray[np.int32]]:
    """Return each mask of the system as 0 or -inf, (masks, width), and the only transition that it
    allows, or -1: (masks,).
    """
    masks = np.full((len(system.masks), width), -np.inf, np.float32)
    masks[:, : system.n_transitions][system.masks] = 0
    forced = np.where(system.masks.sum(1) == 1, system.masks.argmax(1), -1)
    return masks, forced.astype(np.int32)
