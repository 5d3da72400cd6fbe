"""`Task`: what a request wants done with a text, in slices."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from meprop_nlp.data.conll.layout import named_columns
from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.text_input import TextInput, WordsOfText, numbered_pieces
from meprop_nlp.data.word import COLUMNS, lacking
from meprop_nlp.errors import ConlluError, DataError, Problem
from meprop_nlp.models.annotate import annotate
from meprop_nlp.models.inputs import missing_columns
from meprop_nlp.models.model import Model
from meprop_nlp.models.tokenizer import Tokenizer
from meprop_nlp.serve.errors import RequestError
from meprop_nlp.serve.limits import MOST_WORDS

SLICE = 40_000  # characters of CoNLL-U that are annotated in one slice: about 1,500 words
TEXT_SLICE = 8_192  # characters of running text that become words in one slice

_SPACES = re.compile(r"\|?Spaces(?:After|Before|InToken)=[^|\n]*")
_COMMENTS = re.compile(r"(?:#[^\n]*\n|\n)*")  # above a word
_LINE_END = re.compile(r"\r\n?")
_BLANK = re.compile(r"^[ \t]+$", re.MULTILINE)
_SPACES_OF_HEADERS = re.compile(r"^# global\.columns =( *)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokenizing:
    """How running text becomes words; the attributes are options of UDPipe's tokenizer.

    Attributes:
        ranges: write where each token stood into MISC, as `TokenRange=`.
        presegmented: each line is a sentence.
        normalized_spaces: of white space, write only `SpaceAfter=No` into MISC.
    """

    ranges: bool = False
    presegmented: bool = False
    normalized_spaces: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be done with a text.

    Attributes:
        models: those that annotate it; none: it is only read and written.
        input_format: `text`, `horizontal`, `vertical` or `conllu`.
        tokenizer: makes words of running text.
        tokenizing: how it does that.
        write: returns the text of a sentence; None: as CoNLL-U.
    """

    models: tuple[Model, ...]
    input_format: str
    tokenizer: Tokenizer | None = None
    tokenizing: Tokenizing = Tokenizing()
    write: Callable[[Sentence], str] | None = None

    def pieces(self, data: str | Iterable[str]) -> Iterator[str]:
        """Yield the result in pieces, each after a slice of work; some may be empty.

        Args:
            data: a text of the input format; or slices of whole sentences, of CoNLL-U that names
                no columns.

        Raises:
            DataError: the data cannot be read, or lacks what the model needs.
            RequestError: a sentence is too long.
        """
        if self.input_format == "conllu":
            for conllu, first_line, header in self._given(data):
                if header:
                    yield self._without(header)._annotated(header + conllu, first_line - 1)
                else:
                    yield self._annotated(conllu, first_line)
            return
        assert isinstance(data, str)
        for conllu in self._slices(data):
            yield self._annotated(conllu, 1) if conllu else ""

    def _without(self, header: str) -> Task:
        """Return a task that does not write a line above the sentences, but reads it."""
        comment, write = header.rstrip("\n"), self.write

        def write_without(sentence: Sentence) -> str:
            sentence.comments = [each for each in sentence.comments if each != comment]
            return write(sentence) if write is not None else sentence.to_text()

        return replace(self, write=write_without)

    def _annotated(self, conllu: str, first_line: int) -> str:
        self._demand_columns(conllu, first_line)
        # as bytes it is read by the native core; what begins otherwise is faulty, and might look
        # like a compressed file
        is_plain = conllu.lstrip("\n")[:1] in tuple("#0123456789")
        source = io.BytesIO(conllu.encode()) if is_plain else io.StringIO(conllu, newline="")
        pieces = annotate(source, self.models, input_format="conllu", write_sentence=self.write)
        try:
            return b"".join(piece.text for piece in pieces).decode()
        except ConlluError as error:
            problems = [
                Problem("data", first_line - 1 + max(p.line, 1), p.message, p.sent_id)
                for p in error.problems
            ]
            raise ConlluError(problems, capped=error.capped) from None

    def _demand_columns(self, conllu: str, first_line: int) -> None:
        """Raise DataError at a sentence without the tags that a parser of its own kind needs.

        What cannot be read is left to who annotates it.
        """
        needs = [column for model in self.models for column in model.needs]
        if not needs:
            return
        with suppress(ConlluError):
            for sentence in read_text(conllu, input_format="conllu"):
                if missing := missing_columns(sentence, needs):
                    raise DataError(
                        f"data:{first_line - 1 + sentence.line}: a sentence has no "
                        f"{lacking(missing)}, which this parser reads; send CoNLL-U with tags"
                    )

    def _given(self, data: str | Iterable[str]) -> Iterator[tuple[str, int, str]]:
        """Yield CoNLL-U in slices of whole sentences.

        Each has the number of its first line, and a header to be read above it: the columns of
        CoNLL-U Plus are named once, for all of it.

        Raises:
            DataError: a sentence names other columns than the first.
        """
        if not isinstance(data, str):
            for part, line in _counted(data):
                yield part, line, ""
            return
        data = data.lstrip("\ufeff")
        if "\r" in data:
            data = _LINE_END.sub("\n", data)
        data = _BLANK.sub("", data)  # such a line ends a sentence, as an empty one does
        usual = tuple(name.upper() for name in COLUMNS)
        columns: tuple[str, ...] | None = None
        header = ""
        for part, line in _cut(data, SLICE):
            named, is_first = _named(part), columns is None
            if columns is None:
                columns = named or usual
                if columns != usual:
                    header = _foreign_header(columns, data)
            elif named not in (None, columns):
                raise DataError(
                    f"data:{line}: `# global.columns` names other columns than the data began "
                    "with; send each kind of columns by itself"
                )
            _demand_short(part, MOST_WORDS, columns.index("ID") if "ID" in columns else 0)
            yield part, line, "" if is_first or named else header

    def _slices(self, data: str) -> Iterator[str]:
        """Yield the words of a text as CoNLL-U in slices of whole sentences; some are empty."""
        most_words = None if self.input_format == "text" else MOST_WORDS
        for _, conllu in numbered_pieces(self._words(data)):
            yield ""  # tokenizing was a slice
            for part, _ in _cut(conllu, SLICE):
                if most_words is not None:
                    _demand_short(part, most_words)
                yield part

    def _words(self, data: str) -> Iterator[WordsOfText]:
        """Yield the words of a text as CoNLL-U, without numbers of sentences."""
        source = io.StringIO(data, newline="")
        if self.input_format != "text":
            given = TextInput(self.input_format, None)
            for chunk in given.read(source):
                yield given.in_conllu(chunk)
            return
        how = self.tokenizing
        if self.tokenizer is None:
            raise DataError("the model has no tokenizer, so that it cannot read running text")
        kind = "presegmented" if how.presegmented else "text"
        given = TextInput(kind, self.tokenizer.conllu, token_ranges=how.ranges)
        for chunk in given.read(source, size=TEXT_SLICE):
            conllu = given.in_conllu(chunk).conllu
            yield WordsOfText(chunk, _normalized(conllu) if how.normalized_spaces else conllu)


def _cut(conllu: str, size: int) -> Iterator[tuple[str, int]]:
    """Cut CoNLL-U after sentences into slices of about a size, with the numbers of their lines."""
    start, line = 0, 1
    while start < len(conllu):
        end = _end(conllu, start + size)
        part = conllu[start:end]
        yield part, line
        line += part.count("\n")
        start = end


def _counted(parts: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Yield slices as `_cut` does.

    Raises:
        RequestError: a sentence has more than `MOST_WORDS`.
    """
    line = 1
    for part in parts:
        _demand_short(part, MOST_WORDS)
        yield part, line
        line += part.count("\n")


def _named(conllu: str) -> tuple[str, ...] | None:
    """Return the columns that are named above the first word."""
    above = _COMMENTS.match(conllu)
    assert above is not None  # it matches nothing, too
    return named_columns(above[0].split("\n"))


def _foreign_header(columns: tuple[str, ...], data: str) -> str:
    """Return a header, spelled as no line of the data is, so that it can be told from those."""
    spaces = max(map(len, _SPACES_OF_HEADERS.findall(data)), default=0) + 1
    return f"# global.columns ={' ' * spaces}{' '.join(columns)}\n"


def _end(conllu: str, least: int) -> int:
    """Return where to cut: after the first sentence that ends after a place."""
    while (end := conllu.find("\n\n", least)) >= 0:
        last_line = conllu[conllu.rfind("\n", 0, end) + 1 : end]
        if not last_line.startswith("#"):  # comments alone belong to the next sentence
            return end + 2
        least = end + 1
    return len(conllu)


def _demand_short(conllu: str, most_words: int, place: int = 0) -> None:
    """Raise RequestError if a sentence has more than `most_words` words.

    Args:
        place: the index of the column ID.
    """
    for block in conllu.split("\n\n"):
        if block.count("\n") < most_words:
            continue
        ids = (line.split("\t", place + 1)[place:][:1] for line in block.split("\n"))
        n_words = sum(each.isdecimal() for found in ids for each in found)
        if n_words > most_words:
            raise RequestError(
                400,
                f"Sentence longer than {most_words} words was found on input, aborting.\n"
                f"Please make sure the input sentences have at most {most_words} words.",
            )


def _normalized(conllu: str) -> str:
    """Return CoNLL-U of a tokenizer whose MISC says of white space only `SpaceAfter=No`."""
    lines = conllu.split("\n")
    for number, line in enumerate(lines):
        if "\tSpaces" in line or "|Spaces" in line:
            columns, _, misc = line.rpartition("\t")
            if columns:  # no comment
                misc = _SPACES.sub("", misc).removeprefix("|") or "_"
                lines[number] = f"{columns}\t{misc}"
    return "\n".join(lines)
