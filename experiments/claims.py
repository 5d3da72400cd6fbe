"""Claims about a table, each with its criterion, and the verdict on all of them.

The functions here take the labels of two rows, and return a function that judges a table by them.
"""

from collections.abc import Callable, Sequence

from experiments.table import Claim, Table

Judge = Callable[[Table], Claim]
# smaller differences are noise, and it takes three seeds to see them
MARGIN = {"las": 0.3, "uas": 0.3, "upos": 0.1, "xpos": 0.1, "accuracy": 0.2, "": 0.3}
SOME_SEEDS = 3


def verdict(claims: Sequence[Claim]) -> str:
    """Return `holds`, `holds in part`, `does not hold` or `not decided yet`, with the counts.

    It is open as long as the numbers for a claim are missing, whatever the other claims say.
    """
    known = [claim for claim in claims if claim.holds is not None]
    if len(known) < len(claims) or not claims:
        return f"not decided yet: numbers for {len(known)} of {len(claims)} claims"
    true = sum(bool(claim.holds) for claim in known)
    word = "holds" if true == len(known) else "holds in part" if true else "does not hold"
    fewest = min(claim.n for claim in known)
    provisional = f" (provisional: {fewest} of {SOME_SEEDS} seeds)" * (fewest < SOME_SEEDS)
    return f"{word}: {true} of {len(known)} claims{provisional}"


def no_worse(row: str, base: str, *, column: str = "") -> Judge:
    """Claim that a row is at most as much below another as is noise."""

    def judge(table: Table) -> Claim:
        by = MARGIN[table.main]
        return _differs(table, row, base, column, f"at most {by:g} below", -by)

    return judge


def worse(row: str, base: str, *, by: float) -> Judge:
    """Claim that a row is at least `by` below another."""
    criterion = f"at least {by:g} below"
    return lambda table: _differs(table, row, base, "", criterion, -by, below=True)


def better(row: str, base: str, *, by: float = 0.0, column: str = "") -> Judge:
    """Claim that a row is at least `by` above another, or with 0 that it is not below it."""
    criterion = f"at least {by:g} above" if by else "no lower than"
    return lambda table: _differs(table, row, base, column, criterion, by)


def faster(row: str, base: str, *, column: str, times: float = 1.0) -> Judge:
    """Claim that a row is more than so many times as fast as another."""
    criterion = "faster than" if times == 1 else f"more than {times:g} times as fast as"

    def judge(table: Table) -> Claim:
        what = f"{table.head(column)}: {row} is {criterion} {base}"
        pair = table.pair(row, base, column)
        if pair is None:
            return Claim(f"{what}: not measured", None)
        ratio = pair[1].mean / pair[0].mean
        mark = ", too few cores (†)" * table.was_disturbed(row, base)
        return Claim(f"{what}: {ratio:.2f} times as fast{mark}", ratio > times, pair[0].n)

    return judge


def smaller(row: str, base: str, *, share: float) -> Judge:
    """Claim that at most a share of another row's neurons is left, averaged over the layers."""
    what = f"{row} keeps at most {share:.0%} of the neurons"

    def judge(table: Table) -> Claim:
        pair = table.pair(row, base, "neurons")
        if pair is None:
            return Claim(f"{what}: not measured", None)
        left, whole = pair
        found = f"{left.shown(0)} of {whole.shown(0)}, {left.mean / whole.mean:.0%}"
        return Claim(f"{what}: {found}", left.mean <= share * whole.mean + 0.5, left.n)

    return judge


def _differs(
    table: Table,
    row: str,
    base: str,
    column: str,
    criterion: str,
    limit: float,
    below: bool = False,
) -> Claim:
    """Claim that two rows differ by at least `limit`, or with `below` by at most `limit`."""
    column = column or table.measure
    what = f"{table.head(column)}: {row} is {criterion} {base}"
    pair = table.pair(row, base, column)
    if pair is None:
        return Claim(f"{what}: not measured", None)
    difference = pair[0].minus(pair[1])
    # rounded as it is shown, so that nobody sees -0.30 fail a limit of 0.3
    found = round(difference.mean, 2)
    text = f"{what}: {difference.shown(sign=True)}"
    if difference.sd is not None and abs(found - limit) < 2 * difference.sd:
        text += ", too close to the limit to be certain"
    return Claim(text, found <= limit if below else found >= limit, difference.n)
