"""`Composition`: whether a token is several words, by its form alone.

Where multiword tokens are made anew from stems and endings, as in Turkish, most of those of a text
are in no treebank. What tells them is words: whether the stem is one, of which kind, and whether
its ending has been split off before. This is a logistic regression over such features of the form,
hashed to the rows of one table.
"""

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.sentence import Sentence

# Share of the multiword tokens of a treebank whose form it has once. It is also about the share of
# those to come that it lacks (Good 1953); below this, a network that reads their context does well.
NOVEL = 1 / 3
FEWEST = 100  # multiword tokens that something is learnt from

ROWS = 1 << 16
PENALTY = 0.6  # of the squared weights
STEPS = 300
LEARNING_RATE = 0.3  # at the first step; it falls to zero
LONGEST_FORM = 100  # a longer one is hardly a word
LONGEST_ENDING = 7  # that is a feature
LONGEST_SPLIT = 8  # of an ending that has been split off
LONGEST_CLUE = 5  # of an ending that tells the kind of an unknown stem
FEWEST_CLUES = 3  # forms with such an ending

_APOSTROPHE = "'"

Weights = npt.NDArray[np.float32]


class Token(NamedTuple):
    """A token of the treebank.

    Attributes:
        form: in lower case except for its first letter.
        stem: the first of its words, in lower case; the token itself if it is one word.
        kind: UPOS and FEATS of that word.
        lemma: its lemma, in lower case.
        ending: what follows the stem; empty if the token is one word or is no stem and an ending.
        is_multiword: whether it is several words.
    """

    form: str
    stem: str
    kind: str
    lemma: str
    ending: str
    is_multiword: bool


class Known(NamedTuple):
    """How often the treebank has a form.

    Attributes:
        whole, split: as a token of one word, and of several.
        kinds: as a word that begins a token, or is one: how often it is of each kind.
    """

    whole: int
    split: int
    kinds: dict[str, int]


_LEMMA = "lemma"
_UNKNOWN = Known(0, 0, {})


class Composition:
    """Says which tokens are several words; safe to use from several threads.

    Args:
        known: what the treebank has, by the form in lower case.
        endings: how often each ending was split off.
        weight: (ROWS,) of the features; and `bias`.
    """

    def __init__(
        self,
        known: Mapping[str, Known],
        endings: Mapping[str, int],
        weight: Weights | None = None,
        bias: float = 0.0,
    ) -> None:
        self._known, self._endings = dict(known), dict(endings)
        self.weight = np.zeros(ROWS, np.float32) if weight is None else weight
        self.bias = bias

    @classmethod
    def build(cls, sentences: Iterable[Sentence]) -> "Composition | None":
        """Learn from a treebank.

        Returns:
            None if it has fewer than `FEWEST` multiword tokens, or few to come will be new, or no
            ending is ever split off.
        """
        tokens = Counter(chain.from_iterable(map(_tokens, sentences)))
        split: Counter[str] = Counter()
        whole: Counter[str] = Counter()
        kinds: dict[str, Counter[str]] = defaultdict(Counter)
        endings: Counter[str] = Counter()
        for token, times in tokens.items():
            (split if token.is_multiword else whole)[token.form.lower()] += times
            kinds[token.stem][token.kind] += times
            kinds[token.lemma][_lemma_of(token.kind)] += times
            if token.ending:
                endings[token.ending] += times
        once = sum(times == 1 for times in split.values())
        if split.total() < FEWEST or once <= NOVEL * split.total() or not endings:
            return None
        known = {
            form: Known(whole[form], split[form], dict(kinds.get(form, {})))
            for form in sorted({*split, *whole, *kinds})
        }
        found = cls(known, endings)
        found._fit(tokens)
        return found

    def is_multiword(self, form: str) -> bool:
        """Return whether a token is several words.

        One without a letter is not, nor is one of more than `LONGEST_FORM` characters.
        """
        if len(form) > LONGEST_FORM or not any(map(str.isalpha, form)):
            return False
        return float(self.weight[self._rows(form)].sum(dtype=np.float64)) + self.bias > 0

    def knows(self, form: str) -> bool:
        """Return whether the treebank has a form as a word that begins a token, or is one."""
        return bool(self._known.get(form.lower(), _UNKNOWN).kinds)

    def texts(self) -> list[list[str]]:
        """Return the forms, their kinds, and the endings, as `of_tables` takes them."""
        kinds = sorted({kind for known in self._known.values() for kind in known.kinds})
        return [list(self._known), kinds, sorted(self._endings)]

    def counts(self) -> npt.NDArray[np.int32]:
        """Return what belongs to `texts`.

        Of each form: how often it is whole, how often split, of how many kinds it is, and for each
        kind its number and how often; then how often each ending was split off.
        """
        _, kinds, endings = self.texts()
        numbers = {kind: number for number, kind in enumerate(kinds)}
        found: list[int] = []
        for known in self._known.values():
            found += [known.whole, known.split, len(known.kinds)]
            found += chain.from_iterable((numbers[kind], n) for kind, n in known.kinds.items())
        found += [self._endings[ending] for ending in endings]
        return np.array(found, np.int32)

    @classmethod
    def of_tables(
        cls,
        texts: Sequence[Sequence[str]],
        counts: npt.NDArray[np.int32],
        weight: Weights,
        bias: float,
    ) -> "Composition":
        """Read what `texts` and `counts` returned.

        Raises:
            ValueError: it is anything else.
        """
        wrong = ValueError("what is known of multiword tokens is not a table of forms")
        if len(texts) != 3:
            raise wrong
        forms, kinds, endings = texts
        numbers = iter(counts.tolist())
        known = {}
        try:
            for form in forms:
                whole, split, n = next(numbers), next(numbers), next(numbers)
                of_kinds = {kinds[next(numbers)]: next(numbers) for _ in range(n)}
                known[form] = Known(whole, split, of_kinds)
        except (StopIteration, IndexError):
            raise wrong from None
        split_off = list(numbers)
        if len(split_off) != len(endings) or counts.min(initial=0) < 0:
            raise wrong
        return cls(known, dict(zip(endings, split_off, strict=True)), weight, bias)

    def _rows(self, form: str, but: Token | None = None, *, as_new: bool = False) -> list[int]:
        """Return the rows of a form's features.

        Args:
            but: what is known is what it would be without this token.
            as_new: the form is unknown as a token, though not as a stem.
        """
        lower = form.lower()
        known = _UNKNOWN if as_new else self._known.get(lower, _UNKNOWN)
        whole, split = known.whole, known.split
        if but is not None and not as_new:
            whole, split = whole - (not but.is_multiword), split - but.is_multiword
        begun = f"^{lower}"
        found = [f"ending {begun[-n:]}" for n in range(1, LONGEST_ENDING + 1)]
        found.append(f"title {form[:1].isupper()}")
        found.append(f"apostrophe {lower.count(_APOSTROPHE)}")
        found.append(f"digit {any(map(str.isdigit, form))}")
        found.append(f"length {min(len(lower), 12)}")
        found.append(f"seen {_rough(whole)} {_rough(split)}")
        longest = ""
        for length in range(1, min(LONGEST_SPLIT, len(lower) - 1) + 1):
            stem, ending = lower[:-length], lower[-length:]
            if self._endings.get(ending, 0) <= (but is not None and but.ending == ending):
                continue
            kinds = self._kinds(stem, but)
            if kinds:
                top = _most(kinds)
                tag = _tag(top)
                found += [f"stem {ending} {tag}", f"known {ending}", f"stem {tag}"]
                found += [f"may {ending} {each}" for each in sorted({_tag(k) for k in kinds})]
                found += [f"kind {ending} {kind}" for kind in kinds]
                found += [f"kind {kind}" for kind in kinds]
                longest = f"{ending} {tag}"
            else:
                guess = self._guess(stem)
                found.append(f"unknown {ending}")
                found += [f"unknown {ending} {f'^{stem}'[-n:]}" for n in (1, 2, 3)]
                found += [f"guess {ending} {_tag(guess)}", f"guess {ending} {guess}"]
                found.append(f"guess {guess}")
        found.append(f"longest {longest}")
        return [zlib.crc32(name.encode("utf-8", "surrogatepass")) % ROWS for name in found]

    def _kinds(self, stem: str, but: Token | None) -> dict[str, int]:
        """Return how often a stem is of each kind."""
        kinds = self._known.get(stem, _UNKNOWN).kinds
        if but is None or stem not in (but.stem, but.lemma):
            return kinds
        without = dict(kinds)
        if but.stem == stem:
            without[but.kind] -= 1
        if but.lemma == stem:
            without[_lemma_of(but.kind)] -= 1
        return {kind: n for kind, n in without.items() if n}

    def _guess(self, stem: str) -> str:
        """Return the kind that most forms with the ending of a stem have."""
        begun = f"^{stem}"
        for length in range(LONGEST_CLUE, 0, -1):
            if (kind := self._clues.get(begun[-length:])) is not None:
                return kind
        return ""

    @cached_property
    def _clues(self) -> dict[str, str]:
        """The kind of unknown stems, by ending."""
        counted: dict[str, Counter[str]] = defaultdict(Counter)
        for form, known in self._known.items():
            if known.kinds:
                top, begun = _most(known.kinds), f"^{form}"
                for ending in {begun[-n:] for n in range(1, LONGEST_CLUE + 1)}:
                    counted[ending][top] += 1
        return {e: _most(kinds) for e, kinds in counted.items() if kinds.total() >= FEWEST_CLUES}

    def _fit(self, tokens: Mapping[Token, int]) -> None:
        """Choose the weights.

        The features of a token are those that it would have if the treebank lacked it. A token
        whose form occurs more often is a second example, as a form that the treebank does not have,
        since most multiword tokens to come are new.
        """
        rows: list[npt.NDArray[np.int32]] = []
        targets: list[bool] = []
        times: list[int] = []
        for token, n in tokens.items():
            if not token.is_multiword and not any(map(str.isalpha, token.form)):
                continue
            known = self._known[token.form.lower()]
            for as_new in (False, True)[: 1 + (known.whole + known.split > 1)]:
                rows.append(np.array(self._rows(token.form, token, as_new=as_new), np.int32))
                targets.append(token.is_multiword)
                times.append(n)
        self.weight, self.bias = _fitted(rows, np.array(targets, float), np.array(times, float))


def _fitted(
    rows: Sequence[npt.NDArray[np.int32]],
    targets: npt.NDArray[np.float64],
    times: npt.NDArray[np.float64],
) -> tuple[Weights, float]:
    """Return the weights and the bias of a logistic regression.

    All examples make one step of Adam (Kingma & Ba 2015). No sum depends on the number of threads.
    """
    sizes = np.array([len(each) for each in rows])
    begins = np.cumsum(sizes) - sizes
    flat = np.concatenate(rows)
    example = np.repeat(np.arange(len(rows)), sizes)
    weight = np.zeros(ROWS + 1)  # the bias stands last, and is not penalised
    mean, square = np.zeros_like(weight), np.zeros_like(weight)
    penalty = np.full_like(weight, 2 * PENALTY)
    penalty[-1] = 0
    for step in range(1, STEPS + 1):
        logits = np.add.reduceat(weight[flat], begins) + weight[-1]
        error = times * (1 / (1 + np.exp(-logits)) - targets)
        gradient = np.bincount(flat, error[example], ROWS + 1) + penalty * weight
        gradient[-1] = error.sum()
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.99 * square + 0.01 * gradient**2
        scale = np.sqrt(square / (1 - 0.99**step)) + 1e-8
        rate = LEARNING_RATE * (1 - (step - 1) / STEPS)
        weight -= rate * mean / (1 - 0.9**step) / scale
    return weight[:-1].astype(np.float32), float(np.float32(weight[-1]))


def _tokens(sentence: Sentence) -> Iterator[Token]:
    """Yield the tokens of a sentence."""
    split = {token.first: token for token in sentence.multiword_tokens}
    covered = 0
    for word in sentence.words:
        kind, lemma = f"{word.upos}|{word.feats}", word.lemma.lower()
        token = split.get(word.id)
        if token is not None:
            covered = token.last
            words = [each.form for each in sentence.words[token.first - 1 : token.last]]
            is_joined = "".join(words) == token.form
            ending = token.form[len(words[0]) :].lower() if is_joined else ""
            yield Token(_lowered(token.form), word.form.lower(), kind, lemma, ending, True)
        elif word.id > covered:
            yield Token(_lowered(word.form), word.form.lower(), kind, lemma, "", False)


def _lowered(form: str) -> str:
    """Return a form in lower case except for its first letter, which helps to recognize names."""
    return form[:1] + form[1:].lower()


def _most(kinds: Mapping[str, int]) -> str:
    """Return the most frequent kind."""
    return max(kinds, key=lambda kind: (kinds[kind], kind))


def _tag(kind: str) -> str:
    """Return the UPOS of a kind."""
    return kind.partition("|")[0]


def _lemma_of(kind: str) -> str:
    """Return the kind of the lemma of a word of some kind."""
    return f"{_tag(kind)}|{_LEMMA}"


def _rough(times: int) -> int:
    """Return a count as one of four."""
    return min(times, 2) + (times >= 5)
