"""What a model is given: texts, words, Sentences and Documents, checked on the way in.

A message names the faulty part as Python does: `items[3][0]` is the first word of the fourth item.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from operator import attrgetter
from typing import Protocol, TypeVar
from unicodedata import category

from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.data.document import Document
from meprop_nlp.data.lines import demand_text, shortened
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.text_input import numbered_sentences
from meprop_nlp.data.word import COLUMNS, UNSET, lacking
from meprop_nlp.errors import ConfigError, DataError

# A text, a Document or a list of sentences is answered with a Document; a Sentence or a list of
# words with a Sentence.
Input = str | Document | Sentence | Sequence[str] | Sequence[Sentence | Sequence[str]]

Item = TypeVar("Item", Sentence, Document, Sentence | Document)

# what no column holds: half of a pair of surrogates, and what ends a column or a line
_UNWRITABLE = frozenset([*map(chr, range(0xD800, 0xE000)), *"\t\n\r\0"])
_UNWRITABLE_COMMENT = _UNWRITABLE - {"\t", "\0"}
_TEXTS = tuple(name for name in COLUMNS if name not in ("id", "head"))
_texts = attrgetter(*_TEXTS)


class TextTokenizer(Protocol):
    """What finds the sentences and words of a text."""

    def conllu(self, text: str) -> str:
        """Return the text as CoNLL-U, with its white space in MISC; see `data.spaces`."""


def read_input(given: object, name: str, tokenizer: TextTokenizer | None) -> Sentence | Document:
    """Return what a model is given as a Sentence or a Document.

    Args:
        given: a text or a list of sentences, which become a Document; a list of words, which
            becomes a Sentence; or one of these two.
        name: names it in messages.
        tokenizer: reads texts.

    Raises:
        ConfigError: it is a text, and there is no tokenizer.
        DataError: it is none of these, empty words or half a character are in it, or a text stands
            where a word is expected; or a Sentence that was made by hand cannot be written.
    """
    if isinstance(given, Sentence):
        return _checked(given, name)
    if isinstance(given, Document):
        for i, sentence in enumerate(given):
            _checked(sentence, f"{name}[{i}]")
        return given
    if isinstance(given, str):
        return _tokenized(given, name, tokenizer)
    parts = _parts(given, name)
    if isinstance(parts[0], str):
        if tokenizer is not None:
            _demand_no_texts(parts, name)
        return _sentence_of(parts, name)
    return Document(read_sentence(part, f"{name}[{i}]") for i, part in enumerate(parts))


def read_sentence(given: object, name: str) -> Sentence:
    """Return a list of words, or a Sentence, as a Sentence.

    Raises:
        DataError: it is anything else, or empty words or half a character are in it; or a Sentence
            that was made by hand cannot be written.
    """
    if isinstance(given, Sentence):
        return _checked(given, name)
    if isinstance(given, str | Document):
        kind = "a text" if isinstance(given, str) else "a Document"
        raise DataError(f"`{name}` is {kind}, expected one sentence: a list of its words")
    return _sentence_of(_parts(given, name), name)


def demand_stream(items: object, name: str) -> None:
    """Raise DataError if this is a single text or sentence, where several are expected."""
    if isinstance(items, str | bytes | Sentence):
        single = "sentence" if isinstance(items, Sentence) else "text"
        raise DataError(
            f"`{name}` is a single {single}, expected several; give it in a list: [{single}]"
        )


def missing_columns(sentence: Sentence, columns: Iterable[str]) -> list[str]:
    """Return those of the columns that hold only `_` in a sentence."""
    return [
        column
        for column in columns
        if sentence.words and all(getattr(word, column) == "_" for word in sentence.words)
    ]


def demand_columns(item: Sentence | Document, name: str, columns: Sequence[str]) -> None:
    """Raise DataError if a sentence has no value in one of the columns that a model needs."""
    for place, sentence in _sentences(item, name):
        if missing := missing_columns(sentence, columns):
            raise DataError(
                f"`{place}` has no {lacking(missing)}, which the parser reads; give it what a "
                "tagger returns: parser(tagger(words))"
            )


def demand_length(item: Sentence | Document, name: str, most_words: int) -> None:
    """Raise DataError if a sentence has more words than a model reads."""
    for place, sentence in _sentences(item, name):
        if len(sentence) > most_words:
            raise DataError(
                f"`{place}` is a sentence of {len(sentence):,} words, expected at most "
                f"{most_words:,}; cut it into several"
            )


def demanded(
    items: Iterable[Item], name: str, columns: Sequence[str], most_words: int
) -> Iterator[Item]:
    """Yield the items; raise DataError at the first that lacks columns or is too long."""
    for i, item in enumerate(items):
        demand_length(item, f"{name}[{i}]", most_words)
        demand_columns(item, f"{name}[{i}]", columns)
        yield item


def answered(
    items: Iterable[Sentence | Document],
    annotate: Callable[[Iterator[Sentence]], Iterator[Sentence]],
) -> Iterator[Sentence | Document]:
    """Yield each item annotated, in order: small ones together, a Document when it is complete.

    Args:
        annotate: yields a sentence for each that it is given, in order; it may read ahead.
    """
    sizes: deque[int | None] = deque()  # of the items read so far; None: a Sentence
    done: list[Sentence] = []  # the first sentences of the first of these items

    def sentences() -> Iterator[Sentence]:
        for item in items:
            if isinstance(item, Sentence):
                sizes.append(None)
                yield item
            else:
                sizes.append(len(item))
                yield from item

    def complete() -> Iterator[Sentence | Document]:
        while sizes and len(done) >= (1 if sizes[0] is None else sizes[0]):
            item = done[0] if sizes.popleft() is None else Document(done)
            done.clear()
            yield item

    for sentence in annotate(sentences()):
        yield from complete()  # texts without a sentence, which stand before this one
        done.append(sentence)
        yield from complete()
    yield from complete()


def _tokenized(text: str, name: str, tokenizer: TextTokenizer | None) -> Document:
    if tokenizer is None:
        raise ConfigError(
            f"`{name}` is a text, and this model has no tokenizer; give it lists of words, as in "
            'model(["Time", "flies"]), or train a model that has one: meprop-nlp train, with '
            "tokens among its heads, on a treebank with `# text` or SpaceAfter=No"
        )
    demand_text(text, f"`{name}`")
    if "\0" in text:
        raise DataError(
            f"`{name}` has a NUL character at index {text.index(chr(0))}, expected text; leave it "
            r'out: text.replace("\0", "")'
        )
    if not text:
        return Document()
    conllu = numbered_sentences(tokenizer.conllu(text))
    document = Document(read_text(conllu, input_format="conllu"))
    for sentence in document:
        sentence.path = "<text>"
    return document


def _demand_no_texts(words: list[object], name: str) -> None:
    """Raise DataError if what stands where a word is expected looks like a text."""
    for i, word in enumerate(words):
        parts = word.split() if isinstance(word, str) else []
        is_text = len(parts) > 3 or (len(parts) > 1 and category(parts[-1][-1]) == "Po")
        if is_text:
            raise DataError(
                f"`{name}[{i}]` is {shortened(str(word))!r}, expected a word: a list of words is "
                "one sentence; for several texts use `pipe`, which takes a list of texts"
            )


def _checked(sentence: Sentence, name: str) -> Sentence:
    """Return a Sentence if it can be written and read again: it may have been made by hand.

    Raises:
        DataError: as for `read_sentence`.
    """
    if not _is_writable(sentence):
        _sentence_of([word.form for word in sentence.words], name)  # says which form is wrong
        raise DataError(f"`{name}`: {_unwritable(sentence)}")
    return sentence


def _is_writable(sentence: Sentence) -> bool:
    """Return whether the words and comments make lines of CoNLL."""
    words, comments = sentence.words, sentence.comments
    n = len(words)
    try:
        return (
            n > 0
            and all(word.form.strip(" ") for word in words)
            and _has_none(_UNWRITABLE, "".join(chain.from_iterable(map(_texts, words))))
            and [word.id for word in words] == [*range(1, n + 1)]
            and all(_is_head(word.head, n) for word in words)
            and all(comment.startswith("#") for comment in comments)
            and _has_none(_UNWRITABLE_COMMENT, "".join(comments))
        )
    except (AttributeError, TypeError):  # a value is no text
        return False


def _has_none(characters: frozenset[str], text: str) -> bool:
    # a text at once, and seldom character by character
    return text.isprintable() or characters.isdisjoint(text)


def _is_head(head: object, n_words: int) -> bool:
    return isinstance(head, int) and UNSET <= head <= n_words


def _unwritable(sentence: Sentence) -> str:
    """Return what keeps a Sentence, whose forms are right, from being written as CoNLL."""
    n = len(sentence)
    for i, word in enumerate(sentence.words, start=1):
        if word.id != i:
            return f"the id of word {i} is {word.id!r}, expected {i}"
        if not _is_head(word.head, n):
            return (
                f"the head of word {i} is {word.head!r}, expected an integer from 0 to {n}, or "
                f"{UNSET} for none"
            )
        for column, value in zip(_TEXTS, _texts(word), strict=True):
            if not isinstance(value, str) or not _UNWRITABLE.isdisjoint(value):
                return (
                    f"the {column} of word {i} is {value!r}, expected text without tab, line "
                    "break, NUL or half of a pair of surrogates"
                )
    wrong = next(
        comment
        for comment in sentence.comments
        if not isinstance(comment, str)
        or not comment.startswith("#")
        or not _UNWRITABLE_COMMENT.isdisjoint(comment)
    )
    return (
        f"a comment is {wrong!r}, expected one line that begins with #, without half of a pair "
        "of surrogates"
    )


def _sentences(item: Sentence | Document, name: str) -> Iterator[tuple[str, Sentence]]:
    """Yield the sentences of an item, each with its name."""
    if isinstance(item, Sentence):
        yield name, item
    else:
        for i, sentence in enumerate(item):
            yield f"{name}[{i}]", sentence


def _sentence_of(words: list[object], name: str) -> Sentence:
    for i, word in enumerate(words):
        if not isinstance(word, str):
            raise DataError(
                f"`{name}[{i}]` is of type {type(word).__name__}, expected a word: text"
            )
    try:
        return Sentence.from_words(words)  # type: ignore[arg-type]
    except DataError as error:
        raise DataError(f"`{name}`: {error}") from None


def _parts(given: object, name: str) -> list[object]:
    """Return the parts of a list: words, or sentences."""
    if isinstance(given, bytes | bytearray):
        raise DataError(f"`{name}` is bytes, expected text; decode them: {name}.decode()")
    if not isinstance(given, Iterable):
        raise DataError(
            f"`{name}` is of type {type(given).__name__}, expected a text, a list of words, "
            "a Sentence or a Document"
        )
    parts = list(given)
    if not parts:
        raise DataError(f"`{name}` is empty, expected at least one word; leave it out")
    return parts
