"""What our training is measured against: the same networks in PyTorch's own dense layers.

`nn.Linear`, `nn.LSTM` on packed batches, `nn.Embedding`, `F.dropout` and `torch.optim.Adam`, in the
same training loop, on the same batches, with the same settings.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from meprop_nlp.config import dropout_by_width
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.training.heads.tags import TaggerNetwork
from meprop_nlp.training.heads.tree import ParserNetwork
from meprop_nlp.training.loop import Trainer

__all__ = ["make_dense"]


class DenseParserNetwork(ParserNetwork):
    """The parser's network, forward as one would write it in plain PyTorch."""

    def forward(
        self,
        form_rows: Tensor,
        tag_rows: Tensor,
        form_index: Tensor,
        tag_index: Tensor,
        label_index: Tensor,
    ) -> Tensor:
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
        x = F.dropout(x, self.input_dropout, self.training)
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
            p = dropout_by_width(x.shape[1]) if self.dropout is None else self.dropout
            x = F.dropout(x, p, self.training)
        logits: Tensor = self.layers[-1](x)
        return logits


class DenseTaggerNetwork(TaggerNetwork):
    """The tagger's network, forward as one would write it in plain PyTorch."""

    dense_lstm: nn.LSTM

    def forward(self, rows: Tensor, batch_sizes: Tensor) -> dict[str, Tensor]:
        x = torch.cat([self.words(rows[:, 0]), self.features(rows[:, 1:]).flatten(1)], 1)  # (N, I)
        x = F.dropout(x, self.input_dropout, self.training)
        packed, _ = self.dense_lstm(PackedSequence(x, batch_sizes))
        hidden = F.dropout(packed.data, self.dropout, self.training)  # (N, 2H)
        return {column: head(hidden) for column, head in self.heads.items()}


def make_dense(trainer: Trainer) -> None:
    """Turn a trainer's network, which has not been trained yet, into the dense one, in place."""
    network = trainer.task.network
    if isinstance(network, ParserNetwork):
        network.__class__ = DenseParserNetwork
        for number, layer in enumerate(network.layers):
            assert isinstance(layer, MePropLinear)
            network.layers[number] = layer.to_dense()
    else:
        assert isinstance(network, TaggerNetwork)
        network.__class__ = DenseTaggerNetwork
        network.dense_lstm = network.lstm.to_dense()
        # the weights are the dense layer's own, seen by their names in a model file
        for ours, suffix in (
            (network.lstm.left_to_right, ""),
            (network.lstm.right_to_left, "_reverse"),
        ):
            for name, _ in list(ours.named_parameters()):
                setattr(ours, name, getattr(network.dense_lstm, name + suffix))
    trainer.optimizer = torch.optim.Adam(network.parameters(), lr=trainer.base_lr)
