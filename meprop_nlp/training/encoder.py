"""The torch side of the joint model's encoder: words in, a vector of each word in context out."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from meprop_nlp.config import JointConfig, MePropConfig
from meprop_nlp.data.lexicon import FEATURES
from meprop_nlp.data.ngrams import ngram_bags
from meprop_nlp.nn.bilstm import BiLSTM
from meprop_nlp.nn.embedding import dropout, embedding_concat


class Ngrams:
    """The rows of the character n-grams of U distinct forms.

    Args:
        forms: the U forms.
        n_rows: of the table that they are hashed to.
        device: of the tensors.
    """

    def __init__(self, forms: Sequence[str], n_rows: int, device: torch.device) -> None:
        rows, bounds = ngram_bags(forms, n_rows)
        self._rows = torch.from_numpy(rows).to(device)
        self._bounds = torch.from_numpy(bounds).to(device)

    def of(self, forms: Tensor) -> tuple[Tensor, Tensor]:
        """Return the rows of some forms' n-grams and the index of each form's first: (G,), (n,)."""
        firsts, sizes = self._bounds[forms], self._bounds[forms + 1] - self._bounds[forms]
        starts = sizes.cumsum(0) - sizes
        places = torch.arange(int(sizes.sum()), device=forms.device)
        owners = torch.repeat_interleave(torch.arange(len(forms), device=forms.device), sizes)
        return self._rows[firsts[owners] + places - starts[owners]], starts


class Inputs(NamedTuple):
    """What the encoder reads of a minibatch of N words with D distinct forms, packed.

    Attributes:
        rows: (N, 8) int32 rows of the word and feature tables.
        ngrams, starts: the n-grams of the D forms, see `Ngrams.of`.
        form_of: (N,) which of the D forms each word has.
        batch_sizes: (T,) on the CPU, how many sentences have a word at each time step.
    """

    rows: Tensor
    ngrams: Tensor
    starts: Tensor
    form_of: Tensor
    batch_sizes: Tensor


class Encoder(nn.Module):
    """A stack of BiLSTMs over embeddings of form, spelling features and character n-grams.

    Args:
        n_words: rows of the word table.
        n_features: rows of the table that holds all features' values.
        config, meprop: widths and dropout; how gradients are sparsified.
    """

    layers: Sequence[BiLSTM]
    _sizes: Tensor  # of the parts of a word's vector

    def __init__(
        self, n_words: int, n_features: int, config: JointConfig, meprop: MePropConfig
    ) -> None:
        super().__init__()
        self.dropout, self.part_dropout = config.dropout, config.part_dropout
        half = config.dropout / 2
        self.input_dropout = half if config.input_dropout is None else config.input_dropout
        self.dropout_share = 1.0
        self.words = nn.Embedding(n_words, config.word_dim)
        self.features = nn.Embedding(n_features, config.feature_dim)
        self.ngrams = nn.EmbeddingBag(config.ngram_rows, config.ngram_dim, mode="mean", sparse=True)
        for table in (self.words, self.features, self.ngrams):
            nn.init.normal_(table.weight)
        widths = [config.word_dim, *[config.feature_dim] * len(FEATURES), config.ngram_dim]
        self.register_buffer("_sizes", torch.tensor(widths), persistent=False)
        self.input_width = sum(widths)
        width = self.input_width
        layers = []
        for _ in range(config.layers):
            layers.append(BiLSTM(width, config.hidden, k=meprop.k, topk_mode=meprop.topk_mode))
            width = 2 * config.hidden
        self.layers = nn.ModuleList(layers)  # type: ignore[assignment]

    @property
    def width(self) -> int:
        """Return the width of the states."""
        return sum(self.layers[-1].hidden_sizes)

    def forward(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Return the vectors of all words, without and with their context: (N, I), (N, 2H)."""
        words = embedding_concat(self.words.weight, inputs.rows[:, :1], sparse_grad=True)
        features = embedding_concat(self.features.weight, inputs.rows[:, 1:], sparse_grad=True)
        ngrams = self.ngrams(inputs.ngrams, inputs.starts).index_select(0, inputs.form_of)
        x = torch.cat([words, features, ngrams], 1)  # (N, I)
        if self.training and self.part_dropout:
            chance = 1 - self.part_dropout * self.dropout_share
            parts = x.new_empty(len(x), len(self._sizes)).bernoulli_(chance)
            x = x * parts.repeat_interleave(self._sizes, 1)
        x = dropout(x, self.input_dropout * self.dropout_share, self.training)
        states = x
        for layer in self.layers:
            packed, _ = layer(PackedSequence(states, inputs.batch_sizes))
            states = dropout(packed.data, self.dropout * self.dropout_share, self.training)
        return x, states
