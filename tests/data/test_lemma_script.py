"""Lemma scripts: they give the lemma back, serve many words, and are checked when loaded."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from meprop_nlp.data.lemma_script import CASINGS, apply_script, check_script, script_of
from meprop_nlp.data.vocab import nfc
from meprop_nlp.errors import CheckpointError

COLUMNS = st.text(
    st.characters(exclude_characters="\t\n\r\0", exclude_categories=["Cs"]), min_size=1, max_size=12
)
# characters that change their number or their neighbours when their case changes
CASED = st.text("aAbBiI\u0131İßẞς\u03c3ΣeÉé\u0301\u0307ǆǅﬁŉ -'.", min_size=1, max_size=8)
EDITS = st.tuples(
    st.sampled_from(CASINGS), st.integers(0, 4), st.text("aB", max_size=2), st.integers(0, 4),
    st.text("aB", max_size=2),
)  # fmt: skip


class TestRoundTrip:
    @given(COLUMNS | CASED, COLUMNS | CASED)
    @example("İstanbul'da", "İstanbul")
    @example("STRASSE", "Straße")
    @example("ΟΔΟΣ", "οδός")
    @example("cafe\u0301s", "café")
    @example("_", "_")
    @example("New", "New York")
    def test_the_script_of_a_form_gives_its_lemma_back(self, form: str, lemma: str) -> None:
        assert apply_script(script_of(form, lemma), form) == lemma

    @given(COLUMNS | CASED, COLUMNS | CASED)
    def test_a_script_can_stand_in_a_column_and_has_one_normal_form(
        self, form: str, lemma: str
    ) -> None:
        script = script_of(form, lemma)
        check_script(script)
        assert script.isascii()
        assert script.isprintable()
        assert nfc(script) == script

    @given(EDITS, st.text(max_size=8) | CASED)
    def test_any_script_gives_any_form_a_lemma_or_none(
        self, edit: tuple[str, int, str, int, str], form: str
    ) -> None:
        script = json.dumps(edit)
        check_script(script)
        lemma = apply_script(script, form)
        assert lemma is None or len(lemma) > len(edit[2] + edit[4])


class TestScripts:
    @pytest.mark.parametrize(
        ("form", "lemma", "expected"),
        [
            ("books", "book", '["lower",0,"",1,""]'),
            ("The", "the", '["lower",0,"",0,""]'),
            ("Babies", "baby", '["lower",0,"",3,"y"]'),
            ("geht", "gehen", '["lower",0,"",1,"en"]'),
            ("gedacht", "denken", '["lower",1,"d",5,"nken"]'),
            ("PARIS", "Paris", '["first",0,"",0,""]'),
            ("PCs", "PC", '["upper",0,"",1,""]'),
            ("McDonalds", "McDonald", '["keep",0,"",1,""]'),
            ("mcdonalds", "McDonald", '["keep",3,"McD",1,""]'),
            ("İyiydi", "iyi", '["lower",0,"",3,""]'),
            ("İzmir'in", "İzmir", '["keep",0,"",3,""]'),
            ("is", "be", '"be"'),
            ("ve", "and so on", '"and so on"'),
            ("-", "\u2013", '"\\u2013"'),
        ],
    )
    def test_by_hand(self, form: str, lemma: str, expected: str) -> None:
        assert script_of(form, lemma) == expected

    @pytest.mark.parametrize(
        ("script", "form", "lemma"),
        [
            ('["lower",0,"",3,"y"]', "Cities", "city"),
            ('["lower",0,"",3,"y"]', "ties", "ty"),
            ('["lower",0,"",3,"y"]', "ies", None),
            ('["lower",2,"",2,""]', "ab", None),
            ('["first",0,"",0,""]', "", None),
            ('["first",1,"",0,""]', "dARC", "Arc"),
            ('["first",0,"",0,""]', "O'BRIEN", "O'brien"),
            ('["upper",0,"u",0,"."]', "s", "US."),
            ('"be"', "am", "be"),
        ],
    )
    def test_a_script_serves_other_forms_or_is_too_long_for_them(
        self, script: str, form: str, lemma: str | None
    ) -> None:
        assert apply_script(script, form) == lemma


class TestCheck:
    @pytest.mark.parametrize(
        ("script", "expected"),
        [
            (7, "is 7, expected text"),
            (["lower", 0, "", 0, ""], "expected text"),
            ("", "is '', expected JSON"),
            ("be", "is 'be', expected JSON"),
            ("[" * 100_000, r"\[\.\.\.', expected JSON"),
            ('""', "expected a lemma without tab"),
            ('"a\\tb"', "expected a lemma without tab"),
            ('"\\ud800"', "expected a lemma without tab"),
            ("null", "expected a lemma or the list"),
            ('{"casing":"lower"}', "expected a lemma or the list"),
            ('["lower",0,"",0]', r"\[casing, cut_start, add_start, cut_end, add_end\]"),
            ('["title",0,"",0,""]', "a casing from lower, first, upper, keep"),
            ('[[],0,"",0,""]', "a casing from lower"),
            ('["lower",-1,"",0,""]', "numbers of characters to cut from 0 on"),
            ('["lower",0,"",true,""]', "numbers of characters"),
            ('["lower",0,"",1.0,""]', "numbers of characters"),
            ('["lower",0,null,0,""]', "texts to add without tab"),
            ('["lower",0,"",0,"\\n"]', "texts to add without tab"),
            ('["lower",0,"\\udfff",0,""]', "texts to add without tab"),
        ],
    )
    def test_what_is_no_script_is_refused_when_loaded(self, script: object, expected: str) -> None:
        with pytest.raises(CheckpointError, match=expected):
            check_script(script)
