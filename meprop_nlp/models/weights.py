"""The weights of a model file by their parts, and the vectors of forms and tags made of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from meprop_nlp.config import ParserConfig, TaggerConfig
from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.data.vocab import Vocab
from meprop_nlp.errors import CheckpointError
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.parts import (
    Array,
    demand_known,
    demand_size,
    demand_texts,
    tag_lists,
    take,
)
from meprop_nlp.parsing.features import LABEL_POSITIONS, POSITIONS
from meprop_nlp.parsing.projectivity import LIFTED
from meprop_nlp.parsing.transitions import TransitionSystem, make_system

__all__ = ["Array", "ParserWeights", "TaggerWeights"]

# Far more than any use. Folded, the first layer has 18 hidden layers a word and 12 a label.
MOST_NEURONS = MOST_LABELS = 1 << 16
MOST_LABEL_WEIGHTS = 1 << 24


class TaggerWeights:
    """A tagger's weights.

    Attributes:
        tags: the values of each predicted column, by column name.
        directions: (weight_ih (I, 4H), weight_hh (H, 4H), bias (4H)), left to right and back;
            gates in PyTorch's order i, f, g, o.
        heads: (weight (H + H, tags), bias) of each column.

    Raises:
        CheckpointError: the parts do not fit together.
        MePropError: a weight is not finite, or a setting unknown.
    """

    def __init__(self, model: ModelFile, lexicon: Lexicon) -> None:
        arrays = model.arrays
        self.lexicon = lexicon
        demand_known(lexicon)
        self.config = TaggerConfig.from_dict(model.header["config"])
        self.tags = tag_lists(model.header["tags"])
        if not self.tags:
            raise CheckpointError("the model predicts no column")
        self._words = take(arrays, "words.weight", len(lexicon.forms), None)  # (V, word_dim)
        n_features = int(lexicon.feature_offsets[-1])
        self._features = take(arrays, "features.weight", n_features, None)  # (rows, feature_dim)
        inputs = self._words.shape[1] + len(lexicon.features) * self._features.shape[1]
        self.directions = []
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
        units = sum(len(weight_hh) for _, weight_hh, _ in self.directions)
        self.heads = {
            column: (
                take(arrays, f"heads.{column}.weight", len(values), units).T,
                take(arrays, f"heads.{column}.bias", len(values)),
            )
            for column, values in self.tags.items()
        }

    def form_vectors(self, forms: Sequence[str]) -> Array:
        """Return the LSTM's input for each form: (n, I)."""
        rows = self.lexicon.encode(forms)
        features = self._features[rows[:, 1:]]  # (n, 7, feature_dim)
        width = features.shape[1] * features.shape[2]  # -1 fails where there are no words
        return np.concatenate([self._words[rows[:, 0]], features.reshape(len(rows), width)], 1)


class ParserWeights:
    """A parser's weights.

    Attributes:
        tags: the vocabulary of each tag column it reads, by column name.
        labels: dependency relations by index, in the encoding of `config.nonprojective`.
        special: (4, E) ROOT and NULL as words, then as tags.
        label_rows: (labels + 1, E); the last: no label.
        layers: (weight (inputs, outputs), bias), the first to the last.

    Raises:
        CheckpointError: the parts do not fit together.
        MePropError: a weight is not finite, or a setting unknown.
    """

    def __init__(self, model: ModelFile, lexicon: Lexicon) -> None:
        arrays = model.arrays
        self.lexicon = lexicon
        self.config = ParserConfig.from_dict(model.header["config"])
        tags = tag_lists(model.header["tags"])
        self.tags = {name: Vocab.from_list(values) for name, values in tags.items()}
        demand_known(lexicon, list(self.tags.values()))
        self.labels: list[str] = model.header["labels"]
        self.system = self._make_system(model)
        self.special = take(arrays, "special.weight", 4, None)
        e = self.special.shape[1]
        n_features = int(lexicon.feature_offsets[-1])
        n_tags = sum(map(len, self.tags.values()))
        self._words = take(arrays, "words.weight", len(lexicon.forms), e)
        self._features = take(arrays, "features.weight", n_features, e)
        # a table has a row even where nothing is looked up in it
        self._tags = take(arrays, "tags.weight", max(1, n_tags), e)
        self.label_rows = take(arrays, "labels.weight", len(self.labels) + 1, e)
        self.layers: list[tuple[Array, Array]] = []
        inputs = (2 * len(POSITIONS) + len(LABEL_POSITIONS)) * e
        for n in range(self.config.layers + 1):
            is_last = n == self.config.layers
            outputs = self.system.n_transitions if is_last else None
            weight = take(arrays, f"layers.{n}.weight", outputs, inputs)
            inputs = len(weight)
            self.layers.append((weight.T, take(arrays, f"layers.{n}.bias", inputs)))
            if not is_last:
                demand_size("neurons in a layer", inputs, MOST_NEURONS)
        size = len(self.label_rows) * self.layers[0][0].shape[1]
        demand_size("labels times neurons", size, MOST_LABEL_WEIGHTS)

    def _make_system(self, model: ModelFile) -> TransitionSystem:
        demand_texts("labels", self.labels)
        demand_size("labels", len(self.labels), MOST_LABELS)
        if self.config.nonprojective == "pseudo":
            demand_texts("labels", [label.partition(LIFTED)[0] for label in self.labels])
        allowed = {name: model.header[name] for name in ("root_labels", "other_labels")}
        for name, labels in allowed.items():
            if not isinstance(labels, list) or not all(type(label) is int for label in labels):
                raise CheckpointError(f"the model's {name} are no list of whole numbers")
        system = make_system(self.config.transition_system, len(self.labels), **allowed)
        if model.header.get("template", 1) != system.template:
            raise CheckpointError(
                f"the model's features are not those of {system.name} in this version of "
                "meprop_nlp: another one trained it; use that, or train it anew"
            )
        return system

    def form_vectors(self, forms: Sequence[str]) -> Array:
        """Return the word vector of each form: (n, E)."""
        rows = self.lexicon.encode(forms)
        vectors: Array = self._words[rows[:, 0]] + self._features[rows[:, 1:]].sum(1)
        return vectors

    def tag_vectors(self, keys: Sequence[str]) -> Array:
        """Return the tag vector of each key, a word's tag columns joined with tabs: (n, E)."""
        rows, offset = [], 0
        parts = [key.split("\t") for key in keys]
        for column, vocab in enumerate(self.tags.values()):
            rows.append([offset + vocab.index(part[column]) for part in parts])
            offset += len(vocab)
        if not rows:
            return np.zeros((len(keys), self._tags.shape[1]), np.float32)
        vectors: Array = self._tags[np.array(rows, np.int64).T].sum(1)
        return vectors
