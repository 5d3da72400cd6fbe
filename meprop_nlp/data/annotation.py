"""`Annotation`: which words of a treebank are annotated, column by column."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import UNSET, Word

ANNOTATED = ("upos", "xpos", "feats", "lemma", "head", "deprel")


class Annotation:
    """Which words of a treebank are annotated in each of the columns `ANNOTATED`.

    `_` says that a word has not been annotated, but in some places that it has no such value:

    - in XPOS, where UPOS is annotated;
    - in FEATS, where UPOS is annotated; in a treebank without UPOS, where XPOS is; in a treebank
      without either, everywhere;
    - in LEMMA, where the form is `_`;
    - in DEPREL, in a treebank without labels.

    A label is annotated only where the head is.

    Args:
        sentences: the whole treebank.

    Attributes:
        n_words: the number of words.
        labelled: whether a word with a head has a label.
    """

    def __init__(self, sentences: Iterable[Sentence]) -> None:
        self._words = [word for sentence in sentences for word in sentence.words]
        self.n_words = len(self._words)
        self.labelled = any(word.head != UNSET and word.deprel != "_" for word in self._words)
        self._tag = next((name for name in ("upos", "xpos") if self._is_filled(name)), None)

    def known(self, column: str) -> npt.NDArray[np.bool_]:
        """Return which words are annotated in a column: (words,)."""
        return np.array(self.of(self._words, column), np.bool_)

    def of(self, words: Sequence[Word], column: str) -> list[bool]:
        """Return which of some words of the treebank are annotated in a column."""
        match column:
            case "upos":
                return [word.upos != "_" for word in words]
            case "xpos":
                return [word.xpos != "_" or word.upos != "_" for word in words]
            case "feats":
                tag = self._tag
                if tag is None:
                    return [True] * len(words)
                return [word.feats != "_" or getattr(word, tag) != "_" for word in words]
            case "lemma":
                return [word.lemma != "_" or word.form == "_" for word in words]
            case "head":
                return [word.head != UNSET for word in words]
            case _:
                demanded = self.labelled
                return [
                    word.head != UNSET and (word.deprel != "_" or not demanded) for word in words
                ]

    def partial(self) -> dict[str, int]:
        """Return how many words are annotated, by column, in columns where only some words are."""
        counts = {column: sum(self.of(self._words, column)) for column in ANNOTATED}
        return {
            column: count
            for column, count in counts.items()
            if count < self.n_words and self._is_filled(column)
        }

    def _is_filled(self, column: str) -> bool:
        """Return whether a word has a value in a column."""
        none = UNSET if column == "head" else "_"
        return any(getattr(word, column) != none for word in self._words)
