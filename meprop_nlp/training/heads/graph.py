"""The torch side of the graph tree head: each word's head and relation, scored for all pairs.

Arcs are scored by a biaffine product of vectors of the dependent and of the head (Dozat & Manning
2017), labels by a small network over both (Kiperwasser & Goldberg 2016, section 5.1), which learns
as well as a biaffine product here and takes a fraction of its time. The head reads the encoder's
states and, softly, the tags that the tag head predicts.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from meprop_nlp.config import JointConfig, MePropConfig
from meprop_nlp.data.annotation import Annotation
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.vocab import Vocab
from meprop_nlp.models.file import ModelFile
from meprop_nlp.simplify.cut import Consumer
from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.heads.early import WordClasses
from meprop_nlp.training.heads.head import CHEAP, LANES, States, Widths
from meprop_nlp.training.heads.joint_tree import JointTree, TreeNetwork
from meprop_nlp.training.heads.targets import UNKNOWN, mean_loss, targets_of
from meprop_nlp.training.layout import Layout
from meprop_nlp.training.simplification.teacher import Width


class ArcScores(NamedTuple):
    """The scores of a minibatch's arcs, and what its labels are scored from.

    Attributes:
        arcs: (N, T + 1) the score of each head for each packed word, ROOT first; -inf where the
            sentence has no such word, and for the word itself.
        dependents: (N, label_dim).
        heads: (N + 1, label_dim) of the packed words, and of ROOT at the end.
        label_scores: returns the scores of all labels, see `GraphNetwork.label_scores`.
    """

    arcs: Tensor
    dependents: Tensor
    heads: Tensor
    label_scores: Any


class GraphNetwork(TreeNetwork):
    """Vectors of words in; scores of arcs and of labels out.

    Args:
        widths, config, meprop: see `TreeNetwork`.
        n_labels: how many dependency relations there are.
    """

    def __init__(
        self, widths: Widths, n_labels: int, config: JointConfig, meprop: MePropConfig
    ) -> None:
        super().__init__(widths, config, meprop)
        # ROOT's vector; a linear layer, so that simplification can cut its columns
        self.root = nn.Linear(self.inputs, 1, bias=False)
        self.arc_dep, self.arc_head = self.layer(config.arc_dim), self.layer(config.arc_dim)
        self.label_dep = self.layer(config.label_dim)
        self.label_head = self.layer(config.label_dim)
        self.arcs = nn.Linear(config.arc_dim, config.arc_dim)
        nn.init.zeros_(self.arcs.weight)
        nn.init.zeros_(self.arcs.bias)
        self.labels = nn.Linear(config.label_dim, n_labels)

    def forward(self, states: States) -> ArcScores:
        """Score all arcs of a minibatch."""
        layout = states.layout
        x = self.read(states, self.root.weight)  # (N + 1, inputs)
        dependents = self.arcs(self.activated(self.arc_dep(x[:-1])))  # (N, arc_dim)
        heads = self.activated(self.arc_head(x))
        root = heads[-1].expand(len(layout.places), 1, -1)
        padded = torch.cat([root, heads[layout.places]], 1)  # (B, T + 1, arc_dim)
        scores = dependents[layout.places] @ padded.transpose(1, 2)  # (B, T, T + 1)
        arcs = scores[layout.sentences, layout.positions]  # (N, T + 1)
        is_head = F.pad(layout.is_word, (1, 0), value=True)[layout.sentences]
        own = torch.arange(arcs.shape[1], device=arcs.device) == layout.positions[:, None] + 1
        arcs = arcs.masked_fill(~is_head | own, -torch.inf)
        return ArcScores(arcs, self.label_dep(x[:-1]), self.label_head(x), self.label_scores)

    def label_scores(self, dependents: Tensor, heads: Tensor) -> Tensor:
        """Return the scores of all labels for arcs: (N, labels).

        Args:
            dependents, heads: (N, label_dim) the vectors of both ends of each arc.
        """
        return self.labels(self.activated(dependents + heads))  # type: ignore[no-any-return]


class GraphTree(JointTree):
    """The tree head that scores all arcs; see `JointTree`."""

    kind = "graph"
    network: GraphNetwork

    def __init__(
        self,
        train: Sequence[Sentence],
        config: JointConfig,
        meprop: MePropConfig,
        widths: Widths,
        device: torch.device,
    ) -> None:
        annotation = Annotation(train)
        has_head, has_label = annotation.known("head"), annotation.known("deprel")
        words = [word for sentence in train for word in sentence.words]
        deprels = [word.deprel for word in compress(words, has_label)]
        self.labels = self._relations = Vocab.build(deprels)
        heads = [word.head for word in compress(words, has_head)]
        self._heads = targets_of(heads, has_head).to(device)
        self._labels = targets_of(map(self.labels.index, deprels), has_label).to(device)
        self._labelled = annotation.labelled
        self._partial = not has_head.all()
        self._partial_labels = not has_label.all()
        lengths = np.array([len(sentence) for sentence in train], np.int64)
        self._n_candidates = 1 + np.repeat(lengths, lengths)  # (all words), ROOT among them
        self.network = GraphNetwork(widths, len(self.labels), config, meprop)

    def inherit(self, file: ModelFile) -> None:
        """Keep the labels of the initial model where the training sentences have none."""
        header = file.header
        if self._labelled or "tree" not in header["config"]["heads"]:
            return
        self.labels = self._relations = Vocab.from_list(header["labels"])
        self.network.labels = nn.Linear(self.network.labels.in_features, len(self.labels))
        self._labels = torch.full_like(self._labels, UNKNOWN)
        self._partial_labels = True

    def loss(
        self,
        answer: ArcScores,
        words: Tensor,
        layout: Layout,
        teacher: Mapping[str, Tensor] | None = None,
        *,
        synthetic: bool = False,
    ) -> Tensor:
        their_arcs = None if teacher is None else teacher["arcs"]
        # a teacher of an unlabelled treebank has no labels
        their_labels = None if teacher is None else teacher.get("labels")
        heads = self._labelled_arcs(words, their_arcs, synthetic=synthetic)
        labels = _labels_of(heads, answer, layout)
        arc_loss = mean_loss(
            answer.arcs,
            None if synthetic else self._heads[words],
            their_arcs,
            partial=self._partial,
        )
        label_loss = mean_loss(
            labels,
            None if synthetic else self._labels[words],
            their_labels,
            partial=self._partial_labels,
        )
        return arc_loss + label_loss

    def _labelled_arcs(self, words: Tensor, theirs: Tensor | None, *, synthetic: bool) -> Tensor:
        """Return the heads of the arcs of which labels are learnt: (N,).

        They are the gold heads, or else the teacher's best ones; without either, ROOT, of which
        nothing is learnt.

        Args:
            words: (N,) the places of the words in the treebank.
            theirs: (N, T + 1) the teacher's scores of arcs, if there is one.
            synthetic: whether the teacher's heads take the place of the gold ones.
        """
        if synthetic and theirs is not None:
            return theirs.argmax(1)
        gold = self._heads[words]
        if not self._partial:
            return gold
        # in the precision in which answers are remembered, so that the same head is the best
        best = torch.zeros_like(gold) if theirs is None else theirs.half().argmax(1)
        return torch.where(gold == UNKNOWN, best, gold)

    def soft_targets(
        self, answer: ArcScores, words: Tensor, layout: Layout, *, synthetic: bool = False
    ) -> dict[str, Tensor]:
        heads = self._labelled_arcs(words, answer.arcs, synthetic=synthetic)
        with torch.no_grad():
            return {"arcs": answer.arcs, "labels": _labels_of(heads, answer, layout)}

    def word_classes(self) -> dict[str, WordClasses]:
        if not self._labelled:
            return {}
        return {"deprel": WordClasses(self._labels, len(self.labels), self._partial_labels)}

    def soft_widths(self) -> dict[str, Width]:
        return {"arcs": self._n_candidates, "labels": len(self.labels)}

    def readers(self) -> Iterable[nn.Module]:
        network = self.network
        layers = (network.arc_dep, network.arc_head, network.label_dep, network.label_head)
        return (*layers, network.root)

    def hidden_layers(self) -> list[SimplifiedLayer]:
        network = self.network
        arcs, labels = network.arcs, network.labels
        return [
            SimplifiedLayer("tree.arc_dep", network.arc_dep, [Consumer(arcs)], multiple=LANES),
            SimplifiedLayer("tree.arc_head", network.arc_head, [], [arcs], multiple=LANES),
            SimplifiedLayer(
                "tree.label",
                network.label_dep,
                [Consumer(labels)],
                [network.label_head],
                power=CHEAP,
                multiple=LANES,
            ),
        ]

    def header(self) -> dict[str, Any]:
        return {"labels": self.labels.to_list()}


def _labels_of(heads: Tensor, answer: ArcScores, layout: Layout) -> Tensor:
    """Return the scores of all labels for arcs: (N, labels).

    Args:
        heads: (N,) the head of each packed word by its place in the sentence from 1; 0 for ROOT.
        answer, layout: of the words.
    """
    rows = layout.places[layout.sentences, (heads - 1).clamp(min=0)]
    rows = torch.where(heads == 0, len(heads), rows)
    scores: Tensor = answer.label_scores(answer.dependents, answer.heads[rows])
    return scores
