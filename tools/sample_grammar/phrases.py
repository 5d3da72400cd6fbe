"""Productions for noun phrases and prepositional phrases."""

from __future__ import annotations

from collections.abc import Sequence

from . import lexicon
from .inflection import article, comparative, plural, superlative
from .words import Dice, Phrase, Word, comma, conjoin, leaf, link, punct

__all__ = ["NounPhrases", "prepositional"]


def prepositional(preposition: str, noun_phrase: Phrase) -> Phrase:
    """A noun phrase with a preposition before it, attached as `case`."""
    case = link(noun_phrase.head, leaf(preposition, preposition, "IN"), "case")
    return Phrase(case + noun_phrase.words, noun_phrase.head)


def clashes(first: str, second: str) -> bool:
    """Whether two adjectives are the same or do not go together (`short, long`)."""
    return first == second or any({first, second} <= group for group in lexicon.OPPOSITES)


class NounPhrases:
    """Noun phrases over the lexicon; clauses inside them are left to the subclass."""

    def __init__(self, dice: Dice, *, held_out: bool) -> None:
        self.dice = dice
        self.held_out = held_out
        # Whether the sentence in the making is told in the past; all its clauses keep to it.
        self.in_past = True

    def choose(self, lemmas: Sequence[str]) -> str:
        """One lemma; held-out ones only where this split may use them, and then more often."""
        held = [lemma for lemma in lemmas if lemma in lexicon.HELD_OUT]
        if self.held_out and held and self.dice.chance(0.15):
            return self.dice.pick(held)
        return self.dice.pick([lemma for lemma in lemmas if lemma not in lexicon.HELD_OUT])

    def clause_after(self, noun: Phrase, kind: str, depth: int) -> list[Word]:
        """A relative or participial clause on a noun; given by the class of clauses."""
        raise NotImplementedError

    def pronoun(self, role: str) -> Phrase:
        """A personal pronoun for a person, as `subject` or `object`."""
        subject, obj, lemma, number, person = self.dice.pick(lexicon.PRONOUNS)
        if lemma == "it":
            return self.pronoun(role)
        phrase = leaf(obj if role == "object" else subject, lemma, "PRP")
        return Phrase(phrase.words, phrase.head, number, person, frozenset({"pronoun"}))

    def name(self) -> Phrase:
        """A person's name, sometimes with a surname."""
        names = lexicon.MALE if self.dice.chance(0.5) else lexicon.FEMALE
        first = self.choose(names)
        phrase = leaf(first, first, "NNP")
        words = list(phrase.words)
        if self.dice.chance(0.2):
            last = self.choose(lexicon.SURNAMES)
            words += link(phrase.head, leaf(last, last, "NNP"), "flat")
        return Phrase(words, phrase.head, traits=frozenset({"name"}))

    def firm(self) -> Phrase:
        """`the Harbor Bank`: a proper name of several words with an article."""
        *before, last = self.dice.pick(lexicon.FIRMS).split()
        head = leaf(last, last, "NNP")
        words = link(head.head, leaf("the", "the", "DT"), "det")
        for part in before:
            tag, deprel = ("JJ", "amod") if part == "Northern" else ("NNP", "compound")
            words += link(head.head, leaf(part, part, tag), deprel)
        return Phrase([*words, head.head], head.head)

    def someone(self, role: str, depth: int) -> Phrase:
        """A person: pronoun, name, indefinite pronoun or noun phrase."""
        kind = self.dice.weighted(
            {"pronoun": 30, "name": 24, "noun": 38, "couple": 5, "pronoun of quantity": 3}
        )
        if kind == "pronoun":
            return self.pronoun(role)
        if kind == "name":
            name = self.name()
            if depth > 0 and self.dice.chance(0.12):
                return self.apposition(name)
            return name
        if kind == "couple":
            conjunction = "and" if self.dice.chance(0.8) else "or"
            names = [self.name() for _ in range(3 if self.dice.chance(0.25) else 2)]
            if len({name.head.form for name in names}) < len(names):
                return names[0]
            return conjoin(names[0], names[1:], conjunction)
        if kind == "noun":
            return self.noun_phrase("person", depth)
        form = self.dice.pick(
            ("everyone", "someone", "nobody" if role == "subject" else "everyone")
        )
        return leaf(form, form, "NN")

    def apposition(self, name: Phrase) -> Phrase:
        """`Anna, a doctor from Marby,`."""
        other = self.noun_phrase(
            "person", 0, number="Sing", determiner=self.dice.pick(("a", "the"))
        )
        words = name.words + comma(other.head) + link(name.head, other, "appos")
        return Phrase(words + comma(other.head), name.head, traits=name.traits)

    def noun_phrase(
        self,
        kind: str,
        depth: int,
        *,
        number: str | None = None,
        determiner: str | None = None,
    ) -> Phrase:
        """A noun of one class with determiner, adjectives and, while depth lasts, what follows."""
        dice = self.dice
        if kind == "town":
            town = self.choose(lexicon.TOWNS)
            return leaf(town, town, "NNP")
        if kind == "firm":
            return self.firm()
        if kind == "weekday":
            day = self.choose(lexicon.NOUNS["weekday"])
            return leaf(day, day, "NNP")
        if kind in {"topic", "skill"}:
            topic = self.choose(lexicon.NOUNS[kind])
            return leaf(topic, topic, "NNP" if topic[0].isupper() else "NN")
        if kind in {"food", "stuff"} and depth > 0 and dice.chance(0.2):
            return self.measure(kind)
        if kind == "story":
            return self._story(depth)
        number = number or ("Sing" if kind in lexicon.MASS or dice.chance(0.66) else "Plur")
        table = (
            lexicon.MASS_DETERMINERS
            if kind in lexicon.MASS
            else (lexicon.SINGULAR_DETERMINERS if number == "Sing" else lexicon.PLURAL_DETERMINERS)
        )
        if determiner is None:
            determiner = dice.weighted(lexicon.SITE_DETERMINERS if kind in lexicon.SITES else table)
        if determiner in {"a", "this", "that", "one", "every", "another"} and number == "Plur":
            determiner = "the"
        head, before = self._noun(kind, number)
        before = self._adjectives(kind, head.head, determiner) + before
        first = (before or [head.head])[0].form
        words = self._determiner(determiner, head, first) + before + [head.head]
        phrase = Phrase(words, head.head, number, traits=frozenset({kind}))
        if depth > 0:
            phrase.words = phrase.words + self._after(phrase, kind, depth)
        return phrase

    def measure(self, kind: str) -> Phrase:
        """`two cups of tea`, `a basket of apples`."""
        holder = self.noun_phrase("container", 0, determiner=None)
        filling = (
            self.noun_phrase("stuff", 0, determiner="")
            if kind == "stuff"
            else self.noun_phrase("food", 0, number="Plur", determiner="")
        )
        words = holder.words + link(holder.head, prepositional("of", filling), "nmod")
        return Phrase(words, holder.head, holder.number)

    def place(self) -> Phrase:
        """`in the old library`, `near Marby`: where something happens."""
        if self.dice.chance(0.2):
            return prepositional(self.dice.pick(("in", "near")), self.noun_phrase("town", 0))
        place = self.noun_phrase("place", 0, number="Sing")
        if self.dice.chance(0.3):
            return prepositional(self.dice.pick(("near", "behind", "outside")), place)
        return prepositional(lexicon.PLACE_PREPOSITIONS.get(place.head.lemma, "in"), place)

    def _story(self, depth: int) -> Phrase:
        head = leaf("story", "story", "NN")
        words = [*link(head.head, leaf("a", "a", "DT"), "det"), head.head]
        phrase = Phrase(words, head.head)
        if depth > 0:
            phrase.words = phrase.words + self._after(phrase, "story", depth)
        return phrase

    def _noun(self, kind: str, number: str) -> tuple[Phrase, list[Word]]:
        """The noun itself and the compound parts before it."""
        before: list[Word] = []
        parts: list[str] = []
        if kind in lexicon.COMPOUNDS and self.dice.chance(0.12):
            *parts, lemma = self.dice.pick(lexicon.COMPOUNDS[kind]).split()
        else:
            lemma = self.choose(lexicon.NOUNS[kind])
        form, xpos = (lemma, "NN") if number == "Sing" else (plural(lemma), "NNS")
        head = leaf(form, lemma, xpos)
        for part in parts:
            before += link(head.head, leaf(part, part, "NN"), "compound")
        return head, before

    def _adjectives(self, kind: str, noun: Word, determiner: str) -> list[Word]:
        choices = lexicon.ADJECTIVES.get("thing" if kind in lexicon.THINGS else kind)
        if choices is None or kind == "container" or not self.dice.chance(0.38):
            return []
        first = self.choose(choices)
        if determiner in {"the", "possessive"} and self.dice.chance(0.15):
            return self._compared(noun, first)
        phrase = leaf(first, first, "JJ")
        if self.dice.chance(0.12):
            adverb = self.dice.pick(("very", "rather", "quite"))
            degree = link(phrase.head, leaf(adverb, adverb, "RB"), "advmod")
            return degree + link(noun, phrase, "amod")
        second = self.choose(choices)
        if not clashes(first, second) and self.dice.chance(0.2):
            if self.dice.chance(0.5):
                both = conjoin(phrase, [leaf(second, second, "JJ")], "and")
                return link(noun, both, "amod")
            other = leaf(second, second, "JJ")
            return link(noun, phrase, "amod") + comma(other.head) + link(noun, other, "amod")
        return link(noun, phrase, "amod")

    def _compared(self, noun: Word, adjective: str) -> list[Word]:
        if self.dice.chance(0.7):
            form, xpos, more, tag = superlative(adjective), "JJS", "most", "RBS"
        else:
            form, xpos, more, tag = comparative(adjective), "JJR", "more", "RBR"
        if form is not None:
            return link(noun, leaf(form, adjective, xpos), "amod")
        phrase = leaf(adjective, adjective, "JJ")
        degree = link(phrase.head, leaf(more, more, tag), "advmod")
        return degree + link(noun, phrase, "amod")

    def _determiner(self, determiner: str, head: Phrase, first: str) -> list[Word]:
        noun = head.head
        if determiner == "":
            return []
        if determiner == "possessive":
            form = self.dice.pick(lexicon.POSSESSIVES)
            return link(noun, leaf(form, form, "PRP$"), "nmod:poss")
        if determiner == "genitive":
            return self._genitive(noun)
        if determiner == "number":
            form = self.dice.pick(lexicon.NUMBERS)
            the = link(noun, leaf("the", "the", "DT"), "det") if self.dice.chance(0.2) else []
            return the + link(noun, leaf(form, form, "CD"), "nummod")
        if determiner == "digits":
            form = str(13 + self.dice.below(480))
            return link(noun, leaf(form, form, "CD"), "nummod")
        if determiner == "one":
            return link(noun, leaf("one", "one", "CD"), "nummod")
        if determiner in {"several", "many"}:
            return link(noun, leaf(determiner, determiner, "JJ"), "amod")
        if determiner == "all":
            predeterminer = link(noun, leaf("all", "all", "PDT"), "det:predet")
            return predeterminer + link(noun, leaf("the", "the", "DT"), "det")
        if determiner == "a":
            return link(noun, leaf(article(first), "a", "DT"), "det")
        lemma = {"these": "this", "those": "that"}.get(determiner, determiner)
        return link(noun, leaf(determiner, lemma, "DT"), "det")

    def _genitive(self, noun: Word) -> list[Word]:
        if self.dice.chance(0.6):
            owner = self.name()
        else:
            owner = self.noun_phrase("person", 0, determiner="the")
        suffix = Word("'" if owner.words[-1].form.endswith("s") else "'s", "'s", "POS", glued=True)
        case = link(owner.head, Phrase([suffix], suffix), "case")
        return link(noun, Phrase(owner.words + case, owner.head), "nmod:poss")

    def _after(self, phrase: Phrase, kind: str, depth: int) -> list[Word]:
        kinds = {"nothing": 58.0, "prepositional": 22.0, "clause": 16.0, "coordination": 6.0}
        chosen = self.dice.weighted(kinds)
        if chosen == "prepositional" and kind in lexicon.POSTMODIFIERS:
            preposition, other = self.dice.pick(lexicon.POSTMODIFIERS[kind])
            rest = self.noun_phrase(other, depth - 1)
            return link(phrase.head, prepositional(preposition, rest), "nmod")
        if chosen == "clause":
            return self.clause_after(phrase, kind, depth - 1)
        if chosen == "coordination" and kind in lexicon.NOUNS:
            others = [self.noun_phrase(kind, 0) for _ in range(2 if self.dice.chance(0.3) else 1)]
            whole = conjoin(phrase, others, "and" if self.dice.chance(0.85) else "or")
            added = whole.words[len(phrase.words) :]
            phrase.number = whole.number
            return added
        return []


def bracketed(head: Word, inner: list[Word]) -> list[Word]:
    """Words in round brackets, the brackets attached to the head inside."""
    return punct(head, "(", "-LRB-") + inner + punct(head, ")", "-RRB-")
