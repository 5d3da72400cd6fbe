"""The library's messages in the words of the command line: its settings become options.

The library names a setting or an argument in backticks by its Python name, such as `k`, `k=20` or
`teacher=False`; on the command line these are --k, --k 20 and --no-teacher.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

__all__ = ["Spelling", "in_options", "spellings"]

# a quotation in doubled backticks, as treebanks have it, is none of ours
_SETTING = re.compile(r"(?<!`)`(\w+)(?:=([^`]+))?`(?!`)")


class Spelling(NamedTuple):
    """How an option is spelled.

    Attributes:
        on: the option, such as --lazy.
        off: what sets a flag to False, such as --exact; empty where nothing does.
    """

    on: str
    off: str = ""

    @classmethod
    def of(cls, names: str) -> Spelling:
        """Return the spelling of --lazy/--exact or --k."""
        on, _, off = names.partition("/")
        return cls(on, off)


def spellings(parameters: Iterable[Any]) -> dict[str, Spelling]:
    """Return how the options among a command's parameters are spelled, by parameter name."""
    return {
        parameter.name: Spelling(_long(parameter.opts), _long(parameter.secondary_opts))
        for parameter in parameters
        if parameter.param_type_name == "option"
    }


def in_options(text: str, options: Mapping[str, Spelling]) -> str:
    """Return a message with options in place of the settings that it names in backticks.

    Other words in backticks stay as they are.
    """

    def option(match: re.Match[str]) -> str:
        name, value = match.groups()
        spelling = options.get(name)
        if spelling is None:
            return match[0]
        if value is None or value == "True":
            return spelling.on
        if value == "False":
            return spelling.off or match[0]
        return f"{spelling.on} {value.strip(chr(34) + chr(39))}"

    return _SETTING.sub(option, text)


def _long(names: Iterable[str]) -> str:
    """Return the first name that is not a single letter."""
    return next((name for name in names if name.startswith("--")), "")
