"""`Document`: the sentences of a text.

Not to be confused with the native document of `conll/chunks.py`, which holds a part of a file
without a Python object for each word.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, overload

from meprop_nlp.data.lines import shortened
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.spaces import text_of
from meprop_nlp.errors import DataError, number_of

_MOST_TREES = 20  # that a notebook draws


class Document:
    """The sentences of a text, in order.

    `for sentence in document`, `document[0]`, `document[:2]` (a Document) and `len(document)` are
    those of its list of sentences. `print(document)` shows CoNLL-U.

    >>> document = Document(read("new.conllu"))  # doctest: +SKIP
    >>> document[0][1].upos  # doctest: +SKIP
    'VERB'

    Attributes:
        sentences: the Sentences; their order and number may be changed.
    """

    __slots__ = ("sentences",)

    def __init__(self, sentences: Iterable[Sentence] = ()) -> None:
        """Create a document of these sentences.

        Raises:
            DataError: one of them is not a Sentence.
        """
        self.sentences = list(sentences)
        for i, sentence in enumerate(self.sentences):
            demand_sentence(sentence, f"sentences[{i}]")

    @property
    def text(self) -> str:
        """The text that the tokens stand for, with all white space; see `data.spaces.text_of`."""
        return text_of(self.sentences)

    def to_conllu(self) -> str:
        """Return the lines of all sentences, as `write` writes them.

        Sentences that were read in another format of columns keep it.
        """
        return "".join(sentence.to_text() for sentence in self.sentences)

    def to_dict(self) -> list[dict[str, Any]]:
        """Return an object for each sentence; see `Sentence.to_dict`."""
        return [sentence.to_dict() for sentence in self.sentences]

    def to_json(self) -> str:
        """Return `to_dict()` as JSON in one line."""
        return json.dumps(self.to_dict(), ensure_ascii=False)

    def __str__(self) -> str:
        return self.to_conllu()

    def __len__(self) -> int:
        return len(self.sentences)

    def __iter__(self) -> Iterator[Sentence]:
        return iter(self.sentences)

    @overload
    def __getitem__(self, place: int) -> Sentence: ...

    @overload
    def __getitem__(self, place: slice) -> Document: ...

    def __getitem__(self, place: int | slice) -> Sentence | Document:
        """Return the sentence at an index, from 0, or a Document of the sentences of a slice."""
        if isinstance(place, slice):
            return Document(self.sentences[place])
        return self.sentences[place]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Document):
            return NotImplemented
        return self.sentences == other.sentences

    __hash__ = None  # type: ignore[assignment]  # documents are mutable

    def __repr__(self) -> str:
        sizes = (
            number_of(len(self), "sentence"),
            number_of(sum(map(len, self.sentences)), "word"),
        )
        start = shortened(text_of(self.sentences[:3]).strip())
        return f"<Document of {', '.join(sizes)}: {start!r}>"

    def _repr_html_(self) -> str:
        """Return the first trees for a notebook, which shows them in place of the `repr`."""
        trees = [sentence._repr_html_() for sentence in self.sentences[:_MOST_TREES]]
        if len(self) > _MOST_TREES:
            trees.append(f"<p>and {number_of(len(self) - _MOST_TREES, 'sentence')} more</p>")
        return "".join(trees) or "<p>no sentences</p>"


def demand_sentence(given: object, name: str) -> None:
    """Raise DataError unless `given` is a Sentence; `name` names it in the message."""
    if not isinstance(given, Sentence):
        raise DataError(
            f"`{name}` is of type {type(given).__name__}, expected a Sentence; make one of words "
            "with Sentence.from_words"
        )
