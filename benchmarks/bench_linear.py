"""`MePropLinear` against `nn.Linear`: the backward pass alone, and the forward pass.

    python benchmarks/bench_linear.py [--threads 2] [--quick]

Timed is `y.backward(dy)` through autograd after a fresh forward: choosing the k entries, dx, dw and
the dense db, with no gradients there before. First the gradients are held against the dense
formulas. Writes benchmarks/results/linear.json; nothing should run beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from conditions import arguments, compared, conditions, interleaved, refuse_without_core, save
from torch import Tensor, nn
from torch.testing import assert_close

from meprop_nlp.commands.tables import table
from meprop_nlp.nn.backends.reference_topk import mask_selected, select_topk
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.nn.topk import active_k

Shape = tuple[int, int, int, int]
# B, I, O, k: the parser's hidden layer with the batch sizes of training, and a wider layer
MAIN: tuple[Shape, ...] = (
    (1000, 2400, 500, 20),
    (10000, 2400, 500, 20),
    (2000, 1000, 2000, 40),
)
# where to look for shapes that ours is slower at
BATCHES = (1, 8, 32, 128, 1000)
LAYERS = ((50, 25), (100, 100), (500, 500), (2400, 500), (500, 105), (190, 2000))
SHARES = (0.05, 0.10, 0.25, 0.50, 0.75)
# a call of less than so many multiplications is repeated more often
SMALL = 10_000_000


def check(layer: nn.Linear, x: Tensor, dy: Tensor) -> None:
    """Raise AssertionError unless the gradients are those of the masked dy, multiplied densely."""
    masked = dy
    if isinstance(layer, MePropLinear):
        k = active_k(layer.k, layer.out_features)
        if k is not None:
            selected = select_topk(dy, k, layer.topk_mode).expand(len(dy), k)
            masked = mask_selected(dy, selected)
    actual = torch.autograd.grad(layer(x), [x, layer.weight, layer.bias], dy)
    with torch.no_grad():
        expected = (masked.mm(layer.weight), masked.t().mm(x), dy.sum(dim=0))
    for ours, theirs in zip(actual, expected, strict=True):
        # a sum of many terms that nearly cancel has no relative precision of its own
        assert_close(ours, theirs, rtol=1e-4, atol=1e-5 * theirs.abs().max().item())


def measure(
    n_rows: int, width_in: int, width_out: int, settings: Mapping[str, Any], repeats: int
) -> dict[str, Any]:
    """Check and time `nn.Linear` and a `MePropLinear` for each of `settings`, all in turn."""
    torch.manual_seed(1)
    dense = nn.Linear(width_in, width_out)
    layers: dict[str, nn.Linear] = {"dense": dense}
    for name, options in settings.items():
        layers[name] = MePropLinear.from_dense(dense, **options)
    x = torch.randn(n_rows, width_in, requires_grad=True)
    dy = torch.randn(n_rows, width_out)

    def forward(layer: nn.Linear) -> Tensor:
        layer.zero_grad(set_to_none=True)
        x.grad = None
        return layer(x)  # type: ignore[no-any-return]

    for layer in layers.values():
        check(layer, x, dy)
    before = {name: partial(forward, layer) for name, layer in layers.items()}
    backward = interleaved(
        {name: lambda y: y.backward(dy) for name in layers}, repeats, before=before
    )
    x.grad = None
    return {
        **{"batch": n_rows, "in": width_in, "out": width_out, "repeats": repeats},
        "backward": compared(backward),
    } | ({} if "unified" not in layers else {"forward": compared(interleaved(before, repeats))})


def main_row(shape: Shape, repeats: int) -> dict[str, Any]:
    """Measure both modes at one of the main shapes, and the forward pass."""
    n_rows, width_in, width_out, k = shape
    modes = {mode: {"k": k, "topk_mode": mode} for mode in ("example", "unified")}
    return {"k": k, **measure(n_rows, width_in, width_out, modes, repeats)}


def grid_row(n_rows: int, layer: tuple[int, int], repeats: int) -> dict[str, Any]:
    """Measure a layer with each share of its gradient kept; names are "1" and "5 %" and so on."""
    kept = {"1": 1, **{f"{share:.0%}": max(1, round(share * layer[1])) for share in SHARES}}
    repeats *= 5 if n_rows * layer[0] * layer[1] < SMALL else 1
    row = measure(n_rows, *layer, {name: {"k": k} for name, k in kept.items()}, repeats)
    return {"k": kept, **row}


def show(results: dict[str, Any]) -> None:
    """Print medians, and how many times as fast as nn.Linear ours is."""
    rows = []
    for row in results["main"]:
        name = f"{row['batch']} x {row['in']} -> {row['out']}, k {row['k']}"
        for part in ("forward", "backward"):
            ms, speedup = row[part]["ms"], row[part]["speedup"]
            modes = [f"{ms[mode][1]:.2f} ({speedup[mode]:.2f}x)" for mode in speedup]
            rows.append([name, part, f"{ms['dense'][1]:.2f}", *modes])
    print(table(["main shapes, ms", "", "dense", "example", "unified"], rows))
    names = list(results["grid"][0]["k"])
    rows = [
        [
            f"{row['batch']} x {row['in']} -> {row['out']}",
            f"{row['backward']['ms']['dense'][1]:.3f}",
        ]
        + [f"{row['backward']['speedup'][name]:.2f}x" for name in names]
        for row in results["grid"]
    ]
    print()
    print(table(["backward, entries kept:", "dense ms", *names], rows))


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print and write."""
    refuse_without_core()
    options = arguments(__doc__.splitlines()[0], "linear", words)
    if options.quick:
        grid = [grid_row(n_rows, (50, 25), 2) for n_rows in (1, 8)]
        main_rows = [main_row((32, 50, 25, 5), 3)]
    else:
        main_rows = [main_row(shape, 31) for shape in MAIN]
        grid = [grid_row(n_rows, layer, 11) for layer in LAYERS for n_rows in BATCHES]
    results = {"conditions": conditions(), "main": main_rows, "grid": grid}
    show(results)
    save(results, options.output)


if __name__ == "__main__":
    main()
