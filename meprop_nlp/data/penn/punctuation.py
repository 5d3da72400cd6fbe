"""Which words are punctuation, for scores that exclude it."""

import unicodedata

from meprop_nlp.data.word import UNIVERSAL_TAGS, Word

PTB_PUNCTUATION_TAGS = frozenset(
    {"``", "''", '"', ",", ".", ":", "(", ")", "-LRB-", "-RRB-", "HYPH", "NFP"}
)


def is_punctuation(word: Word) -> bool:
    """Return whether the word is punctuation.

    If UPOS is one of the 17 universal tags, only PUNCT is punctuation. Otherwise the word is
    punctuation if its UPOS or XPOS is a punctuation tag of the Penn Treebank, or if all characters
    of its form belong to a Unicode punctuation category, as in the scripts of the CoNLL-X shared
    task (`%` does, `$` does not).
    """
    if word.upos in UNIVERSAL_TAGS:
        return word.upos == "PUNCT"
    if word.xpos in PTB_PUNCTUATION_TAGS or word.upos in PTB_PUNCTUATION_TAGS:
        return True
    return word.form != "_" and all(unicodedata.category(c)[0] == "P" for c in word.form)
