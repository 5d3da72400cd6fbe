"""The whole sample treebank: grammar and hand-written sentences, split, and its README."""

from __future__ import annotations

from pathlib import Path

from . import handwritten
from .conllu import render, set_spaces, text_of
from .sentences import Sentences
from .words import Dice, Word

__all__ = ["SEED", "build", "write"]

SEED = 20240229
GRAMMAR_SENTENCES = {"train": 580, "dev": 90, "test": 96}
# Of every eight hand-written sentences, where each goes.
HANDWRITTEN_SPLITS = ("train", "train", "dev", "train", "train", "test", "train", "train")
SHORTEST, LONGEST = 3, 35

README = """# The sample treebank

{sentences} English sentences ({words} syntactic words) in CoNLL-U, annotated in the style of
Universal Dependencies, version 2. **It is a demonstration: scores on it prove nothing.** It shows
the file format, lets the examples and tests run without a download, and is small. A model
trained on it knows this grammar, not English.

| file | from the grammar | by hand | words |
|---|---|---|---|
{rows}

Made for this project; no sentence is copied from anywhere. `tools/make_sample.py` writes these
files: a seeded grammar (`tools/sample_grammar/`, lexicon and productions) makes most sentences, the
others were written and annotated by hand (`tools/sample_grammar/handwritten.txt`). Running it again
gives the same bytes. `sent_id` begins with `grammar-` or `hand-`.

What is in it: statements, questions, orders; relative clauses, coordination, passives, copulas,
existentials, direct speech, clausal subjects; contractions and possessives as multiword tokens;
non-projective trees (stranded prepositions, questions out of a complement clause, extraposed
relative clauses); names, numbers, dates, prices, brackets. Some lemmas stand only in dev and test,
so that there are unknown words. `udtools` validates the files at level 2 without an error.

What is not in it: enhanced dependencies (column DEPS is empty), spelling errors, long texts, any
claim to be a fair picture of English. UPOS and FEATS are derived by rule from the Penn tag, the
lemma and the tree.

License: MIT, like the package.
"""


def build() -> dict[str, list[tuple[str, list[Word]]]]:
    """Every split as pairs of `sent_id` and words; no text stands twice."""
    dice = Dice(SEED)
    seen: set[str] = set()
    splits: dict[str, list[tuple[str, list[Word]]]] = {}
    by_hand = handwritten.read()
    for words in by_hand:
        seen.add(text_of(words))
    for split, count in GRAMMAR_SENTENCES.items():
        grammar = Sentences(dice, held_out=split != "train")
        made: list[tuple[str, list[Word]]] = []
        while len(made) < count:
            words = grammar.sentence()
            set_spaces(words)
            text = text_of(words)
            if SHORTEST <= len(words) <= LONGEST and text not in seen:
                seen.add(text)
                made.append((f"grammar-{split}-{len(made) + 1:03d}", words))
        splits[split] = made
    for place, words in enumerate(by_hand):
        split = HANDWRITTEN_SPLITS[place % len(HANDWRITTEN_SPLITS)]
        splits[split].append((f"hand-{split}-{place + 1:03d}", words))
    return splits


def write(folder: Path) -> None:
    """Write the three files and README.md into a folder, which is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, sentences, total = [], 0, 0
    for split, members in build().items():
        content = "".join(render(words, sent_id) for sent_id, words in members)
        (folder / f"{split}.conllu").write_bytes(content.encode())
        by_hand = sum(sent_id.startswith("hand-") for sent_id, _ in members)
        words_here = sum(len(words) for _, words in members)
        rows.append(f"| `{split}.conllu` | {len(members) - by_hand} | {by_hand} | {words_here:,} |")
        sentences, total = sentences + len(members), total + words_here
    text = README.format(sentences=f"{sentences:,}", words=f"{total:,}", rows="\n".join(rows))
    (folder / "README.md").write_bytes(text.encode())
