r"""The white space between tokens, as MISC keeps it, and the text that it gives back byte for byte.

As in the files of UDPipe, a token that says nothing is followed by one space, one with
`SpaceAfter=No` by nothing, and one with `SpacesAfter=` by what stands there, with these escapes:

    \s  space     \t  tab     \n  LF     \r  CR     \p  |     \\  backslash
    \xHH, \uHHHH  other white space and control characters, such as the no-break space \xa0

The last row is ours: to many programs, VT, FF, FS, GS, RS, U+0085, U+2028 and U+2029 end a line,
and the validator of Universal Dependencies allows no space of any kind at the end of a column.
`SpacesBefore=` is what precedes the first token of a text, and `SpacesInToken=` a token whose
spaces are not those of its form.
"""

import re
import unicodedata
from collections.abc import Iterable

from meprop_nlp.data.sentence import Sentence

_ESCAPES = {" ": r"\s", "\t": r"\t", "\n": r"\n", "\r": r"\r", "|": r"\p", "\\": r"\\"}
_CHARACTERS = {escape: character for character, escape in _ESCAPES.items()}
_ESCAPE = re.compile(r"\\(?:[stnrp\\]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4})")
_ESCAPED = ("Cc", "Zl", "Zp", "Zs")  # categories of Unicode: control characters and separators


def escaped(spaces: str) -> str:
    """Return white space, or any other text, as a value of `SpacesAfter=` or `SpacesBefore=`.

    The value has no space, tab, line break or `|` in it; `unescaped` gives the text back.
    """
    return "".join(map(_escape, spaces))


def unescaped(value: str) -> str:
    """Return the white space that a value of `SpacesAfter=` or `SpacesBefore=` stands for.

    A backslash that begins no known escape stands for itself.
    """
    return _ESCAPE.sub(_character, value)


def space_misc(after: str) -> str:
    """Return the MISC of a token that has nothing else in it.

    Args:
        after: what stands between the token and the next one.

    Returns:
        `_` for one space, `SpaceAfter=No` for nothing, `SpacesAfter=...` for all else.
    """
    if after == " ":
        return "_"
    return f"SpacesAfter={escaped(after)}" if after else "SpaceAfter=No"


def spaces_after(misc: str) -> str:
    """Return what follows a token with this MISC: one space where MISC does not say it."""
    spaces = _value("SpacesAfter", misc)
    if spaces is not None:
        return unescaped(spaces)
    return "" if _value("SpaceAfter", misc) == "No" else " "


def says_spaces(misc: str) -> bool:
    """Return whether a token's MISC says what white space is after it, before it or in it."""
    return "Space" in misc and any(name.startswith("Space") for name in misc.split("|"))


def spaces_before(misc: str) -> str:
    """Return what precedes a token with this MISC, besides what follows the token before it."""
    return unescaped(_value("SpacesBefore", misc) or "")


def text_of(sentences: Iterable[Sentence]) -> str:
    """Return the text that the tokens of the sentences stand for, with all white space.

    Multiword tokens stand for themselves, their words for nothing. The text ends with what follows
    the last token, which is a space where its MISC does not say it.
    """
    pieces: list[str] = []
    for sentence in sentences:
        for form, misc in sentence.tokens():
            if "Space" not in misc:  # as most
                pieces += (form, " ")
                continue
            inside = _value("SpacesInToken", misc)
            token = form if inside is None else unescaped(inside)
            pieces += (spaces_before(misc), token, spaces_after(misc))
    return "".join(pieces)


def _escape(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if unicodedata.category(character) not in _ESCAPED:
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _character(escape: re.Match[str]) -> str:
    found = escape.group()
    if found in _CHARACTERS:
        return _CHARACTERS[found]
    character = chr(int(found[2:], 16))
    # half of a pair of surrogates is no character and could not be written
    return found if unicodedata.category(character) == "Cs" else character


def _value(name: str, misc: str) -> str | None:
    """Return the value of an attribute in MISC, or None."""
    for attribute in misc.split("|"):
        key, equals, value = attribute.partition("=")
        if equals and key == name:
            return value
    return None
