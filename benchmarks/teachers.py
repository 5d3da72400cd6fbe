"""What outside knowledge gives on EWT: vectors, a transformer, teachers, partial annotation.

    python benchmarks/teachers.py --glove FILE --minilm DIR [--only GloVe] [--seeds 1]

Runs the command line as a user would, and goes on where it was stopped: finished runs are in
benchmarks/results/teachers.json, a training resumes from its checkpoint. The model "MiniLM" teaches
"taught" and "taught, simplified". docs/teachers.md has the tables.
"""

from __future__ import annotations

import argparse
import os
import random
from pathlib import Path

from joint import Split, add_result, finished, model_path, run
from tables.published import EWT, IMST
from tables.teachers import teachers_table

RESULTS = Path(__file__).parent / "results" / "teachers.json"
N_SMALL = 300  # sentences of a small treebank


def sentences(path: Path) -> list[str]:
    """Return the sentences of a CoNLL file, as text."""
    return [part for part in path.read_text(encoding="utf-8").split("\n\n") if part.strip()]


def write(path: Path, parts: list[str]) -> str:
    """Write sentences to a file and return its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{part.strip()}\n\n" for part in parts), encoding="utf-8")
    return str(path)


def without_heads(part: str, rng: random.Random) -> str:
    """Return a sentence with about half of its heads and labels removed."""
    lines = []
    for line in part.split("\n"):
        fields = line.split("\t")
        if len(fields) == 10 and fields[0].isdigit() and rng.random() < 0.5:
            fields[6] = fields[7] = "_"
        lines.append("\t".join(fields))
    return "\n".join(lines)


def plan(arguments: argparse.Namespace) -> dict[str, tuple[Split, list[str], list[str]]]:
    """Return files, options of `train` and options of `evaluate` of each run, by name."""
    data, folder = arguments.data, arguments.folder
    ewt, imst = Split.of(data / EWT), Split.of(data / IMST)
    ptb = Split.of(data / "ptb-sample", "conllx")
    cache = ["--cache", str(folder / "cache")]
    masc = ["--unlabelled", str(data / "raw-english" / "masc.txt")]
    taught = ["--teacher", str(model_path(folder, "MiniLM", 1)), *masc, *cache]
    rng = random.Random(1)
    half = [without_heads(part, rng) for part in sentences(Path(ewt.train[0]))]
    few = {
        name: write(folder / f"{name}-{N_SMALL}.conll", sentences(Path(split.train[0]))[:N_SMALL])
        for name, split in (("ptb", ptb), ("imst", imst))
    }
    ids = ["--treebank-id", "imst", "--treebank-id", "ewt"]
    of_imst = ["--treebank-id", "imst"]
    return {
        "plain": (ewt, [], []),
        "GloVe": (ewt, ["--vectors", str(arguments.glove)], []),
        "MiniLM": (ewt, ["--pretrained", str(arguments.minilm), *cache], []),
        "taught": (ewt, taught, []),
        "taught, simplified": (ewt, [*taught, "--simplify"], []),
        "ensemble, not swapped": (ewt, ["--teachers", "3", "--swapped-copies", "0"], []),
        "ensemble": (ewt, ["--teachers", "3", "--epochs", "13"], []),
        "half of the heads": (ewt._replace(train=[write(folder / "half.conllu", half)]), [], []),
        "PTB": (ptb._replace(train=[few["ptb"]]), [], []),
        "PTB from EWT": (
            ptb._replace(train=[few["ptb"]]),
            ["--init-from", str(arguments.ewt_model)],
            [],
        ),
        "IMST": (imst._replace(train=[few["imst"]]), [], []),
        "IMST and EWT": (imst._replace(train=[few["imst"], *ewt.train]), ids, of_imst),
    }


def main() -> None:
    """Run what was asked for and add it to the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = os.environ.get("MEPROP_NLP_DATA", "data")
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--glove", type=Path, help="GloVe 6B 50d as text")
    parser.add_argument("--minilm", type=Path, help="the folder of all-MiniLM-L6-v2")
    parser.add_argument("--ewt-model", type=Path, help="a model of EWT to start from")
    parser.add_argument("--only", default="", help="run what has this name")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--folder", type=Path, default=Path("models/teachers"))
    parser.add_argument("--table", action="store_true", help="only print the tables")
    arguments = parser.parse_args()
    runs = {} if arguments.table else plan(arguments)
    for seed in arguments.seeds:
        for name, (split, options, evaluating) in runs.items():
            done = [found["seed"] for found in finished(RESULTS).get(name, [])]
            if arguments.only in ("", name) and seed not in done:
                result = run(
                    name, seed, split, options, arguments.folder, alone=False, evaluating=evaluating
                )
                add_result(RESULTS, name, result)
    for part in ("dev", "test"):
        print(f"{part}:\n{teachers_table(finished(RESULTS), part)}\n")


if __name__ == "__main__":
    main()
