"""A tagger, a parser, or both in a row, over documents and sentences: text in, text out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from meprop_nlp.data.conll.chunks import Document
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import COLUMNS
from meprop_nlp.models.parser import FrozenParser
from meprop_nlp.models.stream import chunks
from meprop_nlp.models.tagger import FrozenTagger
from meprop_nlp.models.words import DocumentWords, SentenceWords, TaggedWords, Tags, Trees, Words
from meprop_nlp.native import core

__all__ = ["Annotator", "Piece", "Predicted"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some annotated sentences.

    Attributes:
        text: as they are to be written, in UTF-8.
        words: the words before they were annotated.
        has_empty_nodes: whether nodes of an enhanced graph stand among them.
    """

    text: bytes
    words: Words
    has_empty_nodes: bool

    def __len__(self) -> int:
        return int(self.words.bounds[-1])


class Predicted(NamedTuple):
    """What was said of some words; None without a model for it."""

    tags: Tags | None
    trees: Trees | None


class Annotator:
    """Annotates with what it is given; safe to use from several threads.

    Args:
        tagger: replaces the tag columns that it predicts.
        parser: replaces HEAD and DEPREL, by the tagger's tags where there is one.
        confidence: whether to write into MISC how sure the models are, as `Predictor.pipe` does.
    """

    def __init__(
        self,
        *,
        tagger: FrozenTagger | None = None,
        parser: FrozenParser | None = None,
        confidence: bool = False,
    ) -> None:
        self._tagger, self._parser, self._confidence = tagger, parser, confidence
        self._tables = {
            name: [value.encode() for value in values]
            for name, values in (tagger.tags if tagger else {}).items()
        }
        self._relations = [relation.encode() for relation in parser.relations] if parser else []

    def document(self, document: Document, *, fill_deps: bool = False) -> Piece:
        """Annotate a native document.

        Args:
            fill_deps: write the predicted tree into DEPS too, which a parser empties otherwise;
                for CoNLL-U only.

        Raises:
            MePropError: the weights give scores that are not finite.
        """
        words = DocumentWords(document)
        text = self.write(document, self.predict(words), fill_deps=fill_deps)
        return Piece(text, words, document.has_empty_nodes)

    def predict(self, words: Words) -> Predicted:
        """Tag and parse, as far as there are models for it.

        Raises:
            MePropError: the weights give scores that are not finite.
        """
        tags = trees = None
        if self._tagger is not None:
            tags = self._tagger.annotate(words, confidence=self._confidence)
            words = TaggedWords(words, tags)
        if self._parser is not None:
            trees = self._parser.annotate(words, confidence=self._confidence)
        return Predicted(tags, trees)

    def write(self, document: Document, predicted: Predicted, *, fill_deps: bool = False) -> bytes:
        """Return a native document's text with what was predicted; arguments as for `document`."""
        texts: list[tuple[int, list[bytes], Any]] = []
        shares: list[tuple[bytes, Any]] = []
        heads = None
        tags, trees = predicted
        if tags is not None:
            for row, (name, table) in enumerate(self._tables.items()):
                texts.append((COLUMNS.index(name), table, tags.ids[row]))
            shares += _encoded(tags.shares)
        if trees is not None:
            texts.append((COLUMNS.index("deprel"), self._relations, trees.labels))
            heads = trees.heads
            shares += _encoded(trees.shares)
        if not document.is_conllu:  # no room for either
            shares, fill_deps = [], False
        deps = "keep" if trees is None else "tree" if fill_deps else "empty"
        native = core()
        assert native is not None  # it made the document
        text: bytes = native.write_document(document, texts, heads, deps, shares)
        return text

    def sentences(
        self, sentences: Sequence[Sentence], *, fill_deps: bool = False
    ) -> Iterator[Piece]:
        """Annotate sentences, some at a time; arguments and errors as for `document`."""
        for chunk in chunks(sentences):
            annotated: Iterator[Sentence] = iter(chunk)
            for predictor in (self._tagger, self._parser):
                if predictor is not None:
                    annotated = predictor.pipe(annotated, confidence=self._confidence)
            if fill_deps and self._parser is not None:
                annotated = map(_with_tree_as_deps, annotated)
            text = "".join(sentence.to_text() for sentence in annotated)
            has_empty_nodes = any(sentence.empty_nodes for sentence in chunk)
            yield Piece(
                text.encode("utf-8", "surrogatepass"), SentenceWords(chunk), has_empty_nodes
            )


def _encoded(shares: dict[str, np.ndarray[Any, Any]]) -> list[tuple[bytes, Any]]:
    return [(name.encode(), np.ascontiguousarray(values)) for name, values in shares.items()]


def _with_tree_as_deps(sentence: Sentence) -> Sentence:
    if sentence.layout.kind != "conllu":
        return sentence
    heads, deprels = sentence.column("head"), sentence.column("deprel")
    arcs = [f"{head}:{deprel}" for head, deprel in zip(heads, deprels, strict=True)]
    return sentence.with_columns(deps=arcs)
