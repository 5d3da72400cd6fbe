"""Constituency trees as dependency trees, with Penn2Malt's twelve labels.

The head word of a phrase is that of its head child; the head words of its other children depend on
it (Magerman 1995, section 2). Traces are left out, so that every tree is projective with one root.
The labels are the twelve of Penn2Malt (Nivre 2006, "Inductive Dependency Parsing"), which the
papers' parser with its 25 outputs implies: two for each label, and SHIFT.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from meprop_nlp.data.conll.layout import Layout
from meprop_nlp.data.penn.brackets import Tree
from meprop_nlp.data.penn.head_rules import category, functions, head_child
from meprop_nlp.data.penn.punctuation import PTB_PUNCTUATION_TAGS
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import ROOT, Word

__all__ = ["DEPRELS", "arc_label", "to_sentence", "to_sentences"]

DEPRELS = (
    "AMOD", "DEP", "NMOD", "OBJ", "P", "PMOD", "PRD", "ROOT", "SBAR", "SUB", "VC", "VMOD",
)  # fmt: skip

_CONLLX = Layout("conllx", 10)

_CLAUSES = frozenset({"S", "SINV", "SQ"})
_VERBS = frozenset({"MD", "VB", "VBD", "VBG", "VBN", "VBP", "VBZ"})
_ADVERBIAL = frozenset({"ADV", "BNF", "DIR", "EXT", "LOC", "MNR", "PRP", "TMP", "VOC"})
_MODIFIER = {
    **dict.fromkeys(("NAC", "NP", "NX", "WHNP"), "NMOD"),
    **dict.fromkeys(("ADJP", "ADVP", "QP", "WHADJP", "WHADVP"), "AMOD"),
    **dict.fromkeys(("PP", "WHPP"), "PMOD"),
    **dict.fromkeys(("S", "SBAR", "SBARQ", "SINV", "SQ", "VP"), "VMOD"),
}


def to_sentences(trees: Iterable[Tree]) -> Iterator[Sentence]:
    """Yield the dependency trees, but of trees in which there is no word, only traces."""
    for tree in trees:
        sentence = to_sentence(tree)
        if sentence is not None:
            yield sentence


def to_sentence(tree: Tree) -> Sentence | None:
    """The dependency tree as a sentence in CoNLL-X; None where there is no word, only traces.

    UPOS and XPOS both are the word's tag, as in most CoNLL-X files of the Penn Treebank. Forms
    stay as they stand, `-LRB-` and `3\\/4` too.
    """
    spoken = tree.without_traces()
    if spoken is None:
        return None
    words: list[Word] = []
    head_word: list[Word | None] = []  # of each node, once its children are done
    for label, form in zip(spoken.labels, spoken.forms, strict=True):
        if form is not None:
            words.append(Word(len(words) + 1, form, upos=label, xpos=label))
        head_word.append(None if form is None else words[-1])
    categories = [category(label) for label in spoken.labels]
    below = spoken.children()
    for phrase in range(len(below) - 1, -1, -1):  # in preorder children come after their phrase
        children = below[phrase]
        if not children:
            continue
        place = head_child(categories[phrase], [categories[child] for child in children])
        head = children[place]
        top = head_word[phrase] = head_word[head]
        assert top is not None
        for child in children:
            word = head_word[child]
            if child != head and word is not None:
                word.head = top.id
                word.deprel = arc_label(categories[phrase], spoken.labels[child], categories[head])
    root = head_word[0]
    assert root is not None
    root.head, root.deprel = ROOT, "ROOT"
    return Sentence(words, path=tree.path, line=tree.line, layout=_CONLLX)


def arc_label(phrase: str, child: str, head: str) -> str:
    """The label of the arc to a child of a phrase that is not its head child.

    What the treebank says itself goes first: punctuation, subject (SUB), predicate (PRD). Then the
    complements: of a verb a noun phrase without an adverbial function (OBJ) and a verb phrase (VC),
    of a complementizer a clause (SBAR). All else modifies, and is named for the phrase it stands
    in: NMOD, AMOD, VMOD, PMOD for what a preposition governs, or DEP.

    Args:
        phrase: the category of the phrase.
        child: the label of the child, function tags included.
        head: the category of the head child.
    """
    kind, roles = category(child), functions(child)
    if kind in PTB_PUNCTUATION_TAGS:
        return "P"
    if "SBJ" in roles:
        return "SUB"
    if "PRD" in roles:
        return "PRD"
    if phrase == "VP" and kind == "NP" and roles.isdisjoint(_ADVERBIAL):
        return "OBJ"
    if kind == "VP" and head in _VERBS:
        return "VC"
    if phrase == "SBAR" and kind in _CLAUSES:
        return "SBAR"
    return _MODIFIER.get(phrase, "DEP")
