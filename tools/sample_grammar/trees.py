"""Words, phrases and clauses, from which the productions of the grammar build sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lexicon import LEXICON, verb_form


@dataclass(eq=False, slots=True)
class Word:
    """A syntactic word. If `glued`, it is written as one token with the word before it (do+n't)."""

    form: str
    lemma: str
    xpos: str
    deprel: str = "root"
    head: Word | None = None
    glued: bool = False


@dataclass(eq=False, slots=True)
class Phrase:
    """Words in surface order, one of which is the head.

    The `deprel` of the head is the label of the whole phrase; `root` means that it has none yet.
    Every word refers to its head, so the words can be in any order, even a non-projective one.
    The form of the verb depends on the `number`, the `person` and the `kind` of the subject, which
    is `pronoun`, `name` or a class of nouns.
    """

    words: list[Word]
    head: Word
    number: str = "Sing"
    person: int = 3
    kind: str = ""

    def labeled(self, deprel: str) -> Phrase:
        """Set the label."""
        self.head.deprel = deprel
        return self

    def before(self, *dependents: Phrase) -> Phrase:
        """Put labeled phrases before the words, in the order given, as dependents of the head."""
        added = [word for phrase in dependents for word in link(self.head, phrase)]
        self.words = added + self.words
        return self

    def after(self, *dependents: Phrase) -> Phrase:
        """Put labeled phrases after the words, in the order given, as dependents of the head."""
        added = [word for phrase in dependents for word in link(self.head, phrase)]
        self.words = self.words + added
        return self


@dataclass
class Predicate:
    """A verb with its complements, or `be` with a nominal, for use in one clause.

    A complement without a label is an object. The nominal is the adjective, noun or prepositional
    phrase after the copula.
    """

    lemma: str
    complements: list[Phrase] = field(default_factory=list)
    nominal: Phrase | None = None
    passive: bool = False

    def relations(self) -> set[str]:
        return {complement.head.deprel for complement in self.complements}


def leaf(form: str, xpos: str, deprel: str = "root", lemma: str = "", **agreement: Any) -> Phrase:
    """A phrase of one word; by default, the lemma is the form."""
    word = Word(form, lemma or form, xpos, deprel)
    return Phrase([word], word, **agreement)


def mark(form: str, xpos: str = "") -> Phrase:
    """A punctuation mark; by default, the tag is the form."""
    return leaf(form, xpos or form, "punct")


def link(head: Word, dependent: Phrase, deprel: str = "root") -> list[Word]:
    """Make a phrase a dependent of a head, label it if it has no label, and return its words."""
    dependent.head.head = head
    if dependent.head.deprel == "root":
        dependent.head.deprel = deprel
    return dependent.words


def conjoin(first: Phrase, rest: Sequence[Phrase], conjunction: str) -> Phrase:
    """`first, second and third`: conjuncts depend on the first, commas and `and` on the next."""
    for conjunct in rest[:-1]:
        conjunct.before(mark(","))
    rest[-1].before(leaf(conjunction, "CC", "cc"))
    if conjunction == "and":
        first.number = "Plur"
    return first.after(*(conjunct.labeled("conj") for conjunct in rest))


def clause(
    predicate: Predicate,
    subject: Phrase | None,
    tense: str,
    *,
    front: Phrase | None = None,
    adverb: str = "",
    negated: bool = False,
    inverted: bool = False,
    contracted: bool = False,
) -> Phrase:
    """A clause in the order front, subject, auxiliaries, adverb, verb or nominal, complements.

    A front without a label is an object, a subject without one is `nsubj` or `nsubj:pass`. If
    `inverted`, the first auxiliary (or a form of `do`) is before the subject. If `contracted`, the
    first auxiliary forms one token with `not` or, without a negation, with the subject.
    """
    *auxiliaries, verb = verb_chain(predicate, tense, subject, do=negated or inverted)
    core = predicate.nominal or Phrase([verb], verb)
    if predicate.nominal is not None:
        verb.deprel = "cop"
        auxiliaries.append(verb)
    for auxiliary in auxiliaries:
        auxiliary.head = core.head
    if negated:
        auxiliaries.insert(1, negation(auxiliaries[0], core.head, contracted=contracted))
    elif contracted and not inverted and subject is not None and auxiliaries:
        shorten(subject, auxiliaries[0])
    if adverb:
        auxiliaries[1:1] = link(core.head, leaf(adverb, "RB", "advmod"))
    moved = 0
    if inverted:
        moved = 2 if negated and auxiliaries[1].glued else 1
    words = list(link(core.head, front, "obj")) if front is not None else []
    words += auxiliaries[:moved]
    if subject is not None:
        words += link(core.head, subject, "nsubj:pass" if predicate.passive else "nsubj")
    words += auxiliaries[moved:] + core.words
    for complement in predicate.complements:
        words += link(core.head, complement, "obj")
    return Phrase(words, core.head)


def verb_chain(predicate: Predicate, tense: str, subject: Phrase | None, *, do: bool) -> list[Word]:
    """The auxiliaries and the verb in a tense, in agreement with the subject."""
    person, number = (subject.person, subject.number) if subject else (3, "Sing")
    xpos, *tail = LEXICON["tenses"].get(tense, ("MD", tense, "VB"))
    chain = [(*tail, "aux")] if tail else []
    if predicate.passive:
        chain.append(("be", "VBN", "aux:pass"))
    if do and not chain and predicate.lemma != "be":
        chain.append(("do", "VB", "aux"))
    verbs = []
    for lemma, following, deprel in [*chain, (predicate.lemma, "", "root")]:
        if xpos == "VBP" and person == 3 and number == "Sing":
            xpos = "VBZ"
        form = verb_form(lemma, xpos)
        if lemma == "be" and xpos == "VBP":
            form = "am" if number == "Sing" else "are"
        elif lemma == "be" and xpos == "VBD" and number == "Plur":
            form = "were"
        verbs.append(Word(form, lemma, xpos, deprel))
        xpos = following
    return verbs


def negation(auxiliary: Word, head: Word, *, contracted: bool) -> Word:
    """`not` or `n't` after an auxiliary, whose form can change: `wo` + `n't`."""
    short = contracted and auxiliary.form not in {"am", "may", "might"}
    glued = short or auxiliary.form == "can"
    if short:
        auxiliary.form = {"will": "wo", "can": "ca"}.get(auxiliary.form, auxiliary.form)
    return Word("n't" if short else "not", "not", "RB", "advmod", head, glued)


def shorten(subject: Phrase, auxiliary: Word) -> None:
    """Contract an auxiliary after a pronoun (`she'll`), or `is` after a first name (`Anna's`)."""
    name = subject.kind == "name" and len(subject.words) == 1 and auxiliary.form == "is"
    if auxiliary.form in LEXICON["contractions"] and (subject.kind == "pronoun" or name):
        auxiliary.form = LEXICON["contractions"][auxiliary.form][0]
        auxiliary.glued = True
