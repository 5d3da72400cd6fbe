"""Drawing by matplotlib: one style, and files that are the same whenever the figures are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from meprop_nlp.files import replacing

__all__ = ["SERIES", "drawn"]

# distinct without colours too: colour-blind safe (Okabe and Ito 2008), markers, dashes
SERIES: tuple[dict[str, Any], ...] = (
    {"color": "#0072b2", "marker": "o", "linestyle": "-"},
    {"color": "#d55e00", "marker": "s", "linestyle": "--"},
    {"color": "#009e73", "marker": "^", "linestyle": "-."},
    {"color": "#cc79a7", "marker": "v", "linestyle": ":"},
    {"color": "#444444", "marker": "D", "linestyle": "-"},
    {"color": "#56b4e9", "marker": "P", "linestyle": "--"},
)
# without hash salt and date the same figures make another SVG file each time
_STYLE = {
    "svg.hashsalt": "meprop_nlp",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


@contextmanager
def drawn(
    path: Path,
    rows: int,
    columns: int,
    *,
    size: tuple[float, float],
    endings: Sequence[str] = ("png",),
    **layout: Any,
) -> Iterator[tuple[Any, Any]]:
    """Give a figure and its panels, (rows, columns); at the end write it beside `path`.

    Args:
        path: its ending does not matter.
        size: in inches.
        endings: the files that are written, png or svg.
        layout: further arguments of `pyplot.subplots`, such as `sharey`.

    Raises:
        DataError: the file cannot be written.
    """
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    with mpl.rc_context(_STYLE):
        figure, panels = pyplot.subplots(
            rows, columns, figsize=size, layout="constrained", squeeze=False, **layout
        )
        try:
            yield figure, panels
            for ending in endings:
                metadata = {"Date": None} if ending == "svg" else None
                with replacing(path.with_suffix(f".{ending}")) as temporary:
                    figure.savefig(temporary, format=ending, dpi=150, metadata=metadata)
        finally:
            pyplot.close(figure)
