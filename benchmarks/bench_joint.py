"""The pace of a training step of the joint model: meProp, plain backprop, and PyTorch's own LSTM.

    python benchmarks/bench_joint.py [--data data/ud-english-ewt] [--threads 1 2] [--k 12 20 30]

They take turns on the same minibatches, in one process; nothing else should run. *PyTorch* is the
same network with `nn.LSTM` layers, which run our weights. What a processor without AVX-512 would do
is measured apart:

    MEPROP_NLP_KERNELS=avx2 ATEN_CPU_CAPABILITY=avx2 MKL_ENABLE_INSTRUCTIONS=AVX2 \\
        ONEDNN_MAX_CPU_ISA=AVX2 python benchmarks/bench_joint.py
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from conditions import FOLDER, conditions, save, stored
from torch import nn

from meprop_nlp.config import Settings
from meprop_nlp.data.conll.reading import read
from meprop_nlp.training.joint import JointTask
from meprop_nlp.training.loop import Trainer

DEFAULT, PLAIN, PYTORCH = "meProp", "plain backprop", "PyTorch"


class DenseBiLSTM(nn.Module):
    """A BiLSTM with PyTorch's own layer in place of ours."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.lstm = layer.to_dense()

    def forward(self, packed: Any) -> Any:
        """Return the packed output and the last state, in the form that ours has."""
        output, (h, c) = self.lstm(packed)
        return output, tuple(torch.cat(list(state), 1)[None] for state in (h, c))


def trainer(sentences: Any, k: int | None) -> Trainer:
    """Return a training of the default network; `k` of None is the default."""
    given: dict[str, Any] = {"epochs": 20} | ({} if k is None else {"k": k})
    settings = Settings.of("joint", **given)
    torch.manual_seed(1)
    task = JointTask(sentences, [], settings, torch.device("cpu"))
    task.network.train()
    return Trainer(task, training=settings.training)


def with_torch_layers(sentences: Any) -> Trainer:
    """Return a training of the network with PyTorch's own LSTM layers."""
    settings = Settings.of("joint", epochs=20, k=0)
    torch.manual_seed(1)
    task = JointTask(sentences, [], settings, torch.device("cpu"))
    encoder = task.network.encoder
    encoder.layers = nn.ModuleList(  # type: ignore[assignment]
        DenseBiLSTM(layer) for layer in encoder.layers
    )
    encoder.spelling = DenseBiLSTM(encoder.spelling)  # type: ignore[assignment]
    task.simplified_layers = lambda: []  # type: ignore[method-assign]
    task.network.train()
    return Trainer(task, training=settings.training)


def milliseconds(sentences: Any, n_steps: int, ks: list[int]) -> tuple[dict[str, float], int]:
    """Return the median of a step's time for each kind of layers, in turns, and the mean words."""
    kinds = {
        DEFAULT: trainer(sentences, None),
        PLAIN: trainer(sentences, 0),
        PYTORCH: with_torch_layers(sentences),
        **{f"k {k}": trainer(sentences, k) for k in ks},
    }
    found: dict[str, list[float]] = {name: [] for name in kinds}
    batches = list(kinds[DEFAULT].task.batches(np.random.default_rng(1)))[: n_steps + 2]
    for number, batch in enumerate(batches):
        for name, training in kinds.items():
            start = time.perf_counter()
            training._step(batch)
            if number >= 2:  # the first steps make the optimiser's state
                found[name].append(1000 * (time.perf_counter() - start))
    words = round(float(np.mean([batch.n_words for batch in batches])))
    return {name: median(times) for name, times in found.items()}, words


def main() -> None:
    """Measure, print, and store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data = Path(os.environ.get("MEPROP_NLP_DATA", "data"), "ud-english-ewt")
    parser.add_argument("--data", type=Path, default=data)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--k", type=int, nargs="*", default=[], help="beside the default")
    arguments = parser.parse_args()
    # the whole treebank: its size decides that of a minibatch
    sentences = list(read(arguments.data / "train.conllu", trees=True))
    rows = {}
    words = 0
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        times, words = milliseconds(sentences, arguments.steps, arguments.k)
        rows[str(threads)] = times
        shown = ", ".join(f"{name} {ms:.1f} ms" for name, ms in times.items())
        dense, torchs = (times[name] / times[DEFAULT] for name in (PLAIN, PYTORCH))
        print(f"{threads} threads: {shown}; meProp {dense:.2f}x and {torchs:.2f}x as fast")
    result = {"milliseconds": rows, "words": words, "steps": arguments.steps}
    result["conditions"] = conditions()
    path = FOLDER / "results" / "joint.json"
    results = stored(path)
    kernels = result["conditions"]["kernels"]
    results["step"] = {**results.get("step", {}), kernels: result}
    save(results, path)


if __name__ == "__main__":
    main()
