"""`Span`: a word as a range of characters; words of two files are aligned by their ranges.

As in the CoNLL 2018 shared task (Zeman et al. 2018, section 5.1), a token is a range of characters,
not counting spaces. Words outside multiword tokens are aligned if their ranges are the same. Around
a multiword token, the words in the smallest range that cuts through none of them are aligned by the
longest common subsequence of their lower-cased forms.
"""

import unicodedata
from typing import NamedTuple

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import Word
from meprop_nlp.errors import ConlluError, Problem


class Span(NamedTuple):
    """A word with its range of characters, which is the token's for words of multiword tokens."""

    word: Word
    form: str
    start: int
    end: int
    multiword: bool


def token_forms(sentence: Sentence) -> list[str]:
    """Return the form of each token without spaces.

    Raises:
        ConlluError: if a form consists of spaces.
    """
    forms = [_without_spaces(form) for form, _ in sentence.tokens()]
    if "" in forms:
        message = f"token {forms.index('') + 1} is nothing but spaces, and cannot be aligned"
        raise ConlluError([Problem(sentence.path, sentence.line, message, sentence.sent_id)])
    return forms


def spans_of(sentences: list[Sentence]) -> list[Span]:
    """Return the spans of all words; characters are counted from the first sentence on."""
    spans: list[Span] = []
    start = end = 0
    for sentence in sentences:
        tokens = {token.first: token for token in sentence.multiword_tokens}
        covered = 0  # id of the last word of the current multiword token
        for word in sentence.words:
            form = word.form
            if word.id > covered:
                token = tokens.get(word.id)
                if token is None:
                    form = _without_spaces(form)
                    start, end = end, end + len(form)
                else:
                    start, end = end, end + len(_without_spaces(token.form))
                    covered = token.last
            spans.append(Span(word, form.lower(), start, end, word.id <= covered))
    return spans


def align_spans(gold: list[Span], system: list[Span]) -> list[tuple[int, int]]:
    """Return the index pairs (gold, system) of aligned words."""
    pairs: list[tuple[int, int]] = []
    g = s = 0
    while g < len(gold) and s < len(system):
        if gold[g].multiword or system[s].multiword:
            g_first, s_first, g, s = _multiword_range(gold, system, g, s)
            common = _common_subsequence(
                [span.form for span in gold[g_first:g]], [span.form for span in system[s_first:s]]
            )
            pairs += [(g_first + i, s_first + j) for i, j in common]
        elif gold[g][2:4] == system[s][2:4]:
            pairs.append((g, s))
            g += 1
            s += 1
        elif gold[g].start <= system[s].start:
            g += 1
        else:
            s += 1
    return pairs


def _multiword_range(
    gold: list[Span], system: list[Span], g: int, s: int
) -> tuple[int, int, int, int]:
    """Return the ranges (g_first, s_first, g_end, s_end) around the multiword token at g or s."""
    # a word outside multiword tokens that begins earlier is not part of the range
    if gold[g].multiword:
        end = gold[g].end
        if not system[s].multiword and system[s].start < gold[g].start:
            s += 1
    else:
        end = system[s].end
        if not gold[g].multiword and gold[g].start < system[s].start:
            g += 1
    g_first, s_first = g, s
    while not (_beyond(gold, g, end) and _beyond(system, s, end)):
        if g < len(gold) and (s >= len(system) or gold[g].start <= system[s].start):
            span = gold[g]
            g += 1
        else:
            span = system[s]
            s += 1
        if span.multiword:
            end = max(end, span.end)
    return g_first, s_first, g, s


def _beyond(spans: list[Span], place: int, end: int) -> bool:
    if place >= len(spans):
        return True
    span = spans[place]
    return span.start >= end if span.multiword else span.end > end


def _common_subsequence(gold: list[str], system: list[str]) -> list[tuple[int, int]]:
    """Return the index pairs of a longest common subsequence; equal pairs are taken greedily."""
    longest = [[0] * (len(system) + 1) for _ in range(len(gold) + 1)]
    for i in reversed(range(len(gold))):
        for j in reversed(range(len(system))):
            both = longest[i + 1][j + 1] + 1 if gold[i] == system[j] else 0
            longest[i][j] = max(both, longest[i + 1][j], longest[i][j + 1])
    pairs = []
    i = j = 0
    while i < len(gold) and j < len(system):
        if gold[i] == system[j]:
            pairs.append((i, j))
            i += 1
            j += 1
        elif longest[i][j] == longest[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _without_spaces(form: str) -> str:
    if form.isascii():
        return form.replace(" ", "")
    return "".join(c for c in form if unicodedata.category(c) != "Zs")
