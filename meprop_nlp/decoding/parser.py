"""A trained parser over plain arrays: greedy transitions, all sentences of a chunk in step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from meprop_nlp.config import ParserConfig
from meprop_nlp.data.lexicon import FormTable
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.vocab import Vocab
from meprop_nlp.decoding.model_file import ModelFile
from meprop_nlp.decoding.predictor import Predictor
from meprop_nlp.errors import MePropError
from meprop_nlp.parsing.features import extract, extract_labels
from meprop_nlp.parsing.projectivity import deprojectivize
from meprop_nlp.parsing.state import State
from meprop_nlp.parsing.transitions import make_system

__all__ = ["ACTIVATION_FUNCTIONS", "FrozenParser", "tag_rows"]

Array = npt.NDArray[np.float32]

ACTIVATION_FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "relu": lambda x: np.maximum(x, 0),
    "cube": lambda x: x * x * x,
    "tanh": lambda x: np.tanh(x),
}


def tag_rows(
    sentences: Sequence[Sentence], vocabularies: dict[str, Vocab]
) -> list[npt.NDArray[np.int64]]:
    """Return each sentence's tags as rows of one table: (n_words, number of tag columns)."""
    offset = 0
    columns = []
    for name, vocab in vocabularies.items():
        columns.append(
            [[offset + vocab.index(tag) for tag in sentence.column(name)] for sentence in sentences]
        )
        offset += len(vocab)
    if not columns:
        return [np.empty((len(sentence), 0), np.int64) for sentence in sentences]
    return [np.array(rows, np.int64).T for rows in zip(*columns, strict=True)]


class FrozenParser(Predictor):
    """A parser that only predicts. Made by `load`, or by `ParserTask.frozen`.

    Attributes:
        config: the settings it was trained with.
        tags: the vocabulary of each tag column it reads, by column name.
        labels: dependency relations by index, in the encoding of `config.nonprojective`.
    """

    task = "parser"

    def __init__(self, model: ModelFile) -> None:
        super().__init__(model)
        self.config = ParserConfig.from_dict(model.header["config"])
        self.tags = {name: Vocab.from_list(tags) for name, tags in model.header["tags"].items()}
        self.labels: list[str] = model.header["labels"]
        self.system = make_system(
            self.config.transition_system,
            len(self.labels),
            root_labels=model.header["root_labels"],
            other_labels=model.header["other_labels"],
        )
        arrays = model.arrays
        self._words: Array = arrays["words.weight"]  # (V, E)
        self._features: Array = arrays["features.weight"]  # (all features' rows, E)
        self._tags: Array = arrays["tags.weight"]  # (all tags' rows, E)
        self._special: Array = arrays["special.weight"]  # (2 x 2, E): ROOT and NULL as word, as tag
        self._label_rows: Array = arrays["labels.weight"]  # (labels + 1, E); the last: no label
        self._layers = [
            (arrays[f"layers.{n}.weight"].T, arrays[f"layers.{n}.bias"])
            for n in range(self.config.layers + 1)
        ]

    @property
    def predicted(self) -> tuple[str, ...]:
        return ("uas", "las", "clas", "ucm", "lcm")

    def _predict(self, chunk: Sequence[Sentence]) -> Iterator[dict[str, Any]]:
        for sentence, state in zip(chunk, self._parse(chunk), strict=True):
            heads, labels = state.tree()
            deprels = [self.labels[label] for label in labels]
            if self.config.nonprojective == "pseudo":
                heads, deprels = deprojectivize(heads, deprels)
            # enhanced dependencies would be stale beside new heads
            yield {"head": heads, "deprel": deprels, "deps": ["_"] * len(sentence)}

    def _parse(self, chunk: Sequence[Sentence]) -> list[State]:
        words, tags, firsts = self._embed(chunk)
        states = [self.system.initial(len(sentence)) for sentence in chunk]
        live = [i for i, sentence in enumerate(chunk) if len(sentence)]
        while live:
            extracted = [extract(states[i]) for i in live]
            positions = np.array(extracted, np.int64)  # (n, 18)
            labels = np.array(
                [extract_labels(states[i], at) for i, at in zip(live, extracted, strict=True)],
                np.int64,
            )  # (n, 12)
            # each sentence's block of rows is ROOT, its words, NULL; position -1 is NULL
            sizes = np.array([len(chunk[i]) + 2 for i in live])[:, None]
            rows = firsts[live][:, None] + np.where(positions < 0, sizes - 1, positions)
            hidden = np.concatenate(
                [part.reshape(len(live), -1) for part in (words[rows], tags[rows])]
                + [self._label_rows[labels].reshape(len(live), -1)],
                1,
            )  # (n, 48 E)
            scores = self._score(hidden)
            masks = self.system.masks[[self.system.mask_index(states[i]) for i in live]]
            chosen = np.where(masks, scores, -np.inf).argmax(1).tolist()
            for i, transition in zip(live, chosen, strict=True):
                self.system.apply(states[i], transition)
            live = [i for i in live if not states[i].is_terminal()]
        return states

    def _embed(self, chunk: Sequence[Sentence]) -> tuple[Array, Array, npt.NDArray[np.int64]]:
        """Return the word and tag vectors of a chunk, and where each sentence's rows start."""
        table = FormTable()
        numbered = [np.array(table.add(sentence.forms), np.int64) + 2 for sentence in chunk]
        rows = self.lexicon.encode(table.forms())
        by_form = np.concatenate(
            [self._special[:2], self._words[rows[:, 0]] + self._features[rows[:, 1:]].sum(1)]
        )
        root, null = np.array([0]), np.array([1])
        words = by_form[np.concatenate([p for n in numbered for p in (root, n, null)])]
        tags = np.concatenate(
            [
                part
                for rows in tag_rows(chunk, self.tags)
                for part in (self._special[2:3], self._tags[rows].sum(1), self._special[3:4])
            ]
        )
        sizes = np.array([len(sentence) + 2 for sentence in chunk])
        return words, tags, np.cumsum(sizes) - sizes

    def _score(self, hidden: Array) -> Array:
        activation = ACTIVATION_FUNCTIONS[self.config.activation]
        for weight, bias in self._layers[:-1]:
            hidden = activation(hidden @ weight + bias)
        weight, bias = self._layers[-1]
        scores: Array = hidden @ weight + bias
        if not np.isfinite(scores).all():
            raise MePropError("the parser's weights give scores that are not finite; train it anew")
        return scores
