"""`gpu`: unified meProp against dense PyTorch on a GPU, where there is one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from meprop_nlp.errors import DataError
from meprop_nlp.files import replacing
from meprop_nlp.reproduction.experiment import Experiment
from meprop_nlp.reproduction.markdown import table
from meprop_nlp.reproduction.store import Store
from meprop_nlp.reproduction.verdict import SOME_SEEDS, Claim

__all__ = ["GPU"]

# GTX 1080, hidden 8192, minibatch 1,024: one product's backpropagation (ICML 2017, Table 8)
_PAPERS = {8: "36.8x", 64: "21.4x", 256: "8.0x", 512: "4.4x"}
NOTHING = (
    "Not measured: PyTorch found no CUDA device on the machine of this report. On one that has it, "
    "`meprop-nlp reproduce gpu --out DIR` measures and writes `DIR/gpu.json`; copied to this "
    "report's folder, it is read from there."
)


class GpuTiming:
    """Times one layer's backward pass; the result is `gpu.json` in the store's folder."""

    def measure(self, store: Store, *, quick: bool) -> None:
        """Measure, where there is a CUDA device and no result yet."""
        import torch

        path = store.folder / "gpu.json"
        if not torch.cuda.is_available() or (path.exists() and (quick or not _was_quick(path))):
            return
        from meprop_nlp.reproduction.gpu_timing import measured

        results = {**measured(quick=quick, on_row=lambda row: None), "quick": quick}
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")

    def report(self, store: Store) -> tuple[str, list[Claim]]:
        """Return the table of the widest layer, and whether unified meProp is faster there.

        Raises:
            DataError: the file is no such result.
        """
        path = store.folder / "gpu.json"
        if not path.exists():
            return NOTHING, [Claim("unified meProp is faster than dense: not measured", None)]
        try:
            results = json.loads(path.read_text(encoding="utf-8"))
            return _table(results), _claims(results["rows"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{path}: is no result of the GPU timing ({error!r}); remove it, or measure again"
            ) from None


def _was_quick(path: Path) -> bool:
    """Whether a result is of a try-out, which a whole measurement takes the place of."""
    try:
        return bool(json.loads(path.read_text(encoding="utf-8")).get("quick"))
    except (OSError, ValueError, AttributeError):
        return False  # the report says what is wrong with it


def _widest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of the widest layer in CUDA graphs, where the host's part is nothing."""
    widest = max(row["h"] for row in rows)
    return [row for row in rows if row["h"] == widest and row["launch"] == "graph"]


def _table(results: dict[str, Any]) -> str:
    about, rows = results["conditions"], _widest(results["rows"])
    columns = ["precision", "k", "dense, ms", "meProp, ms", "times as fast", "row-sparse dw, ms"]
    columns += ["times as fast", "papers"]
    lines = [
        [
            row["precision"],
            str(row["k"]),
            f"{row['ms']['dense'][1]:.3f}",
            f"{row['ms']['full'][1]:.3f}",
            f"{row['speedup']['full']:.1f}x",
            f"{row['ms']['rows'][1]:.3f}",
            f"{row['speedup']['rows']:.1f}x",
            _PAPERS.get(row["k"], ""),
        ]
        for row in rows
    ]
    return (
        f"{about['gpu']}, CUDA {about['cuda']}, torch {about['torch']}: backward pass (dx and dw) "
        f"of a layer {rows[0]['h']} x {rows[0]['h']}, minibatch {about['batch']}, medians of "
        f"{about['n']} samples in turns. The papers: one product on a GTX 1080, hidden 8192.\n\n"
        + table(columns, lines)
    )


def _claims(rows: list[dict[str, Any]]) -> list[Claim]:
    return [
        Claim(
            f"{row['precision']}, k {row['k']}: unified meProp is faster than dense: "
            f"{row['speedup']['full']:.2f} times as fast",
            row["speedup"]["full"] > 1,
            SOME_SEEDS,
        )
        for row in _widest(rows)
    ]


GPU = Experiment(
    "gpu",
    "On a GPU",
    "Is unified meProp faster on a GPU, in a wide layer (meProp, Tables 6 to 8)? The papers: 4 to "
    "37 times on a GTX 1080.",
    lambda scale: (),
    GpuTiming(),
)
