"""Writes the sample treebank; every run writes the same bytes.

Most sentences come from `grammar.py`, with the words of `lexicon.ini`. The others were written by
hand, in `handwritten.txt`: a sentence is its text after `# `, followed by a line
`number form lemma xpos head deprel` for each word. The lemma `=` is the form in lower case. A `+`
before the form means that the word and the one before it are one token. The numbers in README.md
are written as well, but its text is not.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from grammar import Grammar
from lexicon import LEXICON
from trees import Word

HERE = Path(__file__).resolve().parent
TARGET = HERE.parent.parent / "meprop_nlp" / "data" / "sample"
SEED = 20240229
GRAMMAR_SENTENCES = {"train": 580, "dev": 90, "test": 96}
# The splits of every eight handwritten sentences.
HANDWRITTEN_SPLITS = ("train", "train", "dev", "train", "train", "test", "train", "train")
SHORTEST, LONGEST = 3, 35


def read_handwritten(path: Path) -> list[list[Word]]:
    """The sentences of a file in the format above.

    Raises:
        ValueError: a line does not have six fields, or the words do not spell the text.
    """
    sentences = []
    for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
        text, *lines = block.splitlines()
        rows = [line.split() for line in lines]
        words = {}
        for number, form, lemma, xpos, _, deprel in rows:
            glued, form = form.startswith("+"), form.removeprefix("+")
            lemma = form.lower() if lemma == "=" else lemma
            words[number] = Word(form, lemma, xpos, deprel, glued=glued)
        for number, _, _, _, head, _ in rows:
            words[number].head = words.get(head)
        sentence = list(words.values())
        if text != f"# {text_of(sentence)}":
            raise ValueError(f"{text!r}: the words spell {text_of(sentence)!r}")
        sentences.append(sentence)
    return sentences


def tokens_of(words: Sequence[Word]) -> list[tuple[list[Word], bool]]:
    """For each token, its words and whether a space follows: `[([do, n't], True), ...]`."""
    tokens: list[tuple[list[Word], bool]] = []
    for word, following in zip(words, [*words[1:], None], strict=True):
        tight = word.xpos in {"``", "-LRB-", "HYPH", "$"}
        if following is not None:
            tight |= following.xpos in {"''", "HYPH"} or following.form in set(".,?!;:)%")
        token = [*tokens.pop()[0], word] if word.glued else [word]
        tokens.append((token, not tight))
    return tokens


def text_of(words: Sequence[Word]) -> str:
    """The sentence as it is written."""
    parts = []
    for token, space in tokens_of(words):
        parts += [word.form for word in token] + [" " * space]
    return "".join(parts).rstrip()


def conllu(words: Sequence[Word], sent_id: str) -> str:
    """A sentence in CoNLL-U, with `sent_id`, `text` and the final empty line."""
    lines = [f"# sent_id = {sent_id}", f"# text = {text_of(words)}"]
    number = {id(word): place for place, word in enumerate(words, start=1)}
    for token, space in tokens_of(words):
        misc = "_" if space else "SpaceAfter=No"
        if len(token) > 1:
            span = f"{number[id(token[0])]}-{number[id(token[-1])]}"
            lines.append("\t".join([span, "".join(word.form for word in token), *"_______", misc]))
            misc = "_"
        for word in token:
            upos, feats = universal(word, words)
            head = str(number[id(word.head)] if word.head else 0)
            columns = [str(number[id(word)]), word.form, word.lemma, upos, word.xpos, feats]
            lines.append("\t".join([*columns, head, word.deprel, "_", misc]))
    return "\n".join(lines) + "\n\n"


def universal(word: Word, words: Sequence[Word]) -> tuple[str, str]:
    """UPOS and FEATS: the entry for the tag and form in `lexicon.ini`, adapted to the tree."""
    if word.deprel == "punct":
        return "PUNCT", "_"
    form, xpos, relation = word.form.lower(), word.xpos, word.deprel.split(":")[0]
    children = {(other.deprel, other.lemma) for other in words if other.head is word}
    upos, feats = LEXICON["tags"].get(f"{xpos} {form}") or LEXICON["tags"][xpos]
    if upos == "VERB" and relation in {"aux", "cop"}:
        upos = "AUX"
    elif xpos == "IN" and relation == "mark":
        upos = "SCONJ"
    elif upos == "DET" and relation != "det":
        upos = "PRON"
    if xpos == "CD" and form[0].isdigit():
        feats = feats.replace("Word", "Digit")
    elif xpos == "PRP" and relation in {"nsubj", "expl"}:
        feats = feats.replace("Case=Acc", "Case=Nom")
    elif xpos.startswith("W") and in_relative_clause(word):
        feats = feats.replace("Int", "Rel")
    elif xpos == "VBN" and (word.deprel == "acl" or ("aux:pass", "be") in children):
        feats += "|Voice=Pass"
    elif xpos == "VBG" and (word.deprel == "aux:pass" or ("aux", "be") in children):
        feats = "Tense=Pres|VerbForm=Part"
    elif xpos == "VB" and is_imperative(word, children):
        feats = "Mood=Imp|Person=2|VerbForm=Fin"
    return upos, feats


def in_relative_clause(word: Word) -> bool:
    """Whether the word is in a relative clause, and in no complement clause inside it."""
    above: Word | None = word
    while above is not None and above.deprel not in {"ccomp", "csubj"}:
        if above.deprel == "acl:relcl":
            return True
        above = above.head
    return False


def is_imperative(word: Word, children: set[tuple[str, str]]) -> bool:
    """Whether a base form is an imperative: no subject, no marker, no auxiliary except `do`."""
    top = word.head or word
    if word.deprel == "aux":
        return word.lemma == "do"
    if word.deprel == "cop":
        # Wrong after a modal (`will be ready`), but the treebank must not change.
        return top.deprel == "root"
    if any(rel.startswith(("nsubj", "mark", "aux")) and lemma != "do" for rel, lemma in children):
        return False
    return word.deprel in {"root", "conj", "parataxis"} and (top.xpos, top.deprel) == ("VB", "root")


def build() -> dict[str, list[tuple[str, list[Word]]]]:
    """The sentences of each split as `sent_id` and words; no two sentences have the same text."""
    grammar = Grammar(SEED)
    handwritten = read_handwritten(HERE / "handwritten.txt")
    seen = {text_of(words) for words in handwritten}
    splits: dict[str, list[tuple[str, list[Word]]]] = {}
    for split, count in GRAMMAR_SENTENCES.items():
        grammar.held_out = split != "train"
        made = splits[split] = []
        while len(made) < count:
            words = grammar.sentence()
            text = text_of(words)
            if SHORTEST <= len(words) <= LONGEST and text not in seen:
                seen.add(text)
                made.append((f"grammar-{split}-{len(made) + 1:03d}", words))
    for index, words in enumerate(handwritten):
        split = HANDWRITTEN_SPLITS[index % len(HANDWRITTEN_SPLITS)]
        splits[split].append((f"hand-{split}-{index + 1:03d}", words))
    return splits


def write(folder: Path) -> None:
    """Write the three files and README.md to a folder, which is created if it does not exist."""
    folder.mkdir(parents=True, exist_ok=True)
    readme = (TARGET / "README.md").read_text(encoding="utf-8")
    n_sentences = n_words = 0
    for split, sentences in build().items():
        content = "".join(conllu(words, sent_id) for sent_id, words in sentences)
        (folder / f"{split}.conllu").write_bytes(content.encode())
        made, length = GRAMMAR_SENTENCES[split], sum(len(words) for _, words in sentences)
        row = f"| `{split}.conllu` | {made} | {len(sentences) - made} | {length:,} |"
        readme = with_numbers(readme, rf"\| `{split}.conllu` .*", row)
        n_sentences, n_words = n_sentences + len(sentences), n_words + length
    total = f"{n_sentences:,} English sentences ({n_words:,} syntactic words)"
    readme = with_numbers(readme, r"[\d,]+ English sentences \(.* words\)", total)
    (folder / "README.md").write_bytes(readme.encode())


def with_numbers(readme: str, pattern: str, numbers: str) -> str:
    """Replace the numbers in the only match of the pattern.

    Raises:
        ValueError: the pattern does not match, or matches more than once.
    """
    readme, count = re.subn(pattern, numbers, readme)
    if count != 1:
        raise ValueError(f"README.md has {count} matches of {pattern!r}, expected 1")
    return readme


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the sample treebank.")
    parser.add_argument("--out", type=Path, default=TARGET, help="folder to write to")
    write(parser.parse_args().out)
