"""Conversion to the `conllu` library's `TokenList` and back keeps every line."""

from __future__ import annotations

import pytest
from conllu.models import TokenList

from meprop_nlp import from_tokenlist, to_tokenlist
from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.errors import ConlluError

TURKISH = """\
# sent_id = t1
# text = Evdeyim.
1-2\tEvdeyim\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
1\tEvde\tev\tNOUN\tNoun\tCase=Loc|Number=Sing\t0\troot\t_\t_
2\tyim\ti\tAUX\tZero\tPerson=1\t1\tcop\t_\t_
2.1\tben\tben\tPRON\t_\t_\t_\t_\t1:nsubj\tCopyOf=-1
3\t.\t.\tPUNCT\tPunc\t_\t1\tpunct\t_\t_

"""


def test_sentence_is_the_same_after_conversion_and_back() -> None:
    [sentence] = read_text(TURKISH)
    tokens = to_tokenlist(sentence)
    assert tokens[0]["id"] == (1, "-", 2)
    assert str(from_tokenlist(tokens)) == TURKISH


def test_sentence_of_another_layout_becomes_conllu() -> None:
    [sentence] = read_text("Dogs\tNNS\t2\tnsubj\nbark\tVBP\t0\troot\n")
    tokens = to_tokenlist(sentence)
    assert [token["form"] for token in tokens] == ["Dogs", "bark"]
    assert from_tokenlist(tokens).column("head") == [2, 0]


def test_list_that_is_not_a_valid_sentence_is_refused() -> None:
    faulty = TokenList([{"id": 1, "form": "a", "head": 7}])
    with pytest.raises(ConlluError):
        from_tokenlist(faulty)
