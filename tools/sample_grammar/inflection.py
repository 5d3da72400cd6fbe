"""English spelling: plurals, verb forms, comparison, `a` or `an`: rules, then exceptions."""

from __future__ import annotations

from .lexicon import words

__all__ = ["VOWELS", "article", "comparative", "plural", "superlative", "verb_form"]

VOWELS = "aeiou"

PLURALS = {
    "child": "children", "man": "men", "woman": "women", "fisherman": "fishermen",
    "sheep": "sheep", "goose": "geese", "mouse": "mice", "knife": "knives", "shelf": "shelves",
    "loaf": "loaves", "piano": "pianos", "radio": "radios", "scarf": "scarves",
    "roof": "roofs", "thief": "thieves",
}  # fmt: skip

# Lemma: past tense, past participle.
IRREGULAR = {
    "be": ("was", "been"), "have": ("had", "had"), "do": ("did", "done"),
    "become": ("became", "become"), "begin": ("began", "begun"), "break": ("broke", "broken"),
    "bring": ("brought", "brought"), "build": ("built", "built"), "buy": ("bought", "bought"),
    "catch": ("caught", "caught"), "come": ("came", "come"), "draw": ("drew", "drawn"),
    "drink": ("drank", "drunk"), "drive": ("drove", "driven"), "eat": ("ate", "eaten"),
    "fall": ("fell", "fallen"), "feed": ("fed", "fed"), "feel": ("felt", "felt"),
    "find": ("found", "found"), "forget": ("forgot", "forgotten"), "give": ("gave", "given"),
    "go": ("went", "gone"), "hear": ("heard", "heard"), "hide": ("hid", "hidden"),
    "hold": ("held", "held"), "keep": ("kept", "kept"), "know": ("knew", "known"),
    "leave": ("left", "left"), "lend": ("lent", "lent"), "lose": ("lost", "lost"),
    "meet": ("met", "met"), "pay": ("paid", "paid"), "put": ("put", "put"),
    "read": ("read", "read"), "ride": ("rode", "ridden"), "run": ("ran", "run"),
    "say": ("said", "said"), "see": ("saw", "seen"), "sell": ("sold", "sold"),
    "send": ("sent", "sent"), "set": ("set", "set"), "show": ("showed", "shown"),
    "sing": ("sang", "sung"), "sit": ("sat", "sat"), "sleep": ("slept", "slept"),
    "stand": ("stood", "stood"), "swim": ("swam", "swum"), "take": ("took", "taken"),
    "teach": ("taught", "taught"), "tell": ("told", "told"), "think": ("thought", "thought"),
    "understand": ("understood", "understood"), "wake": ("woke", "woken"),
    "write": ("wrote", "written"), "make": ("made", "made"),
    "let": ("let", "let"), "cost": ("cost", "cost"),
}  # fmt: skip

# Verbs that double their last letter: dropped, planning.
DOUBLING = frozenset(words("drop plan stop chat begin forget let put run set sit swim hop"))

COMPARED = {
    "good": ("better", "best"),
    "bad": ("worse", "worst"),
    "well": ("better", "best"),
    "far": ("farther", "farthest"),
}
SHORT_ADJECTIVES = frozenset(
    words(
        "young old tall kind brave quiet strong small quick wild new large light cheap wide narrow "
        "clean long short funny fresh sweet warm cold simple busy hungry happy sad clever "
        "round"
    )
)
SILENT_H = ("hour", "honest")


def article(following: str) -> str:
    """`a` or `an`, by the word that follows it."""
    word = following.lower()
    if word.startswith(SILENT_H):
        return "an"
    if word.startswith(("use", "uni", "one")):
        return "a"
    return "an" if word[0] in VOWELS else "a"


def ends_in_consonant_y(word: str) -> bool:
    """Whether the last letter is a `y` that turns into `ie` before an ending."""
    return word.endswith("y") and word[-2] not in VOWELS


def plural(noun: str) -> str:
    """The plural of a noun."""
    if noun in PLURALS:
        return PLURALS[noun]
    if ends_in_consonant_y(noun):
        return noun[:-1] + "ies"
    if noun.endswith(("s", "x", "z", "ch", "sh")) or noun in {"potato", "tomato"}:
        return noun + "es"
    return noun + "s"


def verb_form(lemma: str, xpos: str) -> str:
    """The form of a verb for a Penn tag VB, VBP, VBZ, VBD, VBN or VBG (`be`: see `clauses.py`)."""
    if xpos in {"VB", "VBP"}:
        return lemma
    if xpos == "VBZ":
        if lemma == "have":
            return "has"
        return lemma + "es" if lemma in {"go", "do"} else plural(lemma)
    if xpos == "VBG":
        if lemma in DOUBLING:
            return lemma + lemma[-1] + "ing"
        silent = lemma.endswith("e") and not lemma.endswith("ee")
        return (lemma[:-1] if silent else lemma) + "ing"
    if lemma in IRREGULAR:
        return IRREGULAR[lemma][xpos == "VBN"]
    if lemma in DOUBLING:
        return lemma + lemma[-1] + "ed"
    if ends_in_consonant_y(lemma):
        return lemma[:-1] + "ied"
    return lemma + ("d" if lemma.endswith("e") else "ed")


def comparative(adjective: str) -> str | None:
    """The form in `-er`, or None where the adjective takes `more`."""
    return _compared(adjective, 0, "er")


def superlative(adjective: str) -> str | None:
    """The form in `-est`, or None where the adjective takes `most`."""
    return _compared(adjective, 1, "est")


def _compared(adjective: str, which: int, ending: str) -> str | None:
    if adjective in COMPARED:
        return COMPARED[adjective][which]
    if adjective not in SHORT_ADJECTIVES:
        return None
    if adjective in {"sad"}:
        return adjective + adjective[-1] + ending
    if ends_in_consonant_y(adjective):
        return adjective[:-1] + "i" + ending
    return adjective + (ending[1:] if adjective.endswith("e") else ending)
