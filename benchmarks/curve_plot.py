"""The picture of `curve`: score against words/s and against bytes, for parser and tagger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from drawing import SERIES, drawn

SCORE = {"parser": "LAS", "tagger": "UPOS"}
MEASURES = {  # label, unit
    "words_per_second": ("words/s, one thread", 1),
    "bytes": ("model file, MB", 1_000_000),
}
STYLES = {
    "cut while training (meSimp)": SERIES[0],
    "small from the start": SERIES[1],
    "500 uncut": SERIES[4] | {"linestyle": "none"},
}
# where a point's label stands: to the side, and up or down, for a line that falls
OFFSETS = {
    "cut while training (meSimp)": (5, 5),
    "small from the start": (-5, -10),
    "500 uncut": (0, -13),
}


def draw(results: dict[str, Any], path: Path) -> None:
    """Draw the points into files beside `path`, as PNG and as SVG."""
    shape = len(SCORE), len(MEASURES)
    with drawn(path, *shape, size=(10, 7), endings=("png", "svg"), sharey="row") as (
        figure,
        panels,
    ):
        for row, (task, score) in zip(panels, SCORE.items(), strict=True):
            for panel, measure in zip(row, MEASURES, strict=True):
                _panel(panel, [p for p in results["points"] if p["task"] == task], measure)
                panel.set_title(f"{task}: {score} against {MEASURES[measure][0].split(',')[0]}")
            row[0].set_ylabel(f"dev {score}" + (", gold tags" if task == "parser" else ""))
        handles, labels = panels[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)


def _panel(panel: Any, points: list[dict[str, Any]], measure: str) -> None:
    """Draw one measure of one task: a line for each way to make a model small."""
    label, unit = MEASURES[measure]
    for how, style in STYLES.items():
        line = sorted((p for p in points if p["how"] == how), key=lambda p: p[measure])
        if not line:
            continue
        xs, ys = [p[measure] / unit for p in line], [p["score"] for p in line]
        panel.plot(xs, ys, label=how, markersize=5, linewidth=1.3, **style)
        side, up = OFFSETS[how]
        if measure == "bytes":  # there the lines rise
            side = -side
        for point, x, y in zip(line, xs, ys, strict=True):
            neurons = "+".join(map(str, point["neurons"]))
            panel.annotate(
                f"{neurons} (default)" if point["name"] == "default" else neurons,
                (x, y),
                xytext=(side, up),
                ha="left" if side > 0 else "right" if side else "center",
                textcoords="offset points",
                fontsize=7,
                color=style["color"],
            )
    if measure == "words_per_second":
        panel.set_xscale("log", subs=[2, 5])
        for axis_formatter in (panel.xaxis.set_major_formatter, panel.xaxis.set_minor_formatter):
            axis_formatter(lambda x, _: f"{x / 1000:,.0f}k")
        panel.tick_params(axis="x", which="both", length=3.5, pad=3.5)
    panel.set_xlabel(label)
    panel.margins(0.12, 0.16)
    panel.grid(alpha=0.25)
