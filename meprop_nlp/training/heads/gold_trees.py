"""Gold trees as a transition system can build them: one root, and no crossing arcs."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from meprop_nlp.config import Nonprojective
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.trees import is_projective
from meprop_nlp.data.vocab import Vocab
from meprop_nlp.data.word import ROOT
from meprop_nlp.parsing.projectivity import LIFTED, projectivize, single_rooted
from meprop_nlp.parsing.transitions import TransitionSystem, make_system

# In a treebank of ten thousand trees or more a lifted label with fewer examples is not learnt.
FEWEST_LIFTED = 10
# The one label that stands for all of those: it is trained on, and never predicted.
POOLED = f"dep{LIFTED}"


class GoldTree(NamedTuple):
    """A sentence with the tree to train on.

    Attributes:
        sentence: as it stands in the treebank.
        heads, deprels: the tree that the transition system can build.
    """

    sentence: Sentence
    heads: list[int]
    deprels: list[str]


def gold_trees(
    train: Sequence[Sentence], *, projective: bool, nonprojective: Nonprojective = "pseudo"
) -> tuple[list[GoldTree], list[str]]:
    """Return the trees to train on, as the transition system can build them, and what was changed.

    Args:
        projective: whether the transition system builds projective trees only.
        nonprojective: what to do with others then, see `ParserConfig`.

    Returns:
        the trees, and one sentence for each kind of change.
    """
    trees: list[GoldTree] = []
    n_several, n_crossing = 0, 0
    for sentence in train:
        heads, deprels = sentence.column("head"), sentence.column("deprel")
        n_several += heads.count(0) > 1
        # a label that only roots have must not be learnt for other words
        other = "parataxis" if "root" in deprels else None
        heads, deprels = single_rooted(heads, deprels, deprel=other)
        if not is_projective(heads):
            n_crossing += 1
            if projective and nonprojective == "drop":
                continue
            if projective:
                lifted, encoded = projectivize(heads, deprels)
                heads, deprels = lifted, encoded if nonprojective == "pseudo" else deprels
        trees.append(GoldTree(sentence, heads, deprels))
    _pool_rare_labels(trees)
    how = {
        "pseudo": "lifted, with the way back in their labels (pseudo-projective)",
        "lift": "lifted; the parser's trees will be projective",
        "drop": "left out",
    }[nonprojective if projective else "pseudo"]
    notes = []
    if n_crossing:
        done = how if projective else "trained on with SWAP"
        share = 100 * n_crossing / len(train)
        notes.append(f"non-projective trees: {n_crossing:,} ({share:.1f} %), {done}")
    if n_several:
        notes.append(f"trees with several roots: {n_several:,}; the first root heads the others")
    return trees, notes


def labelled_system(name: str, trees: Sequence[GoldTree]) -> tuple[Vocab, TransitionSystem]:
    """Return the labels of the trees, and the transition system that gives an arc those it had."""
    labels = Vocab.build(deprel for tree in trees for deprel in tree.deprels)
    arcs = {
        (head == ROOT, labels.index(deprel))
        for tree in trees
        for head, deprel in zip(tree.heads, tree.deprels, strict=True)
    }
    system = make_system(
        name,
        len(labels),
        root_labels=[label for is_root, label in arcs if is_root],
        other_labels=[label for is_root, label in arcs if not is_root],
    )
    return labels, system


def label_header(labels: Vocab, system: TransitionSystem) -> dict[str, Any]:
    """Return what the model file states of the labels of a transition system."""
    return {
        "labels": labels.to_list(),
        "root_labels": sorted(system.root_labels),
        # the pooled label says nothing about a tree
        "other_labels": [label for label in sorted(system.other_labels) if labels[label] != POOLED],
    }


def _pool_rare_labels(trees: list[GoldTree]) -> None:
    """Replace lifted labels that are too rare to be learnt by one common label, in place.

    They are most of the labels of some treebanks, and each costs two outputs of the network. With
    their plain labels instead, the parser would learn wrong heads: on UD English EWT that cost 0.4
    LAS.
    """
    counts = Counter(deprel for tree in trees for deprel in tree.deprels if LIFTED in deprel)
    enough = min(FEWEST_LIFTED, len(trees) / 1000)
    for tree in trees:
        for i, deprel in enumerate(tree.deprels):
            if 0 < counts[deprel] < enough:
                tree.deprels[i] = POOLED
