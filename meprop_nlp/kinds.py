"""Kinds of JSON values: what a part of a file that a stranger may have written must be.

A kind is a function that says whether a value is of it.
"""

from collections.abc import Callable
from typing import Any

Kind = Callable[[Any], bool]
LARGEST = 1e20  # numbers are below it; a seed may have 64 bits


def is_anything(value: Any) -> bool:
    """Whether it is any value; for what is not looked into."""
    return True


def is_nothing(value: Any) -> bool:
    """Say no: for the other parts of a table whose parts are all known."""
    return False


def is_none(value: Any) -> bool:
    """Whether it is `null`."""
    return value is None


def is_text(value: Any) -> bool:
    """Whether it is a text."""
    return isinstance(value, str)


def is_truth(value: Any) -> bool:
    """Whether it is `true` or `false`."""
    return isinstance(value, bool)


def is_count(value: Any) -> bool:
    """Whether it is a whole number from 0 to 2^62."""
    return type(value) is int and 0 <= value <= 1 << 62


def is_number(value: Any) -> bool:
    """Whether it is a number that can be shown, neither infinite nor NaN."""
    return type(value) in (int, float) and abs(value) < LARGEST


def is_setting(value: Any) -> bool:
    """Whether it is a number, a text, a truth value or `null`."""
    return value is None or isinstance(value, str | bool) or is_number(value)


def list_of(part: Kind) -> Kind:
    """Return the kind of lists whose parts are of a kind."""
    return lambda value: isinstance(value, list) and all(map(part, value))


def table_of(part: Kind, *needed: str, **parts: Kind) -> Kind:
    """Return the kind of tables with these parts by name; all others are of the kind `part`.

    Args:
        needed: names that must be there.
    """
    return lambda value: (
        isinstance(value, dict)
        and all(name in value for name in needed)
        and all(parts.get(name, part)(of_name) for name, of_name in value.items())
    )


def either(*kinds: Kind) -> Kind:
    """Return the kind of values that are of one of these."""
    return lambda value: any(kind(value) for kind in kinds)
