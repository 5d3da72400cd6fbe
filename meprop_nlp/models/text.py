"""`TextInput`: running text, or lines of words, as chunks of CoNLL-U for models to annotate."""

import io
from collections.abc import Iterable, Iterator
from typing import Protocol

from meprop_nlp.data.conll.chunks import Chunk, read_chunks
from meprop_nlp.data.conll.layout import FORMATS
from meprop_nlp.data.formats.horizontal import horizontal_to_conllu
from meprop_nlp.data.formats.vertical import vertical_to_conllu
from meprop_nlp.data.source import Source
from meprop_nlp.data.text import LINE_ENDS, TextChunk, read_texts
from meprop_nlp.errors import ConfigError
from meprop_nlp.models.model import Model

TEXT_FORMATS = ("text", "horizontal", "vertical")
INPUT_FORMATS = (*FORMATS, *TEXT_FORMATS)

NO_TOKENIZER = (
    "the model has no tokenizer; use one that was trained with `heads` tokens,tags,lemmas,tree, or "
    "give words, with `input_format=horizontal` for a sentence a line, or `input_format=vertical` "
    "for a word a line"
)


class Tokenizes(Protocol):
    """What turns running text into words, such as the tokenizer of a model."""

    def conllu(self, text: str) -> str:
        """Return the sentences of some paragraphs as CoNLL-U; several threads may call this."""


def demand_input_format(name: str) -> None:
    """Raise ConfigError unless this is one of `INPUT_FORMATS`."""
    if name not in INPUT_FORMATS:
        expected = ", ".join(INPUT_FORMATS)
        raise ConfigError(f"`input_format` is {name!r}, expected one of {expected}")


def tokenizer_of(models: Iterable[Model]) -> Tokenizes | None:
    """Return the tokenizer of the first model that has one; None if none has."""
    found = (getattr(model, "tokenizer", None) for model in models)
    return next((tokenizer for tokenizer in found if tokenizer is not None), None)


class TextInput:
    """How text becomes words.

    Args:
        input_format: `text`; `horizontal`, a sentence a line with spaces between its words; or
            `vertical`, a word a line and an empty line after each sentence.
        tokenizer: makes words of running text.

    Raises:
        ConfigError: there is no tokenizer, and the format needs one.
    """

    def __init__(self, input_format: str, tokenizer: Tokenizes | None) -> None:
        if input_format == "text" and tokenizer is None:
            raise ConfigError(f"`input_format` is text, but {NO_TOKENIZER}")
        self._format, self._tokenizer = input_format, tokenizer

    def read(self, source: Source, encoding: str = "utf-8") -> Iterator[TextChunk]:
        """Yield a source in pieces of whole sentences; errors are those of `read_texts`."""
        match self._format:
            case "horizontal":
                return read_texts(source, encoding=encoding, ends=LINE_ENDS, longest=None)
            case "vertical":
                return read_texts(source, encoding=encoding, longest=None)
            case _:
                return read_texts(source, encoding=encoding)

    def in_conll(self, chunk: TextChunk) -> Iterator[Chunk]:
        """Yield what a piece is in CoNLL-U, in chunks of the usual size; safe in several threads.

        The first sentence of a file begins a document.
        """
        conllu = self._conllu(chunk)
        if chunk.is_first and conllu and not conllu.startswith("# newdoc"):
            conllu = f"# newdoc\n{conllu}"
        for part in read_chunks(io.BytesIO(conllu.encode()), input_format="conllu"):
            yield part._replace(path=chunk.path, pauses=chunk.pauses)

    def _conllu(self, chunk: TextChunk) -> str:
        if self._format == "horizontal":
            return horizontal_to_conllu(chunk.text)
        if self._format == "vertical":
            return vertical_to_conllu(chunk.text, path=chunk.path, first_line=chunk.first_line)
        assert self._tokenizer is not None
        return self._tokenizer.conllu(chunk.text)
