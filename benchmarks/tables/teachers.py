"""The tables of docs/teachers.md: what outside knowledge gives."""

from __future__ import annotations

from statistics import mean, median
from typing import Any, NamedTuple

from tables.markdown import markdown, spread_cell
from tables.published import SPACY, SPACY_BYTES, SPACY_MINUTES, SUMMARY
from tables.speed import pace_conditions

# the systems of docs/teachers.md's recipe, as their runs are called and as the page calls them
RECIPE = {
    "spaCy": "spaCy, efficiency",
    "plain": "plain",
    "plain, simplified": "plain, simplified",
    "MiniLM": "teacher",
    "taught": "student",
    "taught, simplified": "student, simplified",
}
# the same ones in joint.json, by the names of their runs and of their pace
JOINT_RUNS = {"plain": "EWT, meProp", "plain, simplified": "EWT, simplified"}
JOINT_PACES = {"plain": "uncut", "plain, simplified": "cut"}


def teachers_table(runs: dict[str, list[dict[str, Any]]], part: str) -> str:
    """Return the scores of models with knowledge beside their treebank, with size and minutes."""
    rows = []
    for name, seeds in runs.items():
        found = [[seed[part][score] for seed in seeds if score in seed[part]] for score in SUMMARY]
        cells = [spread_cell(values) for values in found]
        size = mean(seed["bytes"] for seed in seeds) / 1e6
        minutes = mean(seed["seconds_of_epochs"] for seed in seeds) / 60
        rows.append([name, str(len(seeds)), *cells, f"{size:.1f}", f"{minutes:.0f}"])
    return markdown(["", "seeds", *SUMMARY.values(), "MB", "minutes"], rows)


def newest_runs(results: dict[str, dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the runs of the recipe's systems by name; the plain models are those of joint.json.

    The plain model that was trained beside the teachers is of the teachers' age.
    """
    joint = results["joint"].get("runs", {})
    newest: dict[str, list[dict[str, Any]]] = dict(results["teachers"].get("runs", {}))
    return newest | {name: joint[run] for name, run in JOINT_RUNS.items() if run in joint}


def recipe(results: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return what was measured of each system of the recipe: scores on test, cost, pace.

    Systems without scores or without a pace are left out. One that was not timed beside the others
    has the pace of joint.json, and `beside` is False. `comparable` is its pace as if spaCy had been
    as fast there as it was beside the others.
    """
    pace, joint = results["teachers"]["pace"], results["joint"]
    runs = newest_runs(results)
    speeds = pace["words_per_second"]
    found: dict[str, dict[str, Any]] = {}
    for name, label in RECIPE.items():
        theirs = joint.get("pace", {}).get("words_per_second", {})
        timed = pace_of(name, speeds) or pace_of(JOINT_PACES.get(name, ""), theirs)
        if name == "spaCy":
            scores, size, minutes = SPACY, SPACY_BYTES, SPACY_MINUTES
        elif seeds := runs.get(name):
            scores = {score: mean(s["test"][score] for s in seeds) for score in ("upos", "las")}
            size = pace["bytes"].get(name) or round(mean(seed["bytes"] for seed in seeds))
            # the machine may have been busy while one of the seeds was trained
            minutes = median(seed["seconds_of_epochs"] for seed in seeds) / 60
        else:
            continue
        beside = name in speeds
        if timed is None or (not beside and "spaCy" not in speeds.keys() & theirs.keys()):
            continue
        comparable = timed.words_per_second
        if not beside:
            comparable = round(comparable * speeds["spaCy"] / theirs["spaCy"])
        found[name] = {
            **{"label": label, "upos": scores["upos"], "las": scores["las"], "minutes": minutes},
            **{"bytes": size, "transformer_bytes": pace["transformer_bytes"].get(name, 0)},
            **{"pace": timed, "comparable": comparable, "beside": beside},
        }
    return found


class Pace(NamedTuple):
    """How fast a system was in a run.

    Attributes:
        words_per_second: in that run.
        times_spacy: as times spaCy's in the same run; None where spaCy was left out.
    """

    words_per_second: int
    times_spacy: float | None

    def cells(self, *, beside: bool) -> list[str]:
        """Return the words/s, marked unless they are of the run of the others, and the ratio."""
        ratio = "" if self.times_spacy is None else f"{self.times_spacy:.1f}"
        return [f"{self.words_per_second:,}" + ("" if beside else " *"), ratio]


def pace_of(system: str, speeds: dict[str, int]) -> Pace | None:
    """Return how fast a system was in a run, whose paces are given; None if it was not in it."""
    if system not in speeds:
        return None
    ratio = speeds[system] / speeds["spaCy"] if "spaCy" in speeds else None
    return Pace(speeds[system], ratio)


def megabytes(system: dict[str, Any]) -> str:
    """Return the size of a system of `recipe`, the transformer apart."""
    own = f"{system['bytes'] / 1e6:.1f}"
    if not system["transformer_bytes"]:
        return own
    return f"{own} + {system['transformer_bytes'] / 1e6:.1f}"


def teachers_recipe(results: dict[str, dict[str, Any]]) -> str:
    """Return the table of the recipe's systems, what it was measured on, and the picture."""
    pace, systems = results["teachers"]["pace"], recipe(results)
    rows = [
        [
            system["label"],
            f"{system['upos']:.2f}",
            f"{system['las']:.2f}",
            f"{system['minutes']:.0f}",
            megabytes(system),
            *system["pace"].cells(beside=system["beside"]),
        ]
        for system in systems.values()
    ]
    more = ""
    if any(system["transformer_bytes"] for system in systems.values()):
        more = f", with a transformer over {pace['slow_words']:,}"
    notes = pace_conditions(pace, more)
    if not all(system["beside"] for system in systems.values()):
        notes += " * In another run, in the picture as if spaCy had been as fast there: hollow."
    columns = ["", "UPOS", "LAS", "minutes", "MB", "words/s", "times spaCy's"]
    picture = "![LAS on test against words/s](teachers.svg)"
    return f"{markdown(columns, rows)}\n\n{notes}\n\n{picture}"
