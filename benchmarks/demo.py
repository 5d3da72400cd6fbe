"""`make demo`: the whole job on the built-in sample treebank, through the command line.

First a text is annotated with the English model of the package. Then the tagger and the parser are
trained dense, with meProp and with meSimp, one table says how they came out, and a file is tagged,
parsed and scored. The sample treebank is a demonstration: its scores prove nothing.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from pathlib import Path

from meprop_nlp.commands.tables import table
from meprop_nlp.data.sample.treebank import sample_treebank
from meprop_nlp.models.boxed import ENGLISH, boxed_models

FOLDER = Path("demo")
TEXT = "Time flies like an arrow. Dr. Smith didn't see it."
VARIANTS = {
    "dense": [],
    "meProp": ["--k", "{k}"],
    "meSimp": ["--k", "{k}", "--simplify"],
}
# narrower than the default of 500, so that all six trainings take two minutes
TASKS = {
    "tagger": ("10", ["--hidden", "200", "--batch-size", "8"]),
    "parser": ("20", ["--hidden", "200", "--batch-size", "100"]),
}


def run(*words: str, capture: bool = False) -> str:
    """Run one command of meprop-nlp, showing it first."""
    if not capture:
        print("$ meprop-nlp " + shlex.join(words), flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "meprop_nlp.cli", *words],
        check=False,
        text=True,
        stdout=subprocess.PIPE if capture else None,
    )
    if done.returncode:
        raise SystemExit(done.returncode)
    return done.stdout or ""


def annotate_text() -> None:
    """Show what the English model makes of a text."""
    print(f"$ echo {shlex.quote(TEXT)} | meprop-nlp annotate --model en", flush=True)
    subprocess.run(
        [sys.executable, "-m", "meprop_nlp.cli", "annotate", "--model", "en", "--quiet"],
        check=True,
        text=True,
        input=f"{TEXT}\n",
    )


def train(task: str, variant: str) -> list[str]:
    """Train one model and return its row of the table."""
    k, options = TASKS[task]
    model = FOLDER / f"{task}-{variant.lower()}.safetensors"
    flags = [flag.format(k=k) for flag in VARIANTS[variant]]
    start = time.perf_counter()
    run(f"train-{task}", "-o", str(model), *options, *flags, "--quiet")
    seconds = time.perf_counter() - start
    info = json.loads(run("info", str(model), "--json", capture=True))
    test = str(sample_treebank("test"))
    result = run("evaluate", test, "--model", str(model), "--json", capture=True)
    metrics = json.loads(result)["metrics"]
    names = ("upos", "xpos") if task == "tagger" else ("uas", "las")
    return [
        f"{task}, {variant}",
        " + ".join(str(width) for width in info["neurons"].values()),
        f"{info['bytes']:,}",
        " / ".join(f"{metrics[name]['f1']:.2f}" for name in names),
        f"{seconds:.1f}",
    ]


def main() -> None:
    """Run the demonstration."""
    start = time.perf_counter()
    if ENGLISH in boxed_models():
        annotate_text()
    rows = [train(task, variant) for task in TASKS for variant in VARIANTS]
    print()
    print(
        table(
            ["model", "neurons", "bytes", "UPOS / XPOS or UAS / LAS on test", "seconds"],
            rows,
        )
    )
    print()
    test, tagger, parser = (
        str(sample_treebank("test")),
        str(FOLDER / "tagger-mesimp.safetensors"),
        str(FOLDER / "parser-mesimp.safetensors"),
    )
    parsed = str(FOLDER / "parsed.conllu")
    run("parse", test, "--model", parser, "--tagger", tagger, "-o", parsed)
    run("evaluate", test, parsed)
    lines = Path(parsed).read_text(encoding="utf-8").splitlines()
    print("\nThe first sentence of", parsed)
    print("\n".join(lines[: lines.index("")]))
    print(
        f"\n{time.perf_counter() - start:.0f} seconds in all; models and output are in {FOLDER}/."
    )


if __name__ == "__main__":
    main()
