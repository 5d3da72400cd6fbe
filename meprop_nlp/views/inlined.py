"""`filled` and its parts: HTML pages that hold their own style and scripts, and run no others."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from importlib.resources import files

_SLOT = re.compile(r"\{\{(\w+)\}\}")


def text_of(folder: str, name: str) -> str:
    """Return a text file of the package.

    Args:
        folder: the folder of the package that holds it.
    """
    return files("meprop_nlp").joinpath(folder, name).read_text(encoding="utf-8")


def slots_of(template: str) -> Iterator[tuple[str, str | None]]:
    """Yield the parts of a template: a text, and the name of the `{{slot}}` after it, or None.

    What is put into a slot is no template: a slot that stands in it is text.
    """
    parts = _SLOT.split(template)
    yield from zip(parts[::2], [*parts[1::2], None], strict=True)


def filled(template: str, texts: dict[str, str]) -> str:
    """Return a template with a text in each of its slots."""
    return "".join(
        before + ("" if slot is None else texts[slot]) for before, slot in slots_of(template)
    )


def source_of(content: str) -> str:
    """Return what a content security policy calls an element with this content."""
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    return f"'sha256-{digest}'"
