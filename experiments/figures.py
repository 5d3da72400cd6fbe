"""The pictures of the report, drawn by matplotlib."""

from importlib.util import find_spec
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.drawing import SERIES, drawn
from experiments.number import Number
from experiments.table import Figure, Table

GREY = "#444444"

Line = list[tuple[float, Number]]


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def draw(figure: Figure, table: Table, path: Path) -> bool:
    """Draw the means of a table, with bars of one standard deviation; return whether it has any."""
    # `test` stands for the score that claims are about
    columns = [table.measure if column == "test" else column for column in figure.columns]
    if not any(_lines(figure, table, column) for column in columns):
        return False
    n, corpus = len(columns), next(table.all())["corpus"]["name"]
    with drawn(path, 1, n, size=(5.2 * n, 3.6)) as (picture, panels):
        for panel, column in zip(panels[0], columns, strict=True):
            _draw_panel(panel, figure, table, column)
        picture.suptitle(f"{figure.title}: {table.task}, {corpus}")
        handles, labels = panels[0][0].get_legend_handles_labels()
        # as many columns as fit below the panels, in characters
        across = max(1, min(len(labels), int(40 * n / max(1, *map(len, labels), 8))))
        picture.legend(handles, labels, loc="outside lower center", ncols=across, frameon=False)
    return True


def _draw_panel(panel: Any, figure: Figure, table: Table, column: str) -> None:
    from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

    lines = _lines(figure, table, column)
    for style, (label, line) in zip(SERIES * len(lines), lines.items(), strict=False):
        xs, numbers = zip(*line, strict=True)
        # bars on each of many epochs would hide the lines
        bars = None if figure.epochs else [number.sd or 0.0 for number in numbers]
        means = [number.mean for number in numbers]
        panel.errorbar(
            xs, means, yerr=bars, label=label, markersize=4, linewidth=1.3, capsize=2, **style
        )
    if figure.sweep:
        panel.set_xscale("log")
        # the values that were tried, not powers of ten
        tried = sorted({x for line in lines.values() for x, _ in line})
        panel.xaxis.set_major_locator(FixedLocator(tried))
        panel.xaxis.set_minor_locator(NullLocator())
        panel.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
        if dense := table.number("dense", column):
            dots, sd = (0, (1, 1)), dense.sd or 0.0
            panel.axhline(dense.mean, color=GREY, linewidth=1, linestyle=dots, label="dense")
            panel.axhspan(dense.mean - sd, dense.mean + sd, color=GREY, alpha=0.12, linewidth=0)
    else:
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.set_xlabel(figure.x_label)
    panel.grid(alpha=0.25)
    panel.set_ylabel(table.head(column))
    if column in ("backward", "neurons"):
        panel.set_ylim(bottom=0)


def _lines(figure: Figure, table: Table, column: str) -> dict[str, Line]:
    """Return the lines of a panel by label: pairs of x and number, with x increasing."""
    lines: dict[str, Line] = {}
    for row in table.rows:
        number = table.number(row.label, column)
        if figure.epochs:
            lines[row.label] = _neurons(table, row.label)
        elif row.x is not None and number is not None:
            lines.setdefault(row.series, []).append((row.x, number))
    return {label: sorted(line, key=lambda p: p[0]) for label, line in lines.items() if line}


def _neurons(table: Table, label: str) -> Line:
    """Return the mean width of a cut network's layers, at the start and after each epoch."""
    runs = [
        [
            float(result["settings"]["config"]["hidden"]),
            *(fmean(epoch["neurons"].values()) for epoch in result["epochs"]),
        ]
        for result in table.results[label]
        if result["settings"]["simplify"]
    ]
    longest = max(map(len, runs), default=0)
    numbers = (Number.of([run[n] for run in runs if n < len(run)]) for n in range(longest))
    return [(float(n), number) for n, number in enumerate(numbers) if number is not None]
