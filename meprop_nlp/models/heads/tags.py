"""The tagging head: a BiLSTM over word forms, and an output layer for each tag column."""

from collections.abc import Collection
from types import ModuleType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from meprop_nlp.config import TaggerConfig
from meprop_nlp.data.lexicon import FormTable, Lexicon
from meprop_nlp.errors import CheckpointError, MePropError
from meprop_nlp.models.encoder import BiLSTM, FormTables, States
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.head import Head
from meprop_nlp.models.parts import Array, tag_lists, take
from meprop_nlp.models.prediction import Indices, Prediction, TextColumn, Values
from meprop_nlp.models.rows import GATES, RowSource, by_panels, padded
from meprop_nlp.models.words import Words
from meprop_nlp.native import core

CACHE_BYTES = 32 << 20
SCORES = {"feats": "ufeats"}  # the scores that have another name than their column


class TagsHead(Head):
    """Predicts UPOS, XPOS and FEATS, or some of these.

    Attributes:
        tags: the values of each predicted column, by column name.
        reference: the network in NumPy.
    """

    name = "tags"
    activity = "tagging"

    def __init__(self, file: ModelFile, lexicon: Lexicon) -> None:
        self.reference = NumpyTagger(file, lexicon)
        self.config, self.tags = self.reference.config, self.reference.tags
        self.reads = ()
        self.fills = tuple(self.tags)
        self.scores = tuple(SCORES.get(column, column) for column in self.tags)
        self._values = {column: Values(texts) for column, texts in self.tags.items()}
        native = core()
        self._tagger = self.reference if native is None else NativeTagger(self.reference, native)

    def annotate(
        self,
        words: Words,
        states: States | None = None,
        *,
        confidence: bool = False,
        keep: Collection[str] = (),
    ) -> Prediction:
        tags = self._tagger.tag(words, confidence=confidence)
        texts = {
            name: TextColumn(values, ids)
            for (name, values), ids in zip(self._values.items(), tags.ids, strict=True)
            if name not in keep
        }
        if tags.confidence is None:
            return Prediction(texts)
        sure = {
            f"{name.upper()}Conf": values
            for name, values in zip(self.tags, tags.confidence, strict=True)
            if name not in keep
        }
        return Prediction(texts, confidence=sure)


class Tags(NamedTuple):
    """The tags of N words.

    Attributes:
        ids: (columns, N) the index of each word's value among those of the column.
        confidence: (columns, N) the softmax of the chosen value; None unless asked for.
    """

    ids: Indices
    confidence: npt.NDArray[np.float32] | None


class NumpyTagger:
    """The network in NumPy, which holds the weights and is the reference of the native one.

    Attributes:
        tags: the values of each predicted column, by column name.
        tables, lstm: the encoder.
        outputs: (weight (units of both directions, tags), bias) of each column.

    Raises:
        CheckpointError, MePropError: see `Head`.
    """

    def __init__(self, file: ModelFile, lexicon: Lexicon) -> None:
        arrays = file.arrays
        self.config = TaggerConfig.from_dict(file.header["config"])
        self.tags = tag_lists(file.header["tags"])
        if not self.tags:
            raise CheckpointError("the model predicts no column")
        self.tables = FormTables(arrays, lexicon)
        self.lstm = BiLSTM(arrays, self.tables.concatenated_width)
        self.outputs = {
            column: (
                take(arrays, f"heads.{column}.weight", len(values), self.lstm.units).T,
                take(arrays, f"heads.{column}.bias", len(values)),
            )
            for column, values in self.tags.items()
        }

    def tag(self, words: Words, *, confidence: bool = False) -> Tags:
        """Predict the columns of all words.

        Raises:
            MePropError: scores are not finite.
        """
        forms = FormTable()
        rows = np.array(forms.add(words.column("form")), np.int64)
        states = self.lstm(self.tables.concatenated(forms.forms()), rows, words.bounds)
        ids, probabilities = [], []
        for weight, bias in self.outputs.values():
            scores = states @ weight + bias
            if not np.isfinite(scores).all():
                raise MePropError("the tagger's weights give scores that are not finite")
            ids.append(scores.argmax(1))
            if confidence:
                probabilities.append(1 / np.exp(scores - scores.max(1, keepdims=True)).sum(1))
        return Tags(
            np.array(ids, np.int32).reshape(len(ids), len(rows)),
            np.array(probabilities, np.float32) if confidence else None,
        )


class NativeTagger:
    """The network on the native core, with packed weights and one folded input row per form."""

    def __init__(self, network: NumpyTagger, native: ModuleType) -> None:
        lanes = native.lanes()
        directions = network.lstm.directions
        weight = np.concatenate([by_panels(weight_ih, lanes) for weight_ih, _, _ in directions], 1)
        bias = np.concatenate([by_panels(bias[None], lanes) for _, _, bias in directions], 1)
        self._forms = RowSource(
            native, ["form"], network.tables.concatenated, weight, bias[0], n_bytes=CACHE_BYTES
        )
        recurrent = [
            # (units, panels x 4 x lanes) -> [panel][unit][gate][lane]
            np.ascontiguousarray(
                by_panels(weight_hh, lanes)
                .reshape(len(weight_hh), -1, GATES, lanes)
                .transpose(1, 0, 2, 3)
            )
            for _, weight_hh, _ in directions
        ]
        outputs, bias, columns = _pack_outputs(network, lanes)
        self._n_columns = len(columns)
        self._decoder = native.TaggerDecoder(*recurrent, outputs, bias, columns)

    def tag(self, words: Words, *, confidence: bool = False) -> Tags:
        """Predict the columns of all words; see `NumpyTagger.tag`."""
        forms = self._forms.find(words)
        ids = np.empty((self._n_columns, len(forms)), np.int32)
        probabilities = np.empty(ids.shape, np.float32) if confidence else None
        try:
            self._decoder.tag(forms, words.bounds, ids, probabilities)
        except ValueError as error:
            raise MePropError(f"the tagger cannot be used: {error}; train it anew") from None
        return Tags(ids, probabilities)


def _pack_outputs(network: NumpyTagger, lanes: int) -> tuple[Array, Array, npt.NDArray[np.int32]]:
    """Return the output layers as [four panels][unit][panel][lane], their biases side by side,
    and the first score and the number of scores of each column.
    """
    n_forward = len(network.lstm.directions[0][1])
    packed, biases, columns = [], [], []
    first = 0
    for weight, bias in network.outputs.values():
        # the rows are padded like the units of each direction
        halves = [padded(half.T, lanes).T for half in (weight[:n_forward], weight[n_forward:])]
        packed.append(padded(np.concatenate(halves), lanes))
        biases.append(padded(bias, lanes))
        columns.append((first, len(bias)))
        first += len(biases[-1])
    all_weights = padded(np.concatenate(packed, 1), GATES * lanes)
    units, scores = all_weights.shape
    panels = all_weights.reshape(units, scores // (GATES * lanes), GATES, lanes)
    return (
        np.ascontiguousarray(panels.transpose(1, 0, 2, 3)),
        padded(np.concatenate(biases), GATES * lanes),
        np.array(columns, np.int32),
    )
