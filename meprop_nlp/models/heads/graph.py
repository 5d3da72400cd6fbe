"""The graph tree head: scores all arcs of a sentence, and returns the best tree with one root.

Dozat & Manning (2017).
"""

from collections.abc import Collection
from itertools import pairwise
from types import ModuleType

import numpy as np

from meprop_nlp.config import JointConfig
from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.errors import MePropError
from meprop_nlp.models.encoder import SharedEncoder, States
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.head import Head
from meprop_nlp.models.heads.joint_native import NativeGraph, leaky_relu
from meprop_nlp.models.heads.tree_inputs import TreeInputs
from meprop_nlp.models.native_encoder import NativeStates
from meprop_nlp.models.parts import Array, demand_texts, take
from meprop_nlp.models.prediction import Prediction, TextColumn, Values
from meprop_nlp.models.words import Words
from meprop_nlp.parsing.spanning_tree import spanning_tree


class GraphHead(Head):
    """Predicts HEAD and DEPREL.

    Attributes:
        labels: the dependency relations.
    """

    name = "tree"
    activity = "parsing"

    @staticmethod
    def serves(config: JointConfig) -> bool:
        return config.tree == "graph"

    def __init__(self, file: ModelFile, lexicon: Lexicon) -> None:
        self.config = JointConfig.from_dict(file.header["config"])
        self.reads, self.fills = (), ("head", "deprel")
        self.scores = ("uas", "las", "clas", "ucm", "lcm")
        self.labels: list[str] = file.header["labels"]
        demand_texts("labels", self.labels)
        self._values = Values(self.labels)
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
            return Prediction(
                {"deprel": TextColumn(self._values, ids)},
                tree,
                {} if probabilities is None else {"ArcConf": probabilities},
            )
        vectors = {
            name: leaky_relu(hidden) if name.startswith("arc") else hidden
            for name, hidden in zip(
                self._layers, self._inputs.products(states, self._layers.values()), strict=True
            )
        }  # each (N + 1, ...), ROOT at the end
        weight, bias = self._arcs
        dependents = vectors["arc_dep"][:-1] @ weight + bias
        n_words = len(dependents)
        heads = np.zeros(n_words, np.int32)
        rows = np.full(n_words, n_words, np.int64)
        sure = np.ones(n_words, np.float32)
        for start, end in pairwise(words.bounds.tolist()):
            if start == end:
                continue
            candidates = np.concatenate([vectors["arc_head"][-1:], vectors["arc_head"][start:end]])
            scores = dependents[start:end] @ candidates.T  # (n, n + 1)
            if not np.isfinite(scores).all():
                raise MePropError(
                    "the model's weights give scores that are not finite; train it anew"
                )
            own = np.arange(end - start)
            scores[own, own + 1] = -np.inf
            tree = spanning_tree(scores)
            heads[start:end] = tree
            rows[start:end] = np.where(tree > 0, start + tree - 1, n_words)
            if confidence:
                best = scores[own, tree]
                sure[start:end] = 1 / np.exp(scores - best[:, None]).sum(1)
        weight, bias = self._output
        hidden = leaky_relu(vectors["label_dep"][:-1] + vectors["label_head"][rows])
        labels = (hidden @ weight + bias).argmax(1).astype(np.int32)
        return Prediction(
            {"deprel": TextColumn(self._values, labels)},
            heads,
            {"ArcConf": sure} if confidence else {},
        )


def _widened(layer: tuple[Array, Array], width: int) -> tuple[Array, Array]:
    """Return a layer with outputs of zero appended."""
    weight, bias = layer
    extra = width - len(bias)
    return np.pad(weight, ((0, 0), (0, extra))), np.pad(bias, (0, extra))


def _widened_rows(weight: Array, width: int) -> Array:
    """Return a weight (ins, outs) with inputs appended that count nothing."""
    return np.pad(weight, ((0, width - len(weight)), (0, 0)))
