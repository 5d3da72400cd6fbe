"""The torch side of the transition tree head: the words of parser states in, transitions out.

A state is scored by the vectors of four of its words (Kiperwasser & Goldberg 2016). With
arc-hybrid, the head learns from states that it reaches itself, by the dynamic oracle (Goldberg &
Nivre 2012); with arc-standard-swap, for treebanks with many non-projective trees, from the states
of gold derivations. Both need whole trees: sentences in which a word lacks its head or its label
are left out.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import compress
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from meprop_nlp.config import JointConfig, MePropConfig
from meprop_nlp.data.annotation import Annotation
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.trees import is_labelled, is_projective
from meprop_nlp.errors import ConfigError
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.heads.transitions import explore
from meprop_nlp.models.prediction import Indices
from meprop_nlp.nn.embedding import embedding_sum
from meprop_nlp.parsing.derivation import Derivation, derive, replay
from meprop_nlp.parsing.features import STATE_WORDS
from meprop_nlp.parsing.transitions import ArcHybrid, ArcStandardSwap
from meprop_nlp.simplify.cut import Consumer
from meprop_nlp.simplify.wiring import SimplifiedLayer
from meprop_nlp.training.heads.gold_trees import gold_trees, label_header, labelled_system
from meprop_nlp.training.heads.head import LANES, States, Widths
from meprop_nlp.training.heads.joint_tree import JointTree, TreeNetwork
from meprop_nlp.training.layout import Layout
from meprop_nlp.training.simplification.teacher import distilled

# The largest share of non-projective trees for which trees are made projective. With more of them,
# many lifted labels would have to be learnt.
MOST_CROSSING = 0.05
# The share of the sentences in which the head follows its own choices.
EXPLORED = 0.5


class Places(NamedTuple):
    """What the words of a minibatch give to the hidden layer, and what scores states by it.

    Attributes:
        rows: (N + 2, places, F) of each packed word at each place of a state; then of ROOT, and of
            no word.
        score: returns the scores of all transitions, see `TransitionNetwork.score`.
    """

    rows: Tensor
    score: Callable[[Tensor, Tensor], Tensor]


class TransitionNetwork(TreeNetwork):
    """Vectors of words in; scores of transitions out.

    The hidden layer's sum has a part for each place of a state, of the word that is there. A word's
    part is computed once for all the states in which it has that place.

    Args:
        widths, config, meprop: see `TreeNetwork`.
        n_transitions: the width of the output.
    """

    def __init__(
        self, widths: Widths, n_transitions: int, config: JointConfig, meprop: MePropConfig
    ) -> None:
        super().__init__(widths, config, meprop)
        # the vectors of ROOT and of no word; a linear layer, so that its columns can be cut
        self.special = nn.Linear(self.inputs, 2, bias=False)
        for place in STATE_WORDS:
            self.add_module(place, self.layer(config.arc_dim))
        self.output = nn.Linear(config.arc_dim, n_transitions)

    @property
    def places(self) -> list[Any]:
        """Return the layer of each place."""
        return [self.get_submodule(place) for place in STATE_WORDS]

    def forward(self, states: States) -> Places:
        """Return what each word of a minibatch gives to states."""
        x = self.read(states, self.special.weight)  # (N + 2, inputs)
        rows = torch.stack([layer(x) for layer in self.places], 1)
        return Places(rows, self.score)

    def score(self, rows: Tensor, words: Tensor) -> Tensor:
        """Return the scores of all transitions in S states: (S, transitions).

        Args:
            rows: (M, places, F).
            words: (S, places) which of the M is at each place.
        """
        n_places = len(STATE_WORDS)
        index = words * n_places + torch.arange(n_places, device=words.device)
        hidden = embedding_sum(rows.flatten(0, 1), index.int())  # (S, F)
        return self.output(self.activated(hidden))  # type: ignore[no-any-return]


class TransitionTree(JointTree):
    """The tree head that builds trees by transitions; see `JointTree`.

    Attributes:
        system: the transition system, by the share of non-projective trees in the treebank.
    """

    kind = "transitions"
    network: TransitionNetwork

    @classmethod
    def demand_data(cls, train: Sequence[Sentence]) -> None:
        _have_trees(train, Annotation(train))

    def __init__(
        self,
        train: Sequence[Sentence],
        config: JointConfig,
        meprop: MePropConfig,
        widths: Widths,
        device: torch.device,
    ) -> None:
        annotation = Annotation(train)
        has_tree = _have_trees(train, annotation)
        whole = list(compress(train, has_tree))
        self._labelled = annotation.labelled
        self._relations = {label for sentence in whole for label in sentence.column("deprel")}
        n_crossing = sum(not is_projective(sentence.column("head")) for sentence in whole)
        kind = ArcHybrid if n_crossing <= MOST_CROSSING * len(whole) else ArcStandardSwap
        trees, self.notes = gold_trees(whole, projective=kind.projective)
        if len(whole) < len(train):
            self.notes += [
                f"sentences without a whole tree: {len(train) - len(whole):,} of {len(train):,}; "
                "the transition parser does not learn from them"
            ]
        self.labels, self.system = labelled_system(kind.name, trees)
        labels = [[self.labels.index(deprel) for deprel in tree.deprels] for tree in trees]
        places = np.flatnonzero(has_tree).tolist()
        # by the sentence's place in the treebank
        self._gold: dict[int, Derivation] = {}
        self._trees: dict[int, tuple[Indices, Indices]] = {}
        for place, tree, ids in zip(places, trees, labels, strict=True):
            self._gold[place] = _narrowed(derive(self.system, tree.heads, ids))
            self._trees[place] = np.array(tree.heads, np.int32), np.array(ids, np.int32)
        lengths = [len(sentence) for sentence in train]
        self._firsts = np.cumsum([0, *lengths[:-1]])
        self._illegal = ~torch.from_numpy(self.system.masks.copy()).to(device)
        self._device = device
        self.network = TransitionNetwork(widths, self.system.n_transitions, config, meprop)

    def inherit(self, file: ModelFile) -> None:
        """Refuse to start from labelled trees and go on with unlabelled ones.

        Transitions choose head and label at once, so that the labels would be lost.

        Raises:
            ConfigError: the training sentences have no labels, and the initial model has.
        """
        if not self._labelled and is_labelled(file.header.get("labels", ())):
            raise ConfigError(
                "`init_from`: the model has labels, and the training file has none; with `tree` "
                "transitions they would be lost, so choose other `heads`, or start from a model "
                "with `tree` graph"
            )

    def loss(
        self,
        answer: Places,
        words: Tensor,
        layout: Layout,
        teacher: Places | None = None,
        *,
        synthetic: bool = False,
    ) -> Tensor:
        # all first words come first
        firsts = words[: len(layout.places)].cpu().numpy()
        sentences = np.searchsorted(self._firsts, firsts)
        whole = np.array([n for n, sentence in enumerate(sentences) if sentence in self._gold])
        if not len(whole):
            return answer.rows.sum() * 0.0
        derivations = [self._gold[sentence] for sentence in sentences[whole]]
        if self.network.training and isinstance(self.system, ArcHybrid):
            chosen = np.flatnonzero((torch.rand(len(whole)) < EXPLORED).numpy())
            explored = self._explore(answer, layout, sentences, whole[chosen])
            for place, derivation in zip(chosen, explored, strict=True):
                derivations[place] = derivation
        n_words = sum(len(self._trees[sentence][0]) for sentence in sentences[whole])
        n_states = [len(derivation.targets) for derivation in derivations]
        positions, targets, masks = (
            torch.from_numpy(np.concatenate(arrays).astype(np.int64)).to(self._device)
            for arrays in zip(
                *((d.positions, d.targets, d.masks) for d in derivations), strict=True
            )
        )
        of = torch.from_numpy(np.repeat(whole, n_states)).to(self._device)
        rows = layout.places[of[:, None], (positions - 1).clamp(min=0)]
        # ROOT, 0, and no word, -1, come after all words
        rows = torch.where(positions > 0, rows, len(words) - positions)  # (S, places)
        # illegal transitions are left out of the softmax
        illegal = self._illegal[masks]
        logits = answer.score(answer.rows, rows).masked_fill(illegal, -torch.inf)
        loss = F.cross_entropy(logits, targets)
        if teacher:
            with torch.no_grad():
                theirs = teacher.score(teacher.rows, rows).masked_fill(illegal, -torch.inf)
            loss = distilled(loss, logits, theirs, synthetic=synthetic)
        # by word, as the losses of the other heads
        return loss * (len(targets) / n_words)

    def _explore(
        self, answer: Places, layout: Layout, sentences: Any, chosen: Any
    ) -> list[Derivation]:
        """Return the states that the head reaches in some sentences, with the right transitions.

        Args:
            sentences: (B,) the minibatch's, by their places in the treebank.
            chosen: those to explore, by their places in the minibatch.
        """
        if not len(chosen):
            return []
        trees = [self._trees[sentence] for sentence in sentences[chosen]]
        heads, labels = (np.concatenate(arrays) for arrays in zip(*trees, strict=True))
        bounds = np.cumsum([0, *(len(ids) for _, ids in trees)]).astype(np.int32)
        rows_of = torch.from_numpy(chosen).to(self._device)
        in_order = layout.places[rows_of][layout.is_word[rows_of]]  # (words of those,)
        n_words = len(answer.rows) - 2
        special = torch.tensor([n_words, n_words + 1], device=self._device)
        rows = answer.rows.detach()[torch.cat([in_order, special])]
        output = self.network.output
        weight, bias = (part.detach().cpu().numpy() for part in (output.weight, output.bias))
        found = explore(self.system, rows.cpu().numpy(), (weight.T, bias), bounds, heads, labels)
        followed, targets = (np.split(each, 2 * bounds[1:-1]) for each in found)
        return [
            _narrowed(replay(self.system, moves.tolist(), right.tolist()))
            for moves, right in zip(followed, targets, strict=True)
        ]

    def readers(self) -> Iterable[nn.Module]:
        return (*self.network.places, self.network.special)

    def hidden_layers(self) -> list[SimplifiedLayer]:
        first, *twins = self.network.places
        reader = Consumer(self.network.output)
        return [SimplifiedLayer("tree.states", first, [reader], twins, multiple=LANES)]

    def header(self) -> dict[str, Any]:
        return {
            "transition_system": self.system.name,
            **label_header(self.labels, self.system),
        }


def _have_trees(train: Sequence[Sentence], annotation: Annotation) -> list[bool]:
    """Return which sentences have a whole tree.

    Raises:
        ConfigError: none has.
    """
    found = [all(annotation.of(sentence.words, "deprel")) for sentence in train]
    if not any(found):
        raise ConfigError(
            "`tree` transitions learns from whole trees, and each sentence of the training "
            "file has a word without head or label; use `tree` graph"
        )
    return found


def _narrowed(derivation: Derivation) -> Derivation:
    """Return a derivation with the positions of `STATE_WORDS` alone."""
    return derivation._replace(positions=derivation.positions[:, : len(STATE_WORDS)].copy())
