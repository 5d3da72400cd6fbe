"""What is wrong in a system's sentences, also where its words and sentences are others."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.scoring.metrics import evaluate
from meprop_nlp.views.differences import Compared, Differences


def compared(gold: list[Sentence], system: list[Sentence]) -> list[Compared]:
    found = Differences()
    scores = evaluate(gold, system, on_passage=found.add, pairs=True)
    return list(found.compared(scores))


def text(lines: str) -> list[Sentence]:
    return list(read_text(lines.replace(" ", "\t"), input_format="conllu"))


GOLD = text("""\
1 The the DET DT PronType=Art 2 det _ _
2 dogs dog NOUN NNS Number=Plur 3 nsubj _ _
3 run run VERB VB VerbForm=Fin|Typo=Yes 0 root _ _
4 today today NOUN NN _ 3 obl:tmod _ _

1-2 stopit _ _ _ _ _ _ _ _
1 stop stop VERB VB _ 0 root _ _
2 it it PRON PRP _ 1 obj _ _
3 now now ADV RB _ 1 advmod _ _

""")


def test_only_what_the_metrics_count_as_wrong_is_wrong() -> None:
    system = [
        GOLD[0].with_columns(
            upos=["DET", "VERB", "VERB", "NOUN"],
            feats=["_", "Number=Plur", "VerbForm=Fin", "_"],  # Typo is no universal feature
            lemma=["the", "Dogs", "run", "today"],
            head=[3, 3, 0, 3],
            deprel=["det", "obj", "root", "obl"],  # without its subtype
        ),
        GOLD[1],
    ]
    first, second = compared(GOLD, system)
    assert first.wrong == {
        1: {"feats": "PronType=Art", "head": 2},
        2: {"upos": "NOUN", "lemma": "dog", "deprel": "nsubj"},
    }
    assert second == Compared(GOLD[1], {}, [])
    assert first.sentence is system[0]


def test_other_words_and_sentences_are_compared_by_their_characters() -> None:
    system = text("""\
1 The the DET DT PronType=Art 2 det _ _
2 dog dog NOUN NN _ 4 nsubj _ _
3 s s PART POS _ 2 case _ _
4 run run VERB VB VerbForm=Fin 0 root _ _
5 today today NOUN NN _ 4 obl _ _
6 stopit stopit VERB VB _ 4 conj _ _
7 now now ADV RB _ 4 advmod _ _

""")
    (found,) = compared(GOLD, system)
    assert found.wrong == {
        1: {"head": -1},  # of "dogs", which is no word here
        2: None,
        3: None,
        6: None,
        7: {"head": -1},
    }
    assert found.missing == ["dogs", "stop", "it"]


def test_a_missing_word_is_told_in_the_sentence_where_it_would_be() -> None:
    system = text("""\
1 The the DET DT PronType=Art 2 det _ _
2 dogs dog NOUN NNS Number=Plur 3 nsubj _ _
3 run run VERB VB VerbForm=Fin 0 root _ _

1 todaystopit x X X _ 0 root _ _
2 now now ADV RB _ 1 advmod _ _

""")
    first, second = compared(GOLD, system)
    assert first.wrong == {}
    assert first.missing == []
    assert second.wrong == {1: None, 2: {"head": -1}}
    assert second.missing == ["today", "stop", "it"]


def test_a_gold_head_in_another_sentence_is_elsewhere() -> None:
    system = text("""\
1 The the DET DT PronType=Art 2 det _ _
2 dogs dog NOUN NNS Number=Plur 0 root _ _

1 run run VERB VB VerbForm=Fin 2 dep _ _
2 today today NOUN NN _ 0 root _ _

""")
    first, second = compared(GOLD, [*system, GOLD[1]])[:2]
    assert first.wrong == {2: {"head": -1, "deprel": "nsubj"}}
    assert second.wrong == {
        1: {"head": 0, "deprel": "root"},
        2: {"head": 1, "deprel": "obl:tmod"},  # the third word of gold, and the first one here
    }


def test_a_column_that_gold_does_not_have_is_never_wrong() -> None:
    bare = [s.with_columns(upos=["_"] * len(s), lemma=["_"] * len(s)) for s in GOLD]
    assert [each.wrong for each in compared(bare, GOLD)] == [{}, {}]
    unheaded = [s.with_columns(head=[-1] * len(s), deprel=["_"] * len(s)) for s in GOLD]
    assert [each.wrong for each in compared(unheaded, GOLD)] == [{}, {}]


@given(
    heads=st.lists(st.sampled_from([0, 1, 2, 3, 4]), min_size=4, max_size=4),
    deprels=st.lists(st.sampled_from(["det", "obl", "obl:tmod", "root"]), min_size=4, max_size=4),
    tags=st.lists(st.sampled_from(["DET", "NOUN", "VERB"]), min_size=4, max_size=4),
)
def test_marks_are_as_many_as_the_scores_say(
    heads: list[int], deprels: list[str], tags: list[str]
) -> None:
    root = heads.index(0) + 1 if 0 in heads else 1
    heads = [0 if i == root else root for i in range(1, 5)]  # a tree
    system = [GOLD[0].with_columns(head=heads, deprel=deprels, upos=tags), GOLD[1]]
    found = Differences()
    scores = evaluate(GOLD, system, on_passage=found.add, pairs=True)
    wrong = [values for each in found.compared(scores) for values in each.wrong.values() if values]
    assert sum("head" in values for values in wrong) == 7 - scores.counts["uas"].correct
    assert sum("upos" in values for values in wrong) == 7 - scores.counts["upos"].correct
    labelled = sum("head" in values or "deprel" in values for values in wrong)
    assert labelled == 7 - scores.counts["las"].correct
