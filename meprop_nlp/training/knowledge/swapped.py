"""The treebank's sentences with words swapped, for teachers to annotate where there is no text.

Teachers know by heart the sentences that they have learnt from, so that what they hold probable of
these says little more than the right answers do. Of sentences that are nearly like them it says how
sure they are (after Bucila et al. 2006).
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from meprop_nlp.config import TAG_COLUMNS
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.knowledge.unlabelled import LONGEST
from meprop_nlp.training.records import Note
from meprop_nlp.training.simplification.swaps import SWAPPED


def swapped_sentences(
    sentences: Sequence[Sentence], copies: int, seed: int, hooks: Hooks
) -> list[list[str]]:
    """Return the forms of copies of sentences, with words swapped; report their number.

    Half of the words are swapped for others that the sentences have with the same UPOS, XPOS and
    FEATS, each of these forms with the same chance. Punctuation stays, and so do words without
    tags. Sentences of over LONGEST words are left out.

    Returns:
        nothing if the sentences have no tags, since then there is no saying which words are alike.
    """
    rows = [
        row
        for sentence in sentences
        for row in zip(*map(sentence.column, TAG_COLUMNS), strict=True)
    ]
    forms = [form for sentence in sentences for form in sentence.forms]
    members: dict[tuple[str, ...], dict[str, None]] = defaultdict(dict)
    for form, row in zip(forms, rows, strict=True):
        if row[0] != "PUNCT" and set(row) != {"_"}:
            members[row][form] = None
    if not members or not copies:
        return []
    alike = {row: list(found) for row, found in members.items()}
    rng = np.random.default_rng(seed)
    found: list[list[str]] = []
    n_words = 0
    for _ in range(copies):
        is_swapped, draws = rng.random(len(forms)) < SWAPPED, rng.random(len(forms))
        first = 0
        for sentence in sentences:
            places = range(first, first + len(sentence))
            first += len(sentence)
            if len(sentence) > LONGEST:
                continue
            words = [
                others[int(draws[i] * len(others))]
                if is_swapped[i] and (others := alike.get(rows[i]))
                else forms[i]
                for i in places
            ]
            found.append(words)
            n_words += len(words)
    hooks.on_record(
        Note(f"swapped: {len(found):,} sentences, {n_words:,} words for the teachers to annotate")
    )
    return found
