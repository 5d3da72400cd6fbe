"""The parser on the native core, with its first layer folded into rows of forms, tags, labels."""

from types import ModuleType

import numpy as np
import numpy.typing as npt

from meprop_nlp.config import ACTIVATIONS, TRANSITION_SYSTEMS
from meprop_nlp.errors import MePropError
from meprop_nlp.models.heads.tree_numpy import Exploration, NumpyParser, Trees
from meprop_nlp.models.parts import Array
from meprop_nlp.models.prediction import Indices
from meprop_nlp.models.rows import RowSource, padded
from meprop_nlp.models.words import Words
from meprop_nlp.parsing.features import POSITIONS
from meprop_nlp.parsing.transitions import TransitionSystem

FORM_BYTES, TAG_BYTES = 104 << 20, 16 << 20


class NativeParser:
    """The network on the native core; safe to use from several threads."""

    def __init__(self, network: NumpyParser, native: ModuleType) -> None:
        self._system = network.system
        lanes = native.lanes()
        first, bias = network.layers[0]
        parts = first.reshape(-1, network.special.shape[1], first.shape[1])
        forms, tags, labels = (
            padded(part, lanes) for part in np.split(parts, [len(POSITIONS), 2 * len(POSITIONS)])
        )  # (slots, E, hidden)
        self._forms = RowSource(
            native, ["form"], network.tables.summed, _side_by_side(forms), n_bytes=FORM_BYTES
        )
        # without tag columns all words have the same row, so that any column will do
        columns = list(network.tags) or ["upos"]
        self._tags = RowSource(
            native, columns, network.tag_vectors, _side_by_side(tags), n_bytes=TAG_BYTES
        )
        others = [(padded(weight, lanes), padded(b, lanes)) for weight, b in network.layers[1:]]
        # the inputs of each layer are the padded outputs of the one before
        matrices = [np.ascontiguousarray(padded(weight.T, lanes).T) for weight, _ in others]
        masks, forced = _masks(network.system, matrices[-1].shape[1])
        self._decoder = native.ParserDecoder(
            TRANSITION_SYSTEMS.index(network.config.transition_system),
            ACTIVATIONS.index(network.config.activation),
            padded(bias, lanes),
            np.ascontiguousarray(np.einsum("ne,seh->nsh", network.special[:2], forms)),
            np.ascontiguousarray(np.einsum("ne,seh->nsh", network.special[2:], tags)),
            np.ascontiguousarray(np.einsum("ne,seh->snh", network.label_rows, labels)),
            matrices,
            [b for _, b in others],
            network.system.left_start,
            network.system.n_transitions,
            masks,
            forced,
        )

    def parse(self, words: Words, *, confidence: bool = False) -> Trees:
        """Predict heads and labels of all words; see `NumpyParser.parse`."""
        forms, tags = self._forms.find(words), self._tags.find(words)
        heads, labels = np.empty((2, len(forms)), np.int32)
        probabilities = np.empty(len(forms), np.float32) if confidence else None
        try:
            self._decoder.parse(forms, tags, words.bounds, heads, labels, probabilities)
        except ValueError as error:
            raise MePropError(f"the parser cannot be used: {error}; train it anew") from None
        return Trees(heads, labels, probabilities)

    def explore(self, words: Words, heads: Indices, labels: Indices) -> Exploration:
        """Parse, and ask the dynamic oracle in each state; see `NumpyParser.explore`."""
        # only training explores: decoding starts faster without the import
        from meprop_nlp.parsing.oracles import demand_arc_hybrid

        demand_arc_hybrid(self._system)
        forms, tags = self._forms.find(words), self._tags.find(words)
        own_heads, own_labels = np.empty((2, len(forms)), np.int32)
        followed, targets = np.empty((2, 2 * len(forms)), np.int32)
        try:
            self._decoder.explore(
                forms,
                tags,
                words.bounds,
                heads,
                labels,
                own_heads,
                own_labels,
                followed,
                targets,
            )
        except ValueError as error:
            raise MePropError(
                f"the parser cannot go through the trees: {error}; try a smaller `learning_rate`"
            ) from None
        return Exploration(followed, targets)


def _side_by_side(weight: Array) -> Array:
    """Return the weight of each slot (slots, E, hidden) as (E, slots x hidden)."""
    slots, dim, hidden = weight.shape
    return np.ascontiguousarray(weight.transpose(1, 0, 2)).reshape(dim, slots * hidden)


def _masks(system: TransitionSystem, width: int) -> tuple[Array, npt.NDArray[np.int32]]:
    """Return each mask of the system as 0 or -inf, (masks, width), and the only transition that it
    allows, or -1: (masks,).
    """
    masks = np.full((len(system.masks), width), -np.inf, np.float32)
    masks[:, : system.n_transitions][system.masks] = 0
    forced = np.where(system.masks.sum(1) == 1, system.masks.argmax(1), -1)
    return masks, forced.astype(np.int32)
