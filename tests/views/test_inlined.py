"""Slots of a page are filled once: what is put into one is no template."""

from __future__ import annotations

import pytest

from meprop_nlp.views.inlined import filled, slots_of, source_of


def test_slots_are_filled_and_not_what_stands_in_them() -> None:
    texts = {"a": "{{b}}", "b": "{{a}} \\1"}
    assert filled("<{{a}}|{{b}}|{{a}}>", texts) == "<{{b}}|{{a}} \\1|{{b}}>"
    assert filled("no slot", {}) == "no slot"
    assert list(slots_of("x{{a}}")) == [("x", "a"), ("", None)]
    with pytest.raises(KeyError):
        filled("{{c}}", texts)


def test_source_is_the_hash_that_browsers_compute() -> None:
    # the empty text, from the table of FIPS 180-2
    assert source_of("") == "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
