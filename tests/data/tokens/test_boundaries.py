"""The running text of a treebank, and where its tokens and sentences end."""

from __future__ import annotations

import pytest

from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.tokens import boundaries
from meprop_nlp.data.tokens.boundaries import (
    MULTIWORD,
    MULTIWORD_SENTENCE,
    NOTHING,
    SENTENCE,
    TOKEN,
    Boundaries,
    has_text,
    raw_text,
    tokens_of,
)


def line(n: object, form: str, misc: str = "_", upos: str = "_") -> str:
    return f"{n}\t{form}\t_\t{upos}\t_\t_\t_\t_\t_\t{misc}\n"


TREEBANK = "\n".join(
    [
        "# newdoc id = d\n# newpar\n# text = I can't.\n"
        + line(1, "I")
        + line("2-3", "can't", "SpaceAfter=No")
        + line(2, "ca")
        + line(3, "n't")
        + line(4, ".", upos="PUNCT"),
        "# text = So what?\n" + line(1, "So") + line(2, "what", "SpaceAfter=No") + line(3, "?"),
        "# newpar id = 2\n# text = We don't\n"
        + line(1, "We")
        + line("2-3", "don't")
        + line(2, "do")
        + line(3, "n't"),
        "",
    ]
)


@pytest.fixture
def sentences() -> list[Sentence]:
    return list(read_text(TREEBANK))


@pytest.fixture(autouse=True)
def all_punctuation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boundaries, "UNPUNCTUATED", 0.0)


def test_each_character_says_what_ends_after_it(sentences: list[Sentence]) -> None:
    found = Boundaries.of(sentences)
    assert found.text == "\nI can't. So what?\nWe don't\n"
    ends = {place: end for place, end in enumerate(found.ends.tolist()) if end != NOTHING}
    assert ends == {
        1: TOKEN, 7: MULTIWORD, 8: SENTENCE, 11: TOKEN, 16: TOKEN, 17: SENTENCE,
        20: TOKEN, 26: MULTIWORD_SENTENCE,
    }  # fmt: skip


def test_raw_text_has_an_empty_line_between_paragraphs(sentences: list[Sentence]) -> None:
    assert raw_text(sentences) == "I can't. So what?\n\nWe don't\n"
    assert raw_text([]) == ""


def test_paragraphs_are_drawn_where_no_comment_says_where_they_begin() -> None:
    plain = [Sentence.from_words(["Yes", "."]) for _ in range(300)]
    assert Boundaries.of(plain).text.count("\n") == pytest.approx(31, abs=20)
    assert Boundaries.of(plain).text == Boundaries.of(plain).text
    assert raw_text(plain).count("\n") == 1


def test_some_paragraphs_lack_their_final_punctuation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boundaries, "UNPUNCTUATED", 1.0)
    text = list(read_text("# newpar\n" + line(1, "Go", upos="VERB") + line(2, "!", upos="PUNCT")))
    found = Boundaries.of(text)
    assert found.text == "\nGo\n"
    assert found.ends.tolist() == [NOTHING, NOTHING, SENTENCE, NOTHING]
    only = list(read_text("# newpar\n" + line(1, "!", upos="PUNCT")))
    assert Boundaries.of(only).text == "\n!\n"  # a sentence keeps a token


def test_white_space_in_a_form_is_a_space() -> None:
    sentence = Sentence.from_words(["10\u00a0 000", "kg"], misc=["_", "SpaceAfter=No"])
    assert [token.form for token in tokens_of(sentence)] == ["10 000", "kg"]
    assert Boundaries.of([sentence]).text == "\n10 000 kg\n"


def test_a_treebank_says_how_its_text_was_written_or_not(sentences: list[Sentence]) -> None:
    assert has_text(sentences)
    assert has_text([Sentence.from_words(["a", "b"], misc=["SpaceAfter=No", "_"])])
    assert not has_text([Sentence.from_words(["a", "b"])])
    assert not has_text([Sentence.from_words(["a", "b"], misc=["Gloss=Space", "_"])])
    assert not has_text(read_text("# text_en = A b\n" + line(1, "a")))


def test_the_text_comment_says_where_white_space_is_if_misc_does_not() -> None:
    forms = ["Time", "flies", ".", "Yes"]
    lines = "".join(line(n, form) for n, form in enumerate(forms, start=1))
    aligned = next(read_text(f"# text = Time flies. Yes\n{lines}"))
    assert [token.spaced for token in tokens_of(aligned)] == [True, False, True, True]
    other = next(read_text(f"# text = Time runs. Yes\n{lines}"))
    assert [token.spaced for token in tokens_of(other)] == [True] * 4
