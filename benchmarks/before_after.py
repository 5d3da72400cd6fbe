"""Compares this checkout with an earlier commit: the same models and scores, and no speed lost.

    python benchmarks/before_after.py same 3450b6e
    python benchmarks/before_after.py speed 3450b6e

The earlier commit is checked out and its core built in a temporary folder; both trees then run with
this interpreter's packages. `same` trains small models with both, and models of one epoch on a
treebank where `--data` has one; it compares every array bit by bit, and headers, scores and logs
except seconds and words/s. `speed` times both in turn, in processes of their own: nothing else
should run. On a noisy machine the fastest round of each tells more than the median; `--only parser`
times what has "parser" in its name, many rounds in a short time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TREEBANK = "ud-english-ewt"
TIMES = {"seconds", "words_per_second"}

SMALL = "--epochs 3 --hidden 64"
SAMPLE = {
    "dense": SMALL,
    "meprop": f"{SMALL} --k 10",
    "unified": f"{SMALL} --k 10 --topk-mode unified",
    "random": f"{SMALL} --k 10 --topk-mode random",
    "mesimp": f"{SMALL} --simplify",
    "mesimp-paper": f"{SMALL} --simplify --schedule paper --k 8",
}
PARSER = {
    "hybrid": f"{SMALL} --oracle hybrid",
    "dynamic": f"{SMALL} --oracle dynamic --transition-system arc-hybrid --layers 2",
    "swap": f"{SMALL} --transition-system arc-standard-swap --optimizer adagrad",
}
EPOCH = {
    "dense": "--epochs 1",
    "meprop": "--epochs 1 --k 50",
    "mesimp": "--epochs 2 --simplify --schedule paper --k 50 --hidden 200",
}

# Prints seconds of one forward and backward pass, the median of some.
LAYER = """
import sys, time, torch
from statistics import median
from torch.nn.utils.rnn import pack_sequence
from meprop_nlp import BiLSTM, MePropLinear
torch.manual_seed(0)
torch.set_num_threads(1)
if sys.argv[1] == "linear":
    layer, x = MePropLinear(2400, 500, k=20), torch.randn(1000, 2400, requires_grad=True)
    run = lambda: layer(x).sum().backward()
else:
    layer = BiLSTM(190, 500, k=50)
    x = pack_sequence([torch.randn(n, 190) for n in range(40, 8, -1)])
    run = lambda: layer(x)[0].data.square().sum().backward()
seconds = []
for _ in range(60 if sys.argv[1] == "linear" else 12):
    start = time.perf_counter()
    run()
    seconds.append(time.perf_counter() - start)
print(median(seconds[2:]))
"""


@contextmanager
def earlier(commit: str) -> Iterator[Path]:
    """Give a folder with the tree of a commit, its core built, or that folder itself."""
    if Path(commit).is_dir():
        yield Path(commit).resolve()
        return
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "tree")
        subprocess.run(["git", "worktree", "add", "--detach", tree, commit], cwd=ROOT, check=True)
        try:
            build_core(tree, Path(folder, "build"))
            yield tree
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=ROOT, check=True)


def build_core(tree: Path, build: Path) -> None:
    """Build the native core of a tree and put it into its package."""
    nanobind = subprocess.check_output([sys.executable, "-m", "nanobind", "--cmake_dir"], text=True)
    places = [f"-DPython_EXECUTABLE={sys.executable}", f"-Dnanobind_DIR={nanobind.strip()}"]
    options = ["-DCMAKE_BUILD_TYPE=Release", *places]
    subprocess.run(["cmake", "-S", tree / "native", "-B", build, *options], check=True)
    subprocess.run(["cmake", "--build", build, "-j2"], check=True)
    (core,) = build.glob("_native.*.so")
    core.rename(tree / "meprop_nlp" / core.name)


def run(tree: Path, arguments: list[str], cwd: str | Path | None = None) -> str:
    """Run this Python on the package of a tree; return its standard output."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    options = []
    if tree != ROOT:  # -S keeps an editable installation from taking the earlier tree's place
        packages = [path for path in sys.path if path.endswith("site-packages")]
        environment["PYTHONPATH"] = os.pathsep.join([str(tree), *packages])
        options = ["-S"]
    return subprocess.run(
        [sys.executable, *options, *arguments],
        env=environment,
        cwd=cwd or tree,
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    ).stdout


def cli(tree: Path, arguments: list[str], cwd: str | Path | None = None) -> str:
    """Run the command line of a tree."""
    return run(tree, ["-m", "meprop_nlp.cli", *arguments], cwd)


def trainings(data: Path) -> dict[str, list[str]]:
    """Return the command of each model to train, by name."""
    commands = {
        f"{task}-sample-{name}": [f"train-{task}", *options.split()]
        for task, some in (("tagger", SAMPLE), ("parser", SAMPLE | PARSER))
        for name, options in some.items()
    }
    if (data / TREEBANK).is_dir():
        train, dev = (str(data / TREEBANK / f"{part}.conllu") for part in ("train", "dev"))
        files = ["--train", train, "--dev", dev, "--test", dev]
        commands |= {
            f"{task}-epoch-{name}": [f"train-{task}", *files, *options.split()]
            for task in ("tagger", "parser")
            for name, options in EPOCH.items()
        }
    return commands


def trained(tree: Path, name: str, command: list[str], folder: Path) -> dict[str, Any]:
    """Train a model with a tree; return all that is to be the same."""
    from safetensors import safe_open

    output = folder / f"{name}.safetensors"
    scores = cli(tree, [*command, "--quiet", "--threads", "1", "--output", str(output)], folder)
    with safe_open(output, "np") as file:
        header = json.loads(file.metadata()["meprop_nlp"])
        arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    log = [
        {k: v for k, v in json.loads(line).items() if k not in TIMES and "_seconds" not in k}
        for line in output.with_suffix(".jsonl").read_text().splitlines()
    ]
    return {
        "scores": scores.rpartition(": ")[2],
        "log": log,
        **{f"header {key}": value for key, value in header.items() if key != "checksum"},
        **{f"array {k}": (a.dtype.str, a.shape, a.tobytes()) for k, a in arrays.items()},
    }


def same(before: Path, data: Path) -> int:
    """Train every model with both trees; print what differs, and return how many models do."""
    n_different = 0
    for name, command in trainings(data).items():
        results = []
        for tree in (before, ROOT):
            with tempfile.TemporaryDirectory() as folder:
                results.append(trained(tree, name, command, Path(folder)))
        old, new = results
        for logs in zip(
            old.get("log", ()), new.get("log", ()), strict=False
        ):  # the later one may say more
            for key in set(logs[1]) - set(logs[0]):
                del logs[1][key]
        keys = [key for key in old | new if old.get(key) != new.get(key)]
        n_different += bool(keys)
        arrays = sum(key.startswith("array ") for key in new)
        print(f"{name}: {', '.join(keys) if keys else f'the same, {arrays} arrays'}", flush=True)
    print(f"{n_different} models differ")
    return n_different


def speeds(
    tree: Path, models: Path, text: Path, train: list[str], only: str = ""
) -> dict[str, float]:
    """Time once with a tree what has `only` in its name; return seconds, or seconds for a word."""
    found = {
        f"{kind}, step": float(run(tree, ["-c", LAYER, kind]))
        for kind in ("linear", "lstm")
        if only in f"{kind}, step"
    }
    with tempfile.TemporaryDirectory() as folder:
        for task in ("tagger", "parser"):
            if only not in f"{task}, training step":
                continue
            output = Path(folder, f"{task}.safetensors")
            options = ["--quiet", "--threads", "1", "--epochs", "1", "--k", "50"]
            cli(tree, [f"train-{task}", *train, *options, "--output", str(output)], folder)
            epoch = json.loads(output.with_suffix(".jsonl").read_text().splitlines()[-1])
            parts = ("forward_seconds", "backward_seconds", "update_seconds")
            found[f"{task}, training step"] = sum(epoch[p] for p in parts) / epoch["n_batches"]
    if only:
        return found
    model, tagger = models / "parser.safetensors", models / "tagger.safetensors"
    arguments = [str(model), str(text), "--tagger", str(tagger), "--threads", "1", "--json"]
    pace = json.loads(cli(tree, ["benchmark", *arguments, "--rounds", "3"]))["words_per_second"]
    found |= {step: 1 / by_threads["1"] for step, by_threads in pace.items()}
    return found


def speed(before: Path, data: Path, rounds: int, only: str = "") -> int:
    """Time both trees in turn and print the ratios; return how many are above 1.03.

    A ratio counts as above when both the median of the rounds and the fastest rounds are.
    """
    treebank = data / TREEBANK
    text = treebank / "test.conllu"
    train: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        if treebank.is_dir():
            part = Path(folder, "part.conllu")
            blocks = (treebank / "train.conllu").read_text(encoding="utf-8").split("\n\n")
            part.write_text("\n\n".join(blocks[:2000]) + "\n\n", encoding="utf-8")
            train = ["--train", str(part)]
        else:
            text = ROOT / "meprop_nlp" / "data" / "sample" / "test.conllu"
        for task in ("tagger", "parser"):
            output = str(Path(folder, f"{task}.safetensors"))
            cli(before, [f"train-{task}", *train, "-q", "--epochs", "1", "-o", output], folder)
        samples: dict[str, list[tuple[float, float]]] = {}
        for number in range(rounds):
            trees = [before, ROOT] if number % 2 == 0 else [ROOT, before]
            timed = {tree: speeds(tree, Path(folder), text, train, only) for tree in trees}
            old, new = timed[before], timed[ROOT]
            for name in old:
                samples.setdefault(name, []).append((old[name], new[name]))
    slower = 0
    print(f"{'':24}{'before':>12}{'after':>12}{'after / before':>16}{'of the fastest':>16}")
    for name, pairs in samples.items():
        old, new = (median(side) for side in zip(*pairs, strict=True))
        ratio = median(after / before for before, after in pairs)
        fastest_old, fastest_new = (min(side) for side in zip(*pairs, strict=True))
        fastest = fastest_new / fastest_old
        slower += min(ratio, fastest) > 1.03
        print(f"{name:24}{old:12.3g}{new:12.3g}{ratio:16.3f}{fastest:16.3f}")
    return slower


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["same", "speed"])
    parser.add_argument("commit", help="an earlier commit, or a folder with its tree and core")
    default = os.environ.get("MEPROP_NLP_DATA", "data")
    parser.add_argument("--data", type=Path, default=Path(default), help="folder of treebanks")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is timed")
    parser.add_argument("--only", default="", help="a part of the name of what to time")
    options = parser.parse_args()
    with earlier(options.commit) as before:
        if options.what == "same":
            return int(same(before, options.data) > 0)
        return int(speed(before, options.data, options.rounds, options.only) > 0)


if __name__ == "__main__":
    sys.exit(main())
