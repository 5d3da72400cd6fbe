"""The parser on the native core, with its first layer folded into rows of forms, tags, labels."""

from types import ModuleType

import numpy as np

from meprop_nlp.errors import MePropError
from meprop_nlp.models.heads.in_step import Exploration, Trees
from meprop_nlp.models.heads.transitions_native import transition_scorer
from meprop_nlp.models.heads.tree_numpy import NumpyParser
from meprop_nlp.models.parts import Array
from meprop_nlp.models.prediction import Indices
from meprop_nlp.models.rows import RowSource, padded
from meprop_nlp.models.words import Words
from meprop_nlp.parsing.features import POSITIONS

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
        activation, layers = network.config.activation, network.layers[1:]
        self._decoder = native.ParserDecoder(
            transition_scorer(native, network.system, activation, bias, layers),
            np.ascontiguousarray(np.einsum("ne,seh->nsh", network.special[:2], forms)),
            np.ascontiguousarray(np.einsum("ne,seh->nsh", network.special[2:], tags)),
            np.ascontiguousarray(np.einsum("ne,seh->snh", network.label_rows, labels)),
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
