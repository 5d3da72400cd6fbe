"""What the joint model's tree heads share: what their networks read, and the gold labels."""

from collections.abc import Collection, Sequence
from itertools import compress
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from meprop_nlp.config import JointConfig, MePropConfig, TreeName
from meprop_nlp.data.annotation import Annotation
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.vocab import Vocab
from meprop_nlp.data.word import UNSET
from meprop_nlp.models.heads.joint_native import SLOPE
from meprop_nlp.nn.embedding import dropout
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.training.heads.head import States, TrainedHead, Widths
from meprop_nlp.training.heads.sentences import unseen


class TreeNetwork(nn.Module):
    """Reads the encoder's states and, softly, the tags that the tag head predicts.

    Args:
        widths: of what it reads.
        config, meprop: widths and dropout; how gradients are sparsified: each layer keeps the same
            share of its entries as the encoder's layers do.

    Attributes:
        inputs: the width of what `read` returns.
    """

    def __init__(self, widths: Widths, config: JointConfig, meprop: MePropConfig) -> None:
        super().__init__()
        assert config.dropout is not None
        self.dropout, self.dropout_share = config.dropout, 1.0
        self.tags = nn.Linear(widths.tags, config.tag_dim, bias=False) if widths.tags else None
        self.inputs = widths.context + (config.tag_dim if widths.tags else 0)
        self._hidden, self._meprop = config.hidden, meprop

    def layer(self, size: int) -> MePropLinear:
        """Return a layer over what `read` returns."""
        meprop = self._meprop
        k = meprop.k and max(1, round(meprop.k * size / self._hidden))
        return MePropLinear(self.inputs, size, k=k, topk_mode=meprop.topk_mode)

    def read(self, states: States, special: Tensor) -> Tensor:
        """Return the inputs of N words, then those of what is no word: (N + n, inputs).

        Args:
            special: (n, inputs) such as ROOT's.
        """
        x = states.context
        if self.tags is not None:
            x = torch.cat([x, self.tags(states.tags)], 1)
        return torch.cat([x, special])

    def activated(self, values: Tensor) -> Tensor:
        """Return the activation of a hidden layer, with dropout in training."""
        p = self.dropout * self.dropout_share
        return dropout(F.leaky_relu(values, SLOPE), p, self.training)


class JointTree(TrainedHead):
    """A tree head of the joint model, with the gold trees of a treebank.

    Attributes:
        kind: the value of `JointConfig.tree` that chooses it.
        labels: the dependency relations, as the network has them.
    """

    name = "tree"
    kind: ClassVar[TreeName]
    labels: Vocab
    _relations: Collection[str]  # of the treebank
    scores = ("uas", "las")

    @classmethod
    def serves(cls, config: JointConfig) -> bool:
        return config.tree == cls.kind

    @staticmethod
    def is_in(sentences: Sequence[Sentence]) -> bool:
        return any(word.head != UNSET for sentence in sentences for word in sentence.words)

    def unseen(self, dev: Sequence[Sentence]) -> list[str]:
        deprels = (deprel for sentence in dev for deprel in sentence.column("deprel"))
        known = Annotation(dev).known("deprel")
        return unseen("labels", compress(deprels, known), self._relations)
