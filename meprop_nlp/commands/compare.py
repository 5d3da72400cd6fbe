"""`compare`."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Annotated

import typer

from meprop_nlp.commands.options import Json, Reading
from meprop_nlp.commands.printing import print_json
from meprop_nlp.commands.streams import read_all
from meprop_nlp.commands.tables import table
from meprop_nlp.errors import ConfigError, number_of

if TYPE_CHECKING:
    from meprop_nlp.scoring.comparison import Comparison, Difference

# the metrics of which the first one that is scored is put into words
_MAIN = ("las", "uas", "upos", "xpos", "ufeats", "lemmas", "words")


def compare(
    gold: Annotated[
        str,
        typer.Argument(metavar="GOLD", help="The file with the correct annotation; - is stdin."),
    ],
    a: Annotated[str, typer.Argument(metavar="A", help="The file of one system.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The file of the other.")],
    *,
    exclude_punct: Annotated[
        bool, typer.Option("--exclude-punct", help="Leave punctuation out of the parsing scores.")
    ] = False,
    resamples: Annotated[
        int, typer.Option(metavar="N", help="How often the bootstrap draws sentences.")
    ] = 10_000,
    seed: Annotated[int, typer.Option(help="Of the random numbers.")] = 1,
    reading: Reading,
    json: Json = False,
) -> None:
    """Compare two systems against a gold file.

    For each metric: both scores in per cent, the difference B - A in points, its 95 % interval, and
    the p-value, from a paired bootstrap over the sentences. Then, how many words are right in both
    files, in one alone, or in neither.
    """
    from meprop_nlp.scoring.comparison import compare as compared

    if [gold, a, b].count("-") > 1:
        raise ConfigError("standard input (-) can be one of the files, not several")
    sentences, first, second = (list(read_all([path], reading)) for path in (gold, a, b))
    found = compared(
        sentences, first, second, exclude_punct=exclude_punct, resamples=resamples, seed=seed
    )
    print_json(found.to_dict()) if json else print(_lines(found))


def _lines(found: Comparison) -> str:
    """Return the tables of a comparison, and what it says."""
    from meprop_nlp.scoring.names import SCORE_NAMES
    from meprop_nlp.scoring.scores import shown

    rows = [
        [
            SCORE_NAMES[name], shown(each.a), shown(each.b), _signed(each.difference),
            f"{_signed(each.low)} to {_signed(each.high)}", _p(each.p_value),
        ]
        for name, each in found.differences.items()
    ]  # fmt: skip
    parts = [table(["Metric", "A", "B", "B - A", "95 % interval", "p"], rows)]
    if found.words:
        columns = ["Words right in", "both", "only A", "only B", "neither"]
        rows = [
            [name.upper(), *(f"{count:,}" for count in counts)]
            for name, counts in found.words.items()
        ]
        parts.append(table(columns, rows))
    main = next(name for name in _MAIN if name in found.differences)
    said = _said(SCORE_NAMES[main], found.differences[main])
    units = number_of(found.units, "sentence")
    if found.units != found.a.sentences:
        units = f"{number_of(found.units, 'group')} of sentences that cover the same text"
    parts.append(
        f"{said}\nPaired bootstrap over {units}, {found.resamples:,} resamples, seed {found.seed}; "
        f"punctuation is {'not counted' if found.a.exclude_punct else 'counted'} in the parsing "
        "metrics."
    )
    return "\n\n".join(parts)


def _said(name: str, found: Difference) -> str:
    """Return what a difference means, in one sentence."""
    if isnan(found.difference):  # nothing was counted
        return f"There is no {name} to compare."
    if found.difference == 0:
        return f"A and B have the same {name}."
    better, worse = ("B", "A") if found.difference > 0 else ("A", "B")
    start = f"{better} is {abs(found.difference):.2f} points of {name} above {worse}"
    if found.is_significant:
        return f"{start}, more than chance explains (p = {_p(found.p_value)})."
    return f"{start}, which chance may explain (p = {_p(found.p_value)})."


def _signed(points: float) -> str:
    return "-" if isnan(points) else f"{points:+.2f}"


def _p(value: float) -> str:
    if isnan(value):
        return "-"
    return f"{value:.4f}" if value < 0.01 else f"{value:.2f}"
