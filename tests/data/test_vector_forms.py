"""`VectorForms`: a form's own vector first, then that of its lower case, then none."""

from __future__ import annotations

import pytest

from meprop_nlp.data.vector_forms import VectorForms, looked_up
from meprop_nlp.data.vocab import UNK, Vocab


@pytest.mark.parametrize(
    ("form", "row"),
    [
        ("us", 1),
        ("US", 2),
        ("Us", 1),
        ("caf\u00e9", 3),
        ("cafe\u0301", 3),
        ("CAFE\u0301", 3),
        ("cafe", 0),
        ("", 0),
        (UNK, 0),
    ],
)
def test_form_is_looked_up_as_it_is_and_in_lower_case(form: str, row: int) -> None:
    forms = VectorForms.build(["us", "US", "caf\u00e9"])
    assert len(forms) == 4
    assert forms.rows([form, "US"]).tolist() == [row, 2]


def test_row_of_unknown_forms_is_where_the_vocabulary_has_it() -> None:
    forms = VectorForms(Vocab(["of", UNK]))
    assert forms.rows(["Of", "x"]).tolist() == [0, 1]
    assert forms.rows([]).shape == (0,)


def test_lower_case_is_normalized_again() -> None:
    assert looked_up("\u0130") == ("\u0130", "i\u0307")
    assert looked_up("E\u0301") == ("\u00c9", "\u00e9")
