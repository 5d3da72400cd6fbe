"""Words, phrases and the dice: what the productions build with.

A phrase is a list of words in surface order and one of them, its head. Because every word points at
its head, words may be put in any order, also one that makes the tree non-projective.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

__all__ = ["Dice", "Phrase", "Word", "comma", "conjoin", "leaf", "link", "punct"]

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class Word:
    """One syntactic word. `glued`: written as one token with the word before it (do + n't)."""

    form: str
    lemma: str
    xpos: str
    deprel: str = "root"
    head: Word | None = None
    glued: bool = False
    space_after: bool = True


@dataclass(eq=False, slots=True)
class Phrase:
    """Words in surface order, their head, and what a verb agrees with."""

    words: list[Word]
    head: Word
    number: str = "Sing"
    person: int = 3
    traits: frozenset[str] = field(default_factory=frozenset)


class Dice:
    """Choices from one seed, by `Random.random` only: its sequence is kept across Pythons."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self._random.random() < probability

    def below(self, bound: int) -> int:
        """An integer from 0 to bound - 1."""
        return int(self._random.random() * bound)

    def pick(self, items: Sequence[T]) -> T:
        """One of the items, each as likely."""
        return items[self.below(len(items))]

    def weighted(self, weights: Mapping[T, float]) -> T:
        """One of the keys, as likely as its weight says."""
        point = self._random.random() * sum(weights.values())
        for item, weight in weights.items():
            point -= weight
            if point < 0:
                return item
        return item


def leaf(form: str, lemma: str, xpos: str) -> Phrase:
    """A phrase of one word."""
    word = Word(form, lemma, xpos)
    return Phrase([word], word)


def link(head: Word, dependent: Phrase, deprel: str) -> list[Word]:
    """Attach a phrase to its head; returns the words of the phrase, to be put where they belong."""
    dependent.head.head = head
    dependent.head.deprel = deprel
    return dependent.words


def punct(head: Word, form: str, xpos: str | None = None) -> list[Word]:
    """A punctuation mark attached to a head."""
    return link(head, leaf(form, form, xpos or form), "punct")


def comma(head: Word) -> list[Word]:
    """A comma attached to a head; written without a space before it."""
    return punct(head, ",")


def conjoin(first: Phrase, rest: Sequence[Phrase], conjunction: str) -> Phrase:
    """`first, second and third`: every conjunct hangs on the first, commas and `and` on theirs."""
    words = list(first.words)
    for place, conjunct in enumerate(rest):
        if place < len(rest) - 1:
            words += comma(conjunct.head)
        else:
            words += link(conjunct.head, leaf(conjunction, conjunction, "CC"), "cc")
        words += link(first.head, conjunct, "conj")
    number = "Plur" if conjunction == "and" else first.number
    return Phrase(words, first.head, number, first.person, first.traits)
