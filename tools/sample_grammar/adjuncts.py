"""Productions for what surrounds a predicate: when, where, how; and predicates with clauses."""

from __future__ import annotations

from . import lexicon
from .clauses import STATIVE, Clauses
from .inflection import plural
from .phrases import prepositional
from .verbs import Predicate, clause
from .words import Phrase, Word, comma, leaf, link

__all__ = ["Adjuncts"]

PAST = frozenset({"past", "past progressive"})
STANCE_CLAUSES = ("because", "when", "if", "although", "while", "before", "after", "since")


class Adjuncts(Clauses):
    """Adverbials, and predicates that hold another clause."""

    def time(self, tense: str, *, state: bool = False) -> tuple[Phrase, str]:
        """When, as the tense allows: `yesterday`, `at 9:30`, `two days ago`, `in 1987`."""
        kinds = {self._day: 3.0, self._part: 2.0}
        if not state:
            kinds |= {self._clock: 2.0}
        if tense in PAST:
            kinds |= {self._yesterday: 2.0, self._last: 2.0}
            if not state:
                kinds |= {self._ago: 2.0, self._year: 1.5, self._date: 1.5}
        elif tense == "future":
            kinds |= {self._tomorrow: 3.0, self._next: 2.0, self._month: 1.0}
        elif tense == "present":
            kinds |= {self._every: 3.0}
        return self.dice.weighted(kinds)()

    def _day(self) -> tuple[Phrase, str]:
        return prepositional("on", self.noun_phrase("weekday", 0)), "obl"

    def _clock(self) -> tuple[Phrase, str]:
        hour, minute = 1 + self.dice.below(12), self.dice.pick(("00", "15", "30", "45"))
        clock = f"{hour}:{minute}"
        return prepositional("at", leaf(clock, clock, "CD")), "obl"

    def _part(self) -> tuple[Phrase, str]:
        part = self.dice.pick(("morning", "evening", "afternoon"))
        head = leaf(part, part, "NN")
        words = link(head.head, leaf("the", "the", "DT"), "det") + head.words
        return prepositional("in", Phrase(words, head.head)), "obl"

    def _yesterday(self) -> tuple[Phrase, str]:
        return leaf("yesterday", "yesterday", "NN"), "obl:unmarked"

    def _tomorrow(self) -> tuple[Phrase, str]:
        return leaf("tomorrow", "tomorrow", "NN"), "obl:unmarked"

    def _month(self) -> tuple[Phrase, str]:
        month = self.choose(lexicon.NOUNS["month"])
        return prepositional("in", leaf(month, month, "NNP")), "obl"

    def _year(self) -> tuple[Phrase, str]:
        year = str(1890 + self.dice.below(130))
        return prepositional("in", leaf(year, year, "CD")), "obl"

    def _date(self) -> tuple[Phrase, str]:
        month = self.choose(lexicon.NOUNS["month"])
        head = leaf(month, month, "NNP")
        day, year = str(1 + self.dice.below(28)), str(1890 + self.dice.below(130))
        words = head.words + link(head.head, leaf(day, day, "CD"), "nummod")
        if self.dice.chance(0.5):
            words += comma(head.head) + link(head.head, leaf(year, year, "CD"), "nummod")
        return prepositional("on", Phrase(words, head.head)), "obl"

    def _ago(self) -> tuple[Phrase, str]:
        number, period = self.dice.pick(lexicon.NUMBERS), self.dice.pick(lexicon.NOUNS["period"])
        span = leaf(plural(period), period, "NNS")
        words = link(span.head, leaf(number, number, "CD"), "nummod") + span.words
        ago = leaf("ago", "ago", "RB")
        before = link(ago.head, Phrase(words, span.head), "obl:unmarked")
        return Phrase(before + ago.words, ago.head), "advmod"

    def _last(self) -> tuple[Phrase, str]:
        return self._period("last", "JJ", "amod"), "obl:unmarked"

    def _next(self) -> tuple[Phrase, str]:
        return self._period("next", "JJ", "amod"), "obl:unmarked"

    def _every(self) -> tuple[Phrase, str]:
        return self._period("every", "DT", "det"), "obl:unmarked"

    def _period(self, word: str, xpos: str, deprel: str) -> Phrase:
        period = self.dice.pick(("week", "month", "year", "summer", "winter"))
        head = leaf(period, period, "NN")
        return Phrase(link(head.head, leaf(word, word, xpos), deprel) + head.words, head.head)

    def adjoin(
        self, predicate: Predicate, tense: str, *, most: int = 2, person: bool = True
    ) -> Predicate:
        """Add up to `most` adverbials after the complements."""
        state = predicate.lemma in STATIVE
        kinds = {"": 46.0, "time": 24.0}
        if not state:
            kinds |= {"place": 18.0, "manner": 14.0 if person and not predicate.passive else 0.0}
        if predicate.lemma in lexicon.TOOL_VERBS:
            kinds["tool"] = 16.0
        if any(deprel == "obl" for _, deprel in predicate.complements):
            kinds.pop("place", None)
        for _ in range(most):
            kind = self.dice.weighted(kinds)
            if kind == "":
                break
            kinds.pop(kind)
            if kind == "time":
                predicate.complements.append(self.time(tense, state=state))
            elif kind == "place":
                predicate.complements.append((self.place(), "obl"))
            elif kind == "manner":
                adverb = self.choose(lexicon.MANNER)
                predicate.complements.append((leaf(adverb, adverb, "RB"), "advmod"))
            else:
                tool = self.noun_phrase("instrument", 0, number="Sing")
                predicate.complements.append((prepositional("with", tool), "obl"))
        return predicate

    def predicate(self, depth: int) -> Predicate:
        """What a person may do, think, want or be."""
        if depth <= 0:
            return self.act(0)
        kind = self.dice.weighted(
            {"act": 46, "be": 12, "seem": 4, "say": 10, "tell": 4, "ask": 4, "want": 9, "urge": 5,
             "enjoy": 4, "make": 2}
        )  # fmt: skip
        if kind == "act":
            return self.act(depth)
        if kind == "be":
            return self.being(depth)
        if kind == "seem":
            feeling = self.adjective(lexicon.FEELINGS)
            return Predicate(self.dice.pick(lexicon.SEEMING), [(feeling, "xcomp")])
        if kind == "want":
            goal = self.infinitive(self.doing(depth - 1))
            return Predicate(self.choose(lexicon.WANTING), [(goal, "xcomp")])
        if kind == "enjoy":
            activity = clause(None, self.doing(depth - 1), "gerund")
            return Predicate(self.choose(lexicon.ENJOYING), [(activity, "xcomp")])
        whom = self.someone("object", 0)
        if kind == "urge":
            deed = self.infinitive(self.doing(depth - 1))
            return Predicate(self.choose(lexicon.URGING), [(whom, "obj"), (deed, "xcomp")])
        if kind == "make":
            deed = clause(None, self.doing(0), "infinitive")
            return Predicate(self.dice.pick(("make", "let")), [(whom, "obj"), (deed, "xcomp")])
        if kind == "tell":
            content = (self.content(depth - 1, that=True), "ccomp")
            return Predicate(self.choose(lexicon.TELLING), [(whom, "iobj"), content])
        if kind == "ask":
            return Predicate(self.choose(lexicon.ASKING), [(self.question_inside(), "ccomp")])
        return Predicate(self.choose(lexicon.SAYING), [(self.content(depth - 1), "ccomp")])

    def being(self, depth: int) -> Predicate:
        """A copula with an adjective, a noun, a place, or a comparison."""
        kind = self.dice.weighted({"adjective": 5, "place": 3, "than": 3, "as": 1, "to": 1})
        if kind == "adjective":
            return Predicate("be", nominal=self.adjective(lexicon.FEELINGS))
        if kind == "place":
            return Predicate("be", nominal=self.place())
        if kind == "to":
            nominal = self.adjective(("ready", "happy", "sad", "sure"), modified=False)
            deed = self.infinitive(self.doing(depth - 1))
            return Predicate("be", [(deed, "xcomp")], nominal=nominal)
        other = self.noun_phrase("person", 0) if self.dice.chance(0.5) else self.name()
        if kind == "as":
            nominal = self.adjective(lexicon.ADJECTIVES["person"], modified=False)
            first = link(nominal.head, leaf("as", "as", "RB"), "advmod")
            nominal = Phrase(first + nominal.words, nominal.head)
            return Predicate("be", [(prepositional("as", other), "obl")], nominal=nominal)
        forms = (("taller", "tall"), ("older", "old"), ("kinder", "kind"), ("stronger", "strong"))
        form, lemma = self.dice.pick(forms)
        nominal = leaf(form, lemma, "JJR")
        return Predicate("be", [(prepositional("than", other), "obl")], nominal=nominal)

    def subject(self, depth: int, *, human: bool) -> tuple[Phrase, Predicate]:
        """A subject and a predicate that suits it: mostly a person, else an animal or a thing."""
        if human:
            return self.someone("subject", depth), self.predicate(depth)
        kinds = ("animal", "artefact", "object", "document", "food", "place", "event", "idea")
        kind = self.dice.pick(kinds)
        if kind != "animal" and self.dice.chance(0.12):
            it = leaf("it", "it", "PRP")
            it.traits = frozenset({"pronoun"})
            return it, self.of_thing(kind, depth)
        return self.noun_phrase(kind, depth), self.of_thing(kind, depth)

    def plain(self, depth: int, *, most: int = 1, tense: str | None = None) -> Phrase:
        """A whole finite clause: subject, predicate, adverbials, perhaps a negation."""
        human = self.dice.chance(0.72)
        subject, predicate = self.subject(depth, human=human)
        chosen = self.tense(predicate.lemma) if tense is None else tense
        if predicate.lemma not in {"say", "claim", "report", "explain"}:
            predicate = self._closed(
                predicate, chosen, most, person="animal" in subject.traits or human
            )
        negated = self.dice.chance(0.13)
        quantified = {word.form for word in subject.words} & {"nobody", "everyone", "someone"}
        return clause(
            subject,
            predicate,
            chosen,
            negated=negated and not quantified,
            contracted=self.dice.chance(0.5),
            adverb=self.choose(lexicon.FREQUENCY)
            if not negated and self.dice.chance(0.1)
            else None,
        )

    def _closed(self, predicate: Predicate, tense: str, most: int, *, person: bool) -> Predicate:
        """Adverbials, unless the predicate ends in a clause that would swallow them."""
        if any(deprel in {"ccomp", "xcomp"} for _, deprel in predicate.complements):
            return predicate
        return self.adjoin(predicate, tense, most=most, person=person)

    def content(self, depth: int, *, that: bool | None = None) -> Phrase:
        """`(that) the bridge was closed`."""
        inner = self.plain(depth, most=1)
        if that or (that is None and self.dice.chance(0.6)):
            return self.marked("that", inner)
        return inner

    def marked(self, word: str, inner: Phrase) -> Phrase:
        """A clause with its subordinating conjunction."""
        return Phrase(link(inner.head, leaf(word, word, "IN"), "mark") + inner.words, inner.head)

    def question_inside(self) -> Phrase:
        """`whether Anna came`, `where he had found the key`."""
        if self.dice.chance(0.4):
            return self.marked("whether" if self.dice.chance(0.6) else "if", self.plain(0))
        if self.dice.chance(0.4):
            _, predicate = self.gap()
            what = leaf("what", "what", "WP")
            return clause(self.someone("subject", 0), predicate, self.simple_tense(), front=what)
        word = self.dice.pick(("where", "when", "why", "how"))
        front = leaf(word, word, "WRB")
        return clause(
            self.someone("subject", 0),
            self.doing(0),
            self.simple_tense(),
            front=front,
            front_deprel="advmod",
        )

    def subordinate(self, depth: int) -> tuple[Phrase, bool]:
        """An adverbial clause, and whether it may stand first."""
        kind = self.dice.weighted({"finite": 60, "purpose": 20, "participle": 12, "without": 8})
        if kind == "purpose":
            return self.infinitive(self.doing(depth)), False
        if kind == "participle":
            return clause(None, self.doing(depth), "gerund"), True
        if kind == "without":
            mark = self.dice.pick(("without", "before", "after", "by"))
            return self.marked(mark, clause(None, self.doing(depth), "gerund")), mark != "without"
        mark = self.dice.pick(STANCE_CLAUSES)
        tense = None if self.in_past or mark in {"because", "although", "since"} else "present"
        word = "WRB" if mark == "when" else "IN"
        inner = self.plain(depth, tense=tense)
        opener = leaf(mark, mark, word)
        words = link(inner.head, opener, "advmod" if mark == "when" else "mark")
        return Phrase(words + inner.words, inner.head), True

    def fronted(self, front: Phrase, deprel: str, main: Phrase) -> Phrase:
        """Something before the main clause, with a comma."""
        words: list[Word] = link(main.head, front, deprel) + comma(front.head)
        return Phrase(words + main.words, main.head)
