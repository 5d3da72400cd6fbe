"""From words to CoNLL-U: spaces, contractions as ranges, the text, the ten columns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from .features import feats, upos
from .words import Word

__all__ = ["render", "text_of", "tokens_of"]

NO_SPACE_BEFORE = frozenset({".", ",", "?", "!", ";", ":", ")", "''", "-RRB-"})
NO_SPACE_AFTER = frozenset({"``", "-LRB-"})


def tokens_of(words: Sequence[Word]) -> list[list[Word]]:
    """Surface tokens: runs of words written as one, `[[they], [do, n't], [know]]`."""
    tokens: list[list[Word]] = []
    for word in words:
        if word.glued:
            tokens[-1].append(word)
        else:
            tokens.append([word])
    return tokens


def set_spaces(words: Sequence[Word]) -> None:
    """Clear `space_after` where the following mark, or the word itself, asks for no space."""
    for word, following in pairwise(words):
        tight = following.form in NO_SPACE_BEFORE or following.xpos in {"''", "-RRB-"}
        if tight or word.xpos in NO_SPACE_AFTER:
            word.space_after = False


def text_of(words: Sequence[Word]) -> str:
    """The sentence as it is written."""
    parts = []
    for token in tokens_of(words):
        parts += [word.form for word in token]
        parts.append(" " if token[-1].space_after else "")
    return "".join(parts).rstrip()


def render(words: Sequence[Word], sent_id: str) -> str:
    """One sentence in CoNLL-U, with `sent_id`, `text` and the empty line that ends it."""
    lines = [f"# sent_id = {sent_id}", f"# text = {text_of(words)}"]
    number = {id(word): place for place, word in enumerate(words, start=1)}
    for token in tokens_of(words):
        misc = "_" if token[-1].space_after else "SpaceAfter=No"
        if len(token) > 1:
            first, last = number[id(token[0])], number[id(token[-1])]
            surface = "".join(word.form for word in token)
            lines.append("\t".join([f"{first}-{last}", surface, *"_______", misc]))
        for word in token:
            head = 0 if word.head is None else number[id(word.head)]
            columns = [str(number[id(word)]), word.form, word.lemma, upos(word), word.xpos]
            columns += [feats(word, words), str(head), word.deprel, "_"]
            lines.append("\t".join([*columns, misc if len(token) == 1 else "_"]))
    return "\n".join(lines) + "\n\n"
