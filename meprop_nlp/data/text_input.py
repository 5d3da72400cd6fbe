"""`TextInput`: running text, or lines of words, as chunks of CoNLL-U."""

import io
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from meprop_nlp.data.conll.chunks import Chunk, read_chunks
from meprop_nlp.data.conll.layout import FORMATS
from meprop_nlp.data.formats.horizontal import horizontal_to_conllu
from meprop_nlp.data.formats.vertical import vertical_to_conllu
from meprop_nlp.data.source import Source
from meprop_nlp.data.text import (
    CHUNK_CHARACTERS,
    EMPTY_LINES,
    LINE_ENDS,
    PARAGRAPH_ENDS,
    TextChunk,
    read_texts,
)
from meprop_nlp.errors import ConfigError

RUNNING = ("text", "presegmented")  # what a tokenizer reads
TEXT_FORMATS = (*RUNNING, "horizontal", "vertical")
INPUT_FORMATS = (*FORMATS, *TEXT_FORMATS)

NO_TOKENIZER = (
    "the model has no tokenizer; use one that was trained with `heads` tokens,tags,lemmas,tree, or "
    "give words, with `input_format=horizontal` for a sentence a line, or `input_format=vertical` "
    "for a word a line"
)

_PARAGRAPH = "# newpar\n"
_MARKS = re.compile(r"(?:# new(?:doc|par)[^\n]*\n)*")  # comments that precede a sentence's number


def demand_input_format(name: str) -> None:
    """Raise ConfigError unless this is one of `INPUT_FORMATS`."""
    if name not in INPUT_FORMATS:
        expected = ", ".join(INPUT_FORMATS)
        raise ConfigError(f"`input_format` is {name!r}, expected one of {expected}")


class WordsOfText(NamedTuple):
    """A piece of a text, and what it is in CoNLL-U."""

    chunk: TextChunk
    conllu: str


class TextInput:
    """How text becomes words.

    Args:
        input_format: `text`; `presegmented`, running text with a sentence a line; `horizontal`, a
            sentence a line with spaces between its words; or `vertical`, a word a line and an empty
            line after each sentence.
        tokenize: makes CoNLL-U of running text, in several threads at a time; None: nothing does.
            It is also given `first` with `token_ranges`, and `presegmented` with that format, see
            `Tokenizer.conllu`.
        token_ranges: whether each token of running text says where it stood.

    Raises:
        ConfigError: there is no tokenizer, and the format needs one.
    """

    def __init__(
        self,
        input_format: str,
        tokenize: Callable[..., str] | None,
        *,
        token_ranges: bool = False,
    ) -> None:
        if input_format in RUNNING and tokenize is None:
            raise ConfigError(f"`input_format` is {input_format}, but {NO_TOKENIZER}")
        self._format, self._tokenize = input_format, tokenize
        self._token_ranges = token_ranges

    def read(
        self, source: Source, encoding: str = "utf-8", size: int = CHUNK_CHARACTERS
    ) -> Iterator[TextChunk]:
        """Yield a source in pieces of whole sentences.

        Args:
            size: of a piece of running text, about, in characters.

        Raises:
            DataError: as for `read_texts`.
        """
        match self._format:
            case "horizontal":
                return read_texts(source, encoding=encoding, ends=LINE_ENDS, longest=None)
            case "vertical":
                return read_texts(source, encoding=encoding, ends=EMPTY_LINES, longest=None)
            case "presegmented":
                lines = read_texts(source, encoding=encoding, ends=LINE_ENDS, size=size)
                return _in_paragraphs(lines)
            case _:
                return read_texts(source, encoding=encoding, size=size)

    def in_conllu(self, chunk: TextChunk) -> WordsOfText:
        """Return what a piece is in CoNLL-U, without numbers; safe in several threads."""
        conllu = self._conllu(chunk)
        if chunk.continues:
            conllu = conllu.removeprefix(_PARAGRAPH)
        return WordsOfText(chunk, conllu)

    def _conllu(self, chunk: TextChunk) -> str:
        if self._format == "horizontal":
            return horizontal_to_conllu(chunk.text, path=chunk.path, first_line=chunk.first_line)
        if self._format == "vertical":
            return vertical_to_conllu(chunk.text, path=chunk.path, first_line=chunk.first_line)
        assert self._tokenize is not None
        options: dict[str, Any] = {}
        if self._token_ranges:
            options["first"] = chunk.first_character
        if self._format == "presegmented":
            options["presegmented"] = True
        return self._tokenize(chunk.text, **options)


def _in_paragraphs(lines: Iterable[TextChunk]) -> Iterator[TextChunk]:
    """Mark the pieces that begin within a paragraph, which an empty line would end."""
    continues = False
    for chunk in lines:
        yield chunk._replace(continues=continues)
        space_after = chunk.text[len(chunk.text.rstrip()) :]
        continues = PARAGRAPH_ENDS.search(space_after) is None


def numbered_chunks(pieces: Iterable[WordsOfText]) -> Iterator[Chunk]:
    """Yield the pieces of one text as chunks of the usual size, with numbered sentences.

    The first sentence begins a document.
    """
    for chunk, conllu in numbered_pieces(pieces):
        for part in read_chunks(io.BytesIO(conllu.encode()), input_format="conllu"):
            yield part._replace(path=chunk.path, pauses=chunk.pauses)


def numbered_pieces(pieces: Iterable[WordsOfText]) -> Iterator[WordsOfText]:
    """Yield the pieces of one text with numbered sentences; the first begins a document."""
    n_before = 0
    for chunk, conllu in pieces:
        numbered = numbered_sentences(conllu, n_before + 1)
        if n_before == 0 and numbered and not numbered.startswith("# newdoc"):
            numbered = f"# newdoc\n{numbered}"
        n_before += conllu.count("\n\n")
        yield WordsOfText(chunk, numbered)


def numbered_sentences(conllu: str, first: int = 1) -> str:
    """Return CoNLL-U in which each sentence has its number as `# sent_id`.

    As UDPipe writes it, the number follows `# newdoc` and `# newpar`.
    """
    numbered: list[str] = []
    for number, sentence in enumerate(conllu.split("\n\n")[:-1], start=first):
        marks = _MARKS.match(sentence)
        assert marks is not None  # it matches nothing, too
        numbered.append(f"{marks[0]}# sent_id = {number}\n{sentence[marks.end() :]}\n\n")
    return "".join(numbered)
