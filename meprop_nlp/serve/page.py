"""`Page`: the page on which one types a sentence and sees its tree; it needs no other file."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

from meprop_nlp.views.inlined import filled, source_of, text_of


class Page(NamedTuple):
    """The page, and the policy that lets a browser run nothing in it but its own script."""

    html: str
    policy: str


def page(version: str) -> Page:
    """Return the page, with the version of the package in its last line."""
    style = text_of("serve", "page.css")
    script = text_of("views", "tree.js") + text_of("serve", "page.js")
    texts = {"version": escape(version), "style": style, "script": script}
    html = filled(text_of("serve", "page.html"), texts)
    policy = (
        f"default-src 'none'; script-src {source_of(script)}; style-src {source_of(style)}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    return Page(html, policy)
