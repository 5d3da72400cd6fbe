"""Head rules for the Penn Treebank: which child of a phrase is its head.

A rule searches the children of a phrase from one end, for one category after the other (Magerman
1995; Collins 1999, appendix A). The rules are those of Yamada and Matsumoto (2003), "Statistical
dependency analysis with support vector machines", IWPT, as shipped with Penn2Malt: a modal is the
head of its verb phrase, a preposition of its phrase, a complementizer of its clause, and the last
noun or possessive 's of a noun phrase.
"""

from collections.abc import Sequence
from typing import NamedTuple

from meprop_nlp.data.penn.punctuation import PTB_PUNCTUATION_TAGS


class HeadRule(NamedTuple):
    """Where to search for the head of a phrase, and for which categories.

    Attributes:
        from_right: whether the children are searched from right to left.
        choices: the categories to search for, the best first. Categories in one set are equally
            good: the first child that has any of them is the head.
    """

    from_right: bool
    choices: tuple[frozenset[str], ...]


def _left(choices: str = "") -> HeadRule:
    return HeadRule(False, tuple(frozenset(choice.split("|")) for choice in choices.split()))


def _right(choices: str = "") -> HeadRule:
    return _left(choices)._replace(from_right=True)


_NOUN = _right("POS|NN|NNP|NNPS|NNS NX JJR CD JJ JJS RB QP NP")

HEAD_RULES = {
    "ADJP": _right("NNS QP NN $ ADVP JJ VBN VBG ADJP JJR NP JJS DT FW RBR RBS SBAR RB"),
    "ADVP": _left("RB RBR RBS FW ADVP TO CD JJR JJ IN NP JJS NN"),
    "CONJP": _left("CC RB IN"),
    "FRAG": _left(),
    "INTJ": _right(),
    "LST": _left("LS :"),
    "NAC": _right("NN|NNS|NNP|NNPS NP NAC EX $ CD QP PRP VBG JJ JJS JJR ADJP FW"),
    "NP": _NOUN,
    "NX": _NOUN,
    "PP": _left("IN TO VBG VBN RP FW"),
    "PRN": _right(),
    "PRT": _left("RP"),
    "QP": _right("$ IN NNS NN JJ RB DT CD NCD QP JJR JJS"),
    "RRC": _left("VP NP ADVP ADJP PP"),
    "S": _right("TO IN VP S SBAR ADJP UCP NP"),
    "SBAR": _right("WHNP WHPP WHADVP WHADJP IN DT S SQ SINV SBAR FRAG"),
    "SBARQ": _right("SQ S SINV SBARQ FRAG"),
    "SINV": _right("VBZ VBD VBP VB MD VP S SINV ADJP NP"),
    "SQ": _right("VBZ VBD VBP VB MD VP SQ"),
    "UCP": _left(),
    "VP": _left("VBD VBN MD VBZ VB VBG VBP VP ADJP NN NNS NP"),
    "WHADJP": _right("CC WRB JJ ADJP"),
    "WHADVP": _left("CC WRB"),
    "WHNP": _right("WDT WP WP$ WHADJP WHPP WHNP"),
    "WHPP": _left("IN TO FW"),
    "X": _right(),
}

_DEFAULT = _left()


def category(label: str) -> str:
    """Return the category in a label: `NP` in `NP-SBJ-1` and `NP=2`, `ADVP` in `ADVP|PRT`.

    A label that begins with a hyphen, such as `-LRB-`, is a category as a whole.
    """
    return _parts(label)[0]


def functions(label: str) -> frozenset[str]:
    """Return the function tags in a label, without numbers: `SBJ` in `NP-SBJ-1`."""
    return frozenset(part for part in _parts(label)[1:] if not part.isdecimal())


def _parts(label: str) -> list[str]:
    if label.startswith("-"):
        return [label]
    return label.partition("|")[0].replace("=", "-").split("-")


def head_child(phrase: str, children: Sequence[str]) -> int:
    """Return the index of the head among the children of a phrase.

    If no child has a category of the rule, the head is the first child that is not punctuation, or
    the first child if all are punctuation, searched from the rule's end. Without a rule for the
    phrase, children are searched from the left.

    Args:
        phrase: the category of the phrase.
        children: the categories of the children, at least one.
    """
    rule = HEAD_RULES.get(phrase, _DEFAULT)
    places = range(len(children))
    order = list(reversed(places)) if rule.from_right else list(places)
    for choice in rule.choices:
        for place in order:
            if children[place] in choice:
                return place
    return next((i for i in order if children[i] not in PTB_PUNCTUATION_TAGS), order[0])
