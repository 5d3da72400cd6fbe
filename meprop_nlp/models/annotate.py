"""`annotate`: run models over whole files, in order and in bounded memory.

    for piece in annotate("in.conllu", [load("tagger.safetensors"), load("parser.safetensors")]):
        output.write(piece.text)

A file is cut into chunks of whole sentences, or of whole paragraphs of running text, which a
model's tokenizer turns into CoNLL-U. A chunk that the native core can read becomes a document,
which is read, annotated and written without a Python object for each word; any other chunk is read
as `Sentence`s.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from meprop_nlp.data.conll.block import Fault
from meprop_nlp.data.conll.chunks import (
    Chunk,
    Document,
    comes_in_chunks,
    read_chunks,
    with_headers,
)
from meprop_nlp.data.conll.layout import CONLLU, Layout
from meprop_nlp.data.conll.reading import (
    check_arguments,
    good_blocks,
    parse_lines,
    read_blocks,
    too_long,
    with_header,
)
from meprop_nlp.data.familiarity import Familiarity
from meprop_nlp.data.lines import visible
from meprop_nlp.data.recognition import recognized
from meprop_nlp.data.report import TreebankReport
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.source import Source, source_name
from meprop_nlp.data.text_input import (
    NO_TOKENIZER,
    TEXT_FORMATS,
    TextInput,
    demand_input_format,
    numbered_chunks,
)
from meprop_nlp.data.word import COLUMNS
from meprop_nlp.errors import ConlluError, DataError
from meprop_nlp.models.batches import in_batches
from meprop_nlp.models.inputs import TextTokenizer
from meprop_nlp.models.model import Model
from meprop_nlp.models.prediction import Prediction
from meprop_nlp.models.words import DocumentWords, PredictedWords, SentenceWords, Words
from meprop_nlp.native import core
from meprop_nlp.threads import Workers


@dataclass(frozen=True, slots=True)
class Piece:
    """Some annotated sentences.

    Attributes:
        text: the text to write, in UTF-8.
        words: the words as they were before.
    """

    text: bytes
    words: Words

    def __len__(self) -> int:
        """Return the number of words."""
        return int(self.words.bounds[-1])


def annotate(
    source: Source,
    models: Sequence[Model] | Callable[[Words], Sequence[Model]],
    *,
    confidence: bool = False,
    keep: Collection[str] = (),
    input_format: str = "auto",
    encoding: str = "utf-8",
    on_error: str = "fail",
    max_errors: int = 20,
    report: TreebankReport | None = None,
    threads: int = 1,
    tokenizer: TextTokenizer | None = None,
    token_ranges: bool = False,
    write_sentence: Callable[[Sentence], str] | None = None,
    on_doubt: Callable[[str], None] | None = None,
) -> Iterator[Piece]:
    """Yield a file's sentences annotated, in order; memory does not grow with the file.

    Args:
        source, encoding, on_error, max_errors, report: as for `conll.read`; only faulty sentences
            are added to the report.
        models: the models to run one after the other; each reads the columns predicted before it.
            Or a function that returns them, given the words at the beginning of the file.
        confidence, keep: as for `Model.pipe`.
        input_format: as for `conll.read`, or `text`; `presegmented`, text with a sentence a line;
            `horizontal`, a sentence a line with spaces between its words; `vertical`, a word a line
            and an empty line after each sentence. With `auto`, what is not CoNLL is text; see
            `recognized`.
        threads: how many chunks of the file to annotate at a time.
        tokenizer: splits text into words; None: the models' own, see `tokenizer_of`.
        token_ranges: write into MISC where each token stood in the text, see `Tokenizer.conllu`.
        write_sentence: returns the text of an annotated sentence, such as `to_json`; None: what
            came as CoNLL keeps its layout, and what came as text becomes CoNLL-U.
        on_doubt: with `auto`, is called before the first piece with how the source is read, in
            words, where it may be meant otherwise.

    Raises:
        ConlluError, DataError, ConfigError: as for `conll.read`, `read_texts` and `Model.pipe`.
        DataError: the source is text, and there is no tokenizer, or something to keep; or its
            layout has no column to keep, or to write the confidence in.
        MePropError: the weights give scores that are not finite.
    """
    demand_input_format(input_format)
    is_text, doubt = input_format in TEXT_FORMATS, ""
    check_arguments("auto" if is_text else input_format, on_error, max_errors)
    if tokenizer is None and not callable(models):
        tokenizer = tokenizer_of(models)
    tokenize = None if tokenizer is None else tokenizer.conllu
    text = TextInput(input_format, tokenize, token_ranges=token_ranges)
    annotator = _Annotator(models, confidence, keep, write_sentence, source_name(source))
    with ExitStack() as stack:
        workers = stack.enter_context(closing(Workers(threads)))
        if input_format == "auto":
            source, beginning, doubt = stack.enter_context(recognized(source, encoding))
            is_text = beginning != ""
            # comments alone may be CoNLL with no sentence
            if tokenizer is None and beginning.startswith("#"):
                is_text = False
            if is_text and tokenizer is None:
                lack = "columns" if "\t" in beginning.strip(" \t") else "tab"
                raise DataError(
                    f"{source_name(source)}: looks like text, with no {lack} in "
                    f"{visible(beginning)!r}, but {NO_TOKENIZER}"
                )
        if is_text and keep:
            raise DataError(
                f"{source_name(source)}: is text, which has no {', '.join(keep)} to keep; leave "
                "`keep` out"
            )
        pieces: Iterator[Piece]
        if is_text:
            words = workers.in_order(text.in_conllu, text.read(source, encoding), _pauses)
            made = annotator.pieces_and_faults(numbered_chunks(words), workers)
            pieces = (piece for piece in made if isinstance(piece, Piece))  # text has no faults
        elif comes_in_chunks(source, encoding):
            found = annotator.pieces_and_faults(
                read_chunks(source, input_format=input_format), workers
            )
            pieces = good_blocks(found, source_name(source), on_error, max_errors, report)
        else:
            blocks = annotator.short(
                read_blocks(source, input_format=input_format, encoding=encoding)
            )
            pieces = annotator.sentences(
                good_blocks(with_header(blocks), source_name(source), on_error, max_errors, report)
            )
        for piece in pieces:
            if doubt and on_doubt is not None:  # what cannot be read has a message of its own
                on_doubt(doubt)
            doubt = ""
            yield piece


def tokenizer_of(models: Iterable[Model]) -> TextTokenizer | None:
    """Return the tokenizer of the first model that has one; None if none has."""
    return next((model.tokenizer for model in models if model.tokenizer is not None), None)


def write(document: Document, prediction: Prediction) -> bytes:
    """Return the text of a native document with the predicted columns.

    A new tree is written into DEPS too, where a sentence of CoNLL-U had an enhanced graph.
    """
    texts = [
        (COLUMNS.index(name), column.values.encoded, column.ids)
        for name, column in prediction.texts.items()
    ]
    deps = "keep" if prediction.heads is None else "tree" if document.is_conllu else "empty"
    attributes = []
    if document.is_conllu:  # CoNLL-X has no column for them
        attributes = [(name.encode(), values) for name, values in prediction.confidence.items()]
    native = core()
    assert native is not None  # the document is an object of the core
    text: bytes = native.write_document(document, texts, prediction.heads, deps, attributes)
    return text


_pauses = attrgetter("pauses")  # whether the source paused after a part


class _AnnotatedChunk(NamedTuple):
    """A chunk's pieces and faults, in order, and the error that its text ends with."""

    pieces: list[Piece | list[Fault]]
    error: ConlluError | None


class _Annotator:
    """Models with the settings of `annotate`; once they are chosen, safe for several threads."""

    def __init__(
        self,
        models: Sequence[Model] | Callable[[Words], Sequence[Model]],
        confidence: bool,
        keep: Collection[str],
        write_sentence: Callable[[Sentence], str] | None,
        name: str,
    ) -> None:
        self.confidence, self.keep, self._name = confidence, keep, name
        self.write_sentence = write_sentence
        self.models: Sequence[Model] | None = None
        self._watch: Familiarity | None = None
        if callable(models):
            self._choose = models
        else:
            self._take(models)

    def _take(self, models: Sequence[Model]) -> None:
        for model in models:
            model.demand_kept(self.keep)
        for model in models[:1]:  # those after it are given the same words
            self._watch = model.familiarity.of_a_text()
        self.models = models

    def _chosen(self, words: Words) -> Sequence[Model]:
        """Return the models, which the first words of the file may choose."""
        if self.models is None:
            self._take(self._choose(words))
        assert self.models is not None
        return self.models

    def pieces_and_faults(
        self, chunks: Iterable[Chunk], workers: Workers
    ) -> Iterator[Piece | list[Fault]]:
        """Annotate chunks, several at a time."""
        # the models are chosen first, since they say which sentences are too long
        chunks = with_headers(self.chosen_by(chunks), self.most_words)
        for annotated in workers.in_order(self.chunk, chunks, _pauses):
            yield from annotated.pieces
            if annotated.error is not None:
                raise annotated.error

    def chosen_by(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """Pass chunks on; before the first one with words, choose the models by it."""
        for chunk in chunks:
            if self.models is None:
                words = _words_of(chunk)
                if words.bounds[-1]:
                    self._chosen(words)
            yield chunk

    def chunk(self, chunk: Chunk) -> _AnnotatedChunk:
        """Read, annotate and write a chunk."""
        document = chunk.document()
        most_words = self.most_words()
        if document is not None and not _is_longer(document, most_words):
            assert chunk.layout is not None
            return _AnnotatedChunk([self.document(document, chunk.layout)], None)
        pieces: list[Piece | list[Fault]] = []
        good: list[Sentence] = []
        error = None

        def annotate_good() -> None:
            pieces.extend(self.sentences(good))
            good.clear()

        try:
            for block in chunk.blocks(most_words):
                if isinstance(block, Sentence):
                    good.append(block)
                else:
                    annotate_good()
                    pieces.append(block)
        except ConlluError as found:
            error = found
        annotate_good()
        return _AnnotatedChunk(pieces, error)

    def most_words(self) -> int | None:
        """Return how many words a sentence may have; None if no model says."""
        return min((model.most_words for model in self.models or ()), default=None)

    def short(self, blocks: Iterable[Sentence | list[Fault]]) -> Iterator[Sentence | list[Fault]]:
        """Pass blocks on; a sentence with more words than it may have becomes a fault."""
        for block in blocks:
            if isinstance(block, Sentence):
                if self.models is None:
                    self._chosen(SentenceWords([block]))
                most_words = self.most_words()
                if most_words is not None and len(block) > most_words:
                    yield [Fault(block.line, "long-sentence", too_long(len(block), most_words))]
                    continue
            yield block

    def _watched(self, models: Sequence[Model], words: Words) -> Sequence[Model]:
        watch = self._watch
        if watch is not None:
            watch.note(int(words.bounds[-1]), words.column("form") if watch.looks else ())
        return models

    def _demand_columns(self, layout: Layout) -> None:
        """Raise DataError if the layout lacks columns to keep, or one for the confidence."""
        if missing := [column for column in self.keep if not layout.has(column)]:
            raise DataError(
                f"{self._name}: has the columns of {layout.name}, with no {', '.join(missing)} to "
                "keep; leave it out of `keep`"
            )
        if self.confidence and layout.kind != "conllu":
            raise DataError(
                f"{self._name}: has the columns of {layout.name}, with no MISC for `confidence`; "
                "leave it out"
            )

    def document(self, document: Document, layout: Layout = CONLLU) -> Piece:
        """Annotate and write a native document."""
        self._demand_columns(layout)
        words = DocumentWords(document)
        prediction = Prediction()
        for model in self._watched(self._chosen(words), words):
            so_far = PredictedWords(words, prediction)
            prediction |= model.annotate(so_far, confidence=self.confidence, keep=self.keep)
        text = write(document, prediction)
        if self.write_sentence is not None:
            text = _rewritten(text, layout, self.write_sentence)
        return Piece(text, words)

    def sentences(self, sentences: Iterable[Sentence]) -> Iterator[Piece]:
        """Annotate and write sentences, a batch at a time."""
        for batch in in_batches(sentences):
            for layout in {sentence.layout for sentence in batch}:
                self._demand_columns(layout)
            words = SentenceWords(batch)
            models = self._watched(self._chosen(words), words)
            annotated: Iterator[Sentence] = iter(batch)
            for model in models:
                annotated = model.annotated(annotated, confidence=self.confidence, keep=self.keep)
            text = "".join(map(self.write_sentence or Sentence.to_text, annotated))
            yield Piece(text.encode("utf-8", "surrogatepass"), words)


def _is_longer(document: Document, most_words: int | None) -> bool:
    """Return whether a sentence has more words than it may have."""
    if most_words is None:
        return False
    return int(np.diff(DocumentWords(document).bounds).max(initial=0)) > most_words


def _rewritten(text: bytes, layout: Layout, write_sentence: Callable[[Sentence], str]) -> bytes:
    """Return sentences that the native core wrote in another form."""
    lines = text.decode().split("\n")
    written: list[str] = []
    for block in parse_lines(lines, path="<annotated>", layout=layout):
        assert isinstance(block, Sentence), block  # the core writes no faulty ones
        written.append(write_sentence(block))
    return "".join(written).encode("utf-8", "surrogatepass")


def _words_of(chunk: Chunk) -> Words:
    """Return the words of a chunk, without those of faulty sentences."""
    document = chunk.document()
    if document is not None:
        return DocumentWords(document)
    good: list[Sentence] = []
    with suppress(ConlluError):  # it is raised again when the chunk is annotated
        good += (block for block in chunk.blocks() if isinstance(block, Sentence))
    return SentenceWords(good)
