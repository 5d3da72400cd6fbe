"""The section on GPUs, from the results of benchmarks/bench_gpu.py."""

import json
from pathlib import Path
from typing import Any

from experiments.claims import SOME_SEEDS
from experiments.number import markdown_table
from experiments.table import Claim

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results" / "gpu.json"
HEADS = ["precision", "k", "dense, ms", "meProp, ms", "times as fast"]
HEADS += ["row-sparse dw, ms", "times as fast", "papers"]
# GTX 1080, hidden 8192, minibatch 1,024: one product's backpropagation (ICML 2017, Table 8)
PAPERS = {8: "36.8x", 64: "21.4x", 256: "8.0x", 512: "4.4x"}


def gpu_section(path: Path = RESULTS) -> tuple[str, list[Claim]]:
    """Return the table of the widest layer, and whether unified meProp is faster there."""
    if not path.exists():
        text = "Not measured: `python benchmarks/bench_gpu.py` does so where there is a GPU."
        return text, [Claim("unified meProp is faster than dense: not measured", None)]
    results = json.loads(path.read_text(encoding="utf-8"))
    widest = max(row["h"] for row in results["rows"])
    # replayed from CUDA graphs, which takes the host no time
    rows = [r for r in results["rows"] if r["h"] == widest and r["launch"] == "graph"]
    return _text(results["conditions"], rows), [_claim(row) for row in rows]


def _text(about: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    lines = []
    for row in rows:
        dense, full, sparse = (f"{row['ms'][name][1]:.3f}" for name in ("dense", "full", "rows"))
        faster, sparse_faster = (f"{row['speedup'][name]:.1f}x" for name in ("full", "rows"))
        numbers = [str(row["k"]), dense, full, faster, sparse, sparse_faster]
        lines.append([row["precision"], *numbers, PAPERS.get(row["k"], "")])
    return (
        f"{about['gpu']}, CUDA {about['cuda']}, torch {about['torch']}: backward pass (dx and dw) "
        f"of a layer {rows[0]['h']} x {rows[0]['h']}, minibatch {about['batch']}, medians of "
        f"{about['n']} samples in turns. The papers: one product on a GTX 1080, hidden 8192.\n\n"
        + markdown_table(HEADS, lines)
    )


def _claim(row: dict[str, Any]) -> Claim:
    ratio = row["speedup"]["full"]
    text = f"{row['precision']}, k {row['k']}: unified meProp is faster than dense"
    return Claim(f"{text}: {ratio:.2f} times as fast", ratio > 1, SOME_SEEDS)
