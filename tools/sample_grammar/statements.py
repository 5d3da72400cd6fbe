"""Statements of one or several clauses, and how a sentence is closed."""

from __future__ import annotations

from . import lexicon
from .adjuncts import Adjuncts
from .verbs import Predicate, clause
from .words import Phrase, Word, comma, conjoin, leaf, link, punct

__all__ = ["Statements"]


class Statements(Adjuncts):
    """One method per kind of statement; each returns the closed words of one sentence."""

    def close(self, phrase: Phrase, mark: str = ".") -> list[Word]:
        """Add the last mark, drop commas before another mark, raise the first letter."""
        words = phrase.words + punct(phrase.head, mark, ".")
        marks = {",", ".", "?", "!", ";", ":", ")"}
        kept = [
            word
            for place, word in enumerate(words)
            if word.form != "," or words[place + 1].form not in marks
        ]
        first = next(word for word in kept if word.xpos != "``")
        first.form = first.form[0].upper() + first.form[1:]
        return kept

    def statement(self) -> list[Word]:
        """One clause."""
        return self.close(self.plain(1, most=2), "!" if self.dice.chance(0.03) else ".")

    def complex_statement(self) -> list[Word]:
        """A main clause and an adverbial clause before or after it."""
        inner, may_lead = self.subordinate(1)
        finite = any(word.xpos in {"VBD", "VBZ", "VBP", "MD"} for word in inner.words)
        main = self.plain(1) if finite else self._personal()
        if may_lead and self.dice.chance(0.45):
            return self.close(self.fronted(inner, "advcl", main))
        loose = inner.words[0].xpos == "VBG"
        pause = comma(inner.head) if loose else []
        words = main.words + pause + link(main.head, inner, "advcl")
        return self.close(Phrase(words, main.head))

    def _personal(self) -> Phrase:
        predicate = self.doing(0)
        return clause(self.someone("subject", 1), predicate, self.tense(predicate.lemma))

    def fronted_adverbial(self) -> list[Word]:
        """`In March, ...`, `Fortunately, ...`, `Near the harbor, ...`."""
        if self.dice.chance(0.35):
            word = self.choose(lexicon.STANCE)
            return self.close(self.fronted(leaf(word, word, "RB"), "advmod", self.plain(1)))
        if self.dice.chance(0.5):
            self.in_past = True
            front, deprel = self.time("past")
        else:
            front, deprel = self.place(), "obl"
        return self.close(
            self.fronted(front, deprel, self.plain(1, most=0, tense=self.simple_tense()))
        )

    def compound(self) -> list[Word]:
        """Two or three clauses joined by a conjunction."""
        first, second = self.plain(1), self.plain(0)
        conjunction = self.dice.pick(("and", "but", "so", "or", "and"))
        joined = conjoin(first, [second], conjunction)
        joined.words[len(first.words) : len(first.words)] = comma(second.head)
        return self.close(joined)

    def shared_subject(self) -> list[Word]:
        """`Anna closed the window and read a book.`"""
        acts = [self.act(1 if place == 0 else 0) for place in range(2 + self.dice.chance(0.25))]
        subject = self.someone("subject", 1)
        tense = self.simple_tense()
        first = clause(subject, acts[0], tense)
        rest = []
        for act in acts[1:]:
            self.adjoin(act, tense, most=1)
            shared = clause(subject, act, tense)
            own = set(map(id, subject.words))
            rest.append(Phrase([word for word in shared.words if id(word) not in own], shared.head))
        subject.head.head = first.head
        return self.close(conjoin(first, rest, self.dice.pick(("and", "and", "but", "or"))))

    def existential(self) -> list[Word]:
        """`There are three boats in the harbor.`"""
        kind = self.dice.pick(("animal", "artefact", "object", "document", "food", "person"))
        thing = self.noun_phrase(kind, 1, determiner=None)
        number = "Plur" if thing.head.xpos == "NNS" else "Sing"
        fixed = {
            "Sing": self.dice.pick(("a", "another", "no")),
            "Plur": self.dice.pick(("number", "some", "many", "no")),
        }
        thing = self.noun_phrase(kind, 0, number=number, determiner=fixed[number])
        there = leaf("there", "there", "EX")
        there.number = thing.number
        tense = self.dice.pick(("past", "past", "present", "present", "must", "future"))
        question = self.dice.chance(0.2)
        predicate = Predicate("be", [(thing, "nsubj"), (self.place(), "obl")])
        main = clause(there, predicate, tense, subject_deprel="expl")
        if question and tense in {"past", "present"}:
            main.words = [main.head, *there.words, *main.words[2:]]
        return self.close(main, "?" if main.words[0] is main.head else ".")

    def copular(self) -> list[Word]:
        """`Clara is a doctor.`, `Is the soup warm?`"""
        if self.dice.chance(0.6):
            subject = (
                self.name()
                if self.dice.chance(0.5)
                else self.noun_phrase("person", 1, number="Sing")
            )
            other = self.noun_phrase(
                "person", 1, number="Sing", determiner=self.dice.pick(("a", "the"))
            )
            predicate = Predicate("be", nominal=other)
        else:
            kind = self.dice.pick(("food", "place", "idea", "document", "artefact"))
            subject = self.noun_phrase(kind, 1)
            table = lexicon.ADJECTIVES
            predicate = Predicate("be", nominal=self.adjective(table.get(kind, table["thing"])))
        inverted = self.dice.chance(0.3)
        tense = self.dice.pick(("past", "present", "present"))
        negated = self.dice.chance(0.15)
        main = clause(
            subject, predicate, tense, inverted=inverted, negated=negated, contracted=True
        )
        return self.close(main, "?" if inverted else ".")

    def passive_clause(self) -> Phrase:
        """A thing and what was done to it."""
        kind = self.dice.pick(("artefact", "object", "document", "food", "event", "idea", "animal"))
        predicate = self.passive(kind, 1)
        tense = self.tense("know")
        subject = self.noun_phrase(kind, 1)
        return clause(
            subject,
            self.adjoin(predicate, tense, most=1),
            tense,
            negated=self.dice.chance(0.1),
            contracted=True,
        )

    def passive_statement(self) -> list[Word]:
        """`The fence was painted by the gardener yesterday.`"""
        return self.close(self.passive_clause())
