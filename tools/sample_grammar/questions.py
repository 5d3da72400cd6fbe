"""The kinds of question, some of them non-projective."""

from __future__ import annotations

from . import lexicon
from .statements import Statements
from .verbs import Predicate, clause
from .words import Phrase, Word, leaf, link

__all__ = ["Questions"]


class Questions(Statements):
    """One method per kind of question; each returns the closed words of one sentence."""

    def yes_no(self) -> list[Word]:
        """`Did Anna find the key?`"""
        predicate = self.act(1)
        tense = self.tense(predicate.lemma)
        main = clause(
            self.someone("asked", 0),
            self.adjoin(predicate, tense, most=1),
            tense,
            inverted=True,
            negated=self.dice.chance(0.2),
            contracted=True,
        )
        return self.close(main, "?")

    def who(self) -> list[Word]:
        """`Who repaired the old clock?`"""
        predicate = self.act(1)
        who = leaf("who", "who", "WP")
        return self.close(clause(who, self.adjoin(predicate, "past", most=1), "past"), "?")

    def what(self) -> list[Word]:
        """`What did the farmer sell?`, `Who will you meet?`"""
        kind, predicate = self.gap()
        front = leaf("who", "who", "WP") if kind == "person" else leaf("what", "what", "WP")
        tense = self.tense(predicate.lemma)
        self.adjoin(predicate, tense, most=1)
        main = clause(self.someone("asked", 0), predicate, tense, front=front, inverted=True)
        return self.close(main, "?")

    def which(self) -> list[Word]:
        """`Which books did she read?`, `How many apples did you buy?`"""
        kind, predicate = self.gap()
        if self.dice.chance(0.5) or kind == "stuff":
            noun = self.noun_phrase(kind, 0, determiner="")
            word = self.dice.pick(("which", "what"))
            words = link(noun.head, leaf(word, word, "WDT"), "det") + noun.words
        else:
            noun = self.noun_phrase(kind, 0, number="Plur", determiner="")
            many = leaf("many", "many", "JJ")
            how = link(many.head, leaf("how", "how", "WRB"), "advmod")
            words = link(noun.head, Phrase(how + many.words, many.head), "amod") + noun.words
        front = Phrase(words, noun.head)
        tense = self.tense(predicate.lemma)
        main = clause(self.someone("asked", 0), predicate, tense, front=front, inverted=True)
        return self.close(main, "?")

    def adverb_question(self) -> list[Word]:
        """`Why did they leave the party?`"""
        word = self.dice.pick(("where", "when", "why", "how"))
        predicate = self.doing(1)
        front = leaf(word, word, "WRB")
        main = clause(
            self.someone("asked", 0),
            predicate,
            self.tense(predicate.lemma),
            front=front,
            front_deprel="advmod",
            inverted=True,
        )
        return self.close(main, "?")

    def stranded(self) -> list[Word]:
        """`What are you looking at?`: the preposition is away from its object (non-projective)."""
        verb, preposition, kind = self.dice.pick(lexicon.PREPOSITIONAL)
        word = "who" if kind == "person" else "what"
        front = leaf(word, word, "WP")
        tense = self.tense(verb)
        main = clause(
            self.someone("asked", 0),
            Predicate(verb),
            tense,
            front=front,
            front_deprel="obl",
            inverted=True,
        )
        main.words += link(front.head, leaf(preposition, preposition, "IN"), "case")
        return self.close(main, "?")

    def long_distance(self) -> list[Word]:
        """`What do you think Anna bought?`: an object of the inner verb stands first."""
        kind, predicate = self.gap()
        word = "who" if kind == "person" else "what"
        inner = clause(self.someone("asked", 0), predicate, self.tense(predicate.lemma))
        front = link(inner.head, leaf(word, word, "WP"), "obj")
        outer = Predicate(self.dice.pick(("think", "say", "believe", "hope")), [(inner, "ccomp")])
        tense = self.dice.pick(("past", "present"))
        main = clause(self.someone("asked", 0), outer, tense, inverted=True)
        return self.close(Phrase(front + main.words, main.head), "?")
