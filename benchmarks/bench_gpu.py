"""A linear layer's backward pass on a GPU: unified meProp against dense PyTorch.

    python benchmarks/bench_gpu.py [--quick]

Asserts first, times second, and writes benchmarks/results/gpu.json; what is measured is said in
meprop_nlp/reproduction/gpu_timing.py. Needs an NVIDIA GPU; takes some minutes.
"""

from __future__ import annotations

from typing import Any

import torch
from conditions import arguments, save

from meprop_nlp.reproduction.gpu_timing import measured


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
    save(measured(quick=read.quick, on_row=show), read.output)


if __name__ == "__main__":
    main()
