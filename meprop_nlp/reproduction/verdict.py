"""Verdicts: claims that are computed from a table's numbers, each by a criterion that is stated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from meprop_nlp.reproduction.results import Table

__all__ = [
    "SOME_SEEDS",
    "Claim",
    "better",
    "faster",
    "margin",
    "no_worse",
    "smaller",
    "verdict",
    "worse",
]

# within this the papers' differences are noise, and three seeds are needed to see them
MARGIN = {"las": 0.3, "uas": 0.3, "upos": 0.1, "xpos": 0.1, "accuracy": 0.2}
SOME_SEEDS = 3


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that is said to be so.

    Attributes:
        text: the claim with its criterion and the numbers.
        holds: None where numbers are missing.
        n: seeds that the numbers are of.
    """

    text: str
    holds: bool | None
    n: int = 0


def verdict(claims: Sequence[Claim]) -> str:
    """Return `holds`, `holds in part`, `does not hold` or `not decided yet`, with the counts.

    A claim whose numbers are missing leaves it open, whatever the others say.
    """
    known = [claim for claim in claims if claim.holds is not None]
    if len(known) < len(claims) or not claims:
        return f"not decided yet: numbers for {len(known)} of {len(claims)} claims"
    true = sum(bool(claim.holds) for claim in known)
    word = "holds" if true == len(known) else "holds in part" if true else "does not hold"
    fewest = min(claim.n for claim in known)
    provisional = f" (provisional: {fewest} of {SOME_SEEDS} seeds)" * (fewest < SOME_SEEDS)
    return f"{word}: {true} of {len(known)} claims{provisional}"


def margin(table: Table) -> float:
    """Return the difference of the main score that counts as noise."""
    return MARGIN.get(table.main, 0.3)


def no_worse(
    table: Table, row: str, base: str, *, by: float | None = None, column: str = ""
) -> Claim:
    """Claim that a row is at most `by` below another; unless given, `margin` and `measure`."""
    by = margin(table) if by is None else by
    return _compared(table, row, base, column, f"at most {by:g} below", -by)


def worse(table: Table, row: str, base: str, *, by: float, column: str = "") -> Claim:
    """Claim that a row is at least `by` below another."""
    return _compared(table, row, base, column, f"at least {by:g} below", -by, below=True)


def better(table: Table, row: str, base: str, *, by: float, column: str = "") -> Claim:
    """Claim that a row is at least `by` above another; 0: that it is not below."""
    criterion = f"at least {by:g} above" if by else "no lower than"
    return _compared(table, row, base, column, criterion, by)


def faster(table: Table, row: str, base: str, *, column: str, times: float = 1.0) -> Claim:
    """Claim that a row takes less time than another, by more than a factor."""
    pair = table.pair(row, base, column)
    criterion = "faster than" if times == 1 else f"more than {times:g} times as fast as"
    what = f"{table.head(column)}: {table.label(row)} is {criterion} {table.label(base)}"
    if pair is None:
        return Claim(f"{what}: not measured", None)
    mine, other = pair
    ratio = other.mean / mine.mean if mine.mean else float("inf")
    text = f"{what}: {ratio:.2f} times as fast"
    if table.was_disturbed(row, base):
        text += ", cores lacking (†)"
    return Claim(text, ratio > times, mine.n)


def smaller(table: Table, row: str, *, share: float, of: str) -> Claim:
    """Claim that at most a share of an uncut row's neurons is left, in the layers' mean."""
    pair = table.pair(row, of, "neurons")
    what = f"{table.label(row)} keeps at most {share:.0%} of the neurons"
    if pair is None:
        return Claim(f"{what}: not measured", None)
    number, whole = pair
    found = f"{number.shown(0)} of {whole.shown(0)}, {number.mean / whole.mean:.0%}"
    return Claim(f"{what}: {found}", number.mean <= share * whole.mean + 0.5, number.n)


def _compared(
    table: Table,
    row: str,
    base: str,
    column: str,
    criterion: str,
    limit: float,
    *,
    below: bool = False,
) -> Claim:
    """Claim that the difference of two rows is `limit` or more, or with `below` or less."""
    column = column or table.measure
    pair = table.pair(row, base, column)
    what = f"{table.head(column)}: {table.label(row)} is {criterion} {table.label(base)}"
    if pair is None:
        return Claim(f"{what}: not measured", None)
    mine, other = pair
    difference = mine.minus(other)
    # rounded as it is shown, so that nobody sees -0.30 fail a limit of 0.3
    found = round(difference.mean, 2)
    text = f"{what}: {difference.shown(sign=True)}"
    if difference.sd is not None and abs(found - limit) < 2 * difference.sd:
        text += ", too near the limit to be sure"
    return Claim(text, found <= limit if below else found >= limit, difference.n)
