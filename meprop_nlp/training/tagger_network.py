"""The tagger's network: embeddings of form and features, one BiLSTM, one output layer per column.

The papers' model (meProp, section 4.1) but for the second direction.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from meprop_nlp.config import MePropConfig, TaggerConfig
from meprop_nlp.data.lexicon import FEATURES
from meprop_nlp.nn.bilstm import BiLSTM
from meprop_nlp.nn.embedding import dropout, embedding_concat
from meprop_nlp.simplify.cut import Consumer
from meprop_nlp.simplify.wiring import SimplifiedLayer

__all__ = ["TaggerNetwork"]


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
        self.dropout_share = 1.0  # of both rates, see `teacher.DROPOUT_SHARE`
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
        heads = list(self.heads.values())
        return [
            SimplifiedLayer("lstm.forward", forward, [Consumer(head, 0) for head in heads]),
            SimplifiedLayer(
                "lstm.backward",
                backward,
                [Consumer(head, forward.hidden_size) for head in heads],
            ),
        ]
