"""The parser's network (Chen & Manning 2014, section 3): 48 embeddings, hidden layers, transitions.

A word's vector is the sum of its form's and its spelling features' embeddings, a tag's the sum over
the tag columns: both depend on one word alone and so can be folded into tables in decoding.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from meprop_nlp.config import MePropConfig, ParserConfig
from meprop_nlp.nn.cut import Consumer
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.nn.simplify import SimplifiedLayer
from meprop_nlp.parsing.features import TEMPLATE

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
            MePropLinear(i, o, k=meprop.k, topk_mode=meprop.topk_mode)
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
                tables.
            tag_rows: (C, tag columns) rows of the distinct tag combinations in the tag table.
            form_index: (B, 18) into ROOT, NULL, then `form_rows`.
            tag_index: (B, 18) into ROOT, NULL, then `tag_rows`.
            label_index: (B, 12) into the label table; -1 where there is no such child.
        """
        words = self.words(form_rows[:, 0]) + self.features(form_rows[:, 1:]).sum(1)  # (U, E)
        words = torch.cat([self.special.weight[:2], words])
        tags = torch.cat([self.special.weight[2:], self.tags(tag_rows).sum(1)])
        label_index = torch.where(label_index < 0, len(self.labels.weight) - 1, label_index)
        x = torch.cat(
            [
                F.embedding(form_index, words).flatten(1),
                F.embedding(tag_index, tags).flatten(1),
                self.labels(label_index).flatten(1),
            ],
            1,
        )  # (B, 48 E)
        x = F.dropout(x, self.dropout / 2, self.training)
        for layer in self.layers[:-1]:
            x = F.dropout(self.activation(layer(x)), self.dropout, self.training)
        logits: Tensor = self.layers[-1](x)
        return logits

    def simplified_layers(self) -> list[SimplifiedLayer]:
        """Return the hidden layers, each read by the next; input and output are not simplified."""
        layers = [layer for layer in self.layers if isinstance(layer, MePropLinear)]
        return [
            SimplifiedLayer(f"layers.{n}", layer, [Consumer(reader)])
            for n, (layer, reader) in enumerate(pairwise(layers))
        ]
