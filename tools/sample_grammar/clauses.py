"""Predicates for each class of subject, and clauses inside noun phrases."""

from __future__ import annotations

from . import lexicon
from .phrases import NounPhrases, prepositional
from .verbs import Predicate, clause
from .words import Phrase, Word, comma, leaf, link

__all__ = ["STATIVE", "Clauses"]

STATIVE = frozenset(
    lexicon.words(
        "know like love want need believe understand remember see hear hope trust agree seem "
        "sound feel remain become matter forget notice be reach find lose think claim mention "
        "accept promise decide refuse"
    )
)


class Clauses(NounPhrases):
    """Predicates for each class of subject, and clauses inside noun phrases."""

    def tense(self, lemma: str = "") -> str:
        """A tense that suits the sentence and the verb: no progressive of verbs of state."""
        if self.in_past:
            modal = self.dice.pick(("could", "might", "would"))
            weights = {"past": 70, modal: 6, "past progressive": 12, "past perfect": 8}
        else:
            modal = self.dice.pick(lexicon.MODALS)
            weights = {"present": 32, "future": 20, modal: 18, "progressive": 15, "perfect": 14}
        chosen = self.dice.weighted(weights)
        if "progressive" in chosen and lemma in STATIVE:
            return self.simple_tense()
        return chosen

    def simple_tense(self) -> str:
        """`past` or `present`, as this sentence is told."""
        return "past" if self.in_past else "present"

    def doing(self, depth: int) -> Predicate:
        """What a person may do on purpose: no verb of state."""
        predicate = self.act(depth)
        while predicate.lemma in STATIVE:
            predicate = self.act(depth)
        return predicate

    def thing(self, depth: int, *, role: str = "object") -> tuple[str, Phrase]:
        """A class that verbs take, and a noun phrase of it."""
        kind = self.dice.pick(
            [kind for kind in lexicon.TRANSITIVE if kind != "stuff" or role != "gap"]
        )
        if kind == "person":
            return kind, self.someone("object", depth)
        return kind, self.noun_phrase(kind, depth)

    def gap(self) -> tuple[str, Predicate]:
        """A class, and a predicate whose object is elsewhere."""
        kind = self.dice.pick(list(lexicon.TRANSITIVE))
        return kind, Predicate(self.choose(lexicon.TRANSITIVE[kind]))

    def adjective(self, choices: tuple[str, ...], *, modified: bool = True) -> Phrase:
        """An adjective after a copula, sometimes with a degree adverb."""
        word = self.choose(choices)
        phrase = leaf(word, word, "JJ")
        if modified and self.dice.chance(0.3):
            adverb = self.dice.pick(lexicon.DEGREE)
            degree = link(phrase.head, leaf(adverb, adverb, "RB"), "advmod")
            return Phrase(degree + phrase.words, phrase.head)
        return phrase

    def infinitive(self, predicate: Predicate) -> Phrase:
        """`to build a bridge`."""
        phrase = clause(None, predicate, "infinitive")
        mark = link(phrase.head, leaf("to", "to", "TO"), "mark")
        return Phrase(mark + phrase.words, phrase.head)

    def act(self, depth: int) -> Predicate:
        """What a person may do: a predicate without a clause inside."""
        kind = self.dice.weighted(
            {"transitive": 40, "intransitive": 10, "motion": 14, "prepositional": 13,
             "ditransitive": 10, "particle": 13}
        )  # fmt: skip
        dice = self.dice
        if kind == "transitive":
            cls, obj = self.thing(depth)
            return Predicate(self.choose(lexicon.TRANSITIVE[cls]), [(obj, "obj")])
        if kind == "intransitive":
            return Predicate(self.choose(lexicon.INTRANSITIVE))
        if kind == "motion":
            return self.motion(depth)
        if kind == "prepositional":
            verb, preposition, cls = dice.pick(lexicon.PREPOSITIONAL)
            whom = (
                self.someone("object", depth) if cls == "person" else self.noun_phrase(cls, depth)
            )
            return Predicate(verb, [(prepositional(preposition, whom), "obl")])
        if kind == "ditransitive":
            return self.giving(depth)
        return self.particle(depth)

    def motion(self, depth: int) -> Predicate:
        """`walked from the station to the old harbor`."""
        where = self.noun_phrase("place", depth, number="Sing")
        complements = [(prepositional(self.dice.pick(("to", "through", "past")), where), "obl")]
        if self.dice.chance(0.25):
            start = self.noun_phrase(self.dice.pick(("town", "place")), 0, number="Sing")
            complements.insert(0, (prepositional("from", start), "obl"))
        return Predicate(self.choose(lexicon.MOTION), complements)

    def giving(self, depth: int) -> Predicate:
        """`gave Anna a map` or `gave a map to Anna`."""
        verb, kind = self.dice.pick(lexicon.DITRANSITIVE)
        gift = self.noun_phrase(kind, depth)
        whom = self.someone("object", 0)
        if verb in {"teach", "tell"} or self.dice.chance(0.55):
            return Predicate(verb, [(whom, "iobj"), (gift, "obj")])
        return Predicate(verb, [(gift, "obj"), (prepositional("to", whom), "obl")])

    def particle(self, depth: int) -> Predicate:
        """`picked the key up`, `picked up the key`, `woke up`."""
        if self.dice.chance(0.25):
            verb, particle = self.dice.pick(lexicon.INTRANSITIVE_PARTICLE)
            return Predicate(verb, [(leaf(particle, particle, "RP"), "compound:prt")])
        verb, particle, kind = self.dice.pick(lexicon.PARTICLE)
        small = (leaf(particle, particle, "RP"), "compound:prt")
        if self.dice.chance(0.4):
            short = leaf("it", "it", "PRP") if self.dice.chance(0.4) else self.noun_phrase(kind, 0)
            return Predicate(verb, [(short, "obj"), small])
        return Predicate(verb, [small, (self.noun_phrase(kind, depth), "obj")])

    def of_thing(self, kind: str, depth: int) -> Predicate:
        """What may be said of an animal, a thing, a place or an idea."""
        if kind == "animal" and self.dice.chance(0.7):
            where = [(self.place(), "obl")] if self.dice.chance(0.5) else []
            return Predicate(self.choose(lexicon.ANIMAL_ACTS), where)
        if kind in lexicon.THING_ACTS and self.dice.chance(0.35):
            return Predicate(self.choose(lexicon.THING_ACTS[kind]))
        if kind in lexicon.TRANSITIVE and self.dice.chance(0.55):
            return self.passive(kind, depth)
        table = lexicon.ADJECTIVES
        return Predicate("be", nominal=self.adjective(table.get(kind, table["thing"])))

    def passive(self, kind: str, depth: int, *, agent: bool = False) -> Predicate:
        """`was built by the farmers`; the agent may be left out unless asked for."""
        verb = self.choose(
            [verb for verb in lexicon.TRANSITIVE[kind] if verb not in {"want", "like"}]
        )
        if agent or self.dice.chance(0.4):
            firm = kind in {"artefact", "document", "event"} and self.dice.chance(0.3)
            who = self.firm() if firm else self.noun_phrase("person", depth)
            doer = prepositional("by", who)
            return Predicate(verb, [(doer, "obl:agent")], passive=True)
        return Predicate(verb, passive=True)

    def clause_after(self, noun: Phrase, kind: str, depth: int) -> list[Word]:
        """A relative clause, a participle or an infinitive on a noun."""
        form = self.dice.weighted({"subject": 34, "object": 34, "participle": 22, "place": 10})
        person = kind == "person"
        if form == "place" and kind == "place":
            where = leaf("where", "where", "WRB")
            relative = clause(
                self.someone("subject", 0),
                self.doing(0),
                self.simple_tense(),
                front=where,
                front_deprel="advmod",
            )
            return link(noun.head, relative, "acl:relcl")
        if form == "participle":
            if person:
                part = clause(None, self.waiting(), "gerund")
                return link(noun.head, part, "acl")
            if kind in lexicon.TRANSITIVE:
                predicate = self.passive(kind, depth, agent=True)
                predicate.passive = False
                return link(noun.head, clause(None, predicate, "participle"), "acl")
        if form == "object" and kind in lexicon.TRANSITIVE:
            return self._object_relative(noun, kind)
        word = self.dice.pick(("who", "that") if person else ("which", "that"))
        pronoun = leaf(word, word, "WP" if word == "who" else "WDT")
        pronoun.number = noun.number
        predicate = self.act(depth) if person else self.of_thing(kind, depth)
        negated = self.dice.chance(0.08)
        tense = self.tense(predicate.lemma)
        relative = clause(pronoun, predicate, tense, negated=negated, contracted=True)
        words = link(noun.head, relative, "acl:relcl")
        if word != "that" and self.dice.chance(0.25):
            return comma(relative.head) + words + comma(relative.head)
        return words

    def waiting(self) -> Predicate:
        """What someone is doing at a place: `standing near the gate`."""
        return Predicate(self.dice.pick(("wait", "stand", "sit", "work")), [(self.place(), "obl")])

    def _object_relative(self, noun: Phrase, kind: str) -> list[Word]:
        predicate = Predicate(self.choose(lexicon.TRANSITIVE[kind]))
        word = self.dice.pick(("whom", "that", "") if kind == "person" else ("which", "that", ""))
        front = leaf(word, "who" if word == "whom" else word, "WDT") if word else None
        if front is not None and word == "whom":
            front.head.xpos = "WP"
        subject = self.someone("subject", 0)
        tense = self.tense(predicate.lemma)
        relative = clause(subject, predicate, tense, front=front, contracted=self.dice.chance(0.5))
        return link(noun.head, relative, "acl:relcl")
