"""`KnownLemmas`: what a treebank says for and against a lemma.

A network chooses a script by how words look, and may take one that makes `hassl` of *hassled*.
Whether the treebank has that lemma, and whether a script has ever cut such an ending, are facts
that can be looked up. Only hashes are kept of them: a false one turns up once in tens of thousands
of questions.
"""

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.lemma_script import cut_texts, script_of

MOST_FACTS = 1 << 22  # in memory about a hundred bytes each; EWT gives 50,944
_WHOLE = 255  # a share of 1, as it is stored


class Facts(NamedTuple):
    """What is known of a lemma that a script makes of a word.

    Attributes:
        share: of the words with this form, in lower case, and this tag: how many have the lemma.
        tagged: 1 if the treebank has the lemma with this tag.
        known: 1 if the treebank has the lemma.
        strange: 1 if the script has never cut these texts from a form.
        single: 1 if the script has served no form but one, and this is another.
        same: 1 if the lemma is the form.
    """

    share: float
    tagged: float
    known: float
    strange: float
    single: float
    same: float


class KnownLemmas:
    """The facts of a treebank.

    Args:
        keys: (n,) the hashes of what the treebank has, uint32.
        shares: (n,) of each, uint8: 255 for all of the words that it could be said of.

    Attributes:
        is_joined: whether they are the facts of several treebanks. Then two lemmas may each have
            all words with a form and a tag, and a script that served one form of each treebank is
            `single` for others.
    """

    def __init__(self, keys: npt.NDArray[np.uint32], shares: npt.NDArray[np.uint8]) -> None:
        self.keys, self.shares = keys, shares
        self.is_joined = bool(np.isin(_JOINED, keys))

    @classmethod
    def build(cls, words: Iterable[tuple[str, str, str]]) -> Self:
        """Learn from a treebank; of a huge one, from what it has often enough.

        Args:
            words: form, tag and lemma of each.
        """
        counts, fewest = Counter(words), 1
        while len(found := _facts_of(counts)) > MOST_FACTS:
            fewest += 1
            counts = Counter({word: times for word, times in counts.items() if times >= fewest})
        return cls._of(found)

    @classmethod
    def _of(cls, found: Mapping[int, int]) -> Self:
        keys = np.array(sorted(found), np.uint32)
        return cls(keys, np.array([found[key] for key in keys.tolist()], np.uint8))

    def joined(self, other: Self) -> Self:
        """Return the facts of both; of a lemma whose share differs, the own one."""
        found = other._shares | self._shares
        if found == self._shares or len(found) >= MOST_FACTS:
            return self
        return self._of(found | {_JOINED: _WHOLE})

    def facts(self, form: str, tag: str, script: str, lemma: str) -> Facts:
        """Return what is known of a lemma.

        Raises:
            CheckpointError: `script` is none.
        """
        known, lower = self._shares, form.lower()
        is_single = _key("several", script) not in known
        return Facts(
            known.get(_key("form", lower, tag, lemma), 0) / _WHOLE,
            float(_key("tagged", lemma, tag) in known),
            float(_key("lemma", lemma) in known),
            float(_key("cut", script, *cut_texts(script, form)) not in known),
            float(is_single and _key("single", script, lower) not in known),
            float(lemma == form),
        )

    @cached_property
    def _shares(self) -> dict[int, int]:
        return dict(zip(self.keys.tolist(), self.shares.tolist(), strict=True))


def _key(*parts: str) -> int:
    return zlib.crc32("\t".join(parts).encode("utf-8", "surrogatepass"))


_JOINED = _key("joined")  # among the facts of several treebanks


def _facts_of(counts: Mapping[tuple[str, str, str], int]) -> dict[int, int]:
    """Return the shares of all facts by their hashes, given how often each word occurs."""
    lemmas: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    forms_of: dict[str, set[str]] = defaultdict(set)
    found: dict[int, int] = {}
    for (form, tag, lemma), times in counts.items():
        script, lower = script_of(form, lemma), form.lower()
        lemmas[lower, tag][lemma] += times
        forms_of[script].add(lower)
        for key in (
            _key("lemma", lemma),
            _key("tagged", lemma, tag),
            _key("cut", script, *cut_texts(script, form)),
        ):
            found[key] = _WHOLE
    for script, forms in forms_of.items():
        is_single = len(forms) == 1
        found[_key("single", script, *forms) if is_single else _key("several", script)] = _WHOLE
    for (lower, tag), of_form in lemmas.items():
        for lemma, times in of_form.items():
            share = max(1, round(_WHOLE * times / of_form.total()))
            found[_key("form", lower, tag, lemma)] = share
    return found
