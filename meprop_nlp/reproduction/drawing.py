"""Drawing by matplotlib: one style, and files that are the same whenever the figures are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from meprop_nlp.files import replacing

__all__ = ["SERIES", "can_draw", "drawn"]

# told apart without colours too: colour-blind safe (Okabe and Ito 2008), markers, dashes
SERIES: tuple[dict[str, Any], ...] = (
    {"color": "#0072b2", "marker": "o", "linestyle": "-"},
    {"color": "#d55e00", "marker": "s", "linestyle": "--"},
    {"color": "#009e73", "marker": "^", "linestyle": "-."},
    {"color": "#cc79a7", "marker": "v", "linestyle": ":"},
    {"color": "#444444", "marker": "D", "linestyle": "-"},
    {"color": "#56b4e9", "marker": "P", "linestyle": "--"},
)


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


@contextmanager
def drawn(
    path: Path, rows: int = 1, columns: int = 1, *, size: tuple[float, float], **layout: Any
) -> Iterator[tuple[Any, Any]]:
    """Give a figure and its panels, (rows, columns); it is written beside `path` as PNG and SVG.

    Args:
        path: its ending does not matter.
        rows, columns: of panels.
        size: inches.
        layout: further arguments of `pyplot.subplots`, such as `sharey`.

    Raises:
        DataError: a file cannot be written.
    """
    import matplotlib as mpl

    mpl.use("agg")
    # without hash salt and date, the same figures make another file each time
    style = {
        "svg.hashsalt": "meprop_nlp",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    from matplotlib import pyplot

    with mpl.rc_context(style):
        figure, panels = pyplot.subplots(
            rows, columns, figsize=size, layout="constrained", squeeze=False, **layout
        )
        try:
            yield figure, panels
            for ending in ("png", "svg"):
                with replacing(path.with_suffix(f".{ending}")) as temporary:
                    figure.savefig(
                        temporary,
                        format=ending,
                        dpi=150,
                        metadata={"Date": None} if ending == "svg" else None,
                    )
        finally:
            pyplot.close(figure)
