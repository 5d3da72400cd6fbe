"""Which words are punctuation, for scores that leave it out."""

from __future__ import annotations

import unicodedata

from meprop_nlp.data.word import Word

__all__ = ["PTB_PUNCTUATION_TAGS", "UNIVERSAL_TAGS", "is_punctuation"]

UNIVERSAL_TAGS = frozenset({
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN",
    "PUNCT", "SCONJ", "SYM", "VERB", "X",
})  # fmt: skip

PTB_PUNCTUATION_TAGS = frozenset(
    {"``", "''", '"', ",", ".", ":", "(", ")", "-LRB-", "-RRB-", "HYPH", "NFP"}
)


def is_punctuation(word: Word) -> bool:
    """Whether the word is punctuation.

    Where UPOS is one of the 17 universal tags, it decides: PUNCT is, the rest is not. Otherwise
    the word is punctuation when its UPOS or XPOS is a punctuation tag of the Penn Treebank, or
    when all characters of its form are of a Unicode punctuation category, the habit of the
    scripts of the CoNLL-X shared task (`$` is not, `%` is).
    """
    if word.upos in UNIVERSAL_TAGS:
        return word.upos == "PUNCT"
    if word.xpos in PTB_PUNCTUATION_TAGS or word.upos in PTB_PUNCTUATION_TAGS:
        return True
    return word.form != "_" and all(unicodedata.category(c)[0] == "P" for c in word.form)
