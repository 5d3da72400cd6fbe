"""The torch side of the graph tree head: each word's head and relation, scored for all pairs.

Dozat & Manning (2017): arcs and labels by biaffine products of vectors of the dependent and of the
head. The head reads the encoder's states and, softly, the tags that the tag head predicts.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from meprop_nlp.config import JointConfig, MePropConfig
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.vocab import Vocab
from meprop_nlp.nn.embedding import dropout
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.training.simplification.teacher import distilled


class Layout(NamedTuple):
    """Where the N packed words of B sentences of up to T words stand in a padded table.

    Attributes:
        places: (B, T) the packed row of each word; 0 where a sentence has ended.
        is_word: (B, T) whether a sentence has a word there.
        sentences, positions: (N,) the place of each packed row.
    """

    places: Tensor
    is_word: Tensor
    sentences: Tensor
    positions: Tensor

    @classmethod
    def of(cls, batch_sizes: Tensor, device: torch.device) -> "Layout":
        """Return the layout of packed sentences."""
        sizes = batch_sizes.numpy()
        starts = np.cumsum(sizes) - sizes
        positions = np.repeat(np.arange(len(sizes)), sizes)
        sentences = np.arange(len(positions)) - starts[positions]
        lengths = np.searchsorted(-sizes, -np.arange(sizes[0]))
        is_word = np.arange(len(sizes)) < lengths[:, None]
        places = np.where(is_word, starts + np.arange(sizes[0])[:, None], 0)
        arrays = (places, is_word, sentences, positions)
        return cls(*(torch.from_numpy(array).to(device) for array in arrays))


class ArcScores(NamedTuple):
    """The scores of a minibatch's arcs, and what its labels are scored from.

    Attributes:
        arcs: (N, T + 1) the score of each head for each packed word, ROOT first; -inf where the
            sentence has no such word, and for the word itself.
        dependents: (N, label_dim + 1).
        heads: (N + 1, label_dim + 1) of the packed words, and of ROOT at the end.
    """

    arcs: Tensor
    dependents: Tensor
    heads: Tensor


class GraphNetwork(nn.Module):
    """Vectors of words in; scores of arcs and of labels out.

    Args:
        width: of the encoder's states.
        n_tags: how many tags of all columns the tag head predicts; 0 without tags.
        n_labels: how many dependency relations there are.
        config, meprop: widths and dropout; how gradients are sparsified.
    """

    def __init__(
        self, width: int, n_tags: int, n_labels: int, config: JointConfig, meprop: MePropConfig
    ) -> None:
        super().__init__()
        self.dropout, self.dropout_share = config.dropout, 1.0
        self.tags = nn.Linear(n_tags, config.tag_dim, bias=False) if n_tags else None
        inputs = width + (config.tag_dim if n_tags else 0)
        # ROOT's vector; a linear layer, so that simplification can cut its columns
        self.root = nn.Linear(inputs, 1, bias=False)
        sizes = {"arc": config.arc_dim, "label": config.label_dim}

        def layer(size: int) -> MePropLinear:
            k = None if meprop.k is None else min(size, round(meprop.k * size / config.hidden))
            return MePropLinear(inputs, size, k=k, topk_mode=meprop.topk_mode)

        self.layers = nn.ModuleDict(
            {f"{kind}_{end}": layer(n) for kind, n in sizes.items() for end in ("dep", "head")}
        )
        self.arcs = nn.Linear(sizes["arc"], sizes["arc"])
        nn.init.zeros_(self.arcs.weight)
        nn.init.zeros_(self.arcs.bias)
        import os
        self.mlp = os.environ.get("LABELS", "mlp") == "mlp"
        if self.mlp:
            self.labels = nn.Linear(sizes["label"], n_labels)
        else:
            self.labels = nn.Parameter(torch.zeros(n_labels, sizes["label"] + 1, sizes["label"] + 1))

    def forward(self, states: Tensor, tags: Tensor | None, layout: Layout) -> ArcScores:
        """Score all arcs of a minibatch.

        Args:
            states: (N, width) packed.
            tags: (N, n_tags) each word's probability of each tag; None without tags.
        """
        x = states if self.tags is None else torch.cat([states, self.tags(tags)], 1)
        x = torch.cat([x, self.root.weight])  # (N + 1, inputs)
        p = self.dropout * self.dropout_share
        vectors = {
            name: dropout(F.leaky_relu(layer(x), 0.1), p, self.training) if not self.mlp or "arc" in name else layer(x)
            for name, layer in self.layers.items()
        }
        dependents = self.arcs(vectors["arc_dep"][:-1])  # (N, arc_dim)
        heads = vectors["arc_head"]
        root = heads[-1].expand(len(layout.places), 1, -1)
        padded = torch.cat([root, heads[layout.places]], 1)  # (B, T + 1, arc_dim)
        scores = dependents[layout.places] @ padded.transpose(1, 2)  # (B, T, T + 1)
        arcs = scores[layout.sentences, layout.positions]  # (N, T + 1)
        is_head = F.pad(layout.is_word, (1, 0), value=True)[layout.sentences]
        own = torch.arange(arcs.shape[1], device=arcs.device) == layout.positions[:, None] + 1
        arcs = arcs.masked_fill(~is_head | own, -torch.inf)
        if self.mlp:
            return ArcScores(arcs, vectors["label_dep"][:-1], vectors["label_head"])
        return ArcScores(
            arcs, _with_one(vectors["label_dep"][:-1]), _with_one(vectors["label_head"])
        )

    def label_scores(self, scores: ArcScores, heads: Tensor) -> Tensor:
        """Return the scores of all labels for one head of each word: (N, labels).

        Args:
            heads: (N,) the packed rows of the heads; N for ROOT.
        """
        if self.mlp:
            hidden = F.leaky_relu(scores.dependents + scores.heads[heads], 0.1)
            return self.labels(dropout(hidden, self.dropout * self.dropout_share, self.training))
        n_labels, width, _ = self.labels.shape
        weight = self.labels.permute(1, 0, 2).reshape(width, n_labels * width)
        products = (scores.dependents @ weight).view(-1, n_labels, width)
        return torch.bmm(products, scores.heads[heads].unsqueeze(2)).squeeze(2)


def _with_one(vectors: Tensor) -> Tensor:
    """Append a column of ones, by which a biaffine product has linear terms too."""
    return F.pad(vectors, (0, 1), value=1.0)


class GraphTargets:
    """The gold trees of a treebank of N words.

    Attributes:
        labels: the dependency relations.
    """

    def __init__(self, sentences: Sequence[Sentence], device: torch.device) -> None:
        deprels = [deprel for sentence in sentences for deprel in sentence.column("deprel")]
        self.labels = Vocab.build(deprels)
        heads = [head for sentence in sentences for head in sentence.column("head")]
        self._heads = torch.tensor(heads).to(device)
        self._labels = torch.tensor([self.labels.index(label) for label in deprels]).to(device)

    def loss(
        self,
        network: GraphNetwork,
        scores: ArcScores,
        words: Tensor,
        layout: Layout,
        teacher: tuple[GraphNetwork, ArcScores] | None = None,
    ) -> Tensor:
        """Return the mean loss of the words' heads and, given the gold head, of their labels.

        Args:
            teacher: a teacher's tree head, and its scores of the same words.
        """
        heads = self._heads[words]
        rows = layout.places[layout.sentences, (heads - 1).clamp(min=0)]
        rows = torch.where(heads == 0, len(words), rows)
        labels = network.label_scores(scores, rows)
        arc_loss = F.cross_entropy(scores.arcs, heads)
        label_loss = F.cross_entropy(labels, self._labels[words])
        if teacher:
            their_network, their_scores = teacher
            arc_loss = distilled(arc_loss, scores.arcs, their_scores.arcs, synthetic=False)
            with torch.no_grad():
                answers = their_network.label_scores(their_scores, rows)
            label_loss = distilled(label_loss, labels, answers, synthetic=False)
        return arc_loss + label_loss
