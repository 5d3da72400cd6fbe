"""Align the words of a system's file with the words of the gold file.

The two files must hold the same characters, but may split them into tokens and sentences
differently; `spans.py` decides which words are the same. The files are read in parallel, in
passages that end where both files end a sentence.
"""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import NamedTuple

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import Word
from meprop_nlp.errors import ConlluError, Problem
from meprop_nlp.scoring.scores import Count
from meprop_nlp.scoring.spans import align_spans, spans_of, token_forms


class Aligned(NamedTuple):
    """A gold sentence with the words of the system that are aligned with its words.

    Attributes:
        gold: the sentence.
        partners: for each gold word the aligned word of the system, or None.
        heads_right: for each gold word, whether the head of its partner is the partner of its
            head (or both are roots).
        dependents: for each gold word, the words of the system whose head is its partner.
    """

    gold: Sentence
    partners: list[Word | None]
    heads_right: list[bool]
    dependents: list[list[Word]]


class Passage(NamedTuple):
    """The fewest gold and system sentences that cover the same characters.

    Attributes:
        sentences: the gold sentences with their partners.
        system: the sentences of the system.
        unaligned: the words of the system without a partner.
        tokens, sentence_spans: the tokens and the sentences; those of the system are correct if a
            gold one covers the same characters.
    """

    sentences: list[Aligned]
    system: list[Sentence]
    unaligned: list[Word]
    tokens: Count
    sentence_spans: Count


class _Side:
    """The sentences of one file in the current passage.

    Attributes:
        sentences: the sentences.
        tokens: the forms of the tokens of each sentence, without spaces.
        characters: all tokens in one text.
        last: the last sentence that was read.
    """

    def __init__(self, sentences: Iterable[Sentence]) -> None:
        self._stream = iter(sentences)
        self.sentences: list[Sentence] = []
        self.tokens: list[list[str]] = []
        self.characters = ""
        self.last: Sentence | None = None

    def pull(self) -> bool:
        """Read the next sentence; return False at the end of the file."""
        sentence = next(self._stream, None)
        if sentence is None:
            return False
        self.last = sentence
        self.sentences.append(sentence)
        self.tokens.append(token_forms(sentence))
        self.characters += "".join(self.tokens[-1])
        return True

    def forget(self) -> None:
        """Begin a new passage."""
        self.sentences, self.tokens, self.characters = [], [], ""


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
        if len(gold_side.tokens[-1][-1]) != len(system_side.tokens[-1][-1]):
            continue
        yield _align_passage(gold_side, system_side)
        gold_side.forget()
        system_side.forget()
    if gold_side.sentences:
        yield _align_passage(gold_side, system_side)


def _align_passage(gold_side: _Side, system_side: _Side) -> Passage:
    gold, system = gold_side.sentences, system_side.sentences
    tokens, sentence_spans = _count_spans(gold_side, system_side)
    if len(gold) == len(system) == 1 and _same_tokens(gold[0], system[0]):
        words = system[0].words
        right = [g.head == s.head for g, s in zip(gold[0].words, words, strict=True)]
        whole = Aligned(gold[0], list(words), right, _dependents(words, _flat_heads(system)))
        return Passage([whole], system, [], tokens, sentence_spans)
    gold_spans, system_spans = spans_of(gold), spans_of(system)
    pairs = align_spans(gold_spans, system_spans)
    gold_heads, system_heads = _flat_heads(gold), _flat_heads(system)
    gold_of = {s: g for g, s in pairs} | {-1: -1}  # a root corresponds to a root
    system_of = dict(pairs)
    dependents_of = _dependents([span.word for span in system_spans], system_heads)
    aligned = []
    first = 0
    for sentence in gold:
        partners: list[Word | None] = []
        heads_right: list[bool] = []
        dependents: list[list[Word]] = []
        for g in range(first, first + len(sentence)):
            s = system_of.get(g)
            partners.append(None if s is None else system_spans[s].word)
            heads_right.append(s is not None and gold_of.get(system_heads[s], -2) == gold_heads[g])
            dependents.append([] if s is None else dependents_of[s])
        aligned.append(Aligned(sentence, partners, heads_right, dependents))
        first += len(sentence)
    unaligned = [span.word for s, span in enumerate(system_spans) if s not in gold_of]
    return Passage(aligned, system, unaligned, tokens, sentence_spans)


def _count_spans(gold: _Side, system: _Side) -> tuple[Count, Count]:
    """Return the counts of tokens and of sentences, as ranges of characters."""
    if gold.tokens == system.tokens:
        tokens, sentences = sum(map(len, gold.tokens)), len(gold.tokens)
        return Count(tokens, tokens, tokens, tokens), Count(*[sentences] * 4)
    counts = []
    for gold_lengths, system_lengths in (
        (_token_lengths(gold), _token_lengths(system)),
        (_sentence_lengths(gold), _sentence_lengths(system)),
    ):
        correct = len(_ranges(gold_lengths) & _ranges(system_lengths))
        counts.append(Count(correct, len(gold_lengths), len(system_lengths), correct))
    return counts[0], counts[1]


def _token_lengths(side: _Side) -> list[int]:
    return [len(form) for forms in side.tokens for form in forms]


def _sentence_lengths(side: _Side) -> list[int]:
    return [sum(map(len, forms)) for forms in side.tokens]


def _ranges(lengths: list[int]) -> set[tuple[int, int]]:
    """Return the ranges of pieces of these lengths, one after the other."""
    ends = list(accumulate(lengths))
    return set(zip([0, *ends], ends, strict=False))


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


def _dependents(words: list[Word], heads: list[int]) -> list[list[Word]]:
    """Return the dependents of each word, from `_flat_heads`."""
    dependents: list[list[Word]] = [[] for _ in words]
    for word, head in zip(words, heads, strict=True):
        if head >= 0:
            dependents[head].append(word)
    return dependents


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
