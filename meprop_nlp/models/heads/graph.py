"""The graph tree head: scores all arcs of a sentence, and returns the best tree with one root.

Dozat & Manning (2017).
"""

from collections.abc import Collection, Iterator
from itertools import pairwise
from types import ModuleType

import numpy as np

from meprop_nlp.config import JointConfig
from meprop_nlp.data.formats.horizontal import MOST_WORDS
from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.errors import MePropError
from meprop_nlp.models.encoder import SharedEncoder, States
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.head import TREE_SCORES, Head
from meprop_nlp.models.heads.joint_native import NativeGraph, leaky_relu
from meprop_nlp.models.heads.root_labels import RootLabels
from meprop_nlp.models.heads.state_tags import softmax
from meprop_nlp.models.heads.tree_inputs import TreeInputs
from meprop_nlp.models.native_encoder import NativeStates
from meprop_nlp.models.parts import Array, demand_texts, take
from meprop_nlp.models.prediction import Indices, Prediction, TextColumn, Values
from meprop_nlp.models.words import Words
from meprop_nlp.parsing.spanning_tree import spanning_tree


class GraphHead(Head):
    """Predicts HEAD and DEPREL.

    Attributes:
        labels: the dependency relations.
    """

    name = "tree"
    activity = "parsing"
    most_words = MOST_WORDS  # the memory grows with their square

    @staticmethod
    def serves(config: JointConfig) -> bool:
        return config.tree == "graph"

    def __init__(self, file: ModelFile, lexicon: Lexicon) -> None:
        self.config = JointConfig.from_dict(file.header["config"])
        self.reads, self.fills = (), ("head", "deprel")
        self.scores = TREE_SCORES
        self.labels: list[str] = file.header["labels"]
        demand_texts("labels", self.labels)
        self._root_labels = RootLabels(self.labels)
        self._values = Values(self._root_labels.relations)
        arrays = file.arrays
        self._native: NativeGraph | None = None
        self._inputs = TreeInputs(file, "tree.root.weight", 1)
        self._layers: dict[str, tuple[Array, Array]] = {}
        for name in ("arc_dep", "arc_head", "label_dep", "label_head"):
            # both vectors that a label is scored by are added
            width = len(self._layers["label_dep"][1]) if name == "label_head" else None
            weight = take(arrays, f"tree.{name}.weight", width, self._inputs.width)
            self._layers[name] = weight.T, take(arrays, f"tree.{name}.bias", len(weight))
        n_dep, n_head, n_label, _ = (len(bias) for _, bias in self._layers.values())
        self._arcs = (
            take(arrays, "tree.arcs.weight", n_head, n_dep).T,
            take(arrays, "tree.arcs.bias", n_head),
        )
        self._output = (
            take(arrays, "tree.labels.weight", len(self.labels), n_label).T,
            take(arrays, "tree.labels.bias", len(self.labels)),
        )

    def prepare(self, native: ModuleType | None, encoder: SharedEncoder) -> None:
        self._inputs.demand_fit(encoder)
        if native is None:
            return
        # the core takes vectors of one width for arcs; simplification may have cut one of them more
        width = max(self._arcs[0].shape)
        dep, head, *label = self._layers.values()
        self._native = NativeGraph(
            native,
            self._inputs.tags,
            [_widened(dep, width), _widened(head, width), *label],
            self._inputs.special[0],
            _widened((_widened_rows(self._arcs[0], width), self._arcs[1]), width),
            self._output,
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
            tree, ids, probabilities = self._native.parse(words, states, confidence=confidence)
            ids = self._root_labels.corrected(ids, tree)
            return Prediction(
                {"deprel": TextColumn(self._values, ids)},
                tree,
                {} if probabilities is None else {"ArcConf": probabilities},
            )
        n_words = len(states.context)
        heads = np.zeros(n_words, np.int32)
        sure = np.ones(n_words, np.float32)
        for start, end, scores in self._arc_scores(words.bounds, states):
            tree = heads[start:end] = spanning_tree(scores)
            if confidence:
                best = scores[np.arange(end - start), tree]
                sure[start:end] = 1 / np.exp(scores - best[:, None]).sum(1)
        labels = self._label_scores(words.bounds, states, heads).argmax(1).astype(np.int32)
        labels = self._root_labels.corrected(labels, heads)
        return Prediction(
            {"deprel": TextColumn(self._values, labels)},
            heads,
            {"ArcConf": sure} if confidence else {},
        )

    def arc_probabilities(self, words: Words, states: States) -> Array:
        """Return the probability of each head: (N, longest sentence + 1), ROOT first.

        Raises:
            MePropError: the scores are not finite.
        """
        longest = int(np.diff(words.bounds).max(initial=0))
        found = np.zeros((len(states.context), longest + 1), np.float32)
        for start, end, scores in self._arc_scores(words.bounds, states):
            shares = np.exp(scores - scores.max(1, keepdims=True))
            found[start:end, : scores.shape[1]] = shares / shares.sum(1, keepdims=True)
        return found

    def label_probabilities(self, words: Words, states: States, heads: Indices) -> Array:
        """Return the probability of each label for the arcs from these heads: (N, labels).

        Raises:
            MePropError: the scores are not finite.
        """
        return softmax(self._label_scores(words.bounds, states, heads))

    def _arc_scores(self, bounds: Indices, states: States) -> Iterator[tuple[int, int, Array]]:
        """Yield for each sentence its first word, its end, and the scores of its arcs.

        The scores are (n, n + 1), ROOT first; -inf for a word as its own head.

        Raises:
            MePropError: they are not finite.
        """
        dep, head = map(leaky_relu, self._products(states, "arc_dep", "arc_head"))
        weight, bias = self._arcs
        dependents = dep[:-1] @ weight + bias
        for start, end in pairwise(bounds.tolist()):
            if start == end:
                continue
            candidates = np.concatenate([head[-1:], head[start:end]])
            scores = dependents[start:end] @ candidates.T
            if not np.isfinite(scores).all():
                raise MePropError(
                    "the model's weights give scores that are not finite; train it anew"
                )
            own = np.arange(end - start)
            scores[own, own + 1] = -np.inf
            yield start, end, scores

    def _label_scores(self, bounds: Indices, states: States, heads: Indices) -> Array:
        """Return the scores of all labels for the arcs from these heads: (N, labels)."""
        dep, head = self._products(states, "label_dep", "label_head")
        firsts = np.repeat(bounds[:-1], np.diff(bounds))
        rows = np.where(heads > 0, firsts + heads - 1, len(heads))
        weight, bias = self._output
        scores: Array = leaky_relu(dep[:-1] + head[rows]) @ weight + bias
        return scores

    def _products(self, states: States, *layers: str) -> Iterator[Array]:
        """Yield the outputs of layers by name: (N + 1, ...), ROOT at the end."""
        return self._inputs.products(states, [self._layers[name] for name in layers])


def _widened(layer: tuple[Array, Array], width: int) -> tuple[Array, Array]:
    """Return a layer with outputs of zero appended."""
    weight, bias = layer
    extra = width - len(bias)
    return np.pad(weight, ((0, 0), (0, extra))), np.pad(bias, (0, extra))


def _widened_rows(weight: Array, width: int) -> Array:
    """Return a weight (ins, outs) with inputs appended that count nothing."""
    return np.pad(weight, ((0, width - len(weight)), (0, 0)))
