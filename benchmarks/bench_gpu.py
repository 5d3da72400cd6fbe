"""A linear layer's backward pass on a GPU: unified meProp against dense PyTorch (Tables 6 to 8).

    python benchmarks/bench_gpu.py [--quick]

Holds the kernels against the reference, then times dx and dw of an h x h layer with CUDA events,
dense and meProp in turns. Each is timed twice: `eager`, called as a training calls it, and `graph`,
replayed from a CUDA graph, where the host's part is nothing. `full` has a dense dw, `rows` a
row-sparse one (`sparse_grad=True`). Dense PyTorch computes in the same precision; `float32` is
without TF32. Writes benchmarks/results/gpu.json, which the report of `python -m experiments` reads
too. Needs an NVIDIA GPU; takes some minutes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch
from conditions import arguments, compared, conditions, save
from torch import Tensor
from torch.testing import assert_close

from meprop_nlp.nn.backends import choose, reference_topk
from meprop_nlp.nn.topk import Operands, Selection

BATCH = 1024
WIDTHS = (1024, 2048, 4096, 8192)
KEPT = (8, 64, 256, 512)
# name: dtype, whether float32 products may use TF32
PRECISIONS = {
    "float32": (torch.float32, False),
    "tf32": (torch.float32, True),
    "bfloat16": (torch.bfloat16, False),
}
SAMPLE_MS = 5.0  # calls of one sample together take at least this long

Timed = Mapping[str, Callable[[], object]]


def layer(h: int, dtype: torch.dtype, device: str = "cuda") -> tuple[Tensor, Tensor, Tensor]:
    """Return dy (B, h), x (B, h) and weight (h, h), drawn at random."""
    shapes = (BATCH, h), (BATCH, h), (h, h)
    dy, x, weight = (torch.randn(shape, device=device).to(dtype) for shape in shapes)
    return dy, x, weight


def dense(dy: Tensor, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """PyTorch's own backward pass of a linear layer."""
    return dy.mm(weight), dy.t().mm(x)


def unified(
    dy: Tensor, x: Tensor, weight: Tensor, k: int, *, row_sparse: bool
) -> tuple[Tensor, Tensor]:
    """Our backward pass."""
    layer = Operands(x, weight, need_db=False, row_sparse=row_sparse)
    kept = choose.topk(dy, Selection(k, "unified"), layer)
    return kept.dx(weight), kept.dw(x)


def check(dy: Tensor, x: Tensor, weight: Tensor, k: int) -> None:
    """Assert that the products are the dense ones of what the reference selects."""
    selected = reference_topk.select_topk(dy, k, "unified").expand(len(dy), k)
    dx, dw = dense(reference_topk.mask_selected(dy, selected), x, weight)
    # The order of summation differs: errors grow with the root of the longest sum.
    rtol, atol = 2e-2, 2e-2 * float(max(dx.std(), dw.std()))
    for row_sparse in (False, True):
        actual_dx, actual_dw = unified(dy, x, weight, k, row_sparse=row_sparse)
        assert_close(actual_dx, dx, rtol=rtol, atol=atol)
        assert_close(actual_dw.to_dense(), dw, rtol=rtol, atol=atol)


def captured(function: Callable[[], object]) -> Callable[[], object]:
    """Return the replay of a CUDA graph of `function`."""
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # warmed up beside the default stream, as capture asks
        for _ in range(3):
            function()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        outputs = function()

    def replay(kept: object = outputs) -> None:  # `kept`: the graph writes into them
        graph.replay()

    return replay


def milliseconds(function: Callable[[], object], calls: int) -> float:
    """Return the time of one of several calls without a pause, by CUDA events."""
    start, end = (
        torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        for _ in range(2)
    )
    start.record()
    for _ in range(calls):
        function()
    end.record()
    end.synchronize()
    return float(start.elapsed_time(end)) / calls


def in_turns(functions: Timed, repeats: int) -> dict[str, list[float]]:
    """Return seconds of each call, by name; all are warmed up, then sampled in turns."""
    calls = {}
    for name, function in functions.items():
        milliseconds(function, 3)
        calls[name] = max(1, round(SAMPLE_MS / milliseconds(function, 3)))
    samples: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(repeats):
        for name, function in functions.items():
            samples[name].append(milliseconds(function, calls[name]) / 1000)
    return samples


@contextmanager
def matmul_precision(tf32: bool) -> Iterator[None]:
    """Let float32 products use TF32, or not, inside the block."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def measure(h: int, k: int, precision: str, repeats: int) -> list[dict[str, Any]]:
    """Check and time one shape, eagerly and in a CUDA graph."""
    dtype, tf32 = PRECISIONS[precision]
    rows = []
    with matmul_precision(tf32):
        tensors = layer(h, dtype)
        check(*tensors, k)
        functions: Timed = {
            "dense": lambda: dense(*tensors),
            "full": lambda: unified(*tensors, k, row_sparse=False),
            "rows": lambda: unified(*tensors, k, row_sparse=True),
        }
        graphs = {name: captured(function) for name, function in functions.items()}
        for launch, timed in (("eager", functions), ("graph", graphs)):
            result = compared(in_turns(timed, repeats))
            rows.append({"h": h, "k": k, "precision": precision, "launch": launch, **result})
    return rows


def gpu_conditions() -> dict[str, Any]:
    """Return what `conditions` does not know: the GPU and what drives it."""
    try:
        triton: str | None = version("triton")
    except PackageNotFoundError:
        triton = None
    selects = "triton" if choose.triton_topk(torch.cuda.current_device()) else "torch"
    return {
        "gpu": torch.cuda.get_device_name(),
        "capability": ".".join(map(str, torch.cuda.get_device_capability())),
        "cuda": torch.version.cuda,
        "triton": triton,
        "selection": selects,
    }


def show(row: dict[str, Any]) -> None:
    """Print one shape."""
    times = ", ".join(f"{name} {ms[1]:.3f} ms" for name, ms in row["ms"].items())
    faster = ", ".join(f"{name} {ratio:.1f}x" for name, ratio in row["speedup"].items())
    shape = f"{row['precision']} h {row['h']} k {row['k']} {row['launch']}"
    print(f"{shape}: {times}; {faster}", flush=True)


def main() -> None:
    """Check, measure and print every shape, then write the results."""
    read = arguments(__doc__.splitlines()[0], "gpu")
    if not torch.cuda.is_available():
        raise SystemExit("bench_gpu.py: PyTorch finds no CUDA device; nothing measured or written")
    torch.manual_seed(1)
    widths, kept, repeats = ((1024,), (8, 64), 5) if read.quick else (WIDTHS, KEPT, 20)
    rows = []
    for precision, h, k in itertools.product(PRECISIONS, widths, kept):
        for row in measure(h, k, precision, repeats):
            rows.append(row)
            show(row)
    about = {**conditions(), **gpu_conditions(), "batch": BATCH, "n": repeats}
    save({"conditions": about, "rows": rows}, read.output)


if __name__ == "__main__":
    main()
