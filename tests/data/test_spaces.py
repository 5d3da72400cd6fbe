"""White space in MISC: each text comes back byte for byte, through a file of CoNLL-U too."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from meprop_nlp.data.conll.reading import read, read_text
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.spaces import (
    escaped,
    space_misc,
    spaces_after,
    spaces_before,
    text_of,
    unescaped,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SPACES = st.text(
    " \t\n\r|\\sntrpxu\v\f\x1c\x1d\x1e\x1f\0\x7f\x85\xa0\u2028\u2029\u3000", max_size=6
)
FORMS = TEXTS.map(lambda text: re.sub("[\t\n\r\0]", "", text)).filter(lambda form: form.strip())
# one sentence: its tokens, each with what follows it
TOKENS = st.lists(st.tuples(FORMS, SPACES), min_size=1, max_size=4)

DONT = """\
1-2\tdon't\t_\t_\t_\t_\t_\t_\t_\tSpacesAfter=\\n
1\tdo\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
2\tn't\t_\t_\t_\t_\t_\t_\t_\t_

"""


def sentence_of(tokens: list[tuple[str, str]], before: str = "") -> Sentence:
    misc = [space_misc(after) for _, after in tokens]
    if before:
        misc[0] = f"SpacesBefore={escaped(before)}|{misc[0]}"
    return Sentence.from_words([form for form, _ in tokens], misc=misc)


class TestEscapes:
    @pytest.mark.parametrize(
        ("spaces", "value"),
        [
            ("", ""),
            ("  ", r"\s\s"),
            ("\t\n\r", r"\t\n\r"),
            ("|\\", r"\p\\"),
            ("\v\f\x1c\x85", r"\x0b\x0c\x1c\x85"),
            ("\u2028\u2029", r"\u2028\u2029"),
            ("\xa0\u2003\u3000", r"\xa0\u2003\u3000"),
        ],
    )
    def test_white_space_is_written_as_udpipe_does(self, spaces: str, value: str) -> None:
        assert escaped(spaces) == value
        assert unescaped(value) == spaces

    @given(SPACES | TEXTS)
    @example("\\n")
    @example("\\x0b")
    @example("\\ud800")
    def test_any_text_comes_back(self, text: str) -> None:
        assert unescaped(escaped(text)) == text

    @given(SPACES | TEXTS)
    def test_a_value_can_stand_in_misc_and_ends_no_line(self, text: str) -> None:
        value = escaped(text)
        assert set(value).isdisjoint(" |")
        assert len(value.splitlines()) <= 1
        assert not any(unicodedata.category(character) == "Cc" for character in value)

    @pytest.mark.parametrize("value", ["\\", "\\q", "a\\", "\\x0", "\\xzz", "\\u12", "\\ud800"])
    def test_a_backslash_without_a_known_escape_stands_for_itself(self, value: str) -> None:
        assert unescaped(value) == value


class TestMisc:
    @pytest.mark.parametrize(
        ("after", "misc"),
        [(" ", "_"), ("", "SpaceAfter=No"), ("  ", r"SpacesAfter=\s\s"), ("\n", r"SpacesAfter=\n")],
    )
    def test_only_what_is_not_one_space_is_written(self, after: str, misc: str) -> None:
        assert space_misc(after) == misc

    @given(SPACES | TEXTS)
    def test_what_follows_a_token_comes_back(self, after: str) -> None:
        assert spaces_after(space_misc(after)) == after

    @pytest.mark.parametrize(
        ("misc", "before", "after"),
        [
            ("_", "", " "),
            ("Gloss=a|SpaceAfter=No|x", "", ""),
            ("SpaceAfter=Yes", "", " "),
            ("NoSpaceAfter=No", "", " "),
            (r"SpacesBefore=\n|SpacesAfter=\t|Gloss=b", "\n", "\t"),
            (r"SpaceAfter=No|SpacesAfter=\s\s", "", "  "),
            ("SpacesAfter=", "", ""),
            ("SpacesAfter", "", " "),
        ],
    )
    def test_white_space_is_found_among_other_attributes(
        self, misc: str, before: str, after: str
    ) -> None:
        assert spaces_before(misc) == before
        assert spaces_after(misc) == after


class TestText:
    @given(SPACES, st.lists(TOKENS, min_size=1, max_size=4))
    def test_a_text_comes_back_from_its_tokens_and_from_their_file(
        self, before: str, sentences: list[list[tuple[str, str]]]
    ) -> None:
        text = before + "".join(form + after for tokens in sentences for form, after in tokens)
        made = [sentence_of(tokens, "" if i else before) for i, tokens in enumerate(sentences)]
        assert text_of(made) == text
        written = "".join(map(str, made))
        assert text_of(read_text(written, input_format="conllu")) == text

    def test_a_multiword_token_is_one_token_and_its_words_are_none(self) -> None:
        assert text_of(read_text(DONT)) == "don't\n"

    def test_a_token_with_other_spaces_than_its_form_is_written_as_it_was(self) -> None:
        number = Sentence.from_words(["10 000"], misc=["SpacesInToken=10\xa0000|SpaceAfter=No"])
        assert text_of([number]) == "10\xa0000"

    def test_no_sentences_have_an_empty_text(self) -> None:
        assert text_of([]) == ""

    @pytest.mark.parametrize("name", ["ud-english-ewt", "ud-turkish-imst"])
    def test_the_tokens_of_a_treebank_give_the_text_of_its_comments(
        self, shared_data: Path, name: str
    ) -> None:
        sentences = list(read(shared_data / name / "dev.conllu"))
        assert len(sentences) > 1000
        for sentence in sentences:
            assert text_of([sentence]).strip() == sentence.text.strip()
