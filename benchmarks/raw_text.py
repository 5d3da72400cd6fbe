"""Scores from raw text, where sentences, tokens and words are found too.

    python benchmarks/raw_text.py box=en default=models/model.safetensors [--part test]
    python benchmarks/raw_text.py --treebank data/ud-turkish-imst turkish=imst.safetensors

Runs `evaluate --raw` on dev, or on `--part test`, as a user would, and checks that the running
text comes back byte for byte from `annotate`. Adds the scores to benchmarks/results/raw_text.json,
under the names given. Test is scored once for each name, unless `--again`. benchmarks/readme.py
makes the tables.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from conditions import arguments, conditions, save, stored
from tables.published import SCORES_OF_TEXT
from tables.texts import raw_text_table
from treebanks import call

from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.sample.treebank import sample_treebank
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.spaces import text_of
from meprop_nlp.data.tokens.boundaries import raw_text
from meprop_nlp.models.boxed import model_file


def named(words: Sequence[str]) -> dict[str, str]:
    """Return the models of `NAME=MODEL`, by name; exit where one is something else."""
    models = {}
    for word in words:
        name, _, model = word.partition("=")
        if not name or not model or name in models:
            raise SystemExit(f"{word}: expected NAME=MODEL, each name once")
        models[name] = model
    return models


def options_of(words: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    treebanks = Path(os.environ.get("MEPROP_NLP_DATA", "data"))

    def more(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("models", nargs="*", metavar="NAME=MODEL")
        parser.add_argument(
            "--treebank",
            type=Path,
            default=treebanks / "ud-english-ewt",
            metavar="FOLDER",
            help="with dev.conllu and test.conllu",
        )
        parser.add_argument("--part", choices=("dev", "test"), default="dev")
        parser.add_argument("--again", action="store_true", help="score on test once more")

    return arguments(__doc__.splitlines()[0], "raw_text", words, more)


def demand_same_text(sentences: Iterable[Sentence], text: str, name: str) -> None:
    """End the program unless the text comes back, with all its white space, from the sentences."""
    found = text_of(sentences)
    if found == text:
        return
    pairs = enumerate(zip(found, text, strict=False))
    same = next((i for i, (one, other) in pairs if one != other), min(len(found), len(text)))
    raise SystemExit(
        f"{name}: the text does not come back: from character {same} on there is "
        f"{found[same : same + 20]!r}, expected {text[same : same + 20]!r}"
    )


def score(name: str, model: str, gold: Path) -> dict[str, Any]:
    """Annotate the running text of a treebank's file with a model; return all that came out."""
    metrics = json.loads(call("evaluate", str(gold), "--model", model, "--raw", "--json"))[
        "metrics"
    ]
    text = raw_text(read(gold))
    with tempfile.TemporaryDirectory() as folder:
        source, system = Path(folder, "raw.txt"), Path(folder, "system.conllu")
        source.write_bytes(text.encode())
        call("annotate", str(source), "--model", model, "-o", str(system), "--quiet")
        demand_same_text(read(system), text, name)
    return {
        "scores": {each: metrics[each]["f1"] for each in SCORES_OF_TEXT if metrics[each]},
        "bytes": Path(model_file(model)).stat().st_size,
        "characters": len(text),
        "conditions": conditions(),
    }


def main(words: Sequence[str] | None = None) -> None:
    """Score what has not been scored, add it to the results and print the table."""
    options = options_of(words)
    treebank, part = options.treebank.name, options.part
    gold = options.treebank / f"{part}.conllu"
    if options.quick:
        treebank, gold = "sample", sample_treebank(part)
    results = stored(options.output) if options.output else {}
    for name, model in named(options.models).items():
        scored = results.get("runs", {}).get(treebank, {}).get(part, {})
        if part == "test" and name in scored and not options.again:
            print(f"{name}: test has been scored with a model of this name; --again scores it anew")
            continue
        result = score(name, model, gold)
        if options.output:  # another process may have added to it meanwhile
            results = stored(options.output)
        runs = results.setdefault("runs", {}).setdefault(treebank, {})
        runs.setdefault(part, {})[name] = result
        save(results, options.output)
    print(f"{treebank}, {part}, from raw text:")
    print(raw_text_table(results.get("runs", {}), treebank, part))


if __name__ == "__main__":
    main()
