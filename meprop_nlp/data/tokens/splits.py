"""`Splits`: how a multiword token is split into words: by a table of endings.

A rule keeps the beginning of the token and says what follows it. Of two endings that a token has,
the longer one decides, unless it is known which forms are words; the longest is a whole token that
the treebank has.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from meprop_nlp.data.sentence import Sentence

LONGEST_ENDING = 8
WHOLE = "\n"  # begins a key that is a whole token; no token has one


class Rule(NamedTuple):
    """How a token becomes words.

    Attributes:
        cut: how many characters of the token's end the first word lacks.
        first: what the first word has in their place.
        rest: the other words: how many characters of the token each has, or what it is.
    """

    cut: int
    first: str
    rest: tuple[int | str, ...]

    @classmethod
    def of(cls, form: str, words: Sequence[str]) -> "Rule":
        """Return the rule by which this token becomes these words."""
        if "".join(words) == form:
            return cls(len(form) - len(words[0]), "", tuple(map(len, words[1:])))
        same = 0
        for character, other in zip(form, words[0], strict=False):
            if character.lower() != other.lower():
                break
            same += 1
        return cls(len(form) - same, words[0][same:], tuple(words[1:]))

    def words(self, form: str) -> list[str] | None:
        """Return the words of a token; None if it is too short for the rule."""
        place = len(form) - self.cut
        if place < 0 or (place == 0 and not self.first):
            return None
        found = [form[:place] + _cased(self.first, form)]
        for part in self.rest:
            if isinstance(part, str):
                found.append(_cased(part, form))
            else:
                found.append(form[place : place + part])
                place += part
        return found if all(found) else None

    def to_list(self) -> list[Any]:
        """Return the rule as JSON has it."""
        return [self.cut, self.first, *self.rest]

    @classmethod
    def from_list(cls, values: Any) -> "Rule":
        """Read what `to_list` returned.

        Raises:
            ValueError: it is anything else.
        """
        if not isinstance(values, list) or len(values) < 3:
            raise ValueError(f"a split of multiword tokens is {values!r}")
        cut, first, *rest = values
        numbers = [cut, *(part for part in rest if not isinstance(part, str))]
        is_right = isinstance(first, str) and all(
            type(number) is int and 0 <= number < 1000 for number in numbers
        )
        texts = [first, *(part for part in rest if isinstance(part, str))]
        if not is_right or any(set("\t\n\r\0") & set(text) for text in texts):
            raise ValueError(f"a split of multiword tokens is {values!r}")
        return cls(cut, first, tuple(rest))


class Splits:
    """The rules of a treebank.

    Args:
        rules: by the ending of a token in lower case, or by `WHOLE` and a whole token.
        always: tokens, in lower case, that the treebank always splits.
    """

    def __init__(self, rules: Mapping[str, Rule], always: Iterable[str] = ()) -> None:
        self._rules, self.always = dict(rules), frozenset(always)
        self._longest = max(
            (len(key) for key in self._rules if not key.startswith(WHOLE)), default=0
        )

    @classmethod
    def build(cls, sentences: Iterable[Sentence], *, min_count: int = 1) -> "Splits":
        """Learn the rules of a treebank.

        Args:
            min_count: how often a token must be split, and never be found whole, to be among those
                that always are.
        """
        by_ending: dict[str, Counter[Rule]] = defaultdict(Counter)
        times_split: Counter[str] = Counter()
        whole: set[str] = set()
        for sentence in sentences:
            covered = 0
            starts = {token.first: token for token in sentence.multiword_tokens}
            for word in sentence.words:
                token = starts.get(word.id)
                if token is None:
                    if word.id > covered:
                        whole.add(word.form.lower())
                    continue
                covered = token.last
                form, words = token.form, sentence.words[token.first - 1 : token.last]
                if len(form) != len(form.lower()):
                    continue  # such as a dotted capital I, whose endings are not those of the rule
                rule = Rule.of(form, [word.form for word in words])
                if rule.words(form) is None:
                    continue
                lower = form.lower()
                times_split[lower] += 1
                by_ending[WHOLE + lower][rule] += 1
                for length in range(min(len(lower), LONGEST_ENDING) + 1):
                    by_ending[lower[len(lower) - length :]][rule] += 1
        best = {ending: rules.most_common(1)[0][0] for ending, rules in by_ending.items()}
        always = {f for f, n in times_split.items() if n >= min_count and f not in whole}
        return cls(_shortest(best), sorted(always))

    def __len__(self) -> int:
        return len(self._rules)

    def words(self, form: str, is_known: Callable[[str], bool] | None = None) -> list[str] | None:
        """Return the words of a multiword token; None if no rule fits it.

        Args:
            is_known: which forms are words. Where the treebank has not always split the token, a
                rule that leaves one as the first word comes before those that leave none, and of
                several the one whose first word is longest.
        """
        lower = form.lower()
        if lower in self.always:
            is_known = None
        if (rule := self._rules.get(WHOLE + lower)) and (found := rule.words(form)):
            return found
        best: list[str] | None = None
        longest = 0
        for length in range(min(len(lower), self._longest), -1, -1):
            rule = self._rules.get(lower[len(lower) - length :])
            if rule is None or not (found := rule.words(form)):
                continue
            if is_known is None:
                return found
            size = len(found[0]) if is_known(found[0]) else 0
            if best is None or size > longest:
                best, longest = found, size
        return best

    def to_dict(self) -> dict[str, Any]:
        """Return the rules as JSON has them."""
        rules = {ending: rule.to_list() for ending, rule in sorted(self._rules.items())}
        return {"rules": rules, "always": sorted(self.always)}

    @classmethod
    def from_dict(cls, stored: Any) -> "Splits":
        """Read what `to_dict` returned.

        Raises:
            ValueError: it is anything else.
        """
        rules, always = stored["rules"], stored["always"]
        if not isinstance(rules, dict) or not isinstance(always, list):
            raise ValueError("the splits of multiword tokens are not a table")
        if not all(isinstance(form, str) for form in always):
            raise ValueError("a multiword token that is always split is not a text")
        return cls({ending: Rule.from_list(rule) for ending, rule in rules.items()}, always)


def _shortest(best: Mapping[str, Rule]) -> dict[str, Rule]:
    """Leave out endings that a shorter ending would split in the same way."""
    kept = {}
    for key, rule in best.items():
        shorter = key[1:]  # without the mark of a whole token, or without the first letter
        if key == "" or _inherited(best, shorter) != rule:
            kept[key] = rule
    return kept


def _inherited(best: Mapping[str, Rule], ending: str) -> Rule | None:
    """Return the rule of the longest known ending of a text."""
    for start in range(max(0, len(ending) - LONGEST_ENDING), len(ending) + 1):
        if ending[start:] in best:
            return best[ending[start:]]
    return None


def _cased(text: str, form: str) -> str:
    """Return a word in capitals where its token is in capitals."""
    return text.upper() if len(form) > 1 and form.isupper() else text
