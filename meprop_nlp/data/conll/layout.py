"""Telling the format of a CoNLL file by its first sentence."""

from __future__ import annotations

import re

from meprop_nlp.data.word import CONLLU, Layout

__all__ = ["FORMATS", "LayoutError", "detect_layout", "is_bracketed", "visible"]

FORMATS = ("auto", "conllu", "conllx", "tab")

_CONLLX_NAME = re.compile(r"\.(conllx|conll|conll0[67]|malttab)(\.(gz|xz|bz2))?$", re.IGNORECASE)
_CONLLU_NAME = re.compile(r"\.conllu(\.(gz|xz|bz2))?$", re.IGNORECASE)
_HEAD = re.compile(r"_|[0-9]+")


class LayoutError(ValueError):
    """The first word line fits no format; `line` is its 0-based place in the block."""

    def __init__(self, line: int, message: str) -> None:
        self.line = line
        super().__init__(message)


def visible(line: str) -> str:
    """The line as it can be shown in a message: tabs as arrows, cut after 60 characters."""
    shown = line if len(line) <= 60 else line[:60] + "…"
    return "".join(
        "→" if c == "\t" else c if c.isprintable() else f"\\x{ord(c):02x}" for c in shown
    )


def detect_layout(lines: list[str], *, input_format: str, name: str) -> Layout:
    """The layout of a file whose first block is `lines`.

    By the number of columns of the first word line; CoNLL-U and CoNLL-X with ten columns are told
    apart by what the block holds (comments, multiword tokens, enhanced arcs, attributes in MISC,
    `root`; or integers in the PHEAD column), by the name `.conllu`, a foreign root label, and last
    by other names.

    Raises:
        LayoutError: if the line fits no format, or not the one asked for.
    """
    # in CoNLL a line that begins with # is a comment; a tab file has words such as #1
    place = next((i for i, line in enumerate(lines) if not line.startswith("#")), 0)
    fields = lines[place].split("\t")
    if input_format == "tab":
        if len(fields) <= 4:
            return Layout("tab", len(fields))
        raise LayoutError(place, _refusal(lines[place], "1 to 4 columns FORM TAG HEAD DEPREL"))
    if input_format == "conllu":
        if len(fields) == 10:
            return CONLLU
        raise LayoutError(place, _refusal(lines[place], "the 10 columns of CoNLL-U"))
    if input_format == "conllx" or len(fields) == 8:
        if len(fields) in (8, 10):
            return Layout("conllx", len(fields))
        raise LayoutError(place, _refusal(lines[place], "the 8 or 10 columns of CoNLL-X"))
    if len(fields) == 10:
        return _conllu_or_conllx(lines, name)
    if len(fields) == 2 or (len(fields) in (3, 4) and _HEAD.fullmatch(fields[2])):
        return Layout("tab", len(fields))
    wanted = "10 columns (CoNLL-U, CoNLL-X), 8 (CoNLL-X), or FORM TAG [HEAD [DEPREL]]"
    raise LayoutError(place, _refusal(lines[place], wanted))


def _conllu_or_conllx(lines: list[str], name: str) -> Layout:
    for line in lines:
        fields = line.split("\t")
        if line.startswith("#") or (len(fields) == 10 and ("-" in fields[0] or "." in fields[0])):
            return CONLLU
    conllx = Layout("conllx", 10)
    for line in lines:
        fields = line.split("\t")
        if len(fields) != 10:
            continue
        if ":" in fields[8]:
            return CONLLU
        if fields[8].isdecimal():
            return conllx
        # MISC; PDEPREL has no such thing
        if "=" in fields[9] or _CONLLU_NAME.search(name):
            return CONLLU
        if fields[6] == "0" and fields[7] != "_":
            return CONLLU if fields[7].partition(":")[0] == "root" else conllx
    return conllx if _CONLLX_NAME.search(name) else CONLLU


def is_bracketed(line: str) -> bool:
    """Whether the first line of a file shows bracketed trees; no CoNLL format has such a line."""
    return line.lstrip(" \t").startswith("(") and "\t" not in line.strip(" \t")


def _refusal(line: str, wanted: str) -> str:
    """What was found instead of the wanted columns, and what to do."""
    n = line.count("\t") + 1
    found = f"found {n} column{'s' if n != 1 else ''} in {visible(line)!r}, expected {wanted}"
    if is_bracketed(line):
        return f"{found}; bracketed trees become CoNLL-X with: meprop-nlp convert"
    spaced = len(line.split(" "))
    if n == 1 and spaced > 1:
        return f"{found}; spaces between columns, CoNLL uses one tab"
    if n == 1:
        return f'{found}; for one word a line, give the input format "tab"'
    if n in (3, 4):
        return f"{found}; in column 3 an integer, the HEAD"
    if n > 10:
        return f"{found}; keep the first ten columns: cut -f 1-10"
    return f"{found}; see whether tabs are missing"
