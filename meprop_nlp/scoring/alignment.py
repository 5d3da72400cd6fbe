"""Align the words of a system's file with the words of the gold file.

The two files must hold the same characters, but may split them into tokens and sentences
differently; `spans.py` decides which words are the same. The files are read in parallel, in
passages that end where both files end a sentence.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import Word
from meprop_nlp.errors import ConlluError, Problem
from meprop_nlp.scoring.spans import align_spans, spans_of, token_forms


class Aligned(NamedTuple):
    """A gold sentence with the words of the system that are aligned with its words.

    Attributes:
        gold: the sentence.
        partners: for each gold word the aligned word of the system, or None.
        heads_right: for each gold word, whether the head of its partner is the partner of its
            head (or both are roots).
    """

    gold: Sentence
    partners: list[Word | None]
    heads_right: list[bool]


class Passage(NamedTuple):
    """The fewest gold and system sentences that cover the same characters.

    Attributes:
        sentences: the gold sentences with their partners.
        unaligned: the words of the system without a partner.
    """

    sentences: list[Aligned]
    unaligned: list[Word]


class _Side:
    """The sentences of one file in the current passage."""

    def __init__(self, sentences: Iterable[Sentence]) -> None:
        self._stream = iter(sentences)
        self.sentences: list[Sentence] = []
        self.characters = ""
        self.last: Sentence | None = None

    def pull(self) -> bool:
        """Read the next sentence; return False at the end of the file."""
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
    """Yield the aligned passages of two files.

    Raises:
        ConlluError: at the first character that differs, or if one file ends before the other.
    """
    gold_side, system_side = _Side(gold), _Side(system)
    while True:
        more_gold, more_system = gold_side.pull(), system_side.pull()
        if not more_gold and not more_system:
            break
        while len(gold_side.characters) != len(system_side.characters):
            _compare(gold_side, system_side)
            gold_is_behind = len(gold_side.characters) < len(system_side.characters)
            if not (gold_side if gold_is_behind else system_side).pull():
                raise _ended(gold_side, system_side)
        _compare(gold_side, system_side)
        # The official program can align an unaligned last word with a word of a multiword token
        # that follows. To agree with it, a passage does not end there.
        if _last_token(gold_side) != _last_token(system_side):
            continue
        yield _align_passage(gold_side.sentences, system_side.sentences)
        gold_side.forget()
        system_side.forget()
    if gold_side.sentences:
        yield _align_passage(gold_side.sentences, system_side.sentences)


def _align_passage(gold: list[Sentence], system: list[Sentence]) -> Passage:
    if len(gold) == len(system) == 1 and _same_tokens(gold[0], system[0]):
        words = system[0].words
        right = [g.head == s.head for g, s in zip(gold[0].words, words, strict=True)]
        return Passage([Aligned(gold[0], list(words), right)], [])
    gold_spans, system_spans = spans_of(gold), spans_of(system)
    pairs = align_spans(gold_spans, system_spans)
    gold_heads, system_heads = _flat_heads(gold), _flat_heads(system)
    gold_of = {s: g for g, s in pairs} | {-1: -1}  # a root corresponds to a root
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
    """Return the number of characters of the last token."""
    return len(token_forms(side.sentences[-1])[-1])


def _same_tokens(gold: Sentence, system: Sentence) -> bool:
    """Return whether both have the same words and multiword tokens, so that word i is word i."""
    if len(gold.multiword_tokens) != len(system.multiword_tokens):
        return False
    return gold.forms == system.forms and all(
        g[:2] == s[:2] and g.form == s.form
        for g, s in zip(gold.multiword_tokens, system.multiword_tokens, strict=True)
    )


def _flat_heads(sentences: list[Sentence]) -> list[int]:
    """Return the index of the head of each word among all words of the passage; -1 for roots."""
    heads: list[int] = []
    for sentence in sentences:
        first = len(heads)
        heads += [first + word.head - 1 if word.head > 0 else -1 for word in sentence.words]
    return heads


def _compare(gold: _Side, system: _Side) -> None:
    """Raise ConlluError if the characters differ."""
    shared = min(len(gold.characters), len(system.characters))
    if gold.characters[:shared] == system.characters[:shared]:
        return
    place = next(i for i in range(shared) if gold.characters[i] != system.characters[i])
    (sentence, line), (gold_sentence, gold_line) = _locate(system, place), _locate(gold, place)
    message = (
        "the words are not those of the gold file: found "
        f"{system.characters[place : place + 20]!r}, expected "
        f"{gold.characters[place : place + 20]!r} as in {gold_sentence.path}:{gold_line}; "
        "both files must hold the same text"
    )
    raise ConlluError([Problem(sentence.path, line, message, sentence.sent_id)])


def _locate(side: _Side, place: int) -> tuple[Sentence, int]:
    """Return the sentence and the line number of a character of the passage."""
    last = side.sentences[-1]
    end = 0
    for sentence in side.sentences:
        for span in spans_of([sentence]):
            if end + span.end > place:
                return sentence, sentence.word_line(span.word.id)
        end += sum(len(form) for form in token_forms(sentence))
    return last, last.line


def _ended(gold: _Side, system: _Side) -> ConlluError:
    """Return the error for a file that ends before the other."""
    gold_is_short = len(gold.characters) < len(system.characters)
    short, long = (gold, system) if gold_is_short else (system, gold)
    sentence, line = _locate(long, len(short.characters))
    end = "the other file is empty"
    if short.last is not None:
        end = f"{short.last.path} ends before this word"
    message = f"{end}; both files must hold the same text"
    return ConlluError([Problem(sentence.path, line, message, sentence.sent_id)])
