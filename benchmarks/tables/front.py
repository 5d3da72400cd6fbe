"""The table of README.md: scores and speed on EWT, with other systems beside."""

from __future__ import annotations

from typing import Any

from tables.markdown import markdown, mean_cell
from tables.published import EWT, PUBLISHED, PUBLISHED_OF_TOKENS
from tables.teachers import RECIPE, megabytes, newest_runs, pace_of, recipe

FRONT = {"plain": "`train`", "plain, simplified": "`train --simplify`"}
FRONT |= {"taught, simplified": "the same, with a teacher", "spaCy": RECIPE["spaCy"]}


def front(results: dict[str, dict[str, Any]]) -> str:
    """Return the README's table: scores and speed on EWT's test file, with the systems beside us.

    What others have published has no speed: it was not measured here.
    """
    rows = []
    shown = ("upos", "lemmas", "las")
    runs = newest_runs(results)
    systems = recipe(results)
    for name, label in FRONT.items():
        if name in systems:
            system = systems[name]
            pace = system["pace"].cells(beside=system["beside"])
            tests = [seed["test"] for seed in runs.get(name, ())] or [system]
            cells = [mean_cell([test[s] for test in tests if s in test]) for s in shown]
            rows.append([label, "tokens", *cells, *pace, megabytes(system)])
    for name, published in PUBLISHED_OF_TOKENS.items():
        cells = [published[score] for score in shown]
        rows.append([f"{name}, published", "tokens", *cells, "", "", ""])
    texts, name = results["raw_text"], "English model of the package"
    found = texts.get("runs", {}).get(EWT, {}).get("test", {}).get(name)
    if found and "pace" in texts:
        cells = [f"{found['scores'][score]:.2f}" for score in shown]
        timed = pace_of(name, texts["pace"]["words_per_second"])
        pace = ["", ""] if timed is None else timed.cells(beside=False)
        rows.append(
            ["English model in the box", "text", *cells, *pace, f"{found['bytes'] / 1e6:.1f}"]
        )
    for name, published in PUBLISHED[EWT].items():
        cells = [published[score] for score in shown]
        rows.append([f"{name}, published", "text", *cells, "", "", ""])
    columns = ["EWT test", "given", "UPOS", "Lemmas", "LAS", "words/s", "times spaCy's", "MB"]
    return markdown(columns, rows)
