"""Training the tagger: its network, a treebank as packed minibatches, the loss, the score on dev.

The papers' model (meProp, section 4.1: POS-Tag), with a second direction: embeddings of form and
features, one BiLSTM, one output layer per column.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from meprop_nlp.config import (
    LEARNING_RATES,
    PRUNE_RATES,
    MePropConfig,
    Settings,
    TaggerConfig,
)
from meprop_nlp.data.lexicon import FEATURES, FormTable
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.vocab import Vocab
from meprop_nlp.nn.bilstm import BiLSTM
from meprop_nlp.nn.embedding import dropout, embedding_concat
from meprop_nlp.simplify.cut import Consumer
from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.batching import (
    by_length,
    fitting_batch_size,
    packed_rows,
    share_of,
)
from meprop_nlp.training.heads.forms import FormRows
from meprop_nlp.training.heads.sentences import SentenceTask, columns_to_predict, unseen
from meprop_nlp.training.simplification.swaps import Swaps
from meprop_nlp.training.simplification.teacher import Teacher, distilled, draw_synthetic


class TaggerNetwork(nn.Module):
    """Rows of forms in, one tensor of logits per predicted column out.

    Args:
        n_words: rows of the word table.
        n_features: rows of the table that holds all features' values.
        n_tags: how many values each predicted column has.
        config, meprop: widths and dropout; how gradients are sparsified. The output layers are
            not sparsified (meProp, section 4.1: for POS tagging, hidden layers only).
    """

    def __init__(
        self,
        n_words: int,
        n_features: int,
        n_tags: Mapping[str, int],
        config: TaggerConfig,
        meprop: MePropConfig,
    ) -> None:
        super().__init__()
        self.dropout = config.dropout
        self.dropout_share = 1.0  # of both rates that applies, see `teacher.DROPOUT_SHARE`
        half = config.dropout / 2
        self.input_dropout = half if config.input_dropout is None else config.input_dropout
        self.words = nn.Embedding(n_words, config.word_dim)
        self.features = nn.Embedding(n_features, config.feature_dim)
        for table in (self.words, self.features):
            nn.init.uniform_(table.weight, -0.1, 0.1)
        self.lstm = BiLSTM(
            config.word_dim + len(FEATURES) * config.feature_dim,
            config.hidden,
            k=meprop.k,
            topk_mode=meprop.topk_mode,
        )
        self.heads = nn.ModuleDict(
            {column: nn.Linear(2 * config.hidden, n) for column, n in n_tags.items()}
        )

    def forward(self, rows: Tensor, batch_sizes: Tensor) -> dict[str, Tensor]:
        """Return logits by column, each (N, tags of the column).

        Args:
            rows: (N, 8) int32 rows of the word and feature tables, packed: all first words of the
                sentences (longest sentence first), then all second words, ...
            batch_sizes: (T,) on the CPU, how many sentences have a word at each time step.
        """
        words = embedding_concat(self.words.weight, rows[:, :1], sparse_grad=True)
        features = embedding_concat(self.features.weight, rows[:, 1:], sparse_grad=True)
        p = self.input_dropout * self.dropout_share
        x = dropout(torch.cat([words, features], 1), p, self.training)  # (N, I)
        packed, _ = self.lstm(PackedSequence(x, batch_sizes))
        p = self.dropout * self.dropout_share
        hidden = dropout(packed.data, p, self.training)  # (N, 2H)
        return {column: head(hidden) for column, head in self.heads.items()}

    def simplified_layers(self) -> list[SimplifiedLayer]:
        """Return both directions; every output layer reads them side by side."""
        forward, backward = self.lstm.left_to_right, self.lstm.right_to_left
        return [
            SimplifiedLayer(name, layer, [Consumer(head, offset) for head in self.heads.values()])
            for name, layer, offset in (
                ("lstm.forward", forward, 0),
                ("lstm.backward", backward, forward.hidden_size),
            )
        ]


@dataclass(frozen=True, slots=True)
class TaggerBatch:
    """Sentences packed: all first words, longest sentence first, then all second words, ..."""

    words: npt.NDArray[np.int64]  # (N,) places in the treebank
    batch_sizes: Tensor  # (T,)
    n_words: int


class TaggerTask(SentenceTask):
    """A tagger's network with its training and dev data.

    Args:
        train, dev, settings, device, sources: see `SentenceTask`. No `columns` means all that
            `train` fills; a `batch_size`, in sentences, of 0 depends on the size of `train`.

    Raises:
        ConfigError: a column to predict is empty in `train`, or k is larger than the layer.
        DataError: `train` has no tags.
    """

    name = "tagger"
    network: TaggerNetwork
    config: TaggerConfig
    config_class = TaggerConfig
    learning_rates: ClassVar[dict[str, float]] = LEARNING_RATES["tagger"]
    # a unit is hit when any of its four gates is kept, so more often than a parser's neuron
    prune_rate: ClassVar[float] = PRUNE_RATES["tagger"]

    def _prepare(self, train: Sequence[Sentence], settings: Settings) -> None:
        config = self.config
        self.batch_size = settings.training.batch_size or fitting_batch_size(
            len(train), smallest=4, largest=32, n_batches=150
        )
        self.main_scores = self.dev_scores = columns_to_predict(train, config.columns)
        tags = {
            name: [tag for sentence in train for tag in sentence.column(name)]
            for name in self.main_scores
        }
        self.tags = {name: Vocab.build(values) for name, values in tags.items()}
        for name, vocab in self.tags.items():
            dev_tags = (tag for sentence in self.dev for tag in sentence.column(name))
            self.warnings += unseen(f"{name} values", dev_tags, vocab)
        n_tags = {name: len(vocab) for name, vocab in self.tags.items()}
        self.network = TaggerNetwork(*self._table_rows(), n_tags, config, settings.meprop)
        self._lengths = np.array([len(sentence) for sentence in train], np.int64)
        self._firsts = np.cumsum(self._lengths) - self._lengths
        table = FormTable()
        form_of = torch.tensor(table.add(form for sentence in train for form in sentence.forms))
        self.form_of = form_of.to(self.device)  # (all words) the number of each word's form
        self.forms = FormRows(table.forms(), self.lexicon, config.word_dropout, self.device)
        self._targets = {
            name: torch.tensor([vocab.index(tag) for tag in tags[name]]).to(self.device)
            for name, vocab in self.tags.items()
        }
        first_column = next(iter(self._targets.values()))
        self._swaps = Swaps(form_of.numpy(), first_column.cpu().numpy())

    @staticmethod
    def word_width(config: TaggerConfig) -> int:
        return config.word_dim

    @property
    def n_batches(self) -> int:
        return -(-len(self._lengths) // self.batch_size)

    def batches(self, rng: np.random.Generator) -> Iterator[TaggerBatch]:
        for members in by_length(self._lengths, self.batch_size, rng):
            words, batch_sizes = packed_rows(self._firsts[members], self._lengths[members])
            yield TaggerBatch(words, torch.from_numpy(batch_sizes), len(words))

    def share(self, batch: TaggerBatch, number: int, size: int) -> tuple[TaggerBatch | None, float]:
        return share_of(batch, number, size, "words")

    def loss(self, batch: TaggerBatch, teacher: Teacher | None = None) -> Tensor:
        words = torch.from_numpy(batch.words).to(self.device)
        forms = self.form_of[words]
        synthetic = teacher is not None and draw_synthetic(self.synthetic)
        if synthetic:
            forms = self._swaps(forms)
        rows = self.forms.rows[forms]
        if teacher:
            answers = self._answers(teacher, rows, words, batch, synthetic=synthetic)
        self.forms.hide(rows, forms)
        logits = self.network(rows, batch.batch_sizes)
        losses = []
        for name in self.tags:
            loss = F.cross_entropy(logits[name], self._targets[name][words])
            if teacher:
                loss = distilled(loss, logits[name], answers[name], synthetic=synthetic)
            losses.append(loss)
        return torch.stack(losses).sum()

    def _answers(
        self, teacher: Teacher, rows: Tensor, words: Tensor, batch: TaggerBatch, *, synthetic: bool
    ) -> dict[str, Tensor]:
        """Return a teacher's logits for a minibatch by column; remembered, unless synthetic."""
        n, widths = len(self.form_of), {name: len(vocab) for name, vocab in self.tags.items()}
        if synthetic or not teacher.remembers(widths, n):
            answers: dict[str, Tensor] = teacher(rows, batch.batch_sizes)
            return answers
        return teacher.recall(words, self._all_answers(teacher), widths, n)

    def _all_answers(self, teacher: Teacher) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
        """Yield numbers of words and a teacher's logits by column, until all words had theirs."""
        for batch in self.batches(np.random.default_rng(0)):
            words = torch.from_numpy(batch.words).to(self.device)
            yield words, teacher(self.forms.rows[self.form_of[words]], batch.batch_sizes)


TASK = TaggerTask
