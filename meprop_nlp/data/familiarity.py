"""`Familiarity`: whether a model knows the words that it is given, which it should.

A word is known if its form, or its form in lower case, was in the training file. Only words with a
letter count, each distinct one once. Of 50 running words or more of English, the package's English
model has lacked 68 in 100 at most (46 on its dev file), of 200 words of Spanish, German, French or
Turkish 74 at least; `tests/data/test_familiarity.py` holds the sides apart.

A model of a small treebank lacks many words of its own language too, so that nothing is said of it:
among lexicons of runs of sentences of EWT and of the Turkish IMST, the largest that lacked more
than 70 in 100 of a stretch of the dev file of its treebank had 9,408 forms.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from threading import Lock

from meprop_nlp.data.lexicon import FEATURES, Lexicon
from meprop_nlp.data.vocab import nfc

MOST_UNKNOWN = 0.7  # of the distinct words; more is another language
FEWEST_FORMS = 10_000  # of the training file
FEWEST = 50  # running words; fewer may be a list of names
LOOKED_AT = 1_000  # running words, of which the last verdict is
PASSED_OVER = 50_000  # running words before it looks again, so that looking costs nothing

_LOWER = next(n for n, (name, _) in enumerate(FEATURES) if name == "lower")


class Familiarity:
    """Watches the words that a model is given, and logs a warning once if it hardly knows them.

    The warning goes to the logger `meprop_nlp`. One object counts the words of one text, or of one
    stream; `of_a_text` gives another for each text that is read on its own. All that come from one
    object warn once together. Safe to use from several threads.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._forms, self._lower = lexicon.forms, lexicon.features[_LOWER]
        self._warning = _Warning(is_due=len(lexicon.forms) >= FEWEST_FORMS)
        self._start()

    def _start(self) -> None:
        self._lock = Lock()
        self._begin()

    def of_a_text(self) -> Familiarity:
        """Return one that counts the words of a text of its own."""
        other = copy(self)
        other._start()
        return other

    def _begin(self) -> None:
        """Look at the next words."""
        self._words: dict[str, bool] = {}  # in lower case: whether it is known
        self._n_words = self._n_passed = 0

    @property
    def looks(self) -> bool:
        """Whether the next words would be looked at."""
        return self._warning.is_due and (self._n_words < LOOKED_AT or self._n_passed >= PASSED_OVER)

    def note(self, n_words: int, forms: Iterable[str]) -> None:
        """Take notice of words.

        Args:
            n_words: how many there are.
            forms: of these words; not touched unless `looks`.
        """
        if self._lock.acquire(blocking=False):  # while another thread looks, this one need not
            try:
                if self.looks:
                    self._look(forms)
                else:
                    self._n_passed += n_words
            finally:
                self._lock.release()

    def _look(self, forms: Iterable[str]) -> None:
        if self._n_words >= LOOKED_AT:
            self._begin()
        words = self._words
        for form in forms:
            if not any(map(str.isalpha, form)):
                continue
            folded = form.lower()
            self._n_words += 1
            if folded not in words:
                words[folded] = self._knows(form, folded)
            if self._n_words >= LOOKED_AT:
                break
        if self._n_words < FEWEST:
            return
        n_known = sum(words.values())
        if len(words) - n_known > MOST_UNKNOWN * len(words) and self._warning.take():
            self._tell(n_known, len(words))

    def _knows(self, form: str, folded: str) -> bool:
        form, folded = nfc(form), nfc(folded)
        return form in self._forms or folded in self._lower or folded in self._forms

    @staticmethod
    def _tell(n_known: int, n_words: int) -> None:
        import logging

        logging.getLogger("meprop_nlp").warning(
            "the model knows %d of the first %d different words; is the text in another language "
            "than its training file? What it predicts is then mostly wrong",
            n_known,
            n_words,
        )


class _Warning:
    """The one warning of a model.

    Attributes:
        is_due: whether it may still be given.
    """

    def __init__(self, *, is_due: bool) -> None:
        self.is_due = is_due
        self._lock = Lock()

    def take(self) -> bool:
        """Return whether the caller is to give it: the first one is."""
        with self._lock:
            taken, self.is_due = self.is_due, False
        return taken
