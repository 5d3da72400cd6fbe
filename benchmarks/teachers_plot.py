"""The picture of README.md and docs/teachers.md: LAS on test against words/s.

The points are the recipe's systems; dashed lines are scores that others have published, whose speed
was not measured here.

    python benchmarks/teachers_plot.py

Draws docs/teachers.svg of benchmarks/results/ by matplotlib (pip install -e .[plots]).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from drawing import SERIES, drawn
from readme import ROOT, measured
from tables.published import EWT, PUBLISHED, PUBLISHED_OF_TOKENS
from tables.teachers import RECIPE, megabytes, recipe

STYLES = dict(zip(RECIPE, (SERIES[4], SERIES[2], SERIES[3], *SERIES[:2], SERIES[5]), strict=True))
# what became of what
STEPS = (("MiniLM", "taught"), ("plain", "plain, simplified"), ("taught", "taught, simplified"))
ARROW = {"arrowstyle": "->", "color": "#999999", "shrinkA": 7, "shrinkB": 7, "linewidth": 0.9}
LINES = {
    "UDPipe 1, tokens given, published": PUBLISHED_OF_TOKENS["UDPipe 1"]["las"],
    "Stanza 1.5.1, from raw text, published": PUBLISHED[EWT]["Stanza 1.5.1"]["las"],
}
NEAR = 2.5  # labels of points whose paces differ less may meet


def draw(systems: dict[str, dict[str, Any]], threads: int, path: Path) -> None:
    """Draw the systems of `recipe` into an SVG file beside `path`."""
    with drawn(path, 1, 1, size=(6.6, 4.4), endings=("svg",)) as (_, panels):
        panel = panels[0][0]
        for source, target in STEPS:
            if source in systems and target in systems:
                tail, head = place(systems[source]), place(systems[target])
                panel.annotate("", head, xytext=tail, arrowprops=ARROW)
        for name, system in systems.items():
            _point(panel, system, STYLES[name], below=stands_below(name, systems))
        for label, las in LINES.items():
            panel.axhline(float(las), color="#999999", linestyle="--", linewidth=0.8, zorder=0)
            panel.annotate(
                f"{label} ({las})", (0.01, float(las)), xycoords=("axes fraction", "data"),
                xytext=(0, 2), textcoords="offset points", fontsize=7, color="#555555",
            )  # fmt: skip
        panel.set_xscale("log", subs=[2, 5])
        for axis_formatter in (panel.xaxis.set_major_formatter, panel.xaxis.set_minor_formatter):
            axis_formatter(lambda x, _: f"{x / 1000:,.0f}k")
        panel.tick_params(axis="x", which="both", length=3.5, pad=3.5)
        panel.set_xlabel(f"words/s, CoNLL-U to CoNLL-U, {threads} threads")
        panel.set_ylabel("LAS on UD English EWT's test file")
        panel.margins(0.16, 0.18)
        panel.grid(alpha=0.25)


def place(system: dict[str, Any]) -> tuple[float, float]:
    """Return where a system's point is."""
    return system["comparable"], system["las"]


def stands_below(name: str, systems: dict[str, dict[str, Any]]) -> bool:
    """Whether a label stands below its point, as a better system is nearly above it."""
    pace, las = place(systems[name])
    near = (n for n in systems if pace / NEAR < systems[n]["comparable"] < pace * NEAR)
    return any((systems[n]["las"], n) > (las, name) for n in near)  # of equal ones, one does


def _point(panel: Any, system: dict[str, Any], style: dict[str, Any], *, below: bool) -> None:
    """Draw a point with its name and size; hollow if it was not timed beside the others."""
    color, marker = style["color"], style["marker"]
    panel.plot(
        *place(system),
        linestyle="none",
        marker=marker,
        markersize=8,
        color=color,
        markerfacecolor=color if system["beside"] else "white",
    )
    panel.annotate(
        f"{system['label']}\n{megabytes(system)} MB",
        place(system),
        xytext=(0, -8 if below else 8),
        ha="center",
        va="top" if below else "bottom",
        textcoords="offset points",
        fontsize=8,
        color="#333333",
    )


def main(words: Sequence[str] | None = None) -> None:
    """Draw what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "teachers.svg")
    options = parser.parse_args(words)
    results = measured()
    if "pace" not in results["teachers"]:
        raise SystemExit("nothing is drawn: no pace yet, run benchmarks/bench_teachers.py")
    if find_spec("matplotlib") is None:
        raise SystemExit("no picture: matplotlib is not installed, see pip install -e .[plots]")
    draw(recipe(results), results["teachers"]["pace"]["conditions"]["threads"], options.output)


if __name__ == "__main__":
    main()
