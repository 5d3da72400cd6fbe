"""The weights of a model file by their parts, and the vectors of forms and tags made of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from meprop_nlp.config import ParserConfig, TaggerConfig
from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.data.vocab import Vocab
from meprop_nlp.decoding.model_file import ModelFile
from meprop_nlp.errors import MePropError
from meprop_nlp.parsing.transitions import make_system

__all__ = ["ParserWeights", "TaggerWeights"]

Array = npt.NDArray[np.float32]


class TaggerWeights:
    """A tagger's weights.

    Attributes:
        tags: the values of each predicted column, by column name.
        directions: (weight_ih (I, 4H), weight_hh (H, 4H), bias (4H)), left to right and back;
            gates in PyTorch's order i, f, g, o.
        heads: (weight (H + H, tags), bias) of each column.
    """

    def __init__(self, model: ModelFile, lexicon: Lexicon) -> None:
        demand_finite(model)
        arrays = model.arrays
        self.lexicon = lexicon
        self.config = TaggerConfig.from_dict(model.header["config"])
        self.tags: dict[str, list[str]] = model.header["tags"]
        self._words: Array = arrays["words.weight"]  # (V, word_dim)
        self._features: Array = arrays["features.weight"]  # (all features' rows, feature_dim)
        self.directions = [
            (
                arrays[f"lstm.{name}.weight_ih_l0"].T,
                arrays[f"lstm.{name}.weight_hh_l0"].T.copy(),
                arrays[f"lstm.{name}.bias_ih_l0"] + arrays[f"lstm.{name}.bias_hh_l0"],
            )
            for name in ("left_to_right", "right_to_left")
        ]
        self.heads = {
            column: (arrays[f"heads.{column}.weight"].T, arrays[f"heads.{column}.bias"])
            for column in self.tags
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
    """

    def __init__(self, model: ModelFile, lexicon: Lexicon) -> None:
        demand_finite(model)
        arrays = model.arrays
        self.lexicon = lexicon
        self.config = ParserConfig.from_dict(model.header["config"])
        self.tags = {name: Vocab.from_list(tags) for name, tags in model.header["tags"].items()}
        self.labels: list[str] = model.header["labels"]
        self.system = make_system(
            self.config.transition_system,
            len(self.labels),
            root_labels=model.header["root_labels"],
            other_labels=model.header["other_labels"],
        )
        self._words: Array = arrays["words.weight"]  # (V, E)
        self._features: Array = arrays["features.weight"]  # (all features' rows, E)
        self._tags: Array = arrays["tags.weight"]  # (all tags' rows, E)
        self.special: Array = arrays["special.weight"]
        self.label_rows: Array = arrays["labels.weight"]
        self.layers = [
            (arrays[f"layers.{n}.weight"].T, arrays[f"layers.{n}.bias"])
            for n in range(self.config.layers + 1)
        ]

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


def demand_finite(model: ModelFile) -> None:
    """Raise MePropError where a weight is NaN or infinite."""
    for name, array in model.arrays.items():
        if not np.isfinite(array).all():
            raise MePropError(f"the weights {name} are not finite; train the model anew")
