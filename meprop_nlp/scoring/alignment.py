"""Which word of a system's file is which word of the gold file.

The two files must hold the same characters, but may cut them into tokens and sentences in
different places; `spans.py` says which words are then the same.

The files are read side by side, from one place where both end a sentence to the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import Word
from meprop_nlp.errors import ConlluError, Problem
from meprop_nlp.scoring.spans import align_spans, spans_of, token_forms

__all__ = ["Aligned", "Passage", "align"]


class Aligned(NamedTuple):
    """A gold sentence with its partners.

    Attributes:
        gold: the sentence.
        partners: for each gold word the system's word, None where there is none.
        heads_right: for each gold word, whether its partner's head is the partner of its head
            (or both are roots).
    """

    gold: Sentence
    partners: list[Word | None]
    heads_right: list[bool]


class Passage(NamedTuple):
    """Gold and system sentences that cover the same characters, as few as can be.

    Attributes:
        sentences: the gold sentences with their partners.
        unaligned: the system's words without a partner.
    """

    sentences: list[Aligned]
    unaligned: list[Word]


class _Side:
    """The sentences of one file since the last place where both files ended a sentence."""

    def __init__(self, sentences: Iterable[Sentence]) -> None:
        self._stream = iter(sentences)
        self.sentences: list[Sentence] = []
        self.characters = ""
        self.last: Sentence | None = None

    def pull(self) -> bool:
        """Take the next sentence; False at the end."""
        sentence = next(self._stream, None)
        if sentence is None:
            return False
        self.last = sentence
        self.sentences.append(sentence)
        self.characters += "".join(token_forms(sentence))
        return True

    def forget(self) -> None:
        """Begin a new passage."""
        self.sentences, self.characters = [], ""


def align(gold: Iterable[Sentence], system: Iterable[Sentence]) -> Iterator[Passage]:
    """Align two files, passage by passage.

    Raises:
        ConlluError: at the first character in which the files differ, or where one ends early.
    """
    left, right = _Side(gold), _Side(system)
    while True:
        more_gold, more_system = left.pull(), right.pull()
        if not more_gold and not more_system:
            break
        while len(left.characters) != len(right.characters):
            _compare(left, right)
            behind = left if len(left.characters) < len(right.characters) else right
            if not behind.pull():
                raise _ended(left, right)
        _compare(left, right)
        # The official program lets a word that is left over here be aligned with one of a
        # multiword token that comes next. To agree with it, such passages are not cut here.
        if _last_token(left) != _last_token(right):
            continue
        yield _align_passage(left.sentences, right.sentences)
        left.forget()
        right.forget()
    if left.sentences:
        yield _align_passage(left.sentences, right.sentences)


def _align_passage(gold: list[Sentence], system: list[Sentence]) -> Passage:
    if len(gold) == len(system) == 1 and _same_tokens(gold[0], system[0]):
        words = system[0].words
        right = [g.head == s.head for g, s in zip(gold[0].words, words, strict=True)]
        return Passage([Aligned(gold[0], list(words), right)], [])
    gold_spans, system_spans = spans_of(gold), spans_of(system)
    pairs = align_spans(gold_spans, system_spans)
    gold_heads, system_heads = _flat_heads(gold), _flat_heads(system)
    gold_of = {s: g for g, s in pairs} | {-1: -1}  # a root answers to a root
    system_of = dict(pairs)
    aligned = []
    first = 0
    for sentence in gold:
        partners: list[Word | None] = []
        heads_right: list[bool] = []
        for g in range(first, first + len(sentence)):
            s = system_of.get(g)
            partners.append(None if s is None else system_spans[s].word)
            heads_right.append(s is not None and gold_of.get(system_heads[s], -2) == gold_heads[g])
        aligned.append(Aligned(sentence, partners, heads_right))
        first += len(sentence)
    return Passage(aligned, [x.word for s, x in enumerate(system_spans) if s not in gold_of])


def _last_token(side: _Side) -> int:
    """The number of characters of the last token."""
    return len(token_forms(side.sentences[-1])[-1])


def _same_tokens(gold: Sentence, system: Sentence) -> bool:
    """Whether both have the same words and multiword tokens: then word i answers to word i."""
    if len(gold.multiword_tokens) != len(system.multiword_tokens):
        return False
    return gold.forms == system.forms and all(
        g[:2] == s[:2] and g.form == s.form
        for g, s in zip(gold.multiword_tokens, system.multiword_tokens, strict=True)
    )


def _flat_heads(sentences: list[Sentence]) -> list[int]:
    """The place of each word's head among all words of the passage; -1 for roots."""
    heads: list[int] = []
    for sentence in sentences:
        first = len(heads)
        heads += [first + word.head - 1 if word.head > 0 else -1 for word in sentence.words]
    return heads


def _compare(gold: _Side, system: _Side) -> None:
    """Refuse files whose characters differ."""
    shared = min(len(gold.characters), len(system.characters))
    if gold.characters[:shared] == system.characters[:shared]:
        return
    place = next(i for i in range(shared) if gold.characters[i] != system.characters[i])
    here, there = _locate(system, place), _locate(gold, place)
    message = (
        "the words are not those of the gold file: found "
        f"{system.characters[place : place + 20]!r}, expected "
        f"{gold.characters[place : place + 20]!r} as in {there[0].path}:{there[1]}; "
        "both files must hold the same text"
    )
    raise ConlluError([Problem(here[0].path, here[1], message, here[0].sent_id)])


def _locate(side: _Side, place: int) -> tuple[Sentence, int]:
    """The sentence and the number of the line in which that character stands."""
    last = side.sentences[-1]
    end = 0
    for sentence in side.sentences:
        for span in spans_of([sentence]):
            if end + span.end > place:
                return sentence, sentence.word_line(span.word.id)
        end += sum(len(form) for form in token_forms(sentence))
    return last, last.line


def _ended(gold: _Side, system: _Side) -> ConlluError:
    gold_is_short = len(gold.characters) < len(system.characters)
    short, long = (gold, system) if gold_is_short else (system, gold)
    sentence, line = _locate(long, len(short.characters))
    end = "the other file is empty"
    if short.last is not None:
        end = f"{short.last.path} ends before this word"
    message = f"{end}; both files must hold the same text"
    return ConlluError([Problem(sentence.path, line, message, sentence.sent_id)])
