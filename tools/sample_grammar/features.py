"""UPOS and FEATS of a word, from its Penn tag, its lemma and its place in the tree."""

from __future__ import annotations

from collections.abc import Sequence

from .words import Word

__all__ = ["feats", "upos"]

SIMPLE_UPOS = {
    "JJ": "ADJ", "JJR": "ADJ", "JJS": "ADJ", "RB": "ADV", "RBR": "ADV", "RBS": "ADV", "RP": "ADP",
    "NN": "NOUN", "NNS": "NOUN", "NNP": "PROPN", "NNPS": "PROPN", "PRP": "PRON", "PRP$": "PRON",
    "WP": "PRON", "WP$": "PRON", "WRB": "ADV", "EX": "PRON", "CC": "CCONJ", "CD": "NUM",
    "POS": "PART", "PDT": "DET", "UH": "INTJ", "MD": "AUX", "$": "SYM", "TO": "PART",
}  # fmt: skip
INDEFINITE = {
    f"{start}{end}": kind
    for start, kind in (("some", "Ind"), ("any", "Ind"), ("every", "Tot"), ("no", "Neg"))
    for end in ("one", "body", "thing")
}
PERSONAL = {
    "i": ("Sing", "1", ""), "me": ("Sing", "1", ""), "my": ("Sing", "1", ""),
    "mine": ("Sing", "1", ""), "myself": ("Sing", "1", ""),
    "you": ("", "2", ""), "your": ("", "2", ""), "yours": ("", "2", ""),
    "he": ("Sing", "3", "Masc"), "him": ("Sing", "3", "Masc"), "his": ("Sing", "3", "Masc"),
    "himself": ("Sing", "3", "Masc"), "herself": ("Sing", "3", "Fem"),
    "she": ("Sing", "3", "Fem"), "her": ("Sing", "3", "Fem"), "hers": ("Sing", "3", "Fem"),
    "it": ("Sing", "3", "Neut"), "its": ("Sing", "3", "Neut"), "itself": ("Sing", "3", "Neut"),
    "we": ("Plur", "1", ""), "us": ("Plur", "1", ""), "our": ("Plur", "1", ""),
    "they": ("Plur", "3", ""), "them": ("Plur", "3", ""), "their": ("Plur", "3", ""),
    "themselves": ("Plur", "3", ""), "ourselves": ("Plur", "1", ""), "ours": ("Plur", "1", ""),
}  # fmt: skip
NOMINATIVE = frozenset({"i", "he", "she", "we", "they"})
DETERMINERS = {
    "the": "Definite=Def|PronType=Art", "a": "Definite=Ind|PronType=Art",
    "an": "Definite=Ind|PronType=Art", "this": "Number=Sing|PronType=Dem",
    "that": "Number=Sing|PronType=Dem", "these": "Number=Plur|PronType=Dem",
    "those": "Number=Plur|PronType=Dem", "every": "PronType=Tot", "each": "PronType=Tot",
    "all": "PronType=Tot", "both": "PronType=Tot", "no": "PronType=Neg", "some": "PronType=Ind",
    "any": "PronType=Ind", "another": "PronType=Ind", "either": "PronType=Ind",
}  # fmt: skip
DEGREES = {"JJ": "Pos", "JJR": "Cmp", "JJS": "Sup", "RBR": "Cmp", "RBS": "Sup"}
ORDINALS = frozenset({"first", "second", "third"})
POINTING = frozenset({"here", "there", "then", "now"})


def upos(word: Word) -> str:
    """The universal part of speech."""
    relation = word.deprel.split(":")[0]
    if word.deprel == "punct":
        return "PUNCT"
    if word.form == "%":
        return "SYM"
    if word.xpos.startswith("VB"):
        return "AUX" if relation in {"aux", "cop"} else "VERB"
    if word.xpos == "IN":
        return "SCONJ" if relation == "mark" else "ADP"
    if word.xpos in {"DT", "WDT"}:
        return "DET" if relation == "det" else "PRON"
    if word.lemma == "not":
        return "PART"
    if word.xpos == "NN" and word.lemma in INDEFINITE:
        return "PRON"
    return SIMPLE_UPOS[word.xpos]


def feats(word: Word, words: Sequence[Word]) -> str:
    """The features, sorted, or `_`; `words` is the whole sentence."""
    pairs = _features(word, words)
    ordered = sorted((pair for pair in pairs if pair), key=str.lower)
    return "|".join(ordered) or "_"


def _features(word: Word, words: Sequence[Word]) -> list[str]:
    xpos, form = word.xpos, word.form.lower()
    if word.deprel == "punct" or word.form == "%":
        return []
    if xpos.startswith("VB"):
        return _verbal(word, words)
    if xpos in {"PRP", "PRP$"}:
        return _personal(word)
    if xpos in {"DT", "PDT"}:
        return DETERMINERS[form].split("|")
    if xpos in {"WDT", "WP", "WP$", "WRB"}:
        relative = _in_relative(word, words)
        poss = ["Poss=Yes"] if xpos == "WP$" else []
        return [f"PronType={'Rel' if relative else 'Int'}", *poss]
    if xpos == "NN" and word.lemma in INDEFINITE:
        return ["Number=Sing", f"PronType={INDEFINITE[word.lemma]}"]
    if xpos in {"NN", "NNP", "NNS", "NNPS"}:
        return [f"Number={'Plur' if xpos.endswith('S') else 'Sing'}"]
    if xpos == "JJ" and word.lemma in ORDINALS:
        return ["Degree=Pos", "NumForm=Word", "NumType=Ord"]
    if xpos in DEGREES:
        return [f"Degree={DEGREES[xpos]}"]
    if xpos == "CD":
        return [f"NumForm={'Digit' if form[0].isdigit() else 'Word'}", "NumType=Card"]
    if word.lemma == "not":
        return ["Polarity=Neg"]
    if xpos == "MD":
        return ["VerbForm=Fin"]
    if xpos == "EX" or (xpos == "RB" and form in POINTING):
        return ["PronType=Dem"]
    return []


def _verbal(word: Word, words: Sequence[Word]) -> list[str]:
    children = [other for other in words if other.head is word]
    auxiliaries = [child for child in children if child.deprel.startswith("aux")]
    if word.xpos == "VBZ":
        return ["Mood=Ind", "Number=Sing", "Person=3", "Tense=Pres", "VerbForm=Fin"]
    if word.xpos == "VBP":
        first = ["Number=Sing", "Person=1"] if word.form.lower() in {"am", "'m"} else []
        return ["Mood=Ind", *first, "Tense=Pres", "VerbForm=Fin"]
    if word.xpos == "VBD":
        number = ["Number=Sing"] if word.form.lower() == "was" else []
        return ["Mood=Ind", *number, "Tense=Past", "VerbForm=Fin"]
    if word.xpos == "VBN":
        passive = any(child.deprel == "aux:pass" for child in auxiliaries)
        voice = ["Voice=Pass"] if passive or word.deprel == "acl" else []
        return ["Tense=Past", "VerbForm=Part", *voice]
    if word.xpos == "VBG":
        progressive = any(child.lemma == "be" for child in auxiliaries) or _chained(word, words)
        return ["Tense=Pres", "VerbForm=Part"] if progressive else ["VerbForm=Ger"]
    if _imperative(word, children):
        return ["Mood=Imp", "Person=2", "VerbForm=Fin"]
    return ["VerbForm=Inf"]


def _chained(word: Word, words: Sequence[Word]) -> bool:
    """A conjunct of a progressive, or an auxiliary `being`."""
    if word.deprel == "aux:pass" and word.lemma == "be":
        return True
    head = word.head
    return (
        word.deprel == "conj"
        and head is not None
        and any(
            other.head is head and other.deprel == "aux" and other.lemma == "be" for other in words
        )
    )


def _imperative(word: Word, children: Sequence[Word]) -> bool:
    if word.deprel.startswith("aux"):
        return word.lemma == "do" and word.head is not None and word.xpos == "VB"
    if word.deprel == "cop":
        return word.head is not None and word.head.deprel == "root"
    helped = any(
        (child.deprel.startswith("aux") and child.lemma != "do") or child.deprel == "mark"
        for child in children
    )
    finite = any(child.deprel == "aux" and child.xpos != "VB" for child in children)
    if helped or finite or any(child.deprel.startswith("nsubj") for child in children):
        return False
    if word.deprel in {"conj", "parataxis"} and word.head is not None:
        return word.head.xpos == "VB" and word.head.deprel == "root"
    return word.deprel in {"root", "parataxis"}


def _personal(word: Word) -> list[str]:
    form = word.form.lower()
    number, person, gender = PERSONAL[form]
    common = [f"Person={person}", "PronType=Prs"]
    common += [f"Number={number}"] if number else []
    common += [f"Gender={gender}"] if gender else []
    if word.xpos == "PRP$":
        return [*common, "Case=Gen", "Poss=Yes"]
    if form.endswith(("self", "selves")):
        return [*common, "Case=Acc", "Reflex=Yes"]
    if form in {"mine", "yours", "hers", "ours", "theirs"}:
        return [*common, "Case=Gen", "Poss=Yes"]
    subject = word.deprel.startswith(("nsubj", "expl"))
    return [*common, f"Case={'Nom' if form in NOMINATIVE or subject else 'Acc'}"]


def _in_relative(word: Word, words: Sequence[Word]) -> bool:
    """Whether the nearest relative clause above the word modifies something before the word."""
    place = {id(other): index for index, other in enumerate(words)}
    above: Word | None = word
    while above is not None:
        if above.deprel.startswith("acl:relcl") and above.head is not None:
            return place[id(above.head)] < place[id(word)]
        if above.deprel in {"ccomp", "csubj"}:
            return False
        above = above.head
    return False
