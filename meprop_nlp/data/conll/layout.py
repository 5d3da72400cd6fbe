"""`Layout`: the format of a CoNLL file, and its detection from the first sentence."""

import re
from typing import NamedTuple

from meprop_nlp.data.lines import visible
from meprop_nlp.errors import ConlluError, Problem

FORMATS = ("auto", "conllu", "conllx", "tab")

_CONLLX_NAME = re.compile(r"\.(conllx|conll|conll0[67]|malttab)(\.(gz|xz|bz2))?$", re.IGNORECASE)
_CONLLU_NAME = re.compile(r"\.conllu(\.(gz|xz|bz2))?$", re.IGNORECASE)
_HEAD = re.compile(r"_|[0-9]+")


class Layout(NamedTuple):
    """The format of a file: `kind` is conllu, conllx or tab; `width` is the number of columns.

    `tab` is FORM, FORM TAG, FORM TAG HEAD or FORM TAG HEAD DEPREL; the tag is read as `xpos`.
    """

    kind: str
    width: int


CONLLU = Layout("conllu", 10)


def detect_layout(
    block: list[str], first_line: int, *, input_format: str, path: str
) -> Layout | None:
    """Detect the layout of a file from its first block; None if that holds only comments.

    The number of columns of the first word line decides. CoNLL-U and CoNLL-X with ten columns are
    distinguished by the content of the block (CoNLL-U has comments, multiword tokens, enhanced
    arcs, attributes in MISC; CoNLL-X has integers in PHEAD), then by the file name `.conllu`, then
    by the label of the root, and last by other file names.

    Args:
        block: the lines of the block.
        first_line: the 1-based number of the first of them in the file.
        input_format: one of `FORMATS`.
        path: the name of the file in messages.

    Raises:
        ConlluError: if the first word line fits no format, or does not fit `input_format`.
    """
    # a line that begins with # is a comment in CoNLL, but may be a word in a tab file
    place = next((i for i, line in enumerate(block) if not line.startswith("#")), None)
    if place is None:
        if input_format != "tab":
            return None
        place = 0
    width = block[place].count("\t") + 1
    if input_format == "tab":
        if width <= 4:
            return Layout("tab", width)
        wanted = "1 to 4 columns FORM TAG HEAD DEPREL"
    elif input_format == "conllu":
        if width == 10:
            return CONLLU
        wanted = "the 10 columns of CoNLL-U"
    elif input_format == "conllx" or width == 8:
        if width in (8, 10):
            return Layout("conllx", width)
        wanted = "the 8 or 10 columns of CoNLL-X"
    else:
        if width == 10:
            return _conllu_or_conllx(block, path)
        if width == 2 or (width in (3, 4) and _HEAD.fullmatch(block[place].split("\t")[2])):
            return Layout("tab", width)
        wanted = "10 columns (CoNLL-U, CoNLL-X), 8 (CoNLL-X), or FORM TAG [HEAD [DEPREL]]"
    message = _refusal(block[place], wanted)
    raise ConlluError([Problem(path, first_line + place, message)])


def _conllu_or_conllx(block: list[str], path: str) -> Layout:
    for line in block:
        fields = line.split("\t")
        if line.startswith("#") or (len(fields) == 10 and ("-" in fields[0] or "." in fields[0])):
            return CONLLU
    conllx = Layout("conllx", 10)
    for line in block:
        fields = line.split("\t")
        if len(fields) != 10:
            continue
        if ":" in fields[8]:
            return CONLLU
        if fields[8].isdecimal():
            return conllx
        # attributes in MISC: a PDEPREL has no =
        if "=" in fields[9] or _CONLLU_NAME.search(path):
            return CONLLU
        if fields[6] == "0" and fields[7] != "_":
            return CONLLU if fields[7].partition(":")[0] == "root" else conllx
    return conllx if _CONLLX_NAME.search(path) else CONLLU


def has_conll_name(path: str) -> bool:
    """Return whether a file is named as CoNLL, such as `dev.conllu.gz`."""
    return bool(_CONLLU_NAME.search(path) or _CONLLX_NAME.search(path))


def is_bracketed(line: str) -> bool:
    """Return whether this first line of a file begins bracketed trees; no CoNLL line does."""
    return line.lstrip(" \t").startswith("(") and "\t" not in line.strip(" \t")


def _refusal(line: str, wanted: str) -> str:
    """Return what was found instead of the wanted columns, and what to do."""
    n = line.count("\t") + 1
    found = f"found {n} column{'s' if n != 1 else ''} in {visible(line)!r}, expected {wanted}"
    if is_bracketed(line):
        return f"{found}; bracketed trees become CoNLL-X with: meprop-nlp convert"
    spaced = len(line.split(" "))
    if n == 1 and spaced > 1:
        return f"{found}; spaces between columns, CoNLL uses one tab"
    if n == 1:
        return f'{found}; for one word a line, give the input format "tab"'
    if n < 8 and " " in line:  # columns with fewer have no spaces in them
        return f'{found}; for text with tabs in it, give the input format "text"'
    if n in (3, 4):
        return f"{found}; in column 3 an integer, the HEAD"
    if n > 10:
        return f"{found}; keep the first ten columns: cut -f 1-10"
    return f"{found}; see whether tabs are missing"
