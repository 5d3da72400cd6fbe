"""`Page`: the page on which one types a sentence and sees its tree; it needs no other file."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from importlib.resources import files
from typing import NamedTuple


class Page(NamedTuple):
    """The page, and the policy that lets a browser run nothing in it but its own script."""

    html: str
    policy: str


def page(version: str) -> Page:
    """Return the page, with the version of the package in its last line."""
    style = _text("serve", "page.css")
    script = _text("views", "tree.js") + _text("serve", "page.js")
    html = (
        _text("serve", "page.html")
        .replace("{{version}}", escape(version))
        .replace("{{style}}", style)
        .replace("{{script}}", script)
    )
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    return Page(html, policy)


def _text(folder: str, name: str) -> str:
    return files("meprop_nlp").joinpath(folder, name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
