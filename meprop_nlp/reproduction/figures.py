"""The pictures of the report: each from a table's numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from meprop_nlp.reproduction.drawing import SERIES, drawn
from meprop_nlp.reproduction.experiment import Figure
from meprop_nlp.reproduction.numbers import Number
from meprop_nlp.reproduction.results import Table

__all__ = ["draw", "has_points"]

Line = list[tuple[float, Number]]


def has_points(figure: Figure, table: Table) -> bool:
    """Whether anything is there to be drawn."""
    return any(_lines(figure, table, column) for column in _columns(figure, table))


def _columns(figure: Figure, table: Table) -> list[str]:
    """What is drawn: for `test`, what verdicts go by."""
    return [table.measure if column == "test" else column for column in figure.columns]


def draw(figure: Figure, table: Table, folder: Path) -> None:
    """Draw a figure into `folder`: means over seeds, with a bar of one standard deviation."""
    n = len(figure.columns)
    with drawn(folder / figure.name, 1, n, size=(5.2 * n, 3.6)) as (picture, panels):
        for panel, column in zip(panels[0], _columns(figure, table), strict=True):
            _panel(panel, figure, table, column)
        picture.suptitle(f"{figure.title}: {_data(table)}")
        handles, labels = panels[0][0].get_legend_handles_labels()
        # in characters, as many columns as fit below
        across = max(1, min(len(labels), int(40 * n / max(1, *map(len, labels), 8))))
        picture.legend(handles, labels, loc="outside lower center", ncols=across, frameon=False)


def _data(table: Table) -> str:
    corpus = next(table.all())["corpus"]["name"]
    return f"{table.block.task}, {corpus}"


def _panel(panel: Any, figure: Figure, table: Table, column: str) -> None:
    lines = _lines(figure, table, column)
    for style, (label, line) in zip(_styles(len(lines)), lines.items(), strict=True):
        xs, numbers = [x for x, _ in line], [number for _, number in line]
        deviations = [number.sd or 0.0 for number in numbers]
        means = [number.mean for number in numbers]
        # bars on each of many epochs would hide the lines
        bars = None if figure.epochs else deviations
        panel.errorbar(
            xs, means, yerr=bars, label=label, markersize=4, linewidth=1.3, capsize=2, **style
        )
    level = table.number(figure.level, column) if figure.level else None
    if level is not None:
        label = table.label(figure.level)
        panel.axhline(level.mean, color="#444444", linewidth=1, linestyle=(0, (1, 1)), label=label)
        if level.sd:
            low, high = level.mean - level.sd, level.mean + level.sd
            panel.axhspan(low, high, color="#444444", alpha=0.12, linewidth=0)
    _axes(panel, figure, sorted({x for line in lines.values() for x, _ in line}))
    panel.set_ylabel(table.head(column))
    if column in ("backward", "neurons"):
        panel.set_ylim(bottom=0)


def _axes(panel: Any, figure: Figure, xs: Sequence[float]) -> None:
    from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

    if figure.log:
        panel.set_xscale("log")
        # the values that were tried, not powers of ten
        panel.xaxis.set_major_locator(FixedLocator(xs))
        panel.xaxis.set_minor_locator(NullLocator())
        panel.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    else:
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.set_xlabel(figure.x_label)
    panel.grid(alpha=0.25)


def _styles(n: int) -> list[dict[str, Any]]:
    return [SERIES[place % len(SERIES)] for place in range(n)]


def _lines(figure: Figure, table: Table, column: str) -> dict[str, Line]:
    """The lines of a panel by label: points of x and number, x increasing."""
    if figure.epochs:
        lines = {row.label: _by_epoch(table, row.key) for row in table.block.rows}
        return {label: line for label, line in lines.items() if line}
    found: dict[str, Line] = {}
    for row in table.block.rows:
        number = table.number(row.key, column)
        if row.x is not None and number is not None:
            found.setdefault(row.series, []).append((row.x, number))
    return {series: sorted(line, key=lambda point: point[0]) for series, line in found.items()}


def _by_epoch(table: Table, key: str) -> Line:
    """Mean neurons of a layer at the start and after each epoch, of what was cut."""
    runs = [
        [
            float(result["settings"]["config"]["hidden"]),
            *(sum(e["neurons"].values()) / max(1, len(e["neurons"])) for e in result["epochs"]),
        ]
        for result in table.results[key]
        if result["settings"]["simplify"]
    ]
    if not runs:
        return []
    columns = [[run[i] for run in runs if i < len(run)] for i in range(max(map(len, runs)))]
    numbers = [Number.of(column) for column in columns]
    return [(float(i), number) for i, number in enumerate(numbers) if number is not None]
