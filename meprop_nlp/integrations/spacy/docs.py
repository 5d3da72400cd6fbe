"""From a Doc to our sentences, and from predicted columns to the Doc.

Tokens of white space are no words: they belong to the sentence and the head of the word before
them, or of the one after them at the beginning of a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from spacy.attrs import DEP, HEAD, LEMMA, MORPH, POS, TAG
from spacy.parts_of_speech import IDS
from spacy.tokens import Doc, Token

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import Word

ROOT_LABEL = "ROOT"  # as spaCy, displaCy and noun chunks expect it
_SPACE_LABEL = "dep"
_SPACE_TAG = "_SP"
_NO_FEATS = "_"

# what no column of CoNLL-U holds; a token that was merged may have a line break in it
_BREAKS = re.compile(r"[\t\n\r\0]+")

Columns = Mapping[str, Sequence[Any]]
"""Predicted columns of a sentence, by name."""


class DocSentences:
    """A Doc as sentences of words.

    Args:
        doc: the Doc.
        starts: the indices of the tokens at which sentences begin, from 0 on; none if it is empty.
        reads: the columns that are wanted besides FORM.

    Attributes:
        doc: the Doc.
        bounds: the first token of each sentence, and the one after its last.
        words: the indices of the tokens of each sentence that are words; none in white space.
        sentences: a Sentence for each list of words that is not empty.
    """

    def __init__(self, doc: Doc, starts: Sequence[int], reads: Sequence[str] = ()) -> None:
        self.doc = doc
        self.bounds = [*zip(starts, [*starts[1:], len(doc)], strict=True)] if len(doc) else []
        is_space = [not token.text.strip() for token in doc]
        self.words = [[i for i in range(*bounds) if not is_space[i]] for bounds in self.bounds]
        values = {column: _READERS[column] for column in reads}
        self.sentences = [
            Sentence([_word(n, doc[i], values) for n, i in enumerate(words, start=1)])
            for words in self.words
            if words
        ]


def _word(number: int, token: Token, values: Mapping[str, Callable[[Token], str]]) -> Word:
    word = Word(number, _written(token.text))
    for column, value in values.items():
        setattr(word, column, _written(value(token)) or "_")
    return word


_READERS: dict[str, Callable[[Token], str]] = {
    "upos": lambda token: token.pos_,
    "xpos": lambda token: token.tag_,
    "feats": lambda token: str(token.morph),
    "lemma": lambda token: token.lemma_,
}


def _written(text: str) -> str:
    """Return a text as a column can hold it."""
    if text.isprintable():
        return text
    text = _BREAKS.sub(" ", text)
    return text if text.strip(" ") else "\ufffd"


def write_tags(given: DocSentences, columns: Sequence[Columns], fills: Sequence[str]) -> None:
    """Write UPOS, XPOS, FEATS and LEMMA, those of them that are predicted, into a Doc.

    A UPOS that spaCy does not know becomes X; `_` becomes no value.
    """
    doc = given.doc
    if not len(doc):
        return
    add, add_feats = doc.vocab.strings.add, doc.vocab.morphology.add
    # the attribute, its value for what is predicted, and for white space
    encode: dict[str, tuple[int, Callable[[str], int], Callable[[Token], int]]] = {
        "upos": (
            POS,
            lambda upos: IDS.get("" if upos == "_" else upos, IDS["X"]),
            lambda token: IDS["SPACE"],
        ),
        "xpos": (TAG, lambda tag: 0 if tag == "_" else add(tag), lambda token: add(_SPACE_TAG)),
        "feats": (MORPH, add_feats, lambda token: add_feats(_NO_FEATS)),
        "lemma": (LEMMA, lambda lemma: 0 if lemma == "_" else add(lemma), lambda token: token.orth),
    }
    names = [name for name in encode if name in fills]
    values = np.zeros((len(doc), len(names)), np.uint64)
    places = [i for words in given.words for i in words]
    spaces = sorted({*range(len(doc))}.difference(places))
    for n, name in enumerate(names):
        _, key, of_space = encode[name]
        texts = [text for sentence in columns for text in sentence[name]]
        keys = {text: key(text) for text in {*texts}}
        values[places, n] = [keys[text] for text in texts]
        values[spaces, n] = [of_space(doc[i]) for i in spaces]
    doc.from_array([encode[name][0] for name in names], values)
    if "lemma" in names:
        for i in places:  # a word that is an underscore has itself as its lemma
            if doc[i].text == "_":
                doc[i].lemma_ = "_"


def write_tree(given: DocSentences, columns: Sequence[Columns]) -> None:
    """Write HEAD and DEPREL into a Doc, whose sentences are then those that were given."""
    doc = given.doc
    if not len(doc):
        return
    heads = np.arange(len(doc))
    labels = np.zeros(len(doc), np.uint64)
    add = doc.vocab.strings.add
    labels[:] = add(_SPACE_LABEL)
    trees = iter(columns)
    for (start, end), words in zip(given.bounds, given.words, strict=True):
        if not words:
            heads[start:end] = start
            labels[start] = add(ROOT_LABEL)
            continue
        tree = next(trees)
        places = np.array(words)
        head = np.array(tree["head"])
        # a space has the head that stands before it
        before = np.searchsorted(places, np.arange(start, end), side="right") - 1
        heads[start:end] = places[np.maximum(before, 0)]
        heads[places] = np.where(head == 0, places, places[head - 1])
        names = [
            ROOT_LABEL if h == 0 else label
            for h, label in zip(tree["head"], tree["deprel"], strict=True)
        ]
        keys = {name: add(name) for name in {*names}}
        labels[places] = [keys[name] for name in names]
    relative = (heads - np.arange(len(doc))).astype(np.int64).astype(np.uint64)
    doc.from_array([HEAD, DEP], np.stack([relative, labels], axis=1))
