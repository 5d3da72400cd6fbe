"""The report: every experiment's tables, verdicts and figures, from whatever is finished."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from meprop_nlp.files import replacing
from meprop_nlp.reproduction.conditions import was_disturbed
from meprop_nlp.reproduction.drawing import can_draw
from meprop_nlp.reproduction.experiment import Experiment
from meprop_nlp.reproduction.figures import draw, has_points
from meprop_nlp.reproduction.markdown import table as markdown_table
from meprop_nlp.reproduction.plan import Plan
from meprop_nlp.reproduction.results import Table
from meprop_nlp.reproduction.section import (
    block_heading,
    claim_lines,
    settings_line,
    table_lines,
)
from meprop_nlp.reproduction.store import Result
from meprop_nlp.reproduction.verdict import Claim, verdict

__all__ = ["write_report"]

NO_FIGURES = "There are no figures: matplotlib is not installed (`pip install meprop-nlp[plots]`)."
NOTHING = "Nothing of this table is finished yet."
_QUICK = (
    "> **A try-out (`--quick`)**: small networks and few epochs{data}. It shows that the "
    "machinery runs. Its numbers and verdicts mean nothing.\n"
)
_BUILT_IN = (
    ", on the built-in sample treebank, and in place of MNIST on made-up digits, which the program "
    "draws from a seed: the seven segments of a display, with noise"
)
_READING = """\
Every figure is a mean over seeds ± the sample standard deviation; *seeds* says of how many, and a
difference is given ± its standard error. A single seed has no deviation, and a verdict on fewer
than three is provisional. The epoch with the best score on dev is kept, and test is scored once, by
that model. Scores are those of the official scorer of Universal Dependencies; punctuation is
counted for CoNLL-U and left out for CoNLL-X, as is the habit for the Penn Treebank, but for the
choice of the epoch. MNIST's dev set is the first 5,000 training images, or a quarter of fewer.
*Dense* is the same network in the same program with plain backpropagation.

Seconds are wall time of separate trainings, on one thread or more, as said below; *ms/step* is the
median over epochs of the seconds per minibatch. Layers and steps timed in turns, against PyTorch's
own layers, are in `docs/speed.md`. Seconds and words per second are those of the machine that most
of a table was trained on; of cells from another one only scores and sizes count. † marks rows with
a cell that had to share its cores with other processes: its seconds are not to be relied on. A
verdict is computed from the numbers, over the seeds that both of the rows it compares have: it
*holds* where every claim under it does, *in part* where some do.

What differs from the papers: the data, of which MNIST's 60,000 training images are fewer where a
table says so; the tagger reads in both directions, over words, affixes and shapes; the parser's
words carry spelling features, it reads UPOS beside XPOS where there are both, a treebank's own
labels take the place of 12 (the sample of the Penn Treebank gets the 12 from its bracketed trees),
and its activation is tanh, since the papers name none (see `activation`); where there is dropout,
embeddings are left out too, at half the rate, and 0.3 of them in the parser at our defaults;
minibatches and epochs as said under each heading. The papers' numbers stand beside ours as they
are: Penn Treebank, UAS for parsing, all of MNIST, and in `main` the seconds of back-propagation per
iteration with Adam."""


@dataclass(frozen=True, slots=True)
class _Judged:
    experiment: Experiment
    heading: str
    text: str
    claims: list[Claim]
    numbers: dict[str, Any]


def write_report(plan: Plan, path: Path, *, command: str, quick: bool) -> list[str]:
    """Write the report to `path` and its figures into the folder beside it of the same name.

    `results.json` in the store's folder has the same numbers and verdicts for machines.

    Args:
        plan: its experiments are reported, each with what is finished of it.
        path: a Markdown file.
        command: what the reader types to make it.
        quick: whether it is a try-out.

    Returns:
        one line for each verdict.

    Raises:
        DataError: a result cannot be read, or a file cannot be written.
    """
    judged = [part for experiment in plan.experiments for part in _parts(plan, experiment, path)]
    results = plan.store.all()
    used = [result for part in judged for result in part.numbers.get("cells", ())]
    text = "\n".join([
        "# The papers' experiments, run again\n",
        *([_QUICK.format(data="" if plan.data else _BUILT_IN)] if quick else []),
        f"Written by `{command}`. meProp: Sun et al., ICML 2017; meSimp: Sun et al., arXiv "
        "1711.06528; hybrid oracle: Ren and Sun, arXiv 1711.10163.\n",
        _READING + "\n",
        *([] if can_draw() else [NO_FIGURES + "\n"]),
        "## Verdicts\n",
        _overview(judged) + "\n",
        "## Machine and versions\n",
        _conditions([result for result in results if result["cell"] in set(used)]) + "\n",
        *(_experiment_text(plan, experiment, judged) for experiment in plan.experiments),
    ])  # fmt: skip
    with replacing(path) as temporary:
        temporary.write_text(text.rstrip() + "\n", encoding="utf-8")
    _write_numbers(plan, judged)
    return [f"{p.experiment.name}: {p.heading}: {verdict(p.claims)}" for p in judged]


def _parts(plan: Plan, experiment: Experiment, path: Path) -> list[_Judged]:
    parts = []
    for block in plan.blocks(experiment):
        table = plan.table(block)
        corpus = plan.base(block, 1).corpus.name
        claims = block.judge(table)
        heading = block_heading(block, corpus)
        if not any(table.all()):
            parts.append(_Judged(experiment, heading, NOTHING, claims, {}))
            continue
        text = "\n\n".join(
            part
            for part in (
                settings_line(plan.base(block, 1)),
                table_lines(table),
                block.note,
                claim_lines(claims),
                _figures(table, path),
            )
            if part
        )
        numbers = _numbers(table)
        parts.append(_Judged(experiment, heading, text, claims, numbers))
    if experiment.outside is not None:
        text, claims = experiment.outside.report(plan.store)
        body = f"{text}\n\n{claim_lines(claims)}"
        parts.append(_Judged(experiment, experiment.title, body, claims, {}))
    return parts


def _figures(table: Table, path: Path) -> str:
    if not can_draw():
        return ""
    folder = path.with_suffix("")
    links = []
    for figure in table.block.figures:
        if has_points(figure, table):
            draw(figure, table, folder)
            place = f"{folder.name}/{figure.name}"
            links.append(f"![{figure.title}]({place}.png)\n\n[as SVG]({place}.svg)")
    return "\n\n".join(links)


def _experiment_text(plan: Plan, experiment: Experiment, judged: Sequence[_Judged]) -> str:
    parts = [f"## {experiment.title} (`{experiment.name}`)", experiment.question]
    for part in judged:
        if part.experiment is experiment:
            heading = [] if part.heading == experiment.title else [f"### {part.heading}"]
            parts += [*heading, part.text]
    left_out = {
        f"Not run: {block.task}; {reason}."
        for block in experiment.blocks(plan.scale)
        if (reason := plan.missing(block))
    }
    return "\n\n".join([*parts, *sorted(left_out)]) + "\n"


def _overview(judged: Sequence[_Judged]) -> str:
    rows = [[f"`{p.experiment.name}`", p.heading, verdict(p.claims)] for p in judged]
    return markdown_table(["experiment", "table", "verdict"], rows, texts=3)


def _conditions(results: Sequence[Result]) -> str:
    """What the cells were trained on: a line for each distinct machine and version."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for result in results:
        about = result["conditions"]
        threads = about["threads"]
        found[
            f"{about['cpu']}, {about['cores']} cores, {threads} thread{'s' * (threads > 1)}; "
            f"Python {about['python']}, torch {about['torch']}, numpy {about['numpy']}; kernels: "
            f"{about['kernels']}"
        ][about["commit"] or "unknown"] += 1
    if not found:
        return "No cell is finished yet."
    busy = sum(was_disturbed(result["conditions"]) for result in results)
    hours = sum(result["wall_seconds"] for result in results) / 3600
    lines = []
    for text, commits in sorted(found.items()):
        n = commits.total()
        of = ", ".join(f"{commit} ({count:,})" for commit, count in sorted(commits.items()))
        lines.append(f"- {n:,} cell{'s' * (n > 1)}: {text}; commit{'s' * (len(commits) > 1)} {of}")
    return "\n".join([
        *lines,
        "",
        f"{len(results):,} cells, {hours:.1f} hours; for {busy:,} of them cores were lacking (†).",
    ])  # fmt: skip


def _numbers(table: Table) -> dict[str, Any]:
    rows = {}
    for row in table.block.rows:
        numbers = {name: table.number(row.key, name) for name in table.block.columns}
        rows[row.label] = {name: asdict(n) for name, n in numbers.items() if n is not None}
    return {
        "main_score": table.main,
        "rows": rows,
        "cells": sorted({result["cell"] for result in table.all()}),
    }


def _write_numbers(plan: Plan, judged: Sequence[_Judged]) -> None:
    tables = [
        {
            "experiment": part.experiment.name,
            "table": part.heading,
            **part.numbers,
            "verdict": verdict(part.claims),
            "claims": [asdict(claim) for claim in part.claims],
        }
        for part in judged
    ]
    with replacing(plan.store.folder / "results.json") as temporary:
        temporary.write_text(json.dumps({"tables": tables}, indent=1) + "\n", encoding="utf-8")
