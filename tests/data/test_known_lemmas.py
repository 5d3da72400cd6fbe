"""What a treebank knows of lemmas, against looking through the treebank."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.known_lemmas import Facts, KnownLemmas
from meprop_nlp.data.lemma_script import apply_script, cut_texts, script_of

Word = tuple[str, str, str]

texts = st.text(st.sampled_from("abAİß'"), min_size=1, max_size=4)
words = st.tuples(texts, st.sampled_from(["NOUN", "VERB", "_"]), texts)


def looked_up(treebank: list[Word], word: Word) -> Facts:
    """The facts of a word's lemma, as its script makes it."""
    form, tag, lemma = word
    script = script_of(form, lemma)
    same = [known for known in treebank if (known[0].lower(), known[1]) == (form.lower(), tag)]
    served = [known for known in treebank if script_of(known[0], known[2]) == script]
    forms = {known[0].lower() for known in served}
    return Facts(
        sum(known[2] == lemma for known in same) / max(1, len(same)),
        any(known[1:] == (tag, lemma) for known in treebank),
        any(known[2] == lemma for known in treebank),
        all(cut_texts(script, known[0]) != cut_texts(script, form) for known in served),
        len(forms) < 2 and form.lower() not in forms,
        lemma == form,
    )


@given(treebank=st.lists(words, max_size=12), others=st.lists(words, max_size=3))
def test_facts_are_those_of_the_treebank(treebank: list[Word], others: list[Word]) -> None:
    known = KnownLemmas.build(treebank)
    for form, tag, lemma in [*treebank, *others]:
        found = known.facts(form, tag, script_of(form, lemma), lemma)
        expected = looked_up(treebank, (form, tag, lemma))
        assert abs(found.share - expected.share) < 1 / 200 or found.share == 1 / 255
        assert found[1:] == expected[1:]


def test_facts_are_the_same_after_they_were_stored() -> None:
    treebank = [("hassled", "VERB", "hassle"), ("Cities", "NOUN", "city"), ("s", "X", "_")]
    known = KnownLemmas.build(treebank)
    again = KnownLemmas(known.keys.copy(), known.shares.copy())
    script = script_of("Cities", "city")
    assert again.facts("CITIES", "NOUN", script, "city") == (1, 1, 1, 0, 0, 0)
    assert again.facts("Flies", "NOUN", script, "fly") == (0, 0, 0, 0, 1, 0)
    assert again.facts("stolen", "VERB", script, "sty") == (0, 0, 0, 1, 1, 0)
    assert np.all(np.diff(known.keys.astype(np.int64)) > 0)


def test_a_huge_treebank_gives_what_it_has_often(monkeypatch: pytest.MonkeyPatch) -> None:
    often = [("Cities", "NOUN", "city"), ("hassled", "VERB", "hassle")]
    once = [(f"form{n}", "NOUN", f"lemma{n}") for n in range(9)]
    monkeypatch.setattr("meprop_nlp.data.known_lemmas.MOST_FACTS", 12)
    known, expected = KnownLemmas.build([*often, *once, *often]), KnownLemmas.build(often)
    np.testing.assert_array_equal(known.keys, expected.keys)
    other = KnownLemmas.build(once[:2])
    assert len(other.keys) + len(known.keys) > 12
    assert known.joined(other) is known


def test_order_of_the_words_does_not_matter() -> None:
    treebank = [("a", "X", "b"), ("A", "X", "a"), ("a", "Y", "b"), ("c", "X", "b")]
    found, turned = KnownLemmas.build(treebank), KnownLemmas.build(treebank[::-1])
    np.testing.assert_array_equal(found.keys, turned.keys)
    np.testing.assert_array_equal(found.shares, turned.shares)


def lowered(text: str) -> str:
    return text.replace("İ", "i").lower()


@given(treebank=st.lists(words, max_size=9), more=st.lists(words, max_size=9))
def test_joined_facts_are_those_of_both(treebank: list[Word], more: list[Word]) -> None:
    own, other = KnownLemmas.build(treebank), KnownLemmas.build(more)
    found, both = own.joined(other), KnownLemmas.build([*treebank, *more])
    for form, tag, lemma in [*treebank, *more]:
        of_word = form, tag, script_of(form, lemma), lemma
        facts, expected = found.facts(*of_word), both.facts(*of_word)
        assert facts[1:4] == expected[1:4]
        assert facts.share == (own.facts(*of_word).share or other.facts(*of_word).share)
        # each may know the script from one form, and they are not the same
        assert facts.single == 0 == expected.single
    assert found.is_joined == (len(found.keys) > len(own.keys))
    assert KnownLemmas(found.keys, found.shares).is_joined == found.is_joined
    assert not own.is_joined


@given(form=texts, lemma=texts)
def test_what_a_script_does_not_cut_stays_in_the_lemma(form: str, lemma: str) -> None:
    script = script_of(form, lemma)
    start, end = cut_texts(script, form)
    if script.startswith("["):
        rest = form if '"keep"' in script else lowered(form)
        assert rest.startswith(start)
        assert rest.endswith(end)
        kept = rest[len(start) : len(rest) - len(end)]
        assert kept
        assert lowered(kept) in lowered(apply_script(script, form) or "")
    else:
        assert (start, end) == (lowered(form), "")
