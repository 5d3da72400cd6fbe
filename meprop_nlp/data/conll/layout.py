"""`Layout`: the format of a CoNLL file, and its detection from the first sentence."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from meprop_nlp.data.lines import visible
from meprop_nlp.data.word import COLUMNS
from meprop_nlp.errors import ConlluError, Problem

FORMATS = ("auto", "conllu", "conllx", "tab")

TAB_COLUMNS = ("form", "xpos", "head", "deprel")  # of a tab layout, of which the tag is XPOS
_TAB_NAMES = ("FORM", "TAG", "HEAD", "DEPREL")
_CONLLX_NAME = re.compile(r"\.(conllx|conll|conll0[67]|malttab)(\.(gz|xz|bz2))?$", re.IGNORECASE)
_CONLLU_NAME = re.compile(r"\.(conllu|conllup)(\.(gz|xz|bz2))?$", re.IGNORECASE)
_HEAD = re.compile(r"_|[0-9]+")
_HEADER = re.compile(r"#\s*global\.columns\s*=\s*(.*)")


class Layout(NamedTuple):
    """The format of a file: `kind` is conllu, conllx or tab; `width` is the number of columns.

    `tab` is FORM, FORM TAG, FORM TAG HEAD or FORM TAG HEAD DEPREL; the tag is read as `xpos`.

    CoNLL-U Plus is conllu with the names of its `columns`, as the first line of the file has them:
    those of CoNLL-U in any order, and others, whose values are kept. They are empty in CoNLL-U.
    """

    kind: str
    width: int
    columns: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return what the format is called."""
        if self.kind == "tab":
            return " ".join(_TAB_NAMES[: self.width])
        if self.kind == "conllx":
            return "CoNLL-X"
        return "CoNLL-U Plus" if self.columns else "CoNLL-U"

    @property
    def header(self) -> str:
        """Return the comment that names the columns of CoNLL-U Plus."""
        return "# global.columns = " + " ".join(self.columns)

    def has(self, column: str) -> bool:
        """Return whether words of this layout can have values of their own in a column."""
        if self.kind == "tab":
            return column in TAB_COLUMNS[: self.width]
        if self.kind == "conllx":
            return column not in ("deps", "misc")
        return self.place(column) is not None

    def place(self, column: str) -> int | None:
        """Return the place of a column of CoNLL-U in a line of this layout; None if it has none."""
        if not self.columns:
            return COLUMNS.index(column)
        name = column.upper()
        return self.columns.index(name) if name in self.columns else None


CONLLU = Layout("conllu", 10)


def detect_layout(
    block: list[str], first_line: int, *, input_format: str, path: str, above: Iterable[str] = ()
) -> Layout | None:
    """Detect the layout of a file from its first block; None if that holds only comments.

    A comment `# global.columns = ID FORM ...` names the columns of CoNLL-U Plus. Without one, the
    number of columns of the first word line decides. CoNLL-U and CoNLL-X with ten columns are
    distinguished by the content of the block (CoNLL-U has comments, multiword tokens, enhanced
    arcs, attributes in MISC; CoNLL-X has integers in PHEAD), then by the file name `.conllu`, then
    by the label of the root, and last by other file names.

    Args:
        block: the lines of the block.
        first_line: the 1-based number of the first of them in the file.
        input_format: one of `FORMATS`.
        path: the name of the file in messages.
        above: the comments in blocks before this one.

    Raises:
        ConlluError: if the first word line fits no format, or does not fit `input_format`, or the
            names of its columns are faulty.
    """
    # a line that begins with # is a comment in CoNLL, but may be a word in a tab file
    place = next((i for i, line in enumerate(block) if not line.startswith("#")), None)
    if place is None:
        if input_format != "tab":
            return None
        place = 0
    if input_format != "tab":
        named = named_columns([*above, *block[:place]])
        if named is not None:
            problem = columns_problem(named)
            if input_format == "conllx":
                problem = "`# global.columns` is CoNLL-U Plus, expected CoNLL-X; leave it out"
            if problem:
                raise ConlluError([Problem(path, first_line, problem)])
            is_plain = named == tuple(name.upper() for name in COLUMNS)
            return CONLLU if is_plain else Layout("conllu", len(named), named)
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
    message = _refusal(block[place], wanted, input_format)
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


def named_columns(comments: Iterable[str]) -> tuple[str, ...] | None:
    """Return the columns that a comment `# global.columns = ...` names; None if none does."""
    for comment in comments:
        match = _HEADER.fullmatch(comment)
        if match is not None:
            return tuple(match[1].split())
    return None


def columns_problem(columns: tuple[str, ...]) -> str:
    """Return what is wrong with the named columns of a file; an empty text if nothing is."""
    named = f"`# global.columns` names {visible(' '.join(columns))!r}"
    lacking = [name for name in ("ID", "FORM") if name not in columns]
    if lacking:
        return f"{named}, expected {' and '.join(lacking)} among them"
    counts = Counter(columns)
    twice = next((name for name in columns if counts[name] > 1), None)
    return f"{named}, {twice} twice; give each column a name of its own" if twice else ""


def has_conll_name(path: str) -> bool:
    """Return whether a file is named as CoNLL, such as `dev.conllu.gz`."""
    return bool(_CONLLU_NAME.search(path) or _CONLLX_NAME.search(path))


def is_bracketed(line: str) -> bool:
    """Return whether this first line of a file begins bracketed trees; no CoNLL line does."""
    return line.lstrip(" \t").startswith("(") and "\t" not in line.strip(" \t")


def _refusal(line: str, wanted: str, input_format: str) -> str:
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
    fields = line.split("\t")
    if input_format != "auto" and (n == 2 or (n in (3, 4) and _HEAD.fullmatch(fields[2]))):
        hint = 'for columns FORM TAG HEAD DEPREL, or the first of them, give the input format "tab"'
        return f"{found}; {hint}"
    if input_format == "auto" and n in (3, 4):
        return f"{found}; in column 3 an integer, the HEAD"
    if n in (8, 10):
        return f'{found}; for these columns give the input format "auto"'
    if n >= 14 and fields[12] in ("Y", "_") and all(map(_HEAD.fullmatch, fields[8:10])):
        return (
            f"{found}; these are of CoNLL-2009, whose gold columns make CoNLL-U Plus: "
            "(echo '# global.columns = ID FORM LEMMA XPOS FEATS HEAD DEPREL'; "
            "cut -f 1-3,5,7,9,11 FILE)"
        )
    if n > 2:
        hint = "if no tab is missing, name the columns in a first line, as CoNLL-U Plus does: "
        hint += "# global.columns = ID FORM ..."
        also = ', and give the input format "conllu"' if input_format in ("conllx", "tab") else ""
        return f"{found}; {hint}{also}"
    return f"{found}; see whether tabs are missing"
