"""How a clause is put together: the verb chain, agreement, negation, inversion, contraction."""

from __future__ import annotations

from dataclasses import dataclass, field

from . import lexicon
from .inflection import verb_form
from .words import Phrase, Word, leaf, link

__all__ = ["Predicate", "chain", "clause"]

# Tense: tag of the first verb, then each auxiliary with the tag it asks of the next verb.
TENSES: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "past": ("VBD", ()),
    "present": ("VBP", ()),
    "future": ("MD", (("will", "VB"),)),
    "progressive": ("VBP", (("be", "VBG"),)),
    "past progressive": ("VBD", (("be", "VBG"),)),
    "perfect": ("VBP", (("have", "VBN"),)),
    "past perfect": ("VBD", (("have", "VBN"),)),
    "infinitive": ("VB", ()),
    "gerund": ("VBG", ()),
    "participle": ("VBN", ()),
    **{modal: ("MD", ((modal, "VB"),)) for modal in lexicon.MODALS},
}
# Forms of `be` by tag: first person singular, third person singular, all others.
BE = {"VBP": ("am", "is", "are"), "VBD": ("was", "was", "were")}
BE_PLAIN = {"VB": "be", "VBG": "being", "VBN": "been"}
NOT_CONTRACTED = frozenset({"am", "may", "might", "been", "be"})
SHORT_NEGATED = {"will": "wo", "can": "ca"}
SHORT = {"will": "'ll", "would": "'d", "is": "'s", "are": "'re", "am": "'m", "have": "'ve",
         "has": "'s", "had": "'d"}  # fmt: skip


@dataclass
class Predicate:
    """What is said of a subject: a verb or a nominal, and what follows it.

    `nominal` is the adjective, noun or prepositional phrase after a copula. The words are made
    when the clause is, since their forms hang on tense and subject; use a predicate once.
    """

    lemma: str
    complements: list[tuple[Phrase, str]] = field(default_factory=list)
    nominal: Phrase | None = None
    passive: bool = False


def chain(
    lemma: str, tense: str, subject: Phrase | None, *, passive: bool = False, do: bool = False
) -> list[Word]:
    """The auxiliaries and the verb of a tense, agreeing with the subject."""
    xpos, tail = TENSES[tense]
    links = list(tail) + ([("be", "VBN")] if passive else [])
    if do and not links and lemma != "be":
        links = [("do", "VB")]
    words = []
    for place, (auxiliary, following) in enumerate(links):
        last = passive and place == len(links) - 1
        words.append(_inflected(auxiliary, xpos, subject, "aux:pass" if last else "aux"))
        xpos = following
    return [*words, _inflected(lemma, xpos, subject, "root")]


def _inflected(lemma: str, xpos: str, subject: Phrase | None, deprel: str) -> Word:
    if xpos == "MD":
        return Word(lemma, lemma, "MD", deprel)
    person = subject.person if subject else 3
    number = subject.number if subject else "Sing"
    third = person == 3 and number == "Sing"
    tag = "VBZ" if xpos == "VBP" and third else xpos
    if lemma == "be":
        if xpos in BE_PLAIN:
            return Word(BE_PLAIN[xpos], "be", xpos, deprel)
        first = person == 1 and number == "Sing"
        return Word(BE[xpos][0 if first else 1 if third else 2], "be", tag, deprel)
    return Word(verb_form(lemma, tag), lemma, tag, deprel)


def clause(
    subject: Phrase | None,
    predicate: Predicate,
    tense: str,
    *,
    negated: bool = False,
    inverted: bool = False,
    contracted: bool = False,
    front: Phrase | None = None,
    front_deprel: str = "obj",
    adverb: str | None = None,
    subject_deprel: str | None = None,
) -> Phrase:
    """One clause in the order front, subject, auxiliaries, adverb, verb or nominal, complements.

    `inverted` puts the first auxiliary (or a form of `do`) before the subject; `contracted` writes
    the subject and the first auxiliary, or the auxiliary and `not`, as one token.
    """
    do = negated or inverted
    verbs = chain(predicate.lemma, tense, subject, passive=predicate.passive, do=do)
    nominal = predicate.nominal
    if nominal is not None:
        verbs[-1].deprel = "cop"
        head, movable = nominal.head, verbs
    else:
        head, movable = verbs[-1], verbs[:-1]
    for verb in movable:
        verb.head = head
    before: list[Word] = []
    rest = list(movable)
    if negated and movable:
        rest[1:1] = [_negation(movable[0], head, contracted=contracted)]
    elif contracted and subject is not None and movable and not inverted:
        _shorten(subject, movable[0])
    if inverted:
        before, rest = rest[:1], rest[1:]
        if rest and rest[0].glued:
            before, rest = before + rest[:1], rest[1:]
    if adverb is not None:
        spot = 0 if inverted or not movable else len(rest) - len(movable) + 1
        rest[spot:spot] = link(head, leaf(adverb, adverb, "RB"), "advmod")
    words: list[Word] = []
    if front is not None:
        words += link(head, front, front_deprel)
    words += before
    if subject is not None:
        deprel = "nsubj:pass" if predicate.passive else "nsubj"
        words += link(head, subject, subject_deprel or deprel)
    words += rest + (nominal.words if nominal is not None else [head])
    for complement, deprel in predicate.complements:
        words += link(head, complement, deprel)
    return Phrase(words, head)


def _negation(auxiliary: Word, head: Word, *, contracted: bool) -> Word:
    short = contracted and auxiliary.form not in NOT_CONTRACTED
    if auxiliary.form == "can" and not short:
        return Word("not", "not", "RB", "advmod", head, glued=True)
    if short:
        auxiliary.form = SHORT_NEGATED.get(auxiliary.form, auxiliary.form)
    return Word("n't" if short else "not", "not", "RB", "advmod", head, glued=short)


def _shorten(subject: Phrase, auxiliary: Word) -> None:
    """Glue the auxiliary to a pronoun (`she'll`) or, where it is `is`, to a name (`Anna's`)."""
    pronoun = "pronoun" in subject.traits
    if auxiliary.form in SHORT and (
        pronoun or ("name" in subject.traits and auxiliary.form == "is" and len(subject.words) == 1)
    ):
        auxiliary.form = SHORT[auxiliary.form]
        auxiliary.glued = True
