"""The drawings of README.md and docs/method.md, as SVG: a tree, meProp's products, meSimp's cut.

    python benchmarks/pictures.py

Writes docs/tree.svg, docs/products.svg and docs/cut.svg, the same each time. They have a white
ground of their own, so that they can be read on a dark page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import meprop_nlp
from meprop_nlp.data.tree_svg import tree_svg
from meprop_nlp.files import replacing

ROOT = Path(__file__).parents[1]
SENTENCE = "The old dogs that slept in the sun woke up."
INK, KEPT, FAINT, GONE = "#24292f", "#0072b2", "#dde3ea", "#f4f6f8"
CELL = 18  # of a matrix, in pixels
# Made-up numbers, chosen to be told apart: a gradient of 4 examples and 6 neurons of which 2
# entries are kept of each, and the share of examples that kept each of 8 neurons.
GRADIENT = ((9, 1, 2, 8, 1, 3), (1, 7, 3, 2, 9, 1), (8, 2, 1, 3, 2, 9), (2, 1, 9, 7, 3, 1))
K, INPUTS = 2, 5
ACTIVENESS = (0.62, 0.04, 0.38, 0.07, 0.55, 0.02, 0.47, 0.09)
PRUNE_RATE = 0.1
Colour = Callable[[int, int], str]


def picture(width: int, height: int, content: Sequence[str], about: str) -> str:
    """Return a drawing on white ground."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{about}" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}" font-family="sans-serif" fill="{INK}">'
        f'<rect width="{width}" height="{height}" rx="8" fill="white"/>{"".join(content)}</svg>\n'
    )


def text(x: float, y: float, words: str, size: int = 13, anchor: str = "middle") -> str:
    """Return a line of text; `x` is its middle unless `anchor` says otherwise."""
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}">{words}</text>'


def matrix(x: float, y: float, rows: int, columns: int, name: str, colour: Colour) -> list[str]:
    """Return a matrix of cells with its name above, and its shape below."""
    cells = [
        f'<rect x="{x + column * CELL:g}" y="{y + row * CELL:g}" width="{CELL - 2}" '
        f'height="{CELL - 2}" rx="2" fill="{colour(row, column)}"/>'
        for row in range(rows)
        for column in range(columns)
    ]
    return [*cells, text(x + columns * CELL / 2, y - 8, name)]


def kept_entries(gradient: Sequence[Sequence[float]], k: int) -> list[set[int]]:
    """Return the columns of the k largest magnitudes of each row; of equal ones, the first."""
    return [
        set(sorted(range(len(row)), key=lambda i, row=row: (-abs(row[i]), i))[:k])  # type: ignore[misc]
        for row in gradient
    ]


def products() -> str:
    """Return the three products of a layer: forward is whole, backward reads the kept entries."""
    kept = kept_entries(GRADIENT, K)
    batch, neurons = len(GRADIENT), len(GRADIENT[0])

    def whole(_: int, __: int) -> str:
        return FAINT

    def sparse(row: int, column: int) -> str:
        return KEPT if column in kept[row] else GONE

    def sparse_turned(row: int, column: int) -> str:
        return KEPT if row in kept[column] else GONE

    content = []
    rows = (
        ("forward: all of it", "x", INPUTS, whole, "W transposed", INPUTS, neurons, "y", neurons),
        ("backward, to the layer below", "dy, top 2", neurons, sparse, "W", neurons, INPUTS, "dx",
         INPUTS),
    )  # fmt: skip
    tops = (64, 64 + 176)
    for top, (title, left, inner, colour, right, high, wide, result, out) in zip(
        tops, rows, strict=True
    ):
        content.append(text(16, top - 36, title, 14, "start"))
        content += matrix(20, top, batch, inner, left, colour)
        x = 20 + inner * CELL + 14
        content.append(text(x, top + 40, "\u00d7", 18))
        content += matrix(x + 18, top, high, wide, right, whole)
        x += 18 + wide * CELL + 12
        content.append(text(x, top + 40, "=", 18))
        content += matrix(x + 18, top, batch, out, result, whole)
    content.append(text(436, tops[0] - 36, "backward, to the weights", 14, "start"))
    content += matrix(440, tops[0], neurons, batch, "dy, turned", sparse_turned)
    content.append(text(526, tops[0] + 40, "\u00d7", 18))
    content += matrix(544, tops[0], batch, INPUTS, "x", whole)
    content.append(text(648, tops[0] + 40, "=", 18))
    content += matrix(668, tops[0], neurons, INPUTS, "dW", whole)
    content.append(
        text(436, tops[1] + 6, "blue: the 2 entries of each example that are", 13, "start")
    )
    content.append(
        text(436, tops[1] + 26, "largest in magnitude; only they are multiplied", 13, "start")
    )
    content.append(text(436, tops[1] + 46, "pale: counted as zero, and never read", 13, "start"))
    return picture(784, 372, content, "The three matrix products of a layer")


def cut() -> str:
    """Return how often each neuron was kept, and the matrices before and after a cut."""
    stays = [share >= PRUNE_RATE for share in ACTIVENESS]
    left = sum(stays)
    content = [text(16, 28, "how often each neuron was kept", 14, "start")]
    base, high = 168, 110
    for i, share in enumerate(ACTIVENESS):
        x, height = 24 + i * 26, share * high / max(ACTIVENESS)
        colour = KEPT if stays[i] else "#b8c0c8"
        content.append(
            f'<rect x="{x}" y="{base - height:.1f}" width="18" height="{height:.1f}" rx="2" '
            f'fill="{colour}"/>'
        )
        content.append(text(x + 9, base + 16, str(i + 1), 11))
    line = base - PRUNE_RATE * high / max(ACTIVENESS)
    content.append(f'<path d="M16,{line:.1f} H232" stroke="#d55e00" stroke-dasharray="4 3"/>')
    content.append(text(236, line + 4, f"prune rate {PRUNE_RATE:g}", 11, "start"))
    before = len(ACTIVENESS)

    def rows(row: int, _: int) -> str:
        return KEPT if stays[row] else FAINT

    def columns(_: int, column: int) -> str:
        return KEPT if stays[column] else FAINT

    def whole(_: int, __: int) -> str:
        return KEPT

    top = 64
    content.append(text(336, 28, "before: the layer's rows, its reader's columns", 14, "start"))
    content += matrix(340, top, before, 4, "this layer", rows)
    content += matrix(440, top, 3, before, "the next layer", columns)
    content.append(text(626, top + 40, "→", 20))
    content.append(text(660, 28, "after: smaller matrices", 14, "start"))
    content += matrix(664, top, left, 4, "this layer", whole)
    content += matrix(764, top, 3, left, "the next layer", whole)
    return picture(866, 224, content, "A cut: neurons that were seldom kept are removed")


def tree() -> str:
    """Return a sentence as the model of the package parses it."""
    document = meprop_nlp.load("en")(SENTENCE)
    drawn = tree_svg(list(document[0]))
    size = re.search(r'width="([\d.]+)" height="([\d.]+)"', drawn)
    assert size is not None
    ground = f'<rect width="{size[1]}" height="{size[2]}" rx="8" fill="white"/>'
    opening, rest = drawn.split(">", 1)
    return f'{opening} color="{INK}">{ground}{rest}\n'


PICTURES = {"tree": tree, "products": products, "cut": cut}


def main() -> None:
    """Write all of them."""
    for name, drawn in PICTURES.items():
        with replacing(ROOT / "docs" / f"{name}.svg") as temporary:
            Path(temporary).write_text(drawn(), encoding="utf-8")


if __name__ == "__main__":
    main()
