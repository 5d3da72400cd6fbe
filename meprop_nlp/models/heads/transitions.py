"""The transition tree head: builds each tree by transitions, scored by a few words of the state.

Kiperwasser & Goldberg (2016, section 4), without the label of an arc in a network of its own. The
encoder's vectors say enough of a word's children (Falenska & Kuhn 2019).
"""

from collections.abc import Collection, Sequence
from types import ModuleType

import numpy as np

from meprop_nlp.config import TRANSITION_SYSTEMS, JointConfig
from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.errors import CheckpointError, MePropError
from meprop_nlp.models.encoder import SharedEncoder, States
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.head import TREE_SCORES, Head
from meprop_nlp.models.heads.in_step import Exploration, InStep, Score
from meprop_nlp.models.heads.joint_native import Layer, leaky_relu
from meprop_nlp.models.heads.relations import Relations
from meprop_nlp.models.heads.transitions_native import NativeTransitions, explore_rows
from meprop_nlp.models.heads.tree_inputs import TreeInputs
from meprop_nlp.models.native_encoder import NativeStates
from meprop_nlp.models.parts import Array, take
from meprop_nlp.models.prediction import Indices, Prediction
from meprop_nlp.models.words import Words
from meprop_nlp.native import core
from meprop_nlp.parsing.features import STATE_WORDS, extract
from meprop_nlp.parsing.state import State
from meprop_nlp.parsing.transitions import TransitionSystem, make_system


class TransitionHead(Head):
    """Predicts HEAD and DEPREL.

    Attributes:
        labels: the dependency relations, in the pseudo-projective encoding if the system builds
            projective trees only.
        system: the transition system.
    """

    name = "tree"
    activity = "parsing"

    @staticmethod
    def serves(config: JointConfig) -> bool:
        return config.tree == "transitions"

    def __init__(self, file: ModelFile, lexicon: Lexicon) -> None:
        self.config = JointConfig.from_dict(file.header["config"])
        self.reads, self.fills = (), ("head", "deprel")
        self.scores = TREE_SCORES
        name = file.header["transition_system"]
        if name not in TRANSITION_SYSTEMS:
            expected = ", ".join(TRANSITION_SYSTEMS)
            raise CheckpointError(f"the model's transition system is {name}, expected {expected}")
        self._relations = Relations(file.header, lifted=make_system(name, 1).projective)
        self.labels, self.system = self._relations.labels, self._relations.system(name)
        arrays = file.arrays
        self._inputs = TreeInputs(file, "tree.special.weight", 2)
        self._places: list[Layer] = []
        width = None
        for place in STATE_WORDS:
            weight = take(arrays, f"tree.{place}.weight", width, self._inputs.width)
            width = len(weight)
            self._places.append((weight.T, take(arrays, f"tree.{place}.bias", width)))
        n_transitions = self.system.n_transitions
        self._output = (
            take(arrays, "tree.output.weight", n_transitions, width).T,
            take(arrays, "tree.output.bias", n_transitions),
        )
        self._native: NativeTransitions | None = None

    def prepare(self, native: ModuleType | None, encoder: SharedEncoder) -> None:
        self._inputs.demand_fit(encoder)
        if native is not None:
            inputs = self._inputs
            self._native = NativeTransitions(
                native, self.system, inputs.tags, self._places, inputs.special, self._output
            )

    def annotate(
        self,
        words: Words,
        states: States | None = None,
        *,
        confidence: bool = False,
        keep: Collection[str] = (),
    ) -> Prediction:
        assert states is not None
        if isinstance(states, NativeStates) and self._native is not None:
            trees = self._native.parse(words, states, confidence=confidence)
        else:
            rows = np.stack(list(self._inputs.products(states, self._places)), 1)
            score = _score_by(rows, self._output, words.bounds)
            trees = InStep(self.system, words.bounds, score).parse(confidence=confidence)
        return self._relations.prediction(trees, words)

    def arc_probabilities(self, words: Words, states: States) -> Array:
        """Return 1 for each word's head in the tree that is built, else 0.

        The shape is (N, longest sentence + 1), ROOT first: transitions say nothing of other trees.
        """
        heads = self.annotate(words, states).heads
        assert heads is not None
        longest = int(np.diff(words.bounds).max(initial=0))
        found = np.zeros((len(heads), longest + 1), np.float32)
        found[np.arange(len(heads)), heads] = 1
        return found

    def label_probabilities(self, words: Words, states: States, heads: Indices) -> Array:
        """Return 1 for each word's label in the tree that is built, else 0: (N, labels).

        The heads do not matter.
        """
        column = self.annotate(words, states).texts["deprel"]
        found = np.zeros((len(column.ids), len(self.labels)), np.float32)
        numbers = {label: i for i, label in enumerate(self.labels)}
        for n, label in enumerate(column.to_list()):
            if label in numbers:
                found[n, numbers[label]] = 1
        return found


def explore(
    system: TransitionSystem,
    rows: Array,
    output: Layer,
    bounds: Indices,
    heads: Indices,
    labels: Indices,
) -> Exploration:
    """Parse, and ask the dynamic oracle in each state, for training (Goldberg & Nivre 2012).

    Args:
        system: the transition system.
        rows: (N + 2, places, F) what each word gives to the hidden layer at each place of a state,
            then ROOT, then no word.
        output: the layer that scores transitions.
        bounds: (sentences + 1,) the first word of each sentence.
        heads, labels: (N,) int32, gold trees with one root each that the system can build.

    Raises:
        MePropError: scores are not finite.
    """
    native = core()
    if native is None:
        with np.errstate(all="ignore"):
            score = _score_by(rows, output, bounds)
            return InStep(system, bounds, score).explore(heads, labels)
    try:
        return explore_rows(native, system, rows, output, bounds, heads, labels)
    except ValueError as error:
        raise MePropError(
            f"the parser cannot go through the trees: {error}; try a smaller `learning_rate`"
        ) from None


def _score_by(rows: Array, output: Layer, bounds: Indices) -> Score:
    """Return what scores states by the rows of their words; see `explore`."""
    weight, bias = output
    firsts, places = bounds.tolist(), np.arange(len(STATE_WORDS))

    def score(sentences: Sequence[int], states: Sequence[State]) -> Array:
        # the rows of ROOT, 0, and of no word, -1, are the last but one and the last
        places_of_words = [
            [first + word - 1 if word > 0 else -word - 2 for word in extract(state)[: len(places)]]
            for state, first in zip(states, (firsts[i] for i in sentences), strict=True)
        ]
        found = np.array(places_of_words)  # (states, places)
        scores: Array = leaky_relu(rows[found, places].sum(1)) @ weight + bias
        return scores

    return score
