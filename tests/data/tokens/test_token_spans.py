"""Where tokens stand, and the CoNLL-U of a text with them, beside a loop over the tokens."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.data.spaces import text_of
from meprop_nlp.data.tokens.token_spans import TokenSpans
from meprop_nlp.native import core, why_missing

CORE = core()
needs_core = pytest.mark.skipif(CORE is None, reason=why_missing())

SPACES = st.text(st.sampled_from(" \t\n\u00a0\u2028"), max_size=3)
FORMS = st.text(st.sampled_from("abcé日😀."), min_size=1, max_size=4)
INNER = (" ", "  ", "\n")  # in a token
# white space, the token that follows, its words, whether it ends a sentence, a paragraph
TOKENS = st.lists(
    st.tuples(
        SPACES,
        st.one_of(FORMS, st.builds("{}{}{}".format, FORMS, st.sampled_from(INNER), FORMS)),
        st.integers(1, 3),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=30,
)  # fmt: skip


def spans_of(tokens: list[tuple[str, str, int, bool, bool]], rest: str) -> tuple[TokenSpans, str]:
    text, places, lasts = "", [], []
    for before, form, _, _, _ in tokens:
        text += before
        places += [len(text) + n for n, letter in enumerate(form) if not letter.isspace()]
        lasts.append(len(places) - 1)
        text += form
    ends_sentence = np.array([ends for *_, ends, _ in tokens])
    ends_sentence[-1] = True
    ends_paragraph = np.array([ends for *_, ends in tokens]) & ends_sentence
    spans = TokenSpans(np.array(places), np.array(lasts), ends_sentence, ends_paragraph)
    return spans, text + rest


@given(TOKENS, SPACES)
def test_sentences_are_as_in_a_loop_over_the_tokens(
    tokens: list[tuple[str, str, int, bool, bool]], rest: str
) -> None:
    spans, text = spans_of(tokens, rest)
    words = {n: [f"w{i}" for i in range(k)] for n, (_, _, k, _, _) in enumerate(tokens) if k > 1}
    forms = spans.forms(text)
    read = iter(read_text(spans.conllu(text, words)))
    sentence, number, begins = next(read), 0, True
    for place, form in enumerate(forms):
        parts = words.get(place, [form])
        if number == 0:
            assert ("newpar" in [c.strip("# ") for c in sentence.comments]) == begins
        found = sentence.words[number : number + len(parts)]
        assert [word.form for word in found] == parts
        assert [word.id for word in found] == list(range(number + 1, number + len(parts) + 1))
        multiword = [token for token in sentence.multiword_tokens if token.first == number + 1]
        assert [token.form for token in multiword] == ([form] if place in words else [])
        number += len(parts)
        begins = bool(spans.ends_paragraph[place])
        if spans.ends_sentence[place]:
            assert number == len(sentence.words)
            sentence, number = next(read, sentence), 0
    assert next(read, None) is None


@needs_core
@given(TOKENS, SPACES)
def test_the_core_writes_what_python_does(
    tokens: list[tuple[str, str, int, bool, bool]], rest: str
) -> None:
    spans, text = spans_of(tokens, rest)
    words = {n: [f"é{i}" for i in range(k)] for n, (_, _, k, _, _) in enumerate(tokens) if k > 1}
    assert spans.conllu(text, words, native=CORE) == spans.conllu(text, words)


@needs_core
def test_the_core_refuses_what_would_be_read_outside_the_text() -> None:
    assert CORE is not None
    good = [
        np.array([97, 32, 98], np.uint32), np.array([0, 2]), np.array([0, 1]), np.array([1]),
        np.array([1], np.int32), [],
    ]  # fmt: skip
    assert CORE.write_tokens(*good).count(b"\n") == 5
    wrong: list[tuple[int, Any]] = [
        (1, np.array([0, 3])), (1, np.array([2, 0])), (1, np.array([-1, 2])), (2, np.array([0, 2])),
        (3, np.array([2])), (4, np.array([1, 1], np.int32)), (5, [(2, b"", [])]),
        (5, [(1, b"", []), (0, b"", [])]), (5, [(-1, b"", [])]),
    ]  # fmt: skip
    for place, value in wrong:
        with pytest.raises(ValueError, match=r"must|paragraph"):
            CORE.write_tokens(*good[:place], value, *good[place + 1 :])


@given(TOKENS, SPACES)
def test_the_text_comes_back(tokens: list[tuple[str, str, int, bool, bool]], rest: str) -> None:
    spans, text = spans_of(tokens, rest)
    assert text_of(read_text(spans.conllu(text, {}))) == text


def test_white_space_is_kept_in_misc() -> None:
    tokens = [
        (" ", "a", 1, False, False),
        ("", "b  c", 1, False, False),
        ("\n", "d", 1, True, True),
    ]
    spans, text = spans_of(tokens, "")
    forms = spans.forms(text)
    assert forms == ["a", "b c", "d"]
    assert spans.miscs(text) == [
        r"SpaceAfter=No|SpacesBefore=\s",
        r"SpacesInToken=b\s\sc|SpacesAfter=\n",
        "SpaceAfter=No",
    ]
    assert spans.miscs(text, 10)[2] == "SpaceAfter=No|TokenRange=17:18"
