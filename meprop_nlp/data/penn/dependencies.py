"""Convert constituency trees to dependency trees with the 12 labels of Penn2Malt.

The head word of a phrase is the head word of its head child, and the head words of the other
children depend on it (Magerman 1995, section 2). Traces are left out, so every tree is projective
and has one root. The labels are those of Penn2Malt (Nivre 2006, "Inductive Dependency Parsing"),
because the parser of the papers has 25 outputs: two arcs for each of 12 labels, and SHIFT.
"""

from collections.abc import Iterable, Iterator

from meprop_nlp.data.conll.layout import Layout
from meprop_nlp.data.penn.brackets import Tree
from meprop_nlp.data.penn.head_rules import category, functions, head_child
from meprop_nlp.data.penn.punctuation import PTB_PUNCTUATION_TAGS
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import ROOT, Word

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
    """Yield the dependency tree of every tree that has words, not only traces."""
    for tree in trees:
        sentence = to_sentence(tree)
        if sentence is not None:
            yield sentence


def to_sentence(tree: Tree) -> Sentence | None:
    """Return the dependency tree as a CoNLL-X sentence; None if the tree has only traces.

    UPOS and XPOS are both the tag of the word, as in most CoNLL-X files of the Penn Treebank. Forms
    are not changed, not even `-LRB-` and `3\\/4`.
    """
    overt = tree.without_traces()
    if overt is None:
        return None
    words: list[Word] = []
    head_word: list[Word | None] = []  # of each node; of phrases, filled from the bottom up
    for label, form in zip(overt.labels, overt.forms, strict=True):
        if form is not None:
            words.append(Word(len(words) + 1, form, upos=label, xpos=label))
        head_word.append(None if form is None else words[-1])
    categories = [category(label) for label in overt.labels]
    children_of = overt.children()
    for phrase in range(len(children_of) - 1, -1, -1):  # in preorder, children follow their phrase
        children = children_of[phrase]
        if not children:
            continue
        head = children[head_child(categories[phrase], [categories[i] for i in children])]
        top = head_word[phrase] = head_word[head]
        assert top is not None
        for child in children:
            word = head_word[child]
            if child != head and word is not None:
                word.head = top.id
                word.deprel = arc_label(categories[phrase], overt.labels[child], categories[head])
    root = head_word[0]
    assert root is not None
    root.head, root.deprel = ROOT, "ROOT"
    return Sentence(words, path=tree.path, line=tree.line, layout=_CONLLX)


def arc_label(phrase: str, child: str, head: str) -> str:
    """Return the label of the arc from the head child of a phrase to another child.

    The annotation of the treebank comes first: punctuation (P), subject (SUB), predicate (PRD).
    Then come complements: the object of a verb, a noun phrase without an adverbial function (OBJ);
    the verb phrase that a verb governs (VC); the clause of a complementizer (SBAR). All other
    children are modifiers, and the phrase determines their label: NMOD, AMOD, VMOD, PMOD (also for
    the object of a preposition), or DEP.

    Args:
        phrase: the category of the phrase.
        child: the label of the child, with its function tags.
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
