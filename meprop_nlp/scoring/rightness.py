"""Which values of a word are right, as the metrics compare them: features, lemmas, relations."""

from typing import NamedTuple

from meprop_nlp.data.text_cache import cached_by_text
from meprop_nlp.data.word import UNSET, Word
from meprop_nlp.scoring.alignment import Aligned

UNIVERSAL_FEATURES = frozenset({
    "Abbr", "Animacy", "Aspect", "Case", "Definite", "Degree", "Evident", "Foreign", "Gender",
    "Mood", "NumType", "Number", "Person", "Polarity", "Polite", "Poss", "PronType", "Reflex",
    "Tense", "VerbForm", "Voice",
})  # fmt: skip

# The columns of a word that are compared, and the metric that scores each.
COMPARED = {
    "upos": "upos",
    "xpos": "xpos",
    "feats": "ufeats",
    "lemma": "lemmas",
    "head": "uas",
    "deprel": "las",
}


@cached_by_text(1 << 14)
def universal_features(feats: str) -> str:
    """Return the universal features, sorted."""
    if feats == "_":
        return ""
    kept = (x for x in feats.split("|") if x.partition("=")[0] in UNIVERSAL_FEATURES)
    return "|".join(sorted(kept))


def features_right(gold: Word, system: Word) -> bool:
    """Return whether both have the same universal features."""
    return gold.feats == system.feats or (
        universal_features(gold.feats) == universal_features(system.feats)
    )


def lemma_right(gold: Word, system: Word) -> bool:
    """Return whether the lemma is that of gold; any is right where gold has none."""
    return gold.lemma in ("_", system.lemma)


def base_relation(deprel: str) -> str:
    """Return a relation without its subtype."""
    return deprel.partition(":")[0]


class Right(NamedTuple):
    """For each column of `COMPARED`, whether a word of the system has the gold value."""

    upos: bool
    xpos: bool
    feats: bool
    lemma: bool
    head: bool
    deprel: bool


NONE_RIGHT = Right(*[False] * len(Right._fields))  # of a gold word without a partner


def rightness(aligned: Aligned) -> list[Right]:
    """Return which columns are right for each gold word; relations are without their subtypes."""
    found = []
    rows = zip(aligned.gold.words, aligned.partners, aligned.heads_right, strict=True)
    for gold, system, head_right in rows:
        if system is None:
            found.append(NONE_RIGHT)
            continue
        right = Right(
            upos=gold.upos == system.upos,
            xpos=gold.xpos == system.xpos,
            feats=features_right(gold, system),
            lemma=lemma_right(gold, system),
            head=head_right and system.head != UNSET,
            deprel=base_relation(gold.deprel) == base_relation(system.deprel),
        )
        found.append(right)
    return found
