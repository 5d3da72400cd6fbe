"""The head rules on small phrases written for this test; `*` marks the head."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.penn.head_rules import HEAD_RULES, category, functions, head_child

# a phrase and its children; each case tests one part of a rule
CASES = [
    ("ADJP", "NP *JJ"),  # ten years old
    ("ADJP", "RB *JJ PP"),  # very fond of it
    ("ADJP", "JJ *NNS"),  # nouns before adjectives
    ("ADJP", "*JJ JJR"),  # JJ before JJR, though it is on the left
    ("ADVP", "*RB RB"),  # only recently, read from the left
    ("ADVP", "NP *RB"),  # a year earlier
    ("CONJP", "*RB RB IN"),  # as well as: no CC
    ("CONJP", "RB *CC"),
    ("FRAG", "*NP : NP"),
    ("INTJ", "UH , *UH"),
    ("LST", "*LS ."),
    ("LST", "-LRB- *LS -RRB-"),
    ("NAC", "NNP , *NNP ,"),  # names of places: the last
    ("NP", "DT JJ *NN"),
    ("NP", "NN *NNS"),  # any noun, the last of them
    ("NP", "*NNS NP"),  # a noun on the left before a phrase on the right
    ("NP", "NNP *POS"),  # Ann 's
    ("NP", "DT *JJ"),  # the rich
    ("NP", "*NP PP"),
    ("NP", "NP , *NP"),  # apposition: the last
    ("NP", "NP CC *NP"),
    ("NP", "QP *CD"),
    ("NP", "*PRP"),
    ("NX", "NX CC *NX"),
    ("PP", "*IN NP"),
    ("PP", "ADVP *TO NP"),
    ("PP", "*IN PP"),
    ("PRN", "-LRB- *NP -RRB-"),  # never a bracket
    ("PRN", ", *S ,"),
    ("PRT", "*RP"),
    ("QP", "*RB CD CD"),  # about ten million: the adverb
    ("QP", "CD TO *CD"),
    ("QP", "*$ CD CD"),  # the sign before the number
    ("QP", "JJR *IN CD"),  # more than ten
    ("RRC", "ADVP *VP"),
    ("S", "NP *VP ."),
    ("S", "*S CC NP"),
    ("S", "S CC *S"),  # coordination: the last clause
    ("SBAR", "*IN S"),
    ("SBAR", "*WHNP S"),
    ("SBAR", "IN *WHADVP S"),
    ("SBARQ", "WHNP *SQ ."),
    ("SINV", "S , *VP NP"),
    ("SINV", "*MD NP VP"),  # should it rain: the finite verb
    ("SQ", "*VBZ NP VP"),
    ("UCP", "*ADJP CC NP"),
    ("VP", "*MD VP"),
    ("VP", "*VBD NP PP"),
    ("VP", "*VBZ VP"),
    ("VP", "TO *VP"),  # to sleep: the verb
    ("VP", "*VP CC VP"),  # coordination: the first
    ("VP", "ADVP *VBG NP"),
    ("WHADJP", "*WRB JJ"),  # how old
    ("WHADVP", "*WRB RB"),
    ("WHNP", "*WDT NN"),
    ("WHNP", "*WP$ NN"),
    ("WHNP", "DT *WHPP"),
    ("WHPP", "*IN WHNP"),
    ("X", "DT *JJR"),
    ("", "*S NP"),  # no rule: the first
    ("NML", "*NN NN"),
    ("NML", "`` *NN ''"),
]


@pytest.mark.parametrize(("phrase", "children"), CASES, ids=[f"{p}: {c}" for p, c in CASES])
def test_head_of_a_phrase(phrase: str, children: str) -> None:
    marked = children.split()
    (expected,) = [i for i, child in enumerate(marked) if child.startswith("*")]
    assert head_child(phrase, [child.lstrip("*") for child in marked]) == expected


def test_each_rule_has_a_case() -> None:
    assert {phrase for phrase, _ in CASES} >= HEAD_RULES.keys()


@pytest.mark.parametrize(
    ("phrase", "children", "place"),
    [
        ("NP", "DT ``", 0),  # no category of the rule: the last child that is not punctuation
        ("NP", "`` DT UH ''", 2),
        (
            "VP",
            "-LRB- RB IN -RRB-",
            1,
        ),  # from the left: the first that is not punctuation
        ("PRN", "-LRB- -RRB-", 1),  # punctuation alone, from the rule's end
        ("FRAG", ": .", 0),
    ],
)
def test_head_without_a_category_of_the_rule(phrase: str, children: str, place: int) -> None:
    assert head_child(phrase, children.split()) == place


CATEGORIES = sorted({*HEAD_RULES, "", ",", "``", "-LRB-", "NN", "VBD", "IN", "DT", "CC"})


@given(st.sampled_from(CATEGORIES), st.lists(st.sampled_from(CATEGORIES), min_size=1))
def test_the_head_is_not_punctuation_if_there_is_another_child(
    phrase: str, children: list[str]
) -> None:
    head = children[head_child(phrase, children)]
    marks = {",", "``", "-LRB-"}
    assert head not in marks or set(children) <= marks


@pytest.mark.parametrize(
    ("label", "expected", "roles"),
    [
        ("NP", "NP", set()),
        ("NP-SBJ-1", "NP", {"SBJ"}),
        ("NP-LOC-PRD-TPC-3", "NP", {"LOC", "PRD", "TPC"}),
        ("NP=2", "NP", set()),
        ("NP-SBJ=2", "NP", {"SBJ"}),
        ("ADVP|PRT", "ADVP", set()),
        ("NN|JJ", "NN", set()),
        ("PRP$", "PRP$", set()),
        ("-LRB-", "-LRB-", set()),
        ("-NONE-", "-NONE-", set()),
        ("", "", set()),
    ],
)
def test_parts_of_a_label(label: str, expected: str, roles: set[str]) -> None:
    assert category(label) == expected
    assert functions(label) == roles
