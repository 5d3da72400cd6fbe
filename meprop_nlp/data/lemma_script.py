"""Lemmas as scripts: short texts that turn a FORM into its LEMMA.

A lemmatizer chooses a script instead of a lemma, because one script serves many words:
`["lower",0,"",3,"y"]` turns `Cities` into `city` and `replies` into `reply`. The idea is from
Chrupala et al. (2008) and Straka (2018).

A script is JSON in ASCII, so neither a column nor a normal form of Unicode can change it:

- `[casing, cut_start, add_start, cut_end, add_end]` cuts characters from the start and the end of
  the form, and adds texts in their place. At least one character of the form remains. The casing
  is one of `CASINGS`.
- `"lemma"` is the lemma itself, for forms that have nothing in common with it.
"""

import json
from difflib import SequenceMatcher
from functools import lru_cache
from typing import NamedTuple

from meprop_nlp.errors import CheckpointError

CASINGS = (
    "lower",  # the form in lower case
    "first",  # the same with the first character in upper case
    "upper",  # all in upper case
    "keep",  # the form as it is
)

_FORBIDDEN = frozenset("\t\n\r\0")


class _Edit(NamedTuple):
    """A parsed script that is not a lemma itself."""

    casing: str
    cut_start: int
    add_start: str
    cut_end: int
    add_end: str


def script_of(form: str, lemma: str) -> str:
    """Return the script that turns the form into the lemma.

    It keeps the longest text that both have in common. The casings are tried in order, and the
    first that gives the lemma is taken, so that words which change alike have the same script.

    Args:
        form, lemma: the columns of a word: not empty, and without tab, line break and NUL.
    """
    for casing in CASINGS:
        before, after = _before(casing, form), _before(casing, lemma)
        common = SequenceMatcher(None, before, after, autojunk=False).find_longest_match()
        edit = _Edit(
            casing,
            cut_start=common.a,
            add_start=after[: common.b],
            cut_end=len(before) - common.a - common.size,
            add_end=after[common.b + common.size :],
        )
        if _apply(edit, form) == lemma:
            return json.dumps(edit, separators=(",", ":"))
    return json.dumps(lemma)


def apply_script(script: str, form: str) -> str | None:
    """Return the lemma that the script makes of the form, or None if the form is too short.

    Raises:
        CheckpointError: if `check_script` refuses the script.
    """
    return _apply(_parse(script), form)


def cut_texts(script: str, form: str) -> tuple[str, str]:
    """Return the texts that the script cuts from the start and the end of the form.

    They are in the casing in which the script compares texts. A script that is a lemma itself cuts
    the whole form.

    Raises:
        CheckpointError: if `check_script` refuses the script.
    """
    parsed = _parse(script)
    if isinstance(parsed, str):
        return _before("lower", form), ""
    before = _before(parsed.casing, form)
    return before[: parsed.cut_start], before[max(0, len(before) - parsed.cut_end) :]


def check_script(script: object) -> None:
    """Check a script of a model file, which may come from a stranger.

    Raises:
        CheckpointError: if it is not a script, or adds a text that cannot stand in a column.
    """
    if not isinstance(script, str):
        raise CheckpointError(f"a lemma script is {script!r}, expected text")
    _parse(script)


@lru_cache(maxsize=1 << 14)
def _parse(script: str) -> _Edit | str:
    """Return the script's edit, or the lemma if the script is one; check everything in it."""
    try:
        parsed = json.loads(script)
    except (ValueError, RecursionError):
        raise _refusal(script, "JSON") from None
    if isinstance(parsed, str):
        if not parsed or not _fits_a_column(parsed):
            raise _refusal(script, "a lemma without tab, line break or NUL")
        return parsed
    if not isinstance(parsed, list) or len(parsed) != len(_Edit._fields):
        raise _refusal(script, f"a lemma or the list [{', '.join(_Edit._fields)}]")
    edit = _Edit(*parsed)
    if edit.casing not in CASINGS:
        raise _refusal(script, f"a casing from {', '.join(CASINGS)}")
    if not all(type(cut) is int and cut >= 0 for cut in (edit.cut_start, edit.cut_end)):
        raise _refusal(script, "numbers of characters to cut from 0 on")
    if not all(isinstance(x, str) and _fits_a_column(x) for x in (edit.add_start, edit.add_end)):
        raise _refusal(script, "texts to add without tab, line break or NUL")
    return edit


def _refusal(script: str, expected: str) -> CheckpointError:
    shown = script if len(script) <= 80 else script[:80] + "..."
    return CheckpointError(f"a lemma script is {shown!r}, expected {expected}")


def _fits_a_column(text: str) -> bool:
    """Return whether the text is valid Unicode and has no character that a column may not hold."""
    return _FORBIDDEN.isdisjoint(text) and not any("\ud800" <= c <= "\udfff" for c in text)


def _apply(parsed: _Edit | str, form: str) -> str | None:
    if isinstance(parsed, str):
        return parsed
    before = _before(parsed.casing, form)
    end = len(before) - parsed.cut_end
    if parsed.cut_start >= end:
        return None
    lemma = parsed.add_start + before[parsed.cut_start : end] + parsed.add_end
    if parsed.casing == "first":
        return lemma[:1].upper() + lemma[1:]
    return lemma.upper() if parsed.casing == "upper" else lemma


def _before(casing: str, text: str) -> str:
    """Return the text that a script of this casing cuts: all but `keep` work in lower case."""
    # str.lower makes two characters of İ, the capital of the Turkish i
    return text if casing == "keep" else text.replace("\u0130", "i").lower()
