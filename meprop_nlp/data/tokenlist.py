"""Sentences to and from the `conllu` library's `TokenList`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meprop_nlp.data.conll.layout import CONLLU
from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.data.sentence import Sentence

if TYPE_CHECKING:
    from conllu.models import TokenList


def to_tokenlist(sentence: Sentence) -> TokenList:
    """Return the sentence as a `TokenList` of the `conllu` library."""
    import conllu

    return conllu.parse(sentence.to_text(CONLLU))[0]


def from_tokenlist(tokens: TokenList) -> Sentence:
    """Return the sentence that a `TokenList` of the `conllu` library holds.

    Raises:
        ConlluError: if the list does not serialize to a valid CoNLL-U sentence.
    """
    return next(read_text(tokens.serialize(), input_format="conllu"))
