"""The tables of `bench_decode`, as rows of text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from decode_models import DEFAULT, SMALL

from meprop_nlp.commands.tables import table

Table = dict[str, list[Any]]


def comparison(results: dict[str, Any]) -> Table:
    """Return the goals and the results of the models of 64 neurons and of the default models."""
    parse, peers = (results[name]["words_per_second"] for name in ("parse", "peers"))
    models = results["models"]

    def speed(part: str, name: str) -> str:
        return f"{results[part]['words_per_second'][name]:,}"

    def ratio(values: dict[str, int], name: str, other: str) -> str:
        return f"{values[name] / values[other]:.1f}x" if other in values else "not measured"

    def peak(name: str) -> str:
        n_bytes = results["peak_bytes"][name]
        return "not known" if n_bytes is None else f"{n_bytes / 1e6:.0f} MB"

    def size(name: str) -> str:
        return f"{sum(models[name][task]['bytes'] for task in models[name]) / 1e6:.1f} MB"

    copied = speed("copy", "core")
    threads = results["conditions"]["threads"]
    small = f"tag + parse {results['small']['words']} words, whole command"
    uncut = results["uncut"]["neurons"]
    rows: list[tuple[str, str, str, Callable[[str], str]]] = [
        ("parse alone, words/s", "600,000", "1,000,000", lambda name: speed("parse", name)),
        ("tag alone, words/s", "400,000", "1,000,000", lambda name: speed("tag", name)),
        (
            f"tag + parse, file to file, {threads} threads, words/s",
            "400,000",
            "1,000,000",
            lambda name: speed("file", name),
        ),
        ("read + write CoNLL-U, words/s", "1,000,000", "3,000,000", lambda name: copied),
        (
            f"against spaCy in {threads} processes",
            "12x",
            "30x",
            lambda name: ratio(peers, name, "spaCy"),
        ),
        (
            f"parse alone, against {uncut} neurons",
            *("5x", "7x"),
            lambda name: ratio(parse, name, "uncut"),
        ),
        (small, "0.35 s", "0.15 s", lambda name: f"{results['small']['seconds'][name][1]:.2f} s"),
        ("peak memory of that file to file", "250 MB", "100 MB", peak),
        ("model files, tagger + parser", "6 MB", "3 MB", size),
    ]
    shown = {
        name: " / ".join("+".join(map(str, m["neurons"].values())) for m in models[name].values())
        for name in (SMALL, DEFAULT)
    }
    heads = ["", "at least", "aim", *(f"{name}: {neurons}" for name, neurons in shown.items())]
    return {
        "columns": heads,
        "rows": [[what, least, aim, of(SMALL), of(DEFAULT)] for what, least, aim, of in rows],
    }


def peers_table(results: dict[str, Any]) -> Table:
    """Return the words/s of our models and of each peer, and our speed relative to the peer's."""
    peers = results["peers"]
    speeds, scores = peers["words_per_second"], peers["dev"]
    rows = []
    for name, speed in speeds.items():
        ratios = [f"{speeds[model] / speed:.1f}x" for model in (SMALL, DEFAULT)]
        shown = [scores.get(name, {}).get(key) for key in ("upos", "las")]
        rows.append([
            f"ours, {name}" if name in (SMALL, DEFAULT) else name,
            f"{speed:,}",
            *("" if name in (SMALL, DEFAULT) else ratio for ratio in ratios),
            *("" if value is None else f"{value:.2f}" for value in shown),
        ])  # fmt: skip
    against = [f"{SMALL} against it", f"{DEFAULT} against it"]
    return {"columns": ["", "words/s", *against, "dev UPOS", "dev LAS"], "rows": rows}


def report(results: dict[str, Any]) -> None:
    """Print the results of the checks and of the measurements."""
    differing = sum(found["differ"] for found in results["checks"])
    checked = sum(found["words"] for found in results["checks"])
    print(f"\n{differing} of {checked:,} words differ from NumPy's; all trees are trees")
    for name in ("table", "peers_table"):
        print(f"\n{table(results[name]['columns'], results[name]['rows'])}")
    print(f"\nThe uncut parser's weights are {results['uncut']['weights']}.")
