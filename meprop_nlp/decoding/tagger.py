"""A trained tagger over plain arrays: forms to rows, one BiLSTM, one argmax per column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from meprop_nlp.config import TaggerConfig
from meprop_nlp.data.lexicon import FormTable
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.decoding.model_file import ModelFile
from meprop_nlp.decoding.predictor import Predictor

__all__ = ["FrozenTagger"]

Array = npt.NDArray[np.float32]


class FrozenTagger(Predictor):
    """A tagger that only predicts. Made by `load`, or by `TaggerTask.frozen`.

    Attributes:
        config: the settings it was trained with.
        tags: the values of each predicted column, by column name.
    """

    task = "tagger"

    def __init__(self, model: ModelFile) -> None:
        super().__init__(model)
        self.config = TaggerConfig.from_dict(model.header["config"])
        self.tags: dict[str, list[str]] = model.header["tags"]
        arrays = model.arrays
        self._words: Array = arrays["words.weight"]  # (V, word_dim)
        self._features: Array = arrays["features.weight"]  # (all features' rows, feature_dim)
        self._directions = [
            (
                arrays[f"lstm.{name}.weight_ih_l0"].T,  # (I, 4H)
                arrays[f"lstm.{name}.weight_hh_l0"].T.copy(),  # (H, 4H)
                arrays[f"lstm.{name}.bias_ih_l0"] + arrays[f"lstm.{name}.bias_hh_l0"],
            )
            for name in ("left_to_right", "right_to_left")
        ]
        self._heads = {
            column: (arrays[f"heads.{column}.weight"].T, arrays[f"heads.{column}.bias"])
            for column in self.tags
        }

    @property
    def predicted(self) -> tuple[str, ...]:
        return tuple({"feats": "ufeats"}.get(column, column) for column in self.tags)

    def _predict(self, chunk: Sequence[Sentence]) -> Iterator[dict[str, Any]]:
        table = FormTable()
        numbered = [np.array(table.add(sentence.forms), np.int64) for sentence in chunk]
        rows = self.lexicon.encode(table.forms())
        features = self._features[rows[:, 1:]]  # (D, 7, feature_dim) for D distinct forms
        width = features.shape[1] * features.shape[2]  # -1 fails where there are no words
        inputs = np.concatenate(
            [self._words[rows[:, 0]], features.reshape(len(rows), width)], 1
        )  # (D, I)
        order = sorted(range(len(chunk)), key=lambda i: -len(numbered[i]))
        lengths = np.array([len(numbered[i]) for i in order])
        ends = np.cumsum(lengths)
        words = np.concatenate([numbered[i] for i in order])  # (N,), sentence after sentence
        hidden = np.concatenate(
            [
                _lstm(inputs @ weight_ih + bias, weight_hh, words, lengths, reverse=bool(backward))
                for backward, (weight_ih, weight_hh, bias) in enumerate(self._directions)
            ],
            1,
        )  # (N, H forward + H backward)
        best = {
            column: (hidden @ weight + bias).argmax(1).tolist()
            for column, (weight, bias) in self._heads.items()
        }
        spans = dict(zip(order, zip(ends - lengths, ends, strict=True), strict=True))
        for number in range(len(chunk)):
            start, end = spans[number]
            yield {
                column: [self.tags[column][tag] for tag in tags[start:end]]
                for column, tags in best.items()
            }


def _lstm(
    table: Array,
    weight_hh: Array,
    words: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    *,
    reverse: bool,
) -> Array:
    """Run one direction over sentences sorted longest first.

    Args:
        table: (D, 4H), the input product of each distinct form, biases included.
        weight_hh: (H, 4H).
        words: (N,) rows of `table`, sentence after sentence.
        lengths: (S,) descending.

    Returns:
        (N, H), in the order of `words`.
    """
    width = weight_hh.shape[0]
    output = np.empty((len(words), width), np.float32)
    firsts = np.cumsum(lengths) - lengths
    h = np.zeros((len(lengths), width), np.float32)
    c = np.zeros_like(h)
    for step in range(int(lengths[0]) if len(lengths) else 0):
        live = int(np.searchsorted(-lengths, -step))  # sentences longer than `step`
        at = firsts[:live] + (lengths[:live] - 1 - step if reverse else step)
        gates = h[:live] @ weight_hh
        gates += table[words[at]]
        i, f, g, o = (gates[:, n * width : (n + 1) * width] for n in range(4))
        c[:live] = _sigmoid(f) * c[:live] + _sigmoid(i) * np.tanh(g)
        h[:live] = _sigmoid(o) * np.tanh(c[:live])
        output[at] = h[:live]
    return output


def _sigmoid(x: Array) -> Array:
    # tanh does not overflow
    return 0.5 * np.tanh(0.5 * x) + 0.5  # type: ignore[no-any-return]
