"""The parser's network in NumPy: the weights, and the reference of the native parser."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from meprop_nlp.config import ParserConfig
from meprop_nlp.data.lexicon import FormTable, Lexicon
from meprop_nlp.data.vocab import Vocab
from meprop_nlp.errors import CheckpointError, MePropError
from meprop_nlp.models.encoder import FormTables
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.parts import (
    Array,
    demand_size,
    demand_texts,
    demand_unknown_entries,
    tag_lists,
    take,
)
from meprop_nlp.models.prediction import Indices
from meprop_nlp.models.words import Words, joined
from meprop_nlp.parsing.features import LABEL_POSITIONS, POSITIONS, extract, extract_labels
from meprop_nlp.parsing.projectivity import LIFTED
from meprop_nlp.parsing.transitions import (
    SWAPS_PER_WORD,
    ArcStandardSwap,
    TransitionSystem,
    make_system,
)

ACTIVATION_FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "relu": lambda x: np.maximum(x, 0),
    "cube": lambda x: x * x * x,
    "tanh": lambda x: np.tanh(x),
}

# Far more than any real model has. Folding makes 18 hidden layers of each word, 12 of each label.
MOST_NEURONS = MOST_LABELS = 1 << 16
MOST_LABEL_WEIGHTS = 1 << 24


class Trees(NamedTuple):
    """The trees of N words.

    Attributes:
        heads: (N,) the id of each word's head in its sentence, 0 for ROOT.
        labels: (N,) label ids.
        confidence: (N,) the softmax, among the valid transitions, of the one that attached the
            word; None unless asked for.
    """

    heads: Indices
    labels: Indices
    confidence: npt.NDArray[np.float32] | None


class Exploration(NamedTuple):
    """The states of a parser that follows its own choices: N words, 2 N states.

    Attributes:
        followed: (2 N,) int32, the transition with the best score in each state, which was made.
        targets: (2 N,) int32, the one with the best score among those that the oracle returns.
    """

    followed: Indices
    targets: Indices


class NumpyParser:
    """The network in NumPy, which holds the weights and is the reference of the native one.

    All sentences are parsed in step.

    Attributes:
        tags: the vocabulary of each tag column it reads, by column name.
        labels: dependency relations by index, in the encoding of `config.nonprojective`.
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
        self.labels: list[str] = file.header["labels"]
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
        demand_texts("labels", self.labels)
        demand_size("labels", len(self.labels), MOST_LABELS)
        if self.config.nonprojective == "pseudo":
            demand_texts("labels", [label.partition(LIFTED)[0] for label in self.labels])
        allowed = {name: file.header[name] for name in ("root_labels", "other_labels")}
        for name, labels in allowed.items():
            if not isinstance(labels, list) or not all(type(label) is int for label in labels):
                raise CheckpointError(f"the model's {name} are not a list of whole numbers")
        system = make_system(self.config.transition_system, len(self.labels), **allowed)
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
        system = self.system
        probabilities = np.ones(int(words.bounds[-1]), np.float32)
        run = _InStep(self, words)
        while run.live:
            scores = run.scores()
            chosen = scores.argmax(1).tolist()
            before = [run.states[i].stack[-2:] for i in run.live] if confidence else []
            live = run.live
            run.apply(chosen)
            if confidence:
                best = 1 / np.exp(scores - scores.max(1, keepdims=True)).sum(1)
                for n, (i, transition) in enumerate(zip(live, chosen, strict=True)):
                    if transition >= system.left_start:
                        (child,) = set(before[n]) - set(run.states[i].stack)
                        probabilities[words.bounds[i] + child - 1] = best[n]
        trees = [state.tree() for state in run.states]
        return Trees(
            np.array([head for heads, _ in trees for head in heads], np.int32),
            np.array([label for _, labels in trees for label in labels], np.int32),
            probabilities if confidence else None,
        )

    def explore(self, words: Words, heads: Indices, labels: Indices) -> Exploration:
        """Parse, and ask the dynamic oracle in each state; `heads` and `labels` (N,) are gold.

        Raises:
            ConfigError: the transition system has no dynamic oracle.
            MePropError: scores are not finite.
        """
        # only training explores: decoding starts faster without the import
        from meprop_nlp.parsing.oracles import DynamicOracle

        spans = [slice(*span) for span in pairwise(words.bounds.tolist())]
        oracles = [
            DynamicOracle(self.system, heads[span].tolist(), labels[span].tolist())
            for span in spans
        ]
        followed: list[list[int]] = [[] for _ in spans]
        targets: list[list[int]] = [[] for _ in spans]
        run = _InStep(self, words)
        while run.live:
            scores = run.scores()
            chosen = scores.argmax(1).tolist()
            for i, row, transition in zip(run.live, scores, chosen, strict=True):
                right = oracles[i].next(run.states[i])
                followed[i].append(transition)
                targets[i].append(right[int(row[list(right)].argmax())])
            run.apply(chosen)
        flat = (
            np.array([t for one in each for t in one], np.int32) for each in (followed, targets)
        )
        return Exploration(*flat)

    def score(self, hidden: Array) -> Array:
        """Return the scores of all transitions for the network's inputs: (n, transitions)."""
        activation = ACTIVATION_FUNCTIONS[self.config.activation]
        for weight, bias in self.layers[:-1]:
            hidden = activation(hidden @ weight + bias)
        weight, bias = self.layers[-1]
        scores: Array = hidden @ weight + bias
        if not np.isfinite(scores).all():
            raise MePropError("the parser's weights give scores that are not finite; train it anew")
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


class _InStep:
    """Sentences that are parsed together, one transition of each at a time.

    Attributes:
        states: the state of each sentence.
        live: the indices of the sentences that are not finished.
    """

    def __init__(self, parser: NumpyParser, words: Words) -> None:
        self._parser = parser
        self._word_rows, self._tag_rows, self._firsts = parser.embed(words)
        self._lengths = np.diff(words.bounds)
        system = self._parser.system
        self.states = [system.initial(length) for length in self._lengths.tolist()]
        self._swaps_left = [SWAPS_PER_WORD * length for length in self._lengths.tolist()]
        self.live = [i for i, state in enumerate(self.states) if not state.is_terminal()]

    def scores(self) -> Array:
        """Return the scores of all transitions, -inf for invalid ones: (live, transitions)."""
        system, live = self._parser.system, self.live
        extracted = [extract(self.states[i], b0_has_children=system.b0_has_children) for i in live]
        positions = np.array(extracted, np.int64)  # (n, 18)
        labels = np.array(
            [extract_labels(self.states[i], at) for i, at in zip(live, extracted, strict=True)],
            np.int64,
        )  # (n, 12)
        # each sentence's block of rows is ROOT, its words, NULL; position -1 is NULL
        ends = self._lengths[live][:, None] + 1
        rows = self._firsts[live][:, None] + np.where(positions < 0, ends, positions)
        parts = self._word_rows[rows], self._tag_rows[rows], self._parser.label_rows[labels]
        hidden = np.concatenate([part.reshape(len(live), -1) for part in parts], 1)  # (n, 48 E)
        masks = system.masks[[self._mask_index(i) for i in live]]
        return np.where(masks, self._parser.score(hidden), -np.inf)

    def apply(self, transitions: Sequence[int]) -> None:
        """Apply one transition to each sentence that is not finished."""
        system = self._parser.system
        for i, transition in zip(self.live, transitions, strict=True):
            if 0 < transition < system.left_start:
                self._swaps_left[i] -= 1
            system.apply(self.states[i], transition)
        self.live = [i for i in self.live if not self.states[i].is_terminal()]

    def _mask_index(self, i: int) -> int:
        system, state = self._parser.system, self.states[i]
        if isinstance(system, ArcStandardSwap) and self._swaps_left[i] <= 0:
            return system.mask_index_without_swap(state)
        return system.mask_index(state)
