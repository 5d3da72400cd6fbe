"""`Doctests`: lets the manual show the `>>>` lines of docstrings as code."""

from __future__ import annotations

import re
from typing import Any

import griffe

# lines that begin with >>> and what they print, up to an empty line
_EXAMPLE = re.compile(r"^>>> .*\n?(?:.+\n?)*", flags=re.MULTILINE)


class Doctests(griffe.Extension):
    """Puts doctests, which Markdown takes for quotations, into fences."""

    def on_object(self, *, obj: Any, **_: Any) -> None:
        """Change the docstring of what was read."""
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)


def fenced(docstring: str) -> str:
    """Return a docstring with its doctests in fences, without their directives."""

    def fence(match: re.Match[str]) -> str:
        shown = re.sub(r" *# doctest: .*", "", match[0].rstrip())
        return f"```pycon\n{shown}\n```\n"

    return _EXAMPLE.sub(fence, docstring)
