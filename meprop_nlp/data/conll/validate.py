"""The full check of a CoNLL file: all errors, and warnings about likely mistakes.

What the official validator of Universal Dependencies checks at level 1, the format, is reported as
errors, and much of its level 2 as warnings; `NOT_LOOKED_AT` says what is left to that program.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from meprop_nlp.data.conll.block import Fault
from meprop_nlp.data.conll.format_faults import format_faults
from meprop_nlp.data.conll.reading import read_blocks
from meprop_nlp.data.conll.value_faults import value_faults
from meprop_nlp.data.lines import visible
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.source import Source, source_name
from meprop_nlp.data.trees import roots
from meprop_nlp.data.word import COLUMNS, ROOT
from meprop_nlp.errors import ConlluError, Problem

NOT_LOOKED_AT = (
    "not looked at: which relations, features and auxiliaries a language has, whether graphs in "
    "DEPS are connected, MISC, missing sent_ids, and what the guidelines say; see the official "
    "validator, udtools"
)

NOTES = {  # faults of the file as a whole, by the codes that `read_blocks` notes
    "byte-order-mark": "the file begins with a byte order mark, which CoNLL-U does not have",
    "non-unix-newline": "lines end in CR or CRLF, expected LF",
    "comments-at-end": "comments after the last sentence, which are lost when it is written again",
    "missing-empty-line": "no empty line after the last sentence",
    "pseudo-empty-line": "the empty line between sentences holds spaces or tabs",
    "empty-sentence": "an empty line too many, expected one below each sentence and no other",
}

_SPACES = frozenset(" \u00a0")


class Finding(NamedTuple):
    """An error or a warning from `validate`, or from the official validator.

    Attributes:
        code: the id of the test of the Universal Dependencies validator, if it has one.
        severity: `error` if `read` refuses the sentence, or it is no valid CoNLL-U, by level 1 of
            the validator of Universal Dependencies; else `warning`.
        problem: the place and the message.
    """

    code: str
    severity: str
    problem: Problem

    def __str__(self) -> str:
        return f"{self.problem} [{self.code}]"


def validate(
    source: Source,
    *,
    input_format: str = "auto",
    trees: bool = True,
    encoding: str = "utf-8",
) -> Iterator[Finding]:
    """Yield all errors and warnings of a file, in the order of its sentences.

    The last finding is an error `unreadable` if the file fits no format, or is not text.

    The arguments are as for `read`, but `trees` is on by default.

    Raises:
        DataError: if the file cannot be opened or read at all.
    """
    path = source_name(source)
    notes: dict[str, int] = {}
    sent_ids: dict[str, int] = {}
    blocks = read_blocks(
        source, input_format=input_format, trees=trees, encoding=encoding, notes=notes
    )
    is_conllu: bool | None = None  # None: there is no sentence
    try:
        for block in blocks:
            if isinstance(block, Sentence):
                is_conllu = block.layout.kind == "conllu"
                if is_conllu:
                    for fault in format_faults(block):
                        fault = fault._replace(sent_id=block.sent_id)
                        yield Finding(fault.code, "error", fault.problem(path))
                for warning in _warnings(block, sent_ids):
                    yield Finding(warning.code, "warning", warning.problem(path))
            else:
                is_conllu = True if is_conllu is None else is_conllu
                for fault in block:
                    yield Finding(fault.code, "error", fault.problem(path))
    except ConlluError as error:  # the rest of the file cannot be checked
        is_conllu = True if is_conllu is None else is_conllu
        for problem in error.problems:
            yield Finding("unreadable", "error", problem)
    severity = "error" if is_conllu else "warning"
    for code, line in notes.items():
        yield Finding(code, severity, Problem(path, line, NOTES[code]))


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings by line; those of one line keep their order, those of no line are last."""
    return sorted(findings, key=_line)


def _line(finding: Finding) -> tuple[bool, int]:
    line = finding.problem.line
    return line is None, line or 0


def _warnings(sentence: Sentence, sent_ids: dict[str, int]) -> Iterator[Fault]:
    for fault in (
        *_sent_id(sentence, sent_ids),
        *_text(sentence),
        *_tree(sentence),
        *(value_faults if sentence.layout.kind == "conllu" else _words)(sentence),
        *_intervals(sentence),
    ):
        yield fault._replace(sent_id=sentence.sent_id)


def _sent_id(sentence: Sentence, sent_ids: dict[str, int]) -> Iterator[Fault]:
    sent_id = sentence.sent_id
    if sent_id is None:
        return
    first = sent_ids.setdefault(sent_id, sentence.line)
    if first != sentence.line:
        message = f"the sent_id is used for the sentence at line {first} already"
        yield Fault(sentence.line, "non-unique-sent-id", message)


def _text(sentence: Sentence) -> Iterator[Fault]:
    text, joined = sentence.text, sentence.joined_text()
    if text != joined:
        differing = (i for i, (a, b) in enumerate(zip(text, joined, strict=False)) if a != b)
        place = next(differing, min(len(text), len(joined)))
        start = max(0, place - 10)
        found, expected = text[start : place + 10], joined[start : place + 10]
        message = f"the text comment has {found!r} where the words make {expected!r}"
        yield Fault(sentence.line, "text-form-mismatch", message)


def _tree(sentence: Sentence) -> Iterator[Fault]:
    if sentence.layout.kind != "conllu":
        return
    found = roots(sentence.column("head"))
    if len(found) > 1:
        message = f"{len(found)} words have HEAD 0, expected one"
        yield Fault(sentence.word_line(found[1]), "multiple-roots", message)
    for word in sentence.words:
        is_root = word.deprel.partition(":")[0] == "root"
        if word.head == ROOT and not is_root and word.deprel != "_":
            message = f"HEAD is 0 and DEPREL {visible(word.deprel)!r}, expected root"
            yield Fault(sentence.word_line(word.id), "0-is-not-root", message)
        elif word.head > ROOT and is_root:
            message = f"DEPREL is root and HEAD {word.head}, expected 0"
            yield Fault(sentence.word_line(word.id), "root-is-not-0", message)


def _words(sentence: Sentence) -> Iterator[Fault]:
    """Yield what is odd in the words of a layout that is not CoNLL-U."""
    names = COLUMNS[1:] if sentence.layout.kind != "tab" else ("form", "xpos", "deprel")
    for word in sentence.words:
        line = sentence.word_line(word.id)
        if not unicodedata.is_normalized("NFC", word.form):
            message = f"the form {visible(word.form)!r} is not in Unicode normal form C"
            yield Fault(line, "unicode-normalization", message)
        for name in names:
            value = getattr(word, name)
            if value == "":
                yield Fault(line, "empty-column", f"{name.upper()} is empty, expected _ for none")
            elif isinstance(value, str) and (value[0] in _SPACES or value[-1] in _SPACES):
                message = f"{name.upper()} is {value!r}, with a space at its edge"
                yield Fault(line, "trailing-whitespace", message)


def _intervals(sentence: Sentence) -> Iterator[Fault]:
    for token in sentence.multiword_tokens:
        if token.first == token.last:
            message = f"the multiword token {token.first}-{token.last} covers only one word"
            yield Fault(sentence.token_line(token), "invalid-word-interval", message)
