"""The parser's network (Chen & Manning 2014, section 3): 48 embeddings, hidden layers, transitions.

A word's vector is the sum of its form's and its spelling features' embeddings, a tag's the sum over
the tag columns: both depend on one word alone and so can be folded into tables in decoding.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

from meprop_nlp.config import MePropConfig, ParserConfig, dropout_by_width
from meprop_nlp.nn.embedding import dropout, embedding_sum
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.nn.slots import slot_linear
from meprop_nlp.parsing.features import TEMPLATE
from meprop_nlp.simplify.wiring import SimplifiedLayer, wire_stack

__all__ = ["ParserNetwork"]

ACTIVATION_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "cube": lambda x: x * x * x,
    "tanh": torch.tanh,
}


class ParserNetwork(nn.Module):
    """What a state shows of a sentence in, logits of transitions out.

    Args:
        n_words, n_features, n_tags, n_labels: rows of the embedding tables.
        n_transitions: width of the output.
        config, meprop: widths, activation and dropout; how gradients are sparsified. The output
            layer is sparsified too (meProp, section 4.1: for parsing, all layers).
    """

    def __init__(
        self,
        n_words: int,
        n_features: int,
        n_tags: int,
        n_labels: int,
        n_transitions: int,
        config: ParserConfig,
        meprop: MePropConfig,
    ) -> None:
        super().__init__()
        self.dropout = config.dropout
        self.dropout_share = 1.0  # of all rates, see `teacher.DROPOUT_SHARE`
        without = 0.3 if config.dropout is None else config.dropout / 2
        self.input_dropout = without if config.input_dropout is None else config.input_dropout
        self.activation = ACTIVATION_FUNCTIONS[config.activation]
        width = config.embedding_dim
        self.words = nn.Embedding(n_words, width)
        self.features = nn.Embedding(n_features, width)
        self.tags = nn.Embedding(n_tags, width)
        self.special = nn.Embedding(4, width)  # ROOT and NULL as words, ROOT and NULL as tags
        self.labels = nn.Embedding(n_labels + 1, width)  # the last row: no such child
        for table in (self.words, self.features, self.tags, self.special, self.labels):
            nn.init.uniform_(table.weight, -0.1, 0.1)
        widths = [len(TEMPLATE) * width, *[config.hidden] * config.layers]
        self.layers = nn.ModuleList(
            MePropLinear(i, o, k=meprop.k and min(meprop.k, o), topk_mode=meprop.topk_mode)
            for i, o in pairwise([*widths, n_transitions])
        )

    def forward(
        self,
        form_rows: Tensor,
        tag_rows: Tensor,
        form_index: Tensor,
        tag_index: Tensor,
        label_index: Tensor,
    ) -> Tensor:
        """Return logits (B, n_transitions).

        Args:
            form_rows: (U, 8) rows of the distinct forms of the batch in the word and feature
                tables; int32, like the rest.
            tag_rows: (C, tag columns) rows of the distinct tag combinations in the tag table.
            form_index: (B, 18) into ROOT, NULL, then `form_rows`.
            tag_index: (B, 18) into ROOT, NULL, then `tag_rows`.
            label_index: (B, 12) into the label table; -1 where there is no such child.
        """
        words = embedding_sum(self.words.weight, form_rows[:, :1], sparse_grad=True)
        words = words + embedding_sum(self.features.weight, form_rows[:, 1:], sparse_grad=True)
        tags = embedding_sum(self.tags.weight, tag_rows)
        # one table of all that a slot of the batch can hold, few rows, each made once
        special, labels = self.special.weight, self.labels.weight
        table = torch.cat([special[:2], words, special[2:], tags, labels])  # (2 + U + 2 + C + L, E)
        first_tag = 2 + len(words)
        first_label = first_tag + 2 + len(tags)
        no_label = len(table) - 1
        labels_at = torch.where(label_index < 0, no_label, label_index + first_label)
        index = torch.cat([form_index, tag_index + first_tag, labels_at], 1)  # (B, 48)
        first, *others = self._meprop_layers()
        p = self.input_dropout * self.dropout_share
        x = slot_linear(first, table, index, p=p, training=self.training)  # (B, H)
        for layer in others:
            p = dropout_by_width(x.shape[1]) if self.dropout is None else self.dropout
            x = layer(dropout(self.activation(x), p * self.dropout_share, self.training))
        return x

    def simplified_layers(self) -> list[SimplifiedLayer]:
        """Return the hidden layers, each read by the next; input and output are not simplified."""
        return wire_stack(self._meprop_layers(), "layers")

    def _meprop_layers(self) -> list[MePropLinear]:
        return [layer for layer in self.layers if isinstance(layer, MePropLinear)]
