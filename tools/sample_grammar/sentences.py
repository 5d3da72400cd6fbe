"""All kinds of sentence with their weights; here are the livelier ones."""

from __future__ import annotations

from collections.abc import Callable

from . import lexicon
from .inflection import plural
from .phrases import bracketed, prepositional
from .questions import Questions
from .verbs import Predicate, clause
from .words import Phrase, Word, comma, conjoin, leaf, link, punct

__all__ = ["KINDS", "Sentences"]


class Sentences(Questions):
    """Orders, speech, parentheses, clausal subjects, extraposition, measures, lists."""

    def sentence(self) -> list[Word]:
        """One sentence of a kind drawn by its weight."""
        self.in_past = self.dice.chance(0.62)
        return self.dice.weighted(KINDS)(self)

    def imperative(self) -> list[Word]:
        """`Please close the window.`, `Don't forget the key!`"""
        predicate = self.adjoin(self.doing(1), "infinitive", most=1)
        main = clause(None, predicate, "infinitive")
        if self.dice.chance(0.2):
            short = self.dice.chance(0.7)
            do = link(main.head, leaf("do", "do", "VB"), "aux")
            negation = link(main.head, leaf("n't" if short else "not", "not", "RB"), "advmod")
            negation[0].glued = short
            main.words = do + negation + main.words
        elif self.dice.chance(0.4):
            main.words = link(main.head, leaf("please", "please", "UH"), "discourse") + main.words
        if self.dice.chance(0.25):
            name = self.choose(lexicon.FEMALE)
            called = leaf(name, name, "NNP")
            main = self.fronted(called, "vocative", main)
        return self.close(main, "!" if self.dice.chance(0.25) else ".")

    def speech(self) -> list[Word]:
        """`"We are late," said Anna.`"""
        said = self.plain(0, most=1)
        asked = self.dice.chance(0.25)
        if asked:
            act = self.act(0)
            said = clause(self.pronoun("subject"), act, self.tense(act.lemma), inverted=True)
        said.words[0].form = said.words[0].form[0].upper() + said.words[0].form[1:]
        opening = punct(said.head, '"', "``")
        mark = punct(said.head, "?", ".") if asked else comma(said.head)
        closing = punct(said.head, '"', "''")
        verb = leaf("asked", "ask", "VBD") if asked else leaf("said", "say", "VBD")
        speaker = self.name() if self.dice.chance(0.5) else self.noun_phrase("person", 0)
        words = opening + said.words + mark + closing
        link(verb.head, said, "ccomp")
        subject = link(verb.head, speaker, "nsubj")
        if self.dice.chance(0.5):
            return self.close(Phrase(words + verb.words + subject, verb.head))
        return self.close(Phrase(words + subject + verb.words, verb.head))

    def interruption(self) -> list[Word]:
        """`The train, I think, was late.`: a parenthesis after the subject."""
        kind = self.dice.pick(("artefact", "place", "event", "document"))
        predicate = self.of_thing(kind, 0)
        subject = self.noun_phrase(kind, 0)
        tense = self.dice.pick(("past", "past", "future", "past perfect"))
        main = clause(subject, predicate, tense)
        verb = Predicate(self.dice.pick(("think", "hope", "believe", "say")))
        aside = clause(self.pronoun("subject"), verb, "present")
        inserted = comma(aside.head) + link(main.head, aside, "parataxis") + comma(aside.head)
        spot = len(subject.words)
        return self.close(Phrase(main.words[:spot] + inserted + main.words[spot:], main.head))

    def parataxis(self) -> list[Word]:
        """Two clauses side by side with a semicolon, colon or dash."""
        first, second = self.plain(0), self.plain(0)
        mark = self.dice.pick((";", ";", ":", "-"))
        between = punct(second.head, mark, ":")
        words = first.words + between + link(first.head, second, "parataxis")
        return self.close(Phrase(words, first.head))

    def address(self) -> list[Word]:
        """`Well, ...`, `Anna, did you ...?`"""
        if self.dice.chance(0.5):
            word = self.dice.pick(lexicon.GREETINGS)
            return self.close(
                self.fronted(leaf(word, word.lower(), "UH"), "discourse", self.plain(1))
            )
        name = self.choose(lexicon.MALE)
        act = self.act(1)
        you = leaf("you", "you", "PRP")
        you.number, you.person = "Plur", 2
        main = clause(you, act, self.tense(act.lemma), inverted=True)
        return self.close(self.fronted(leaf(name, name, "NNP"), "vocative", main), "?")

    def impersonal(self) -> list[Word]:
        """`It is clear that ...`, `It was hard to ...`"""
        it = leaf("it", "it", "PRP")
        it.traits = frozenset({"pronoun"})
        if self.dice.chance(0.5):
            subject = self.marked("that", self.plain(0))
            nominal = self.adjective(lexicon.OPINIONS)
        else:
            subject = self.infinitive(self.doing(1))
            nominal = self.adjective(lexicon.EASE)
        predicate = Predicate("be", [(subject, "csubj")], nominal=nominal)
        main = clause(
            it,
            predicate,
            self.dice.pick(("present", "past", "might")),
            contracted=self.dice.chance(0.5),
            negated=self.dice.chance(0.15),
            subject_deprel="expl",
        )
        return self.close(main)

    def clausal_subject(self) -> list[Word]:
        """`Repairing the clock was difficult.`"""
        subject = clause(None, self.doing(0), "gerund")
        nominal = self.adjective(lexicon.EASE)
        main = clause(
            subject,
            Predicate("be", nominal=nominal),
            self.dice.pick(("present", "past")),
            subject_deprel="csubj",
        )
        return self.close(main)

    def extraposed(self) -> list[Word]:
        """`A man arrived who knew the way.`: the relative clause is away from its noun."""
        kind = self.dice.pick(("person", "person", "document"))
        self.in_past = True
        determiner = self.dice.pick(("a", "another"))
        subject = self.noun_phrase(kind, 0, number="Sing", determiner=determiner)
        verb = self.dice.pick(
            ("come", "arrive", "call") if kind == "person" else ("arrive", "come")
        )
        main = clause(subject, Predicate(verb, [self.time("past")]), "past")
        word = "who" if kind == "person" else "which"
        pronoun = leaf(word, word, "WP" if kind == "person" else "WDT")
        act = self.act(0) if kind == "person" else self.of_thing(kind, 0)
        relative = clause(pronoun, act, "past")
        return self.close(Phrase(main.words + link(subject.head, relative, "acl:relcl"), main.head))

    def measurement(self) -> list[Word]:
        """Numbers: prices, percentages, lengths."""
        kind = self.dice.pick(("price", "share", "length"))
        number = str(2 + self.dice.below(98))
        if kind == "price":
            subject = self.noun_phrase(self.dice.pick(("object", "artefact")), 0)
            sign = leaf("$", "$", "$")
            sign.head.space_after = False
            amount = (
                f"{number}.{self.dice.pick(('50', '75', '99'))}"
                if self.dice.chance(0.5)
                else number
            )
            price = sign.words + link(sign.head, leaf(amount, amount, "CD"), "nummod")
            predicate = Predicate("cost", [(Phrase(price, sign.head), "obj")])
            return self.close(clause(subject, predicate, self.dice.pick(("present", "future"))))
        if kind == "share":
            sign = leaf("%", "%", "NN")
            count = link(sign.head, leaf(number, number, "CD"), "nummod")
            count[0].space_after = False
            people = self.noun_phrase("person", 0, number="Plur", determiner="the")
            words = count + sign.words + link(sign.head, prepositional("of", people), "nmod")
            act = self.act(1)
            subject = Phrase(words, sign.head, "Plur")
            return self.close(clause(subject, act, self.tense(act.lemma)))
        unit = self.dice.pick(("meter", "kilometer", "foot"))
        head = leaf("feet" if unit == "foot" else plural(unit), unit, "NNS")
        big = (
            f"{1 + self.dice.below(9)},{100 + self.dice.below(900)}"
            if unit != "kilometer"
            else number
        )
        size = link(head.head, leaf(big, big, "CD"), "nummod") + head.words
        dimension = self.dice.pick(("long", "wide"))
        nominal = leaf(dimension, dimension, "JJ")
        words = link(nominal.head, Phrase(size, head.head), "obl:unmarked") + nominal.words
        predicate = Predicate("be", nominal=Phrase(words, nominal.head))
        measured = self.dice.pick(("bridge", "road", "wall", "lake", "river", "valley"))
        thing = leaf(measured, measured, "NN")
        the = link(thing.head, leaf("the", "the", "DT"), "det")
        return self.close(clause(Phrase(the + thing.words, thing.head), predicate, "present"))

    def bracket(self) -> list[Word]:
        """`The old mill (built in 1890) was sold.`"""
        subject = self.noun_phrase("artefact", 0, number="Sing", determiner="the")
        year = str(1890 + self.dice.below(130))
        when = prepositional("in", leaf(year, year, "CD"))
        part = clause(
            None,
            Predicate(self.dice.pick(("build", "repair", "paint")), [(when, "obl")]),
            "participle",
        )
        inner = bracketed(part.head, link(subject.head, part, "acl"))
        whole = Phrase(subject.words + inner, subject.head)
        return self.close(clause(whole, self.of_thing("artefact", 1), "past"))

    def listing(self) -> list[Word]:
        """`We bought bread, cheese and two apples.`"""
        kinds = ["food", "stuff", "object", "stuff", "food"]
        first = self.dice.below(2)
        items = [
            self.noun_phrase(kind, 0) for kind in kinds[first : first + 3 + self.dice.below(2)]
        ]
        everything = conjoin(items[0], items[1:], self.dice.pick(("and", "and", "or")))
        verb = self.dice.pick(("buy", "bring", "need", "sell", "share", "order"))
        predicate = self.adjoin(Predicate(verb, [(everything, "obj")]), "past", most=1)
        return self.close(clause(self.someone("subject", 1), predicate, "past"))


KINDS: dict[Callable[[Sentences], list[Word]], float] = {
    Sentences.statement: 27,
    Sentences.complex_statement: 14,
    Sentences.compound: 9,
    Sentences.shared_subject: 8,
    Sentences.existential: 5,
    Sentences.copular: 5,
    Sentences.passive_statement: 7,
    Sentences.fronted_adverbial: 5,
    Sentences.yes_no: 6,
    Sentences.who: 3,
    Sentences.what: 5,
    Sentences.which: 3,
    Sentences.adverb_question: 4,
    Sentences.stranded: 3,
    Sentences.long_distance: 2,
    Sentences.imperative: 6,
    Sentences.speech: 5,
    Sentences.interruption: 2,
    Sentences.parataxis: 3,
    Sentences.address: 3,
    Sentences.impersonal: 4,
    Sentences.clausal_subject: 2,
    Sentences.extraposed: 3,
    Sentences.measurement: 4,
    Sentences.bracket: 2,
    Sentences.listing: 3,
}
