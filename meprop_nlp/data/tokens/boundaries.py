"""`Boundaries`: the running text of a treebank, and what ends after each of its characters."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from random import Random
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.spaces import says_spaces, spaces_after
from meprop_nlp.data.tokens.alphabet import PARAGRAPH, SPACE

# What ends after a character. A multiword token is one that is split into words.
NOTHING, TOKEN, MULTIWORD, SENTENCE, MULTIWORD_SENTENCE = range(5)
N_ENDS = 5

PARAGRAPH_SHARE = 0.1  # of sentences that begin a paragraph, in a treebank that has none
UNPUNCTUATED = 0.1  # share of paragraphs that are read without their final punctuation


class Token(NamedTuple):
    """A surface token.

    Attributes:
        form: as it stands in the text.
        is_multiword: whether it is split into words.
        spaced: whether white space follows.
        is_punctuation: whether it is one word, tagged as punctuation.
    """

    form: str
    is_multiword: bool
    spaced: bool
    is_punctuation: bool


@dataclass(frozen=True, slots=True)
class Boundaries:
    """A running text with its tokens and sentences.

    Attributes:
        text: all white space is `SPACE`, or `PARAGRAPH` before and after each paragraph.
        ends: (characters,) what ends after each.
    """

    text: str
    ends: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, sentences: Iterable[Sentence], *, seed: int = 1) -> "Boundaries":
        """Join the sentences of a treebank as they stood in their texts.

        Where no comment says where paragraphs begin, some sentences are drawn to begin one. Some
        paragraphs are read without their final punctuation: a network that has only seen
        paragraphs with it would take the last letter of any other for it.
        """
        rng = Random(seed)
        pieces: list[str] = [PARAGRAPH]
        ends: list[int] = [NOTHING]
        for paragraph in _paragraphs(sentences, rng):
            if rng.random() < UNPUNCTUATED:
                _drop_final_punctuation(paragraph)
            spaced = False
            for tokens in paragraph:
                for place, token in enumerate(tokens):
                    if spaced:
                        pieces.append(SPACE)
                        ends.append(NOTHING)
                    pieces.append(token.form)
                    end = SENTENCE if place == len(tokens) - 1 else TOKEN
                    ends += [NOTHING] * (len(token.form) - 1)
                    ends.append(end + token.is_multiword)
                    spaced = token.spaced
            pieces.append(PARAGRAPH)
            ends.append(NOTHING)
        return cls("".join(pieces), np.array(ends, np.uint8))


def raw_text(sentences: Iterable[Sentence]) -> str:
    """Return the running text of a treebank, with an empty line between paragraphs.

    Where no comment says where paragraphs begin, each document is one.
    """
    texts = []
    for paragraph in _paragraphs(sentences, None):
        tokens = chain.from_iterable(paragraph)
        text = "".join(f"{token.form} " if token.spaced else token.form for token in tokens)
        texts.append(text.rstrip(SPACE))
    return "\n\n".join(texts) + "\n" if texts else ""


def has_text(sentences: Iterable[Sentence]) -> bool:
    """Return whether the sentences say how their text was written: by `# text` or SpaceAfter."""
    return any(
        _says(sentence, "text") or any(says_spaces(misc) for _, misc in sentence.tokens())
        for sentence in sentences
    )


def tokens_of(sentence: Sentence) -> list[Token]:
    """Return the surface tokens of a sentence; white space within a form is one space."""
    split = {token.first: token.last for token in sentence.multiword_tokens}
    found: list[Token] = []
    words = iter(sentence.words)
    tokens = sentence.tokens()
    for (form, _), spaced in zip(tokens, _spaced(sentence, tokens), strict=True):
        word = next(words)
        last = split.get(word.id)
        for _ in range(word.id, last or word.id):
            next(words)
        is_punctuation = last is None and word.upos == "PUNCT"
        joined = SPACE.join(form.split()) or form
        found.append(Token(joined, last is not None, spaced, is_punctuation))
    return found


def _spaced(sentence: Sentence, tokens: Sequence[tuple[str, str]]) -> list[bool]:
    """Return which tokens white space follows: by MISC, or by `# text` where MISC never says it."""
    if any(says_spaces(misc) for _, misc in tokens):
        return [bool(spaces_after(misc)) for _, misc in tokens]
    text, place = sentence.text, 0
    found = []
    for form, _ in tokens:
        if not text.startswith(form, place):
            return [True] * len(tokens)  # another text
        place += len(form)
        rest = text[place:]
        found.append(not rest or rest[0].isspace())
        place += len(rest) - len(rest.lstrip())
    return found


def _paragraphs(sentences: Iterable[Sentence], rng: Random | None) -> Iterator[list[list[Token]]]:
    """Yield the tokens of the sentences of each paragraph.

    Args:
        rng: draws where paragraphs begin if no comment says so; None: only documents begin any.
    """
    each = list(sentences)
    marked = any(_says(sentence, "newpar") for sentence in each)
    paragraph: list[list[Token]] = []
    for sentence in each:
        begins = _says(sentence, "newdoc") or _says(sentence, "newpar")
        if not marked and rng is not None:
            begins = begins or rng.random() < PARAGRAPH_SHARE
        if begins and paragraph:
            yield paragraph
            paragraph = []
        paragraph.append(tokens_of(sentence))
    if paragraph:
        yield paragraph


def _drop_final_punctuation(paragraph: list[list[Token]]) -> None:
    last = paragraph[-1]
    while len(last) > 1 and last[-1].is_punctuation:
        last.pop()


def _says(sentence: Sentence, word: str) -> bool:
    """Return whether a comment of the sentence begins with this word."""
    return any(comment[1:].split("=")[0].split()[:1] == [word] for comment in sentence.comments)
