"""The tables of docs/accuracy.md: the joint model."""

from __future__ import annotations

from statistics import mean
from typing import Any

from tables.markdown import markdown, spread_cell
from tables.published import JOINT, SPACY, SUMMARY
from tables.speed import pace_conditions, times_spacy

PACE = ["", "words/s", "times spaCy's", "file", "dev UPOS", "dev LAS"]


def joint_summary(runs: dict[str, list[dict[str, Any]]]) -> str:
    """Return the joint model's scores on EWT's test file, with spaCy's beside them."""
    chosen = {name: seeds for name, seeds in runs.items() if name.startswith("EWT")}
    rows = [
        [
            name.removeprefix("EWT, "),
            *(spread_cell([seed["test"][score] for seed in seeds]) for score in SUMMARY),
            f"{mean(seed['bytes'] for seed in seeds) / 1e6:.1f} MB",
        ]
        for name, seeds in chosen.items()
    ]
    spacy = [f"{SPACY[score]:.2f}" if score in SPACY else "" for score in SUMMARY]
    rows.append(["spaCy, efficiency", *spacy, "8.2 MB"])
    return markdown(["EWT test", *SUMMARY.values(), "file"], rows)


def joint_table(runs: dict[str, list[dict[str, Any]]], part: str) -> str:
    """Return all scores of the joint model on a part, means with the deviation over seeds."""
    rows = []
    for name, seeds in runs.items():
        found = [[seed[part][score] for seed in seeds if score in seed[part]] for score in JOINT]
        neurons = " + ".join(str(width) for width in seeds[0]["neurons"])
        cells = [spread_cell(values) for values in found]
        rows.append([name, str(len(seeds)), *cells, neurons])
    return markdown(["", "seeds", *JOINT.values(), "neurons"], rows)


def joint_conditions(runs: dict[str, list[dict[str, Any]]]) -> str:
    """Return what the joint models were trained with, and on."""
    lines: dict[str, dict[str, None]] = {}
    for name, seeds in runs.items():
        for seed in seeds:
            c = seed["conditions"]
            line = (
                f"{c['cpu']}, {c['cores']} cores, {c['threads']} threads; Python {c['python']}, "
                f"torch {c['torch']}, numpy {c['numpy']}; {c['date']}; commit {c['commit']}"
            )
            lines.setdefault(line, {})[f"{name}: `{seed['command']}`"] = None
    return "Trained on " + " ".join(f"{line} ({', '.join(of)})." for line, of in lines.items())


def pace_rows(pace: dict[str, Any]) -> list[list[str]]:
    """Return a row for each system: words/s, times as fast as spaCy, bytes, dev scores."""
    speeds, dev, sizes = pace["words_per_second"], pace["dev"], pace["bytes"]
    return [
        [
            name,
            f"{speed:,}",
            times_spacy(name, speeds),
            f"{sizes[name] / 1e6:.1f} MB" if name in sizes else "",
            *(f"{dev[name][score]:.2f}" for score in ("upos", "las")),
        ]
        for name, speed in speeds.items()
    ]


def joint_pace(pace: dict[str, Any]) -> str:
    """Return the pace of joint models and of spaCy, and what it was measured on."""
    return f"{markdown(PACE, pace_rows(pace))}\n\n{pace_conditions(pace)}"


def joint_step(steps: dict[str, Any]) -> str:
    """Return the time of a training step of the joint model, with each kind of layers."""
    columns = {
        f"{kernels.removeprefix('native, ')}, {threads} thread{'s' * (threads != '1')}": times
        for kernels, found in steps.items()
        for threads, times in found["milliseconds"].items()
    }
    first = next(iter(columns.values()))
    dense = "plain backprop"
    rows = [
        [
            name,
            *(
                f"{times[name]:.0f} ms ({times[dense] / times[name]:.2f})" if name in times else ""
                for times in columns.values()
            ),
        ]
        for name in first
    ]
    return markdown(["", *columns], rows)


def joint_step_conditions(steps: dict[str, Any]) -> str:
    """Return what the steps were measured on."""
    made = []
    for found in steps.values():
        c = found["conditions"]
        made.append(
            f"{c['kernels']}: minibatches of {found['words']} words, medians of {found['steps']} "
            f"steps; {c['cpu']}; {c['date']}; commit {c['commit']}."
        )
    return " ".join(made)
