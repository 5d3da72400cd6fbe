"""The parser's network in NumPy: the weights, and the reference of the native parser."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from meprop_nlp.config import ParserConfig
from meprop_nlp.data.lexicon import FormTable, Lexicon
from meprop_nlp.data.vocab import Vocab
from meprop_nlp.errors import CheckpointError
from meprop_nlp.models.encoder import FormTables
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.heads.in_step import Exploration, InStep, Trees
from meprop_nlp.models.heads.relations import Relations
from meprop_nlp.models.parts import (
    Array,
    demand_size,
    demand_unknown_entries,
    tag_lists,
    take,
)
from meprop_nlp.models.prediction import Indices
from meprop_nlp.models.words import Words, joined
from meprop_nlp.parsing.features import LABEL_POSITIONS, POSITIONS, extract, extract_labels
from meprop_nlp.parsing.state import State
from meprop_nlp.parsing.transitions import TransitionSystem

ACTIVATION_FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "relu": lambda x: np.maximum(x, 0),
    "cube": lambda x: x * x * x,
    "tanh": lambda x: np.tanh(x),
}

# Far more than any real model has. Folding makes 18 hidden layers of each word, 12 of each label.
MOST_NEURONS = 1 << 16
MOST_LABEL_WEIGHTS = 1 << 24


class NumpyParser:
    """The network in NumPy, which holds the weights and is the reference of the native one.

    All sentences are parsed in step.

    Attributes:
        tags: the vocabulary of each tag column it reads, by column name.
        labels: dependency relations by index, in the encoding of `config.nonprojective`.
        relations: what these stand for.
        system: the transition system.
        special: (4, E) ROOT and NULL as words, then as tags.
        label_rows: (labels + 1, E) the embeddings of the labels; the last row is for no label.
        layers: (weight (inputs, outputs), bias), the first to the last.

    Raises:
        CheckpointError, MePropError: see `Head`.
    """

    def __init__(self, file: ModelFile, lexicon: Lexicon) -> None:
        arrays = file.arrays
        self.config = ParserConfig.from_dict(file.header["config"])
        tags = tag_lists(file.header["tags"])
        self.tags = {name: Vocab.from_list(values) for name, values in tags.items()}
        demand_unknown_entries(*self.tags.values())
        self.relations = Relations(file.header, lifted=self.config.nonprojective == "pseudo")
        self.labels = self.relations.labels
        self.system = self._make_system(file)
        self.special = take(arrays, "special.weight", 4, None)
        e = self.special.shape[1]
        self.tables = FormTables(arrays, lexicon, width=e)
        n_tags = sum(map(len, self.tags.values()))
        # without tags the table still has one row, which is not used
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

    def _make_system(self, file: ModelFile) -> TransitionSystem:
        system = self.relations.system(self.config.transition_system)
        if file.header.get("template", 1) != system.template:
            raise CheckpointError(
                f"the model's features are not those of {system.name} in this version of "
                "meprop_nlp: another one trained it; use that, or train it anew"
            )
        return system

    def tag_vectors(self, keys: Sequence[str]) -> Array:
        """Return the tag vector of each key, the tag columns of a word joined with tabs: (n, E)."""
        vectors: Array = self._tags[rows_of_tags(keys, self.tags)].sum(1)
        return vectors

    def parse(self, words: Words, *, confidence: bool = False) -> Trees:
        """Predict heads and labels of all words.

        Raises:
            MePropError: scores are not finite.
        """
        return self._in_step(words).parse(confidence=confidence)

    def explore(self, words: Words, heads: Indices, labels: Indices) -> Exploration:
        """Parse, and ask the dynamic oracle in each state; `heads` and `labels` (N,) are gold.

        Raises:
            ConfigError: the transition system has no dynamic oracle.
            MePropError: scores are not finite.
        """
        return self._in_step(words).explore(heads, labels)

    def _in_step(self, words: Words) -> InStep:
        """Return the words' sentences before their first transition."""
        word_rows, tag_rows, roots = self.embed(words)
        lengths = np.diff(words.bounds)
        b0_has_children = self.system.b0_has_children

        def score(sentences: Sequence[int], states: Sequence[State]) -> Array:
            extracted = [extract(state, b0_has_children=b0_has_children) for state in states]
            found = [extract_labels(*pair) for pair in zip(states, extracted, strict=True)]
            positions, labels = np.array(extracted, np.int64), np.array(found, np.int64)
            chosen = list(sentences)
            # each sentence's block of rows is ROOT, its words, NULL; position -1 is NULL
            ends = lengths[chosen][:, None] + 1
            rows = roots[chosen][:, None] + np.where(positions < 0, ends, positions)  # (n, 18)
            parts = word_rows[rows], tag_rows[rows], self.label_rows[labels]
            hidden = np.concatenate([part.reshape(len(chosen), -1) for part in parts], 1)
            return self.score(hidden)  # of (n, 48 E)

        return InStep(self.system, words.bounds, score)

    def score(self, hidden: Array) -> Array:
        """Return the scores of all transitions for the network's inputs: (n, transitions)."""
        activation = ACTIVATION_FUNCTIONS[self.config.activation]
        for weight, bias in self.layers[:-1]:
            hidden = activation(hidden @ weight + bias)
        weight, bias = self.layers[-1]
        scores: Array = hidden @ weight + bias
        return scores

    def embed(self, words: Words) -> tuple[Array, Array, npt.NDArray[np.int64]]:
        """Return the vectors of words and of their tags, and the row of each sentence's ROOT."""
        special = self.special
        forms, tags = FormTable(), FormTable()
        by_word = np.array(forms.add(words.column("form")), np.int64) + 2
        by_tag = np.array(tags.add(joined(words, list(self.tags))), np.int64) + 2
        word_table = np.concatenate([special[:2], self.tables.summed(forms.forms())])
        tag_table = np.concatenate([special[2:], self.tag_vectors(tags.forms())])
        lengths = np.diff(words.bounds)
        # each sentence is ROOT, its words, NULL
        root = words.bounds[:-1] + 2 * np.arange(len(lengths))
        order = np.zeros((2, len(by_word) + 2 * len(lengths)), np.int64)
        places = np.arange(len(by_word)) + 1 + 2 * np.repeat(np.arange(len(lengths)), lengths)
        order[0, places], order[1, places] = by_word, by_tag
        order[:, root + lengths + 1] = 1
        return word_table[order[0]], tag_table[order[1]], root


def rows_of_tags(keys: Sequence[str], columns: Mapping[str, Vocab]) -> npt.NDArray[np.int64]:
    """Return the rows of tags in the table of all columns' tags: (n, columns).

    Args:
        keys: the tags of each word in these columns, joined with tabs.
        columns: the vocabularies, whose rows stand one after the other.
    """
    rows, offset = [], 0
    parts = [key.split("\t") for key in keys]
    for column, vocab in enumerate(columns.values()):
        rows.append([offset + vocab.index(part[column]) for part in parts])
        offset += len(vocab)
    return np.array(rows, np.int64).reshape(len(rows), len(keys)).T
