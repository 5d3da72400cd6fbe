"""Multiword tokens into words: by the treebank's tokens, and by their endings."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.tokens.splits import Rule, Splits


def treebank(*tokens: tuple[str, list[str]]) -> list[Sentence]:
    """One sentence a token; a token of one word is not split."""
    text = ""
    for form, words in tokens:
        if len(words) > 1:
            text += f"1-{len(words)}\t{form}" + "\t_" * 8 + "\n"
        for n, word in enumerate(words, start=1):
            text += f"{n}\t{word}" + "\t_" * 8 + "\n"
        text += "\n"
    return list(read_text(text))


ENGLISH = treebank(
    ("don't", ["do", "n't"]), ("don't", ["do", "n't"]), ("Mary's", ["Mary", "'s"]),
    ("cannot", ["can", "not"]), ("its", ["its"]), ("its", ["it", "s"]),
)  # fmt: skip
FRENCH = treebank(("du", ["de", "le"]), ("aux", ["à", "les"]), ("Du", ["De", "le"]))


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("don't", ["do", "n't"]),
        ("DON'T", ["DO", "N'T"]),
        ("Won't", ["Wo", "n't"]),
        ("Peter's", ["Peter", "'s"]),
        ("Cannot", ["Can", "not"]),
    ],
)
def test_unseen_tokens_are_split_by_their_endings(form: str, words: list[str]) -> None:
    assert Splits.build(ENGLISH).words(form) == words


@pytest.mark.parametrize(
    ("form", "words"), [("du", ["de", "le"]), ("Aux", ["À", "les"]), ("DU", ["DE", "LE"])]
)
def test_words_that_are_not_parts_of_the_token(form: str, words: list[str]) -> None:
    found = Splits.build(FRENCH).words(form)
    assert found is not None
    assert [word.lower() for word in found] == [word.lower() for word in words]
    assert found[1] == words[1]


def test_tokens_that_are_always_split_are_known() -> None:
    assert Splits.build(ENGLISH).always == {"don't", "mary's", "cannot"}  # and not "its"


def test_nothing_is_split_without_rules() -> None:
    assert Splits.build([Sentence.from_words(["a"])]).words("don't") is None


def test_a_rule_never_makes_an_empty_word() -> None:
    rule = Rule.of("can't", ["ca", "n't"])
    assert rule.words("can't") == ["ca", "n't"]
    assert rule.words("n't") is None  # nothing would be left of the first word
    assert rule.words("t") is None


@given(st.lists(st.tuples(st.text("abcN'", min_size=2), st.integers(1, 20)), min_size=1))
def test_a_treebank_that_is_consistent_is_split_as_it_is(pairs: list[tuple[str, int]]) -> None:
    tokens = {
        form.lower(): [form.lower()[: n % len(form) or 1], form.lower()[n % len(form) or 1 :]]
        for form, n in pairs
    }
    sentences = treebank(*tokens.items())
    splits = Splits.build(sentences)
    stored = Splits.from_dict(json.loads(json.dumps(splits.to_dict())))
    for form, words in tokens.items():
        assert splits.words(form) == words
        assert stored.words(form) == words
    assert stored.always == splits.always == set(tokens)


@pytest.mark.parametrize(
    "stored",
    [
        {"rules": [], "always": []},
        {"rules": {}, "always": {}},
        {"rules": {}, "always": [1]},
        {"rules": {"s": [1, "", 1.5]}, "always": []},
        {"rules": {"s": [-1, "", 1]}, "always": []},
        {"rules": {"s": [1, "a\nb", "c"]}, "always": []},
        {"rules": {"s": [1, "a", "\t"]}, "always": []},
        {"rules": {"s": [1, ""]}, "always": []},
        {"rules": {"s": "abc"}, "always": []},
    ],
)
def test_what_is_no_table_of_rules_is_refused(stored: object) -> None:
    with pytest.raises(ValueError, match="multiword token"):
        Splits.from_dict(stored)


def test_of_two_endings_the_one_that_leaves_a_known_word_decides() -> None:
    splits = Splits.build(
        treebank(
            ("evliydi", ["ev", "li", "ydi"]),
            ("kediydi", ["kedi", "ydi"]),
            ("oydi", ["o", "ydi"]),
        )
    )
    assert splits.words("gizliydi") == ["giz", "li", "ydi"]
    assert splits.words("gizliydi", {"gizli"}.__contains__) == ["gizli", "ydi"]
    assert splits.words("gizliydi", {"giz", "gizli"}.__contains__) == ["gizli", "ydi"]
    assert splits.words("gizliydi", {"giz"}.__contains__) == ["giz", "li", "ydi"]
    assert splits.words("gizliydi", {"other"}.__contains__) == ["giz", "li", "ydi"]
    assert splits.words("evliydi", {"evli"}.__contains__) == ["ev", "li", "ydi"]  # the treebank's
