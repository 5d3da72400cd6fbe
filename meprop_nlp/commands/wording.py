"""Messages of the library in the words of the command line: settings become options.

The library puts the Python name of a setting or an argument in backticks: `k`, `k=20`,
`own_teacher=False`. On the command line these are --k, --k 20 and --no-teacher.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

# doubled backticks are quotation marks of a treebank
_SETTING = re.compile(r"(?<!`)`(\w+)(?:=([^`]+))?`(?!`)")


class Spelling(NamedTuple):
    """The spelling of an option.

    Attributes:
        on: the option, such as --lazy.
        off: the option that sets a flag to False, such as --exact; empty if there is none.
    """

    on: str
    off: str = ""

    @classmethod
    def of(cls, names: str) -> Spelling:
        """Return the spelling of an option from its names, such as `--lazy/--exact` or `--k`."""
        on, _, off = names.partition("/")
        return cls(on, off)


def spellings(parameters: Iterable[Any]) -> dict[str, Spelling]:
    """Return the spellings of a command's options, by parameter name."""
    return {
        parameter.name: Spelling(_long(parameter.opts), _long(parameter.secondary_opts))
        for parameter in parameters
        if parameter.param_type_name == "option"
    }


def in_options(text: str, options: Mapping[str, Spelling]) -> str:
    """Return a message with the settings in backticks replaced by their options.

    Other words in backticks are left as they are.
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
