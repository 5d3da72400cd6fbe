"""Scores: a table computed by hand, and agreement with the official program."""

from __future__ import annotations

import io
import json
import math
import random
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from udtools.udeval import UDError, load_conllu
from udtools.udeval import evaluate as official

from meprop_nlp.data.conll.layout import Layout
from meprop_nlp.data.conll.reading import read, read_text
from meprop_nlp.data.penn.punctuation import is_punctuation
from meprop_nlp.data.sample.treebank import sample_treebank
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.trees import is_tree
from meprop_nlp.data.word import Word
from meprop_nlp.errors import ConlluError, DataError
from meprop_nlp.scoring.metrics import evaluate
from meprop_nlp.scoring.scores import (
    COMBINED,
    METRICS,
    SEGMENTATION,
    Arcs,
    Count,
    Scores,
    distance_bucket,
    length_bucket,
)

OFFICIAL = {
    "Tokens": "tokens", "Sentences": "sentence_spans", "Words": "words",
    "UPOS": "upos", "XPOS": "xpos", "UFeats": "ufeats", "AllTags": "alltags", "Lemmas": "lemmas",
    "UAS": "uas", "LAS": "las", "CLAS": "clas", "MLAS": "mlas", "BLEX": "blex",
}  # fmt: skip

GOLD = Sentence.from_words(
    ["She", "reads", "old", "books", "."],
    lemma=["she", "read", "old", "book", "_"],
    upos=["PRON", "VERB", "ADJ", "NOUN", "PUNCT"],
    xpos=["PRP", "VBZ", "JJ", "NNS", "."],
    feats=["Case=Nom|Number=Sing", "_", "Degree=Pos|Typo=Yes", "Number=Plur", "_"],
    head=[2, 0, 4, 2, 2],
    deprel=["nsubj", "root", "amod", "obj", "punct"],
)
SYSTEM = GOLD.with_columns(
    lemma=["She", "read", "old", "books", "."],
    upos=["PRON", "NOUN", "ADJ", "NOUN", "PUNCT"],
    xpos=["PRP", "NNS", "JJ", "NNS", ","],
    feats=["Number=Sing|Case=Nom", "_", "Degree=Pos", "_", "_"],
    head=[2, 0, 2, 2, 4],
    deprel=["nsubj:pass", "root", "amod", "case", "punct"],
)


# few values, so that two random annotations often agree
CHOICES = {
    "lemma": ["_", "a", "a", "b"],
    "upos": ["NOUN", "NOUN", "NOUN", "ADP"],
    "xpos": ["_", "_", "N"],
    "feats": ["_", "_", "_", "Typo=Yes", "Case=Nom", "Typo=Yes|Case=Nom"],
    "deprel": ["nsubj", "nsubj", "case", "case:loc", "det", "punct"],
}


def official_scores(gold: str, system: str) -> dict[str, Count]:
    """Return the counts of the official program."""
    result = official(
        load_conllu(io.StringIO(gold), "gold", {}), load_conllu(io.StringIO(system), "system", {})
    )
    return {
        ours: Count(
            result[name].correct, result[name].gold_total, result[name].system_total,
            result[name].correct if ours in SEGMENTATION else result[name].aligned_total,
        )
        for name, ours in OFFICIAL.items()
    }  # fmt: skip


def scores_of(gold: str, system: str) -> dict[str, Count]:
    """Return the same counts of `evaluate`."""
    scores = evaluate(
        read_text(gold, input_format="conllu"), read_text(system, input_format="conllu")
    )
    return {name: scores.counts[name] for name in OFFICIAL.values()}


def random_heads(n: int, rng: random.Random) -> list[int]:
    """Return a random tree of n words with one root."""
    order = list(range(1, n + 1))
    rng.shuffle(order)
    heads = [0] * n
    for place, word in enumerate(order[1:], start=1):
        heads[word - 1] = order[rng.randrange(place)]
    return heads


def perturbed(sentence: Sentence, rng: random.Random) -> Sentence:
    """Return the sentence with some lemmas, tags, features, relations and heads changed."""
    heads = sentence.column("head")
    for i in range(len(heads)):
        if heads[i] and rng.random() < 0.2:
            other = [*heads[:i], rng.randrange(1, len(heads) + 1), *heads[i + 1 :]]
            heads = other if is_tree(other) else heads
    return sentence.with_columns(
        head=heads,
        lemma=["_" if rng.random() < 0.1 else lemma for lemma in sentence.column("lemma")],
        upos=["X" if rng.random() < 0.1 else tag for tag in sentence.column("upos")],
        xpos=["X" if rng.random() < 0.1 else tag for tag in sentence.column("xpos")],
        feats=["|".join(reversed(feats.split("|"))) for feats in sentence.column("feats")],
        deprel=[
            rng.choice(["nsubj", "case", "obl:arg", "punct"]) if rng.random() < 0.2 else deprel
            for deprel in sentence.column("deprel")
        ],
    )


def retokenised(sentence: Sentence, rng: random.Random) -> Sentence:
    """Return the same characters with other tokens: joined, split, or multiword, and new trees."""
    pieces: list[tuple[str, list[str]]] = []  # token, words (none when the token is the word)
    tokens = {token.first: token for token in sentence.multiword_tokens}
    covered = 0
    for word in sentence.words:
        token = tokens.get(word.id)
        if token is not None:
            words = sentence.forms[token.first - 1 : token.last]
            pieces.append((token.form, words if rng.random() < 0.7 else []))
            covered = token.last
        elif word.id > covered:
            form, chance = word.form.replace(" ", ""), rng.random()
            if chance < 0.1 and pieces:
                before, words = pieces.pop()
                pieces.append((before + form, [*words, form] if words else []))
            elif chance < 0.2 and len(form) > 1:
                pieces += [(form[:1], []), (form[1:], [])]
            elif chance < 0.3 and len(form) > 1:
                pieces.append((form, [form[:1], form[1:]]))
            else:
                pieces.append((form, []))
    lines, n = [], 0
    heads = iter(random_heads(sum(len(words) or 1 for _, words in pieces), rng))
    for form, words in pieces:
        if words:
            lines.append(f"{n + 1}-{n + len(words)}\t{form}" + "\t_" * 8)
        for word_form in words or [form]:
            n += 1
            lemma, upos, xpos, feats, deprel = map(rng.choice, CHOICES.values())
            tags = f"{lemma}\t{upos}\t{xpos}\t{feats}"
            lines.append(f"{n}\t{word_form}\t{tags}\t{next(heads)}\t{deprel}\t_\t_")
    return next(read_text("\n".join(lines), input_format="conllu"))


def in_conllu(tokens: list[str]) -> str:
    """Return a file of tokens, each with its words if it has several; `|` ends a sentence."""
    lines, n = [], 0
    for token in tokens:
        if token == "|":
            lines.append("")
            n = 0
            continue
        form, *words = token.split(" ")
        if words:
            lines.append(f"{n + 1}-{n + len(words)}\t{form}" + "\t_" * 8)
        for word in words or [form]:
            n += 1
            lines.append(f"{n}\t{word}\t_\t_\t_\t_\t{n - 1}\tdep\t_\t_")
    return "\n".join([*lines, "", ""])


class TestByHand:
    def test_each_metric(self) -> None:
        scores = evaluate([GOLD], [SYSTEM])
        assert scores.counts == {
            "tokens": Count(5, 5, 5, 5),
            "sentence_spans": Count(1, 1, 1, 1),
            "words": Count(5, 5, 5, 5),
            "upos": Count(4, 5, 5, 5),  # reads
            "xpos": Count(3, 5, 5, 5),  # reads .
            "ufeats": Count(4, 5, 5, 5),  # books; order and Typo do not count
            "alltags": Count(2, 5, 5, 5),  # She old
            "lemmas": Count(3, 5, 5, 5),  # She books; any lemma of . is right
            "uas": Count(3, 5, 5, 5),  # old and . are wrong
            "las": Count(2, 5, 5, 5),  # and the relation of books; :pass does not count
            "clas": Count(2, 4, 3, 4),  # She reads; the system calls books a case
            "mlas": Count(1, 4, 3, 4),  # She; reads has the wrong tag
            "blex": Count(1, 4, 3, 4),  # reads; She has the wrong lemma
            "ucm": Count(0, 1, 1, 1),
            "lcm": Count(0, 1, 1, 1),
        }
        assert list(scores.counts) == list(METRICS)
        assert (scores.upos, scores.uas, scores.las) == (80.0, 60.0, 40.0)
        assert scores.clas == pytest.approx(100 * 4 / 7)
        assert (scores.words, scores.xpos, scores.ufeats, scores.ucm) == (100, 60, 80, 0)
        assert (scores.alltags, scores.lemmas, scores.tokens) == (40, 60, 100)
        assert scores.mlas == scores.blex == pytest.approx(100 * 2 / 7)
        assert (scores.sentence_spans, scores.sentences) == (100, 1)

    def test_punctuation_is_excluded(self) -> None:
        scores = evaluate([GOLD], [SYSTEM], exclude_punct=True)
        assert scores.counts["uas"] == Count(3, 4, 4, 4)
        assert scores.counts["las"] == Count(2, 4, 4, 4)
        assert scores.counts["upos"] == Count(4, 5, 5, 5)
        assert "punct" not in scores.by_deprel

    def test_nothing_left_to_count_is_neither_0_nor_100(self) -> None:
        only = Sentence.from_words(["!"], upos=["PUNCT"], head=[0], deprel=["root"])
        scores = evaluate([only], [only], exclude_punct=True)
        assert {"uas", "las", "ucm", "lcm"} <= scores.annotated
        for name in ("uas", "las", "ucm", "lcm"):
            assert math.isnan(getattr(scores, name))
            assert scores.to_dict()["metrics"][name]["f1"] is None
        assert "NaN" not in json.dumps(scores.to_dict())
        assert "UAS -  LAS -" in re.sub(", ", "  ", repr(scores))
        row = next(line for line in str(scores).splitlines() if line.startswith("LAS"))
        assert row.split() == ["LAS", "-", "-", "-", "-"]
        both = scores + evaluate([GOLD], [SYSTEM], exclude_punct=True)
        assert both.counts["uas"] == Count(3, 4, 4, 4)
        assert both.counts["ucm"].gold == 1

    def test_gold_says_what_is_punctuation(self) -> None:
        system = SYSTEM.with_columns(upos=["PUNCT", "NOUN", "PUNCT", "NOUN", "X"])
        scores = evaluate([GOLD], [system], exclude_punct=True)
        assert scores.counts["uas"] == Count(3, 4, 4, 4)

    def test_subtypes_kept(self) -> None:
        scores = evaluate([GOLD], [SYSTEM], strip_subtypes=False)
        assert scores.counts["las"] == Count(1, 5, 5, 5)
        assert scores.by_deprel["nsubj:pass"] == Arcs(0, 0, 0, 1)

    def test_tables(self) -> None:
        scores = evaluate([GOLD], [SYSTEM])
        assert scores.by_deprel["nsubj"] == Arcs(gold=1, heads=1, labels=1, system=1)
        assert scores.by_deprel["obj"] == Arcs(gold=1, heads=1, labels=0, system=0)
        assert scores.by_deprel["case"] == Arcs(gold=0, heads=0, labels=0, system=1)
        assert scores.by_length == {"1-10": Arcs(5, 3, 2)}
        assert scores.by_distance == {
            "root": Arcs(1, 1, 1), "1": Arcs(2, 1, 1), "2": Arcs(1, 1, 0), "3-6": Arcs(1, 0, 0),
        }  # fmt: skip
        assert list(scores.by_distance) == ["root", "1", "2", "3-6"]
        assert scores.top_confusions() == [("VERB", "NOUN", 1)]

    def test_pairs_of_each_column_hold_right_words_too(self) -> None:
        gold = Sentence.from_words(
            ["a", "b", "c"], upos=["X", "Y", "Y"], head=[0, 1, 1], deprel=["root", "obl:x", "obj"],
            feats=["Case=Nom|Number=Sing|Foo=1", "Case=Acc", "_"],
        )  # fmt: skip
        system = gold.with_columns(
            upos=["X", "Y", "X"], head=[0, 1, 2], deprel=["root", "obl", "obl"],
            feats=["Number=Plur|Case=Nom|Foo=2", "_", "_"],
        )  # fmt: skip
        scores = evaluate([gold], [system], pairs=True)
        assert scores.pairs == {
            "upos": {("X", "X"): 1, ("Y", "Y"): 1, ("Y", "X"): 1},
            "feats": {
                ("Case=Nom", "Case=Nom"): 1,
                ("Number=Sing", "Number=Plur"): 1,
                ("Case=Acc", "Case=_"): 1,
            },
            "deprel": {("root", "root"): 1, ("obl", "obl"): 1, ("obj", "obl"): 1},
        }
        assert scores.top_confusions(1, "feats") == [("Case=Acc", "Case=_", 1)]
        assert scores.top_confusions(9, "xpos") == []
        assert (scores + scores).pairs["deprel"]["obj", "obl"] == 2
        assert set(scores.only(["upos", "uas"]).pairs) == {"upos"}

    def test_pairs_are_counted_when_asked_for(self) -> None:
        scores = evaluate([GOLD], [SYSTEM])
        assert scores.pairs == {}
        assert scores == replace(evaluate([GOLD], [SYSTEM], pairs=True), pairs={})

    def test_pairs_follow_what_is_counted(self) -> None:
        whole = evaluate([GOLD], [SYSTEM], pairs=True).pairs["deprel"]
        assert sum(whole.values()) == 5
        kept = evaluate([GOLD], [SYSTEM], exclude_punct=True, pairs=True).pairs["deprel"]
        assert sum(kept.values()) == 4
        with_subtypes = evaluate([GOLD], [SYSTEM], strip_subtypes=False, pairs=True).pairs["deprel"]
        assert ("nsubj", "nsubj:pass") in with_subtypes

    def test_perfect_system_has_100_per_cent(self) -> None:
        scores = evaluate([GOLD], [GOLD])
        assert {count.f1 for count in scores.counts.values()} == {100.0}
        assert (scores.lcm, scores.top_confusions()) == (100.0, [])

    def test_scores_add(self) -> None:
        both = evaluate([GOLD, GOLD], [SYSTEM, GOLD])
        assert evaluate([GOLD], [SYSTEM]) + evaluate([GOLD], [GOLD]) == both
        assert (both.ucm, both.sentences) == (50.0, 2)
        assert (both + both).top_confusions() == [("VERB", "NOUN", 2)]

    def test_scores_of_different_kinds_do_not_add(self) -> None:
        with pytest.raises(ValueError, match="alike"):
            evaluate([GOLD], [GOLD]) + evaluate([GOLD], [GOLD], exclude_punct=True)

    def test_json_has_none_for_metrics_without_gold_annotation(self) -> None:
        gold = Sentence.from_words(["a", "b"], head=[0, 1])
        written = evaluate([gold], [gold]).to_dict()
        named = {name for name, count in written["metrics"].items() if count is not None}
        assert named == {*SEGMENTATION, "uas", "ucm"}
        assert written["metrics"]["uas"]["f1"] == 100.0
        assert written["by_length"] == {"1-10": {"gold": 2, "uas": 100.0, "las": 100.0}}

    def test_tags_are_scored_without_trees(self) -> None:
        gold = Sentence.from_words(["a", "b"], xpos=["X", "Y"])
        scores = evaluate([gold], [gold.with_columns(xpos=["X", "X"])])
        assert scores.annotated == {*SEGMENTATION, "xpos"}
        assert (scores.xpos, scores.counts["uas"].gold) == (50.0, 0)
        assert scores.top_confusions() == [("Y", "X", 1)]

    def test_heads_in_later_sentences_only_are_refused(self) -> None:
        bare, tree = Sentence.from_words(["a"], xpos=["X"]), Sentence.from_words(["b"], head=[0])
        gold = [bare, bare.with_columns(xpos=["Y"]), tree]
        with pytest.raises(ConlluError, match="has heads, and the sentence at line 1 has none"):
            evaluate(gold, gold)
        assert evaluate(gold, gold, trees=False).annotated == {*SEGMENTATION, "xpos"}

    @pytest.mark.parametrize(
        ("columns", "expected"),
        [
            ("upos", set()),
            ("xpos feats", set()),
            ("upos xpos", {"alltags"}),
            ("upos feats", {"alltags"}),
            ("lemma", set()),
            ("head deprel", set()),
            ("head upos feats lemma", {"alltags"}),
            ("head deprel xpos", set()),
            ("head deprel upos", {"mlas"}),
            ("head deprel feats", {"mlas"}),
            ("head deprel lemma", {"blex"}),
            ("head deprel lemma upos xpos feats", {"alltags", "mlas", "blex"}),
        ],
    )
    def test_metrics_of_several_columns_need_annotation_of_two(
        self, columns: str, expected: set[str]
    ) -> None:
        given = {name: GOLD.column(name) for name in columns.split()}
        gold = Sentence.from_words(GOLD.forms, **given)
        assert evaluate([gold], [gold]).annotated & COMBINED.keys() == expected

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ("tokens", "tokens"),
            ("upos ufeats", "upos ufeats"),
            ("upos xpos ufeats", "upos xpos ufeats alltags"),
            ("las upos ufeats", "las upos ufeats mlas"),
            ("las lemmas", "las lemmas blex"),
            ("las lemmas upos xpos ufeats", "las lemmas upos xpos ufeats alltags mlas blex"),
            ("uas lemmas", "uas lemmas"),
        ],
    )
    def test_metrics_of_several_columns_stay_with_all_of_them(
        self, given: str, expected: str
    ) -> None:
        kept = evaluate([GOLD], [SYSTEM]).only(given.split()).annotated
        assert kept == {"words", *expected.split()}

    def test_columns_without_gold_annotation_are_not_missed(self) -> None:
        gold = GOLD.with_columns(xpos=["_"] * 5, feats=["_"] * 5)
        kept = evaluate([gold], [gold]).only(["upos", "las"]).annotated
        assert kept == {"words", "upos", "las", "mlas"}

    @pytest.mark.parametrize(
        ("word", "column", "value", "mlas"),
        [
            ("saw", "lemma", "see", 4),
            ("Rome", "upos", "X", 3),
            ("In", "upos", "X", 3),  # Rome has a wrong function word
            (",", "upos", "X", 4),
            (",", "head", 5, 4),
            ("'s", "feats", "Case=Gen", 3),
            ("'s", "feats", "Typo=Yes", 4),
            ("In", "deprel", "case:loc", 4),
            ("In", "deprel", "mark", 3),
            ("In", "deprel", "advmod", 3),
            (",", "deprel", "det", 3),  # Rome has one more
            ("saw", "deprel", "case", 3),  # the root is nobody's function word
            ("In", "head", 5, 2),  # Rome has none, saw has one
        ],
    )
    def test_mlas_judges_function_words_with_their_heads(
        self, word: str, column: str, value: str | int, mlas: int
    ) -> None:
        gold = Sentence.from_words(
            ["In", "Rome", ",", "she", "saw", "'s", "it"],
            upos=["ADP", "PROPN", "PUNCT", "PRON", "VERB", "PART", "PRON"],
            head=[2, 5, 2, 5, 0, 4, 5],
            deprel=["case", "obl", "punct", "nsubj", "root", "case", "obj"],
        )
        values = gold.column(column)
        values[gold.forms.index(word)] = value
        scores = evaluate([gold], [gold.with_columns(**{column: values})])
        assert scores.counts["mlas"] == Count(mlas, 4, scores.counts["clas"].system, 4)

    @pytest.mark.parametrize(
        ("words", "bucket"), [(1, "1-10"), (10, "1-10"), (11, "11-20"), (50, "41-50"), (51, "51+")]
    )
    def test_length_buckets(self, words: int, bucket: str) -> None:
        assert length_bucket(words) == bucket

    @pytest.mark.parametrize(
        ("distance", "bucket"), [(0, "root"), (2, "2"), (3, "3-6"), (10, "7-10"), (11, "11+")]
    )
    def test_distance_buckets(self, distance: int, bucket: str) -> None:
        assert distance_bucket(distance) == bucket

    @pytest.mark.parametrize(
        ("form", "upos", "xpos", "expected"),
        [
            ("...", "PUNCT", "_", True),
            ("...", "X", "_", False),
            ("ha", "_", "-LRB-", True),
            ("ha", ",", ",", True),
            ("\u00bf?", "f", "fia", True),
            ("$", "$", "$", False),
            ("_", "_", "_", False),
            ("a.", "_", "_", False),
        ],
    )
    def test_punctuation_by_tag_or_by_form(
        self, form: str, upos: str, xpos: str, expected: bool
    ) -> None:
        assert is_punctuation(Word(1, form, upos=upos, xpos=xpos)) is expected


class TestAgainstTheOfficialProgram:
    @pytest.mark.parametrize("name", ["ud-english-ewt", "ud-turkish-imst"])
    @pytest.mark.parametrize("change", [perturbed, retokenised])
    def test_treebank(self, shared_data: Path, name: str, change: object) -> None:
        rng = random.Random(1)
        gold = list(read(shared_data / name / "dev.conllu"))[:500]
        system = [change(sentence, rng) for sentence in gold]  # type: ignore[operator]
        texts = "".join(map(str, gold)), "".join(map(str, system))
        expected = official_scores(*texts)
        assert scores_of(*texts) == expected
        assert 10 < expected["las"].f1 < 90 or change is retokenised
        assert expected["words"].f1 < 100 or change is perturbed

    @settings(max_examples=50, deadline=None)
    @given(
        st.lists(st.lists(st.text("aAbc", min_size=1, max_size=4), min_size=1), min_size=1),
        st.randoms(use_true_random=False),
    )
    def test_any_two_tokenisations(self, sentences: list[list[str]], rng: random.Random) -> None:
        made = [Sentence.from_words(f, head=random_heads(len(f), rng)) for f in sentences]
        gold = "".join(str(retokenised(sentence, rng)) for sentence in made)
        cut = Sentence.from_words(list("".join(form for f in sentences for form in f)))
        system = "".join(
            str(retokenised(sentence, rng)) for sentence in ([cut] if rng.random() < 0.3 else made)
        )
        assert scores_of(gold, system) == official_scores(gold, system)

    @settings(max_examples=30, deadline=None)
    @given(
        st.lists(st.lists(st.sampled_from("ab"), min_size=1), min_size=1, max_size=3),
        st.randoms(use_true_random=False),
    )
    def test_any_two_annotations(self, sentences: list[list[str]], rng: random.Random) -> None:
        texts = ["", ""]
        for forms in sentences:
            gold = Sentence.from_words(forms, head=random_heads(len(forms), rng))
            for i in range(2):
                columns = {name: rng.choices(c, k=len(forms)) for name, c in CHOICES.items()}
                texts[i] += str(gold.with_columns(**columns))
        assert scores_of(*texts) == official_scores(*texts)

    @pytest.mark.parametrize(
        ("gold", "system", "aligned"),
        [
            (["a", "b"], ["a", "b"], 2),
            (["ab a b"], ["a", "b"], 2),
            (["ab a b", "cd c d"], ["ab c x", "cd y z"], 0),  # ranges that touch stay apart
            (["aa a a", "a"], ["a", "aa a a"], 3),  # same words, but not the same tokens
            (["abc a BX c"], ["ab a b", "c"], 2),
            (["abc"], ["a", "bc"], 0),
            (["ba", "|", "AbA A bA"], ["b", "a", "|", "AbA"], 1),  # see `alignment.align`
        ],
    )
    def test_alignment_by_hand(self, gold: list[str], system: list[str], aligned: int) -> None:
        texts = in_conllu(gold), in_conllu(system)
        assert scores_of(*texts)["words"].correct == aligned
        assert scores_of(*texts) == official_scores(*texts)

    TREE = "1\ta\t_\t_\t_\t_\t0\troot\t_\t_\n2\tb\t_\t_\t_\t_\t1\tdep\t_\t_\n\n"

    @pytest.mark.parametrize(
        ("system", "message"),
        [
            (TREE.replace("\tb\t", "\tc\t"), r":2: .* found 'c', expected 'b' as in .*:2"),
            (TREE.replace("\t0\t", "\t2\t"), "round in a circle: 1 'a' -> 2 'b' -> 1"),
            (TREE.replace("\t1\tdep", "\t0\troot"), ":2: 2 words have HEAD 0"),
            (TREE.replace("\t1\tdep", "\t2\tdep"), "circle: 2 'b'"),
            (TREE.replace("\t1\tdep", "\t_\tdep"), ":2: HEAD is '_'"),
            (TREE.replace("\tb\t", "\t\u00a0\t"), "nothing but spaces"),
            (TREE * 2, ":4: .* ends before this word"),
            (TREE[: TREE.index("2\tb")] + "\n", "ends before this word"),
        ],
    )
    def test_files_that_it_refuses_are_refused(self, system: str, message: str) -> None:
        with pytest.raises((UDError, ValueError)):
            official_scores(self.TREE, system)
        with pytest.raises(ConlluError, match=message):
            scores_of(self.TREE, system)

    def test_empty_system_is_refused(self) -> None:
        with pytest.raises(ConlluError, match="the other file is empty"):
            evaluate([GOLD], [])

    def test_empty_gold_is_refused(self) -> None:
        with pytest.raises(DataError, match="no sentences in the gold file"):
            evaluate([], [GOLD])

    def test_several_roots_are_allowed_outside_conllu_or_when_asked(self) -> None:
        two = Sentence.from_words(["a", "b"], head=[0, 0], deprel=["ROOT", "_"])
        with pytest.raises(ConlluError, match="CoNLL-U allows one root"):
            evaluate([two], [two])
        assert evaluate([two], [two], multiple_roots=True).uas == 100.0
        conllx = list(read_text(two.to_text(Layout("conllx", 10)), input_format="conllx"))
        assert evaluate(conllx, conllx).las == 100.0

    def test_spaces_in_a_form_do_not_count(self) -> None:
        gold = Sentence.from_words(["New York", "1\u00a0000"], head=[0, 1])
        system = Sentence.from_words(["NewYork", "1000"], head=[0, 1])
        assert evaluate([gold], [system]).uas == 100.0

    def test_sentences_may_be_split_differently(self) -> None:
        one = Sentence.from_words(["a", "b", "c", "d"], head=[0, 1, 1, 3])
        two = [Sentence.from_words(["a", "b"], head=[0, 1]), Sentence.from_words("cd", head=[0, 1])]
        scores: Scores = evaluate([one], two)
        assert scores.counts["uas"] == Count(3, 4, 4, 4)
        assert scores.counts["sentence_spans"] == Count(0, 1, 2, 0)
        assert evaluate(two, [one]).counts["ucm"] == Count(1, 2, 2, 2)


class TestShown:
    def test_scores_print_as_a_table_of_what_gold_has(self) -> None:
        gold = Sentence.from_words(["It", "rains"], upos=["PRON", "VERB"])
        found = Sentence.from_words(["It", "rains"], upos=["PRON", "NOUN"])
        scores = evaluate([gold], [found], trees=False).only(["upos"])
        assert str(scores).splitlines() == [
            "Metric  Precision  Recall      F1  Aligned",
            "------  ---------  ------  ------  -------",
            "Words      100.00  100.00  100.00",
            "UPOS        50.00   50.00   50.00    50.00",
        ]
        assert repr(scores) == "<Scores of 1 sentence: UPOS 50.00>"

    def test_complete_matches_are_a_share_of_the_sentences(self) -> None:
        columns = {"head": [2, 0], "deprel": ["nsubj", "root"]}
        sentence = Sentence.from_words(["It", "rains"], **columns)
        scores = evaluate([sentence], [sentence]).only(["uas", "ucm"])
        assert str(scores).splitlines()[-1].split() == ["UCM", "100.00", "100.00", "100.00"]
        assert repr(scores) == "<Scores of 1 sentence: UAS 100.00, UCM 100.00>"
        assert repr(scores.only([])) == "<Scores of 1 sentence: none>"


def test_files_are_scored_like_their_sentences(tmp_path: Path) -> None:
    path = sample_treebank("dev")
    gold = list(read(path))
    system = tmp_path / "system.conllu"
    system.write_text(path.read_text(encoding="utf-8").replace("\tNOUN\t", "\tVERB\t"), "utf-8")
    expected = evaluate(gold, list(read(system)))
    assert expected.upos < 90
    assert evaluate(path, str(system)) == expected
    assert evaluate(str(path), read(system)) == expected
    for gold_given, system_given, message in (
        ([str(path)], gold, r"`gold\[0\]` is of type str, expected a Sentence; give the file"),
        (gold, 5, "`system` is of type int, expected a file or Sentences"),
        (gold, tmp_path / "none.conllu", "none.conllu"),
    ):
        with pytest.raises(DataError, match=message):
            evaluate(gold_given, system_given)  # type: ignore[arg-type]
