"""Attributes in a MISC column: `SpaceAfter=No|ArcConf=0.9731`."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["with_shares"]


def with_shares(misc: str, shares: Mapping[str, float]) -> str:
    """Return a MISC column with numbers from 0 to 1, in place of those of the same names.

    >>> with_shares("SpaceAfter=No", {"ArcConf": 0.97312})
    'SpaceAfter=No|ArcConf=0.9731'
    """
    there = [] if misc == "_" else misc.split("|")
    kept = [some for some in there if some and some.partition("=")[0] not in shares]
    return "|".join([*kept, *(f"{name}={share:.4f}" for name, share in shares.items())])
