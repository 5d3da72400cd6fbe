"""The productions of the sample grammar, which make random English sentences with their trees."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeVar

from lexicon import LEXICON, WEIGHTS, article, compared, s_form
from trees import Phrase, Predicate, Word, clause, conjoin, leaf, link, mark

NOUNS, NAMES, PRONOUNS = LEXICON["nouns"], LEXICON["names"], LEXICON["pronouns"]
ADJECTIVES, ADVERBS = LEXICON["adjectives"], LEXICON["adverbs"]
TRANSITIVE, VERBS = LEXICON["transitive"], LEXICON["verbs"]
HELD_OUT = LEXICON["held out"]["lemmas"]

T = TypeVar("T")


def prepositional(preposition: str, noun_phrase: Phrase, deprel: str = "obl") -> Phrase:
    """A noun phrase with a preposition before it."""
    return noun_phrase.before(leaf(preposition, "IN", "case")).labeled(deprel)


def marked(conjunction: str, inner: Phrase) -> Phrase:
    """A clause with a subordinating conjunction before it."""
    return inner.before(leaf(conjunction, "IN", "mark"))


def fronted(front: Phrase, main: Phrase) -> Phrase:
    """A main clause with a labeled phrase and a comma before it."""
    return main.before(front.after(mark(",")))


def who_or_what(kind: str) -> Phrase:
    """The interrogative pronoun for a class of nouns."""
    return leaf("who" if kind == "person" else "what", "WP")


def close(phrase: Phrase, final: str = ".") -> list[Word]:
    """The words of a sentence: with a final mark and a capital, no comma before another mark."""
    words = phrase.labeled("root").after(mark(final, ".")).words
    first = next(word for word in words if word.xpos != "``")
    first.form = first.form[0].upper() + first.form[1:]
    marks, pairs = set(",.?!;:)"), pairwise(words)
    kept = [word for word, after in pairs if word.form != "," or after.form not in marks]
    return [*kept, words[-1]]


class Grammar(random.Random):
    """Noun phrases, predicates, clauses and sentences; `depth` limits how deep they are nested.

    Every choice uses `random()` only, because its sequence is the same in every version of Python.
    The order of the choices is part of the grammar: another order would make another treebank.
    """

    held_out = False  # whether the sentences may use the lemmas that are held out from train.conllu
    simple_tense = "past"  # or "present"; all clauses of a sentence agree in it

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self.random() < probability

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices, all equally likely."""
        return choices[int(self.random() * len(choices))]

    def weighted(self, weights: Mapping[str, float]) -> str:
        """One of the keys, with a probability in proportion to its weight."""
        point = self.random() * sum(weights.values())
        for choice, weight in weights.items():
            point -= weight
            if point < 0:
                return choice
        return choice

    def choose(self, lemmas: Sequence[str]) -> str:
        """One lemma. Held-out lemmas, where they are allowed, are more likely than the others."""
        held = [lemma for lemma in lemmas if lemma in HELD_OUT]
        if self.held_out and held and self.chance(0.15):
            return self.pick(held)
        return self.pick([lemma for lemma in lemmas if lemma not in HELD_OUT])

    # Noun phrases

    def pronoun(self, role: str) -> Phrase:
        """A personal pronoun for a person, in the form for the `subject` or the `object`."""
        subject, obj, number, person = self.pick(PRONOUNS["personal"])
        if subject == "it":
            return self.pronoun(role)
        form = obj if role == "object" else subject
        return leaf(form, "PRP", lemma=subject, number=number, person=int(person), kind="pronoun")

    def name(self) -> Phrase:
        """A person's name, sometimes with a surname."""
        first = self.choose(NAMES["male" if self.chance(0.5) else "female"])
        name = leaf(first, "NNP", kind="name")
        if self.chance(0.2):
            name.after(leaf(self.choose(NAMES["surname"]), "NNP", "flat"))
        return name

    def firm(self) -> Phrase:
        """`the Harbor Bank`: a name of several words with an article."""
        *parts, last = self.pick(NAMES["firm"])
        tag, deprel = ("JJ", "amod") if parts == ["Northern"] else ("NNP", "compound")
        name = leaf(last, "NNP").before(*(leaf(part, tag, deprel) for part in parts))
        return name.before(leaf("the", "DT", "det"))

    def someone(self, role: str, depth: int) -> Phrase:
        """A person in the role of `subject`, `object` or `asked` (the subject of a question)."""
        match self.weighted(WEIGHTS["someone"]):
            case "pronoun":
                return self.pronoun(role)
            case "noun":
                return self.noun_phrase("person", depth)
            case "name":
                name = self.name()
                if depth > 0 and self.chance(0.12):
                    other = self.a_person(0).before(mark(",")).after(mark(","))
                    name.after(other.labeled("appos"))
                return name
            case "couple":
                conjunction = "and" if self.chance(0.8) else "or"
                names = [self.name() for _ in range(3 if self.chance(0.25) else 2)]
                if len({name.head.form for name in names}) < len(names):
                    return names[0]
                return conjoin(names[0], names[1:], conjunction)
        last = "nobody" if role == "subject" else "everyone"
        return leaf(self.pick(("everyone", "someone", last)), "NN")

    def a_person(self, depth: int) -> Phrase:
        """`a doctor`, `the old sailor`."""
        determiner = self.pick(("a", "the"))
        return self.noun_phrase("person", depth, number="Sing", determiner=determiner)

    def object_of(self, kind: str, depth: int) -> Phrase:
        """An object of a class, which is a noun phrase except for a person."""
        person = kind == "person"
        return self.someone("object", depth) if person else self.noun_phrase(kind, depth)

    def noun_phrase(
        self, kind: str, depth: int, *, number: str = "", determiner: str = ""
    ) -> Phrase:
        """A noun of a class with its determiner and modifiers, none after it if `depth` is 0."""
        if kind == "firm":
            return self.firm()
        if kind in {"town", "weekday", "month", "topic", "skill"}:
            word = self.choose(NOUNS[kind])
            return leaf(word, "NNP" if word[0].isupper() else "NN")
        if kind in {"food", "stuff"} and depth > 0 and self.chance(0.2):
            # `two cups of tea`, `a basket of apples`
            holder = self.noun_phrase("container", 0)
            number = "Plur" if kind == "food" else "Sing"
            filling = self.noun_phrase(kind, 0, number=number, determiner="none")
            return holder.after(prepositional("of", filling, "nmod"))
        if kind == "story":
            phrase = leaf("story", "NN").before(leaf("a", "DT", "det"))
        else:
            phrase = self.premodified(kind, number, determiner)
        if depth > 0:
            self.postmodify(phrase, kind, depth - 1)
        return phrase

    def premodified(self, kind: str, number: str, determiner: str) -> Phrase:
        """A noun with everything that stands before it."""
        number = number or ("Sing" if kind == "stuff" or self.chance(0.66) else "Plur")
        table = "stuff" if kind == "stuff" else number
        if kind in {"place", "instrument", "container"}:
            table = "place"
        determiner = determiner or self.weighted(WEIGHTS[f"determiner {table}"])
        if determiner in {"a", "this", "that", "one", "another"} and number == "Plur":
            determiner = "the"
        if kind in LEXICON["compounds"] and self.chance(0.12):
            *parts, lemma = self.pick(LEXICON["compounds"][kind])
        else:
            parts, lemma = [], self.choose(NOUNS[kind])
        form, tag = (lemma, "NN") if number == "Sing" else (s_form(lemma), "NNS")
        phrase = leaf(form, tag, lemma=lemma, number=number, kind=kind)
        phrase.before(*(leaf(part, "NN", "compound") for part in parts))
        phrase.before(*self.adjectives(kind, determiner))
        return phrase.before(*self.determiners(determiner, phrase.words[0].form))

    def adjectives(self, kind: str, determiner: str) -> list[Phrase]:
        """At most two adjectives; a single one can have an adverb or a degree of comparison."""
        if kind in {"container", "stuff"} or not self.chance(0.38):
            return []
        choices = ADJECTIVES.get(kind, ADJECTIVES["thing"])
        first = self.choose(choices)
        phrase = leaf(first, "JJ", "amod")
        if determiner in {"the", "possessive"} and self.chance(0.15):
            superlative = self.chance(0.7)
            form = compared(first, "est" if superlative else "er")
            if form:
                return [leaf(form, "JJS" if superlative else "JJR", "amod", first)]
            more, tag = ("most", "RBS") if superlative else ("more", "RBR")
            return [phrase.before(leaf(more, tag, "advmod"))]
        if self.chance(0.12):
            return [phrase.before(leaf(self.pick(("very", "rather", "quite")), "RB", "advmod"))]
        second = self.choose(choices)
        clash = any({first, second} <= set(group) for group in ADJECTIVES["opposites"])
        if first == second or clash or not self.chance(0.2):
            return [phrase]
        other = leaf(second, "JJ", "amod")
        if self.chance(0.5):
            return [conjoin(phrase, [other], "and")]
        return [phrase, other.before(mark(","))]

    def determiners(self, determiner: str, following: str) -> list[Phrase]:
        """The words of a determiner, or of a kind of determiner, that fit the following word."""
        match determiner:
            case "none":
                return []
            case "possessive":
                return [leaf(self.pick(PRONOUNS["possessive"]), "PRP$", "nmod:poss")]
            case "genitive":
                named = self.chance(0.6)
                owner = self.name() if named else self.noun_phrase("person", 0, determiner="the")
                suffix = "'" if owner.words[-1].form.endswith("s") else "'s"
                case = leaf(suffix, "POS", "case", "'s")
                case.head.glued = True
                return [owner.after(case).labeled("nmod:poss")]
            case "number":
                number = leaf(self.pick(NOUNS["number"]), "CD", "nummod")
                return [leaf("the", "DT", "det"), number] if self.chance(0.2) else [number]
            case "digits":
                return [leaf(str(self.pick(range(13, 493))), "CD", "nummod")]
            case "all":
                return [leaf("all", "PDT", "det:predet"), leaf("the", "DT", "det")]
            case "a":
                return [leaf(article(following), "DT", "det", "a")]
        tags = {"one": ("CD", "nummod"), "several": ("JJ", "amod"), "many": ("JJ", "amod")}
        tag, deprel = tags.get(determiner, ("DT", "det"))
        lemma = {"these": "this", "those": "that"}.get(determiner, determiner)
        return [leaf(determiner, tag, deprel, lemma)]

    def postmodify(self, phrase: Phrase, kind: str, depth: int) -> None:
        """Perhaps add a prepositional phrase, a clause or conjuncts to a noun phrase."""
        match self.weighted(WEIGHTS["postmodifier"]):
            case "prepositional" if kind in LEXICON["postmodifiers"]:
                preposition, other = self.pick(LEXICON["postmodifiers"][kind])
                phrase.after(prepositional(preposition, self.noun_phrase(other, depth), "nmod"))
            case "clause":
                phrase.after(self.adnominal(phrase, kind, depth))
            case "coordination" if kind in NOUNS:
                count = 2 if self.chance(0.3) else 1
                others = [self.noun_phrase(kind, 0) for _ in range(count)]
                conjoin(phrase, others, "and" if self.chance(0.85) else "or")

    def adnominal(self, noun: Phrase, kind: str, depth: int) -> Phrase:
        """A relative clause or a participle clause that modifies a noun."""
        form = self.weighted(WEIGHTS["adnominal"])
        person = kind == "person"
        if form == "participle" and person:
            verb = self.pick(("wait", "stand", "sit", "work"))
            return clause(Predicate(verb, [self.place()]), None, "gerund").labeled("acl")
        if form == "participle" and kind in TRANSITIVE:
            predicate = self.passive(kind, depth, agent=True)
            predicate.passive = False
            return clause(predicate, None, "participle").labeled("acl")
        if form == "place" and kind == "place":
            subject, predicate = self.someone("subject", 0), self.activity(0)
            where = leaf("where", "WRB", "advmod")
            relative = clause(predicate, subject, self.simple_tense, front=where)
        elif form == "object" and kind in TRANSITIVE:
            predicate = Predicate(self.choose(TRANSITIVE[kind]))
            word = self.pick(("whom" if person else "which", "that", ""))
            lemma, tag = ("who", "WP") if word == "whom" else (word, "WDT")
            front = leaf(word, tag, lemma=lemma) if word else None
            subject, tense = self.someone("subject", 0), self.tense(predicate.lemma)
            relative = clause(predicate, subject, tense, front=front, contracted=self.chance(0.5))
        else:
            word = self.pick(("who" if person else "which", "that"))
            pronoun = leaf(word, "WP" if word == "who" else "WDT", number=noun.number)
            predicate = self.act(depth) if person else self.of_thing(kind, depth)
            negated = self.chance(0.08)
            relative = self.finite(predicate, pronoun, negated=negated, contracted=True)
            if word != "that" and self.chance(0.25):
                relative.before(mark(",")).after(mark(","))
        return relative.labeled("acl:relcl")

    # Adverbials

    def place(self) -> Phrase:
        """`in the old library`, `near Marby`: where something happens."""
        if self.chance(0.2):
            return prepositional(self.pick(("in", "near")), self.noun_phrase("town", 0))
        place = self.noun_phrase("place", 0, number="Sing")
        if self.chance(0.3):
            return prepositional(self.pick(("near", "behind", "outside")), place)
        prepositions = LEXICON["place prepositions"].items()
        fitting = (word for word, places in prepositions if place.head.lemma in places)
        return prepositional(next(fitting, "in"), place)

    def time(self, tense: str, *, state: bool = False) -> Phrase:
        """A time that the tense allows: `yesterday`, `at 9:30`, `two days ago`, `in 1987`."""
        weights = WEIGHTS.get(f"time {tense}", WEIGHTS["time"])
        if state:
            moments = {"clock", "ago", "year", "date"}
            weights = {kind: weight for kind, weight in weights.items() if kind not in moments}
        kind = self.weighted(weights)
        match kind:
            case "day":
                return prepositional("on", self.noun_phrase("weekday", 0))
            case "month":
                return prepositional("in", self.noun_phrase("month", 0))
            case "year":
                return prepositional("in", leaf(self.year(), "CD"))
            case "yesterday" | "tomorrow":
                return leaf(kind, "NN", "obl:unmarked")
            case "part":
                part = self.pick(("morning", "evening", "afternoon"))
                return prepositional("in", leaf(part, "NN").before(leaf("the", "DT", "det")))
            case "clock":
                hour, minute = self.pick(range(1, 13)), self.pick(("00", "15", "30", "45"))
                return prepositional("at", leaf(f"{hour}:{minute}", "CD"))
            case "ago":
                number, period = self.pick(NOUNS["number"]), self.pick(NOUNS["period"])
                span = leaf(s_form(period), "NNS", "obl:unmarked", period)
                return leaf("ago", "RB", "advmod").before(span.before(leaf(number, "CD", "nummod")))
            case "date":
                date = self.noun_phrase("month", 0)
                day, year = str(self.pick(range(1, 29))), self.year()
                date.after(leaf(day, "CD", "nummod"))
                if self.chance(0.5):
                    date.after(mark(","), leaf(year, "CD", "nummod"))
                return prepositional("on", date)
        # last, next, every
        period = leaf(self.pick(("week", "month", "year", "summer", "winter")), "NN")
        tag, deprel = ("DT", "det") if kind == "every" else ("JJ", "amod")
        return period.before(leaf(kind, tag, deprel)).labeled("obl:unmarked")

    def year(self) -> str:
        return str(self.pick(range(1890, 2020)))

    def adjoin(
        self, predicate: Predicate, tense: str, *, most: int = 1, person: bool = True
    ) -> Predicate:
        """Add at most `most` adverbials after the complements."""
        state = predicate.lemma in VERBS["stative"]
        kinds: dict[str, float] = {"nothing": 46, "time": 24}
        if not state and "obl" not in predicate.relations():
            kinds["place"] = 18
        if not state:
            kinds["manner"] = 14 if person and not predicate.passive else 0
        if predicate.lemma in VERBS["with tool"]:
            kinds["tool"] = 16
        adverbials: dict[str, Callable[[], Phrase]] = {
            "time": lambda: self.time(tense, state=state),
            "place": self.place,
            "manner": lambda: leaf(self.choose(ADVERBS["manner"]), "RB", "advmod"),
            "tool": lambda: prepositional("with", self.noun_phrase("instrument", 0, number="Sing")),
        }
        for _ in range(most):
            kind = self.weighted(kinds)
            if kind == "nothing":
                break
            del kinds[kind]
            predicate.complements.append(adverbials[kind]())
        return predicate

    # Predicates

    def tense(self, lemma: str) -> str:
        """A tense for a verb of the current sentence; verbs of state have no progressive."""
        if self.simple_tense == "past":
            modal = self.pick(("could", "might", "would"))
            weights = {"past": 70, modal: 6, "past progressive": 12, "past perfect": 8}
        else:
            modal = self.pick(VERBS["modal"])
            weights = {"present": 32, "future": 20, modal: 18, "progressive": 15, "perfect": 14}
        tense = self.weighted(weights)
        stative = lemma in VERBS["stative"]
        return self.simple_tense if stative and "progressive" in tense else tense

    def predicate(self, depth: int) -> Predicate:
        """What a person can do, think, want or be."""
        kind = self.weighted(WEIGHTS["predicate"]) if depth > 0 else "act"
        match kind:
            case "act":
                return self.act(depth)
            case "be":
                return self.being(depth)
            case "seem":
                feeling = self.adjective("feeling").labeled("xcomp")
                return Predicate(self.pick(VERBS["seeming"]), [feeling])
            case "want":
                goal = self.infinitive(depth - 1)
                return Predicate(self.choose(VERBS["wanting"]), [goal])
            case "enjoy":
                activity = clause(self.activity(depth - 1), None, "gerund").labeled("xcomp")
                return Predicate(self.choose(VERBS["enjoying"]), [activity])
        whom = self.someone("object", 0)  # drawn for `ask` and `say` as well, which do not use it
        match kind:
            case "urge":
                deed = self.infinitive(depth - 1)
                return Predicate(self.choose(VERBS["urging"]), [whom, deed])
            case "make":
                deed = clause(self.activity(0), None, "infinitive").labeled("xcomp")
                return Predicate(self.pick(("make", "let")), [whom, deed])
            case "tell":
                content = marked("that", self.plain(depth - 1)).labeled("ccomp")
                return Predicate(self.choose(VERBS["telling"]), [whom.labeled("iobj"), content])
            case "ask":
                verb = self.choose(VERBS["asking"])
                return Predicate(verb, [self.indirect_question().labeled("ccomp")])
        verb, content = self.choose(VERBS["saying"]), self.plain(depth - 1)
        if self.chance(0.6):
            marked("that", content)
        return Predicate(verb, [content.labeled("ccomp")])

    def act(self, depth: int) -> Predicate:
        """What a person can do, in a predicate without a subordinate clause."""
        match self.weighted(WEIGHTS["act"]):
            case "transitive":
                kind = self.pick(list(TRANSITIVE))
                obj = self.object_of(kind, depth)
                return Predicate(self.choose(TRANSITIVE[kind]), [obj])
            case "intransitive":
                return Predicate(self.choose(VERBS["intransitive"]))
            case "motion":  # `walked from the station to the old harbor`
                where = self.noun_phrase("place", depth, number="Sing")
                path = [prepositional(self.pick(("to", "through", "past")), where)]
                if self.chance(0.25):
                    start = self.noun_phrase(self.pick(("town", "place")), 0, number="Sing")
                    path.insert(0, prepositional("from", start))
                return Predicate(self.choose(VERBS["motion"]), path)
            case "prepositional":
                verb, preposition, kind = self.pick(VERBS["prepositional"])
                return Predicate(verb, [prepositional(preposition, self.object_of(kind, depth))])
            case "ditransitive":  # `gave Anna a map`, `gave a map to Anna`
                verb, kind = self.pick(VERBS["ditransitive"])
                gift, whom = self.noun_phrase(kind, depth), self.someone("object", 0)
                if verb in {"teach", "tell"} or self.chance(0.55):
                    return Predicate(verb, [whom.labeled("iobj"), gift])
                return Predicate(verb, [gift, prepositional("to", whom)])
        # `woke up`, `picked the key up`, `picked up the key`
        if self.chance(0.25):
            verb, particle = self.pick(VERBS["intransitive with particle"])
            return Predicate(verb, [leaf(particle, "RP", "compound:prt")])
        verb, word, kind = self.pick(VERBS["transitive with particle"])
        particle = leaf(word, "RP", "compound:prt")
        if self.chance(0.4):
            short = leaf("it", "PRP") if self.chance(0.4) else self.noun_phrase(kind, 0)
            return Predicate(verb, [short, particle])
        return Predicate(verb, [particle, self.noun_phrase(kind, depth)])

    def activity(self, depth: int) -> Predicate:
        """What a person can do on purpose: an act whose verb is not a verb of state."""
        predicate = self.act(depth)
        while predicate.lemma in VERBS["stative"]:
            predicate = self.act(depth)
        return predicate

    def infinitive(self, depth: int) -> Phrase:
        """`to build a bridge`."""
        phrase = clause(self.activity(depth), None, "infinitive")
        return phrase.before(leaf("to", "TO", "mark")).labeled("xcomp")

    def being(self, depth: int) -> Predicate:
        """A copula with an adjective, a place or a comparison."""
        kind = self.weighted(WEIGHTS["being"])
        match kind:
            case "adjective":
                return Predicate("be", nominal=self.adjective("feeling"))
            case "place":
                return Predicate("be", nominal=self.place())
            case "infinitive":
                nominal = leaf(self.choose(("ready", "happy", "sad", "sure")), "JJ")
                return Predicate("be", [self.infinitive(depth - 1)], nominal)
        other = self.noun_phrase("person", 0) if self.chance(0.5) else self.name()
        if kind == "as":
            nominal = leaf(self.choose(ADJECTIVES["person"]), "JJ")
            nominal.before(leaf("as", "RB", "advmod"))
        else:
            lemma = self.pick(("tall", "old", "kind", "strong"))
            nominal = leaf(compared(lemma, "er"), "JJR", lemma=lemma)
        return Predicate("be", [prepositional(kind, other)], nominal)

    def adjective(self, kind: str) -> Phrase:
        """A predicative adjective for a class of nouns, sometimes with a degree adverb."""
        phrase = leaf(self.choose(ADJECTIVES.get(kind, ADJECTIVES["thing"])), "JJ")
        if self.chance(0.3):
            phrase.before(leaf(self.pick(ADVERBS["degree"]), "RB", "advmod"))
        return phrase

    def of_thing(self, kind: str, depth: int) -> Predicate:
        """What can be said of an animal, a thing, a place or an idea."""
        if kind == "animal" and self.chance(0.7):
            where = [self.place()] if self.chance(0.5) else []
            return Predicate(self.choose(VERBS["animal"]), where)
        if kind in LEXICON["thing verbs"] and self.chance(0.35):
            return Predicate(self.choose(LEXICON["thing verbs"][kind]))
        if kind in TRANSITIVE and self.chance(0.55):
            return self.passive(kind, depth)
        return Predicate("be", nominal=self.adjective(kind))

    def passive(self, kind: str, depth: int, *, agent: bool = False) -> Predicate:
        """`was built by the farmers`, always with an agent if `agent`."""
        verb = self.choose([verb for verb in TRANSITIVE[kind] if verb not in {"want", "like"}])
        if not agent and not self.chance(0.4):
            return Predicate(verb, passive=True)
        firm = kind in {"artefact", "document", "event"} and self.chance(0.3)
        who = self.firm() if firm else self.noun_phrase("person", depth)
        return Predicate(verb, [prepositional("by", who, "obl:agent")], passive=True)

    def gap(self) -> tuple[str, Predicate]:
        """A class of nouns, and a predicate without its object, which is a noun of that class."""
        kind = self.pick(list(TRANSITIVE))
        return kind, Predicate(self.choose(TRANSITIVE[kind]))

    # Clauses

    def finite(self, predicate: Predicate, subject: Phrase, **options: Any) -> Phrase:
        """A clause in a random tense, with the options of `clause`."""
        return clause(predicate, subject, self.tense(predicate.lemma), **options)

    def plain(self, depth: int, *, most: int = 1, tense: str = "") -> Phrase:
        """A finite clause with a subject, at most `most` adverbials and perhaps a negation."""
        person = self.chance(0.72)
        if person:
            subject, predicate = self.someone("subject", depth), self.predicate(depth)
        else:
            kinds = "animal artefact object document food place event idea"
            kind = self.pick(kinds.split())
            if kind != "animal" and self.chance(0.12):
                subject = leaf("it", "PRP", kind="pronoun")
            else:
                subject = self.noun_phrase(kind, depth)
            predicate = self.of_thing(kind, depth)
        tense = tense or self.tense(predicate.lemma)
        # After a complement clause, an adverbial would seem to belong to that clause.
        if not predicate.relations() & {"ccomp", "xcomp"} and predicate.lemma != "explain":
            self.adjoin(predicate, tense, most=most, person=person or subject.kind == "animal")
        negated = self.chance(0.13)
        contracted = self.chance(0.5)
        adverb = self.choose(ADVERBS["frequency"]) if not negated and self.chance(0.1) else ""
        quantified = {word.form for word in subject.words} & {"nobody", "everyone", "someone"}
        negated = negated and not quantified
        return clause(
            predicate, subject, tense, adverb=adverb, negated=negated, contracted=contracted
        )

    def indirect_question(self) -> Phrase:
        """`whether Anna came`, `where he had found the key`."""
        if self.chance(0.4):
            return marked("whether" if self.chance(0.6) else "if", self.plain(0))
        if self.chance(0.4):
            _, predicate = self.gap()
            front, subject = leaf("what", "WP"), self.someone("subject", 0)
        else:
            front = leaf(self.pick(ADVERBS["interrogative"]), "WRB", "advmod")
            subject, predicate = self.someone("subject", 0), self.activity(0)
        return clause(predicate, subject, self.simple_tense, front=front)

    def subordinate(self, depth: int) -> tuple[Phrase, bool]:
        """An adverbial clause, and whether it can stand before the main clause."""
        match self.weighted(WEIGHTS["subordinate"]):
            case "purpose":
                return self.infinitive(depth), False
            case "participle":
                return clause(self.activity(depth), None, "gerund"), True
            case "preposition":
                word = self.pick(("without", "before", "after", "by"))
                return marked(word, clause(self.activity(depth), None, "gerund")), word != "without"
        word = self.pick(ADVERBS["subordinating"])
        free = self.simple_tense == "past" or word in {"because", "although", "since"}
        inner = self.plain(depth, tense="" if free else "present")
        tag, deprel = ("WRB", "advmod") if word == "when" else ("IN", "mark")
        return inner.before(leaf(word, tag, deprel)), True

    # Statements

    def statement(self) -> list[Word]:
        """One clause."""
        return close(self.plain(1, most=2), "!" if self.chance(0.03) else ".")

    def complex_statement(self) -> list[Word]:
        """A main clause and an adverbial clause before or after it."""
        inner, may_lead = self.subordinate(1)
        if any(word.xpos in {"VBD", "VBZ", "VBP", "MD"} for word in inner.words):
            main = self.plain(1)
        else:
            main = self.finite(self.activity(0), self.someone("subject", 1))
        inner.labeled("advcl")
        if may_lead and self.chance(0.45):
            return close(fronted(inner, main))
        return close(main.after(inner.before(mark(",")) if inner.words[0].xpos == "VBG" else inner))

    def fronted_adverbial(self) -> list[Word]:
        """`In March, ...`, `Fortunately, ...`, `Near the harbor, ...`."""
        if self.chance(0.35):
            stance = leaf(self.choose(ADVERBS["stance"]), "RB", "advmod")
            return close(fronted(stance, self.plain(1)))
        if self.chance(0.5):
            self.simple_tense = "past"
            front = self.time("past")
        else:
            front = self.place()
        return close(fronted(front, self.plain(1, most=0, tense=self.simple_tense)))

    def compound(self) -> list[Word]:
        """Two clauses joined by a conjunction."""
        first, second = self.plain(1), self.plain(0)
        conjunction = leaf(self.pick(("and", "but", "so", "or", "and")), "CC", "cc")
        return close(first.after(second.before(mark(","), conjunction).labeled("conj")))

    def shared_subject(self) -> list[Word]:
        """`Anna closed the window and read a book.`"""
        count = 3 if self.chance(0.25) else 2
        acts = [self.act(1 if index == 0 else 0) for index in range(count)]
        subject, tense = self.someone("subject", 1), self.simple_tense
        rest = [clause(self.adjoin(act, tense), subject, tense) for act in acts[1:]]
        for part in rest:
            del part.words[: len(subject.words)]
        first = clause(acts[0], subject, tense)
        return close(conjoin(first, rest, self.pick(("and", "and", "but", "or"))))

    def existential(self) -> list[Word]:
        """`There are three boats in the harbor.`"""
        kind = self.pick(("animal", "artefact", "object", "document", "food", "person"))
        plural = self.noun_phrase(kind, 1).head.xpos == "NNS"  # the phrase has no other use
        determiners = self.pick(("a", "another", "no")), self.pick(("number", "some", "many", "no"))
        number = "Plur" if plural else "Sing"
        thing = self.noun_phrase(kind, 0, number=number, determiner=determiners[plural])
        tense = self.pick(("past", "past", "present", "present", "must", "future"))
        question = self.chance(0.2) and tense in {"past", "present"}
        predicate = Predicate("be", [thing.labeled("nsubj"), self.place()])
        main = clause(predicate, leaf("there", "EX", "expl", number=number), tense)
        if question:
            main.words[:2] = reversed(main.words[:2])
        return close(main, "?" if question else ".")

    def copular(self) -> list[Word]:
        """`Clara is a doctor.`, `Is the soup warm?`"""
        if self.chance(0.6):
            named = self.chance(0.5)
            subject = self.name() if named else self.noun_phrase("person", 1, number="Sing")
            predicate = Predicate("be", nominal=self.a_person(1))
        else:
            kind = self.pick(("food", "place", "idea", "document", "artefact"))
            subject = self.noun_phrase(kind, 1)
            predicate = Predicate("be", nominal=self.adjective(kind))
        question = self.chance(0.3)
        tense = self.pick(("past", "present", "present"))
        negated = self.chance(0.15)
        main = clause(
            predicate, subject, tense, inverted=question, negated=negated, contracted=True
        )
        return close(main, "?" if question else ".")

    def passive_statement(self) -> list[Word]:
        """`The fence was painted by the gardener yesterday.`"""
        kind = self.pick(("artefact", "object", "document", "food", "event", "idea", "animal"))
        predicate = self.passive(kind, 1)
        tense = self.tense("know")  # as for a verb of state: not progressive
        subject = self.noun_phrase(kind, 1)
        self.adjoin(predicate, tense)
        negated = self.chance(0.1)
        return close(clause(predicate, subject, tense, negated=negated, contracted=True))

    # Questions

    def ask(self, predicate: Predicate, front: Phrase, tense: str = "") -> Phrase:
        """A question with an interrogative word or phrase first."""
        subject = self.someone("asked", 0)
        tense = tense or self.tense(predicate.lemma)
        return clause(predicate, subject, tense, front=front, inverted=True)

    def yes_no(self) -> list[Word]:
        """`Did Anna find the key?`"""
        predicate = self.act(1)
        tense, subject = self.tense(predicate.lemma), self.someone("asked", 0)
        self.adjoin(predicate, tense)
        negated = self.chance(0.2)
        main = clause(predicate, subject, tense, inverted=True, negated=negated, contracted=True)
        return close(main, "?")

    def who(self) -> list[Word]:
        """`Who repaired the old clock?`"""
        return close(clause(self.adjoin(self.act(1), "past"), leaf("who", "WP"), "past"), "?")

    def what(self) -> list[Word]:
        """`What did the farmer sell?`, `Who will you meet?`"""
        kind, predicate = self.gap()
        tense = self.tense(predicate.lemma)
        self.adjoin(predicate, tense)
        return close(self.ask(predicate, who_or_what(kind), tense), "?")

    def which(self) -> list[Word]:
        """`Which books did she read?`, `How many apples did you buy?`"""
        kind, predicate = self.gap()
        if self.chance(0.5) or kind == "stuff":
            front = self.noun_phrase(kind, 0, determiner="none")
            front.before(leaf(self.pick(("which", "what")), "WDT", "det"))
        else:
            front = self.noun_phrase(kind, 0, number="Plur", determiner="none")
            front.before(leaf("many", "JJ", "amod").before(leaf("how", "WRB", "advmod")))
        return close(self.ask(predicate, front, self.tense(predicate.lemma)), "?")

    def adverb_question(self) -> list[Word]:
        """`Why did they leave the party?`"""
        front = leaf(self.pick(ADVERBS["interrogative"]), "WRB", "advmod")
        return close(self.ask(self.activity(1), front), "?")

    def stranded(self) -> list[Word]:
        """`What are you looking at?`: the preposition is away from its object (non-projective)."""
        verb, preposition, kind = self.pick(VERBS["prepositional"])
        front = who_or_what(kind).labeled("obl")
        main = self.ask(Predicate(verb), front, self.tense(verb))
        main.words += link(front.head, leaf(preposition, "IN", "case"))
        return close(main, "?")

    def long_distance(self) -> list[Word]:
        """`What do you think Anna bought?`: the inner clause's object is first (non-projective)."""
        kind, predicate = self.gap()
        inner = self.finite(predicate, self.someone("asked", 0)).labeled("ccomp")
        front = link(inner.head, who_or_what(kind), "obj")
        outer = Predicate(self.pick(("think", "say", "believe", "hope")), [inner])
        tense = self.pick(("past", "present"))
        main = clause(outer, self.someone("asked", 0), tense, inverted=True)
        main.words = front + main.words
        return close(main, "?")

    # Orders, speech, parentheses, clausal subjects, measures

    def imperative(self) -> list[Word]:
        """`Please close the window.`, `Don't forget the key!`"""
        main = clause(self.adjoin(self.activity(1), "infinitive"), None, "infinitive")
        if self.chance(0.2):
            short = self.chance(0.7)
            negation = leaf("n't" if short else "not", "RB", "advmod", "not")
            negation.head.glued = short
            main.before(leaf("do", "VB", "aux"), negation)
        elif self.chance(0.4):
            main.before(leaf("please", "UH", "discourse"))
        if self.chance(0.25):
            main = fronted(leaf(self.choose(NAMES["female"]), "NNP", "vocative"), main)
        return close(main, "!" if self.chance(0.25) else ".")

    def speech(self) -> list[Word]:
        """`"We are late," said Anna.`"""
        said, verb, pause = self.plain(0), leaf("said", "VBD", lemma="say"), mark(",")
        if self.chance(0.25):
            said = self.finite(self.act(0), self.pronoun("subject"), inverted=True)
            verb, pause = leaf("asked", "VBD", lemma="ask"), mark("?", ".")
        said.before(mark('"', "``")).after(pause, mark('"', "''")).labeled("ccomp")
        speaker = self.name() if self.chance(0.5) else self.noun_phrase("person", 0)
        speaker.labeled("nsubj")
        verb_first = self.chance(0.5)
        return close(verb.before(said).after(speaker) if verb_first else verb.before(said, speaker))

    def interruption(self) -> list[Word]:
        """`The train, I think, was late.`: a parenthesis after the subject."""
        kind = self.pick(("artefact", "place", "event", "document"))
        predicate, subject = self.of_thing(kind, 0), self.noun_phrase(kind, 0)
        main = clause(predicate, subject, self.pick(("past", "past", "future", "past perfect")))
        verb = Predicate(self.pick(("think", "hope", "believe", "say")))
        aside = clause(verb, self.pronoun("subject"), "present").labeled("parataxis")
        spot = len(subject.words)
        main.words[spot:spot] = link(main.head, aside.before(mark(",")).after(mark(",")))
        return close(main)

    def parataxis(self) -> list[Word]:
        """Two clauses side by side with a semicolon, colon or dash."""
        first, second = self.plain(0), self.plain(0)
        separator = mark(self.pick((";", ";", ":", "-")), ":")
        return close(first.after(second.before(separator).labeled("parataxis")))

    def address(self) -> list[Word]:
        """`Well, ...`, `Anna, did you ...?`"""
        if self.chance(0.5):
            word = self.pick(("Well", "Yes", "No", "Oh"))
            return close(fronted(leaf(word, "UH", "discourse", word.lower()), self.plain(1)))
        name = leaf(self.choose(NAMES["male"]), "NNP", "vocative")
        you = leaf("you", "PRP", number="Plur", person=2)
        return close(fronted(name, self.finite(self.act(1), you, inverted=True)), "?")

    def impersonal(self) -> list[Word]:
        """`It is clear that ...`, `It was hard to ...`"""
        opinion = self.chance(0.5)
        content = marked("that", self.plain(0)) if opinion else self.infinitive(1)
        nominal = self.adjective("opinion" if opinion else "ease")
        predicate = Predicate("be", [content.labeled("csubj")], nominal)
        tense = self.pick(("present", "past", "might"))
        contracted, negated = self.chance(0.5), self.chance(0.15)
        it = leaf("it", "PRP", "expl", kind="pronoun")
        return close(clause(predicate, it, tense, contracted=contracted, negated=negated))

    def clausal_subject(self) -> list[Word]:
        """`Repairing the clock was difficult.`"""
        subject = clause(self.activity(0), None, "gerund").labeled("csubj")
        predicate = Predicate("be", nominal=self.adjective("ease"))
        return close(clause(predicate, subject, self.pick(("present", "past"))))

    def extraposed(self) -> list[Word]:
        """`A man arrived who knew the way.`: the relative clause is away from its noun."""
        kind = self.pick(("person", "person", "document"))
        person = kind == "person"
        self.simple_tense = "past"
        determiner = self.pick(("a", "another"))
        subject = self.noun_phrase(kind, 0, number="Sing", determiner=determiner)
        verb = self.pick(("come", "arrive", "call") if person else ("arrive", "come"))
        main = clause(Predicate(verb, [self.time("past")]), subject, "past")
        pronoun = leaf("who", "WP") if person else leaf("which", "WDT")
        relative = clause(self.act(0) if person else self.of_thing(kind, 0), pronoun, "past")
        main.words += link(subject.head, relative.labeled("acl:relcl"))
        return close(main)

    def measurement(self) -> list[Word]:
        """A sentence with a price, a percentage or a length."""
        kind = self.pick(("price", "share", "length"))
        number = str(self.pick(range(2, 100)))
        if kind == "price":
            subject = self.noun_phrase(self.pick(("object", "artefact")), 0)
            if self.chance(0.5):
                number += "." + self.pick(("50", "75", "99"))
            price = leaf("$", "$").after(leaf(number, "CD", "nummod"))
            return close(
                clause(Predicate("cost", [price]), subject, self.pick(("present", "future")))
            )
        if kind == "share":
            people = self.noun_phrase("person", 0, number="Plur", determiner="the")
            share = leaf("%", "NN", number="Plur").before(leaf(number, "CD", "nummod"))
            share.after(prepositional("of", people, "nmod"))
            return close(self.finite(self.act(1), share))
        unit = self.pick(("meter", "kilometer", "foot"))
        if unit != "kilometer":
            number = f"{self.pick(range(1, 10))},{self.pick(range(100, 1000))}"
        size = leaf(s_form(unit), "NNS", "obl:unmarked", unit).before(leaf(number, "CD", "nummod"))
        dimension = leaf(self.pick(("long", "wide")), "JJ").before(size)
        measured = self.pick(("bridge", "road", "wall", "lake", "river", "valley"))
        subject = leaf(measured, "NN").before(leaf("the", "DT", "det"))
        return close(clause(Predicate("be", nominal=dimension), subject, "present"))

    def bracket(self) -> list[Word]:
        """`The old mill (built in 1890) was sold.`"""
        subject = self.noun_phrase("artefact", 0, number="Sing", determiner="the")
        when = prepositional("in", leaf(self.year(), "CD"))
        verb = self.pick(("build", "repair", "paint"))
        part = clause(Predicate(verb, [when]), None, "participle").labeled("acl")
        subject.after(part.before(mark("(", "-LRB-")).after(mark(")", "-RRB-")))
        return close(clause(self.of_thing("artefact", 1), subject, "past"))

    def listing(self) -> list[Word]:
        """`We bought bread, cheese and two apples.`"""
        kinds = ["food", "stuff", "object", "stuff", "food"]
        first, count = self.pick((0, 1)), self.pick((3, 4))
        goods = [self.noun_phrase(kind, 0) for kind in kinds[first : first + count]]
        conjoin(goods[0], goods[1:], self.pick(("and", "and", "or")))
        verb = self.pick(("buy", "bring", "need", "sell", "share", "order"))
        predicate = self.adjoin(Predicate(verb, [goods[0]]), "past")
        return close(clause(predicate, self.someone("subject", 1), "past"))

    def sentence(self) -> list[Word]:
        """A sentence of a random kind."""
        self.simple_tense = "past" if self.chance(0.62) else "present"
        build: Callable[[], list[Word]] = getattr(self, self.weighted(WEIGHTS["sentence"]))
        return build()
