"""`Report`: the template, filled in with the tables, verdicts and figures of finished cells."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from string import Template

from experiments.cell import Cell
from experiments.claims import verdict
from experiments.conditions import was_disturbed
from experiments.data import images_of
from experiments.figures import can_draw, draw
from experiments.gpu import gpu_section
from experiments.number import markdown_table
from experiments.plan import Plan
from experiments.results import Result
from experiments.settings import PAPERS
from experiments.table import COLUMNS, Claim, Table
from meprop_nlp.config import dropout_by_width
from meprop_nlp.files import replacing

TEMPLATE = Path(__file__).with_name("template.md")
NO_FIGURES = "There are no figures: matplotlib is not installed (`pip install meprop-nlp[plots]`)."
QUICK = """\
> **A try-out (`--quick`)**: a tenth of the neurons and of k, and two epochs. Without `--data` it
> trains on the built-in sample treebank, and on made-up images in place of MNIST. It shows that
> everything runs. Its numbers mean nothing, and there are no verdicts."""
HOLDS = {True: "yes", False: "no", None: "open"}


class Report:
    """The report on all experiments of a plan, as far as their cells are finished."""

    def __init__(self, plan: Plan, path: Path) -> None:
        self._plan, self._path = plan, path
        self._quick = plan.shrink > 1
        self._used: list[Result] = []
        # experiment, table and verdict; a try-out has none, as its numbers mean nothing
        self.verdicts: list[list[str]] = []

    def write(self, command: str) -> None:
        """Write the report, and its figures into the folder beside it of the same name."""
        parts = {n: self._experiment(n, tables) for n, tables in self._plan.experiments.items()}
        rows = [[f"`{name}`", *others] for name, *others in self.verdicts]
        verdicts = markdown_table(["experiment", "table", "verdict"], rows, texts=3)
        text = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
            parts,
            command=command,
            quick=QUICK * self._quick,
            figures=NO_FIGURES * (not can_draw()),
            verdicts=f"## Verdicts\n\n{verdicts}" * (not self._quick),
            machines=_machines(self._used),
        )
        with replacing(self._path) as temporary:
            # empty parts leave more than one empty line behind
            temporary.write_text(re.sub(r"\n{3,}", "\n\n", text), encoding="utf-8")

    def _experiment(self, name: str, tables: Sequence[Table]) -> str:
        parts, reasons = [], set()
        for table in tables:
            if reason := self._plan.missing(table):
                reasons.add(f"Not run: {table.task}; {reason}.")
            else:
                parts += self._table(name, self._plan.filled(table))
        if name == "gpu":
            text, claims = gpu_section()
            parts += [text, self._judged(name, "On a GPU", claims)]
        return "\n\n".join(part for part in (*parts, *sorted(reasons)) if part)

    def _table(self, name: str, table: Table) -> list[str]:
        base = self._plan.base(table, 1)
        heading = _heading(table, base.corpus.name)
        verdict = self._judged(name, heading, [judge(table) for judge in table.claims])
        if not any(table.all()):
            return [f"### {heading}", "Nothing of this table is finished yet."]
        self._used += table.all()
        parts = [f"### {heading}", _settings_line(base), _table_lines(table), table.note, verdict]
        if table.figure is not None and can_draw():
            file = f"{name}-{table.task}" + f"-{table.kind}" * table.figure.epochs
            folder = self._path.with_suffix("")
            if draw(table.figure, table, folder / f"{file}.png"):
                parts.append(f"![{table.figure.title}]({folder.name}/{file}.png)")
        return parts

    def _judged(self, name: str, heading: str, claims: Sequence[Claim]) -> str:
        """Return the verdict with its claims; nothing for a try-out."""
        if self._quick:
            return ""
        self.verdicts.append([name, heading, verdict(claims)])
        lines = [f"- {HOLDS[claim.holds]}: {claim.text}" for claim in claims]
        return "\n".join([f"**Verdict: {verdict(claims)}.**", "", *lines])


def _heading(table: Table, corpus: str) -> str:
    task = "MNIST" if table.task == "mnist" else table.task.capitalize()
    kind = "the papers' settings" if table.kind == PAPERS else "our defaults"
    return ", ".join([task, *([corpus] if corpus != table.task else []), kind])


def _settings_line(cell: Cell) -> str:
    """Return a sentence on the settings that the rows of a table start from."""
    training, config, sizes = cell.training, cell.config.to_dict(), ""
    if cell.task == "mnist":
        train, dev, test = map(len, images_of(cell.corpus))
        sizes = f"{train:,} images to train on, {dev:,} for dev, {test:,} for test. "
    rates = {name: config[name] for name in ("dropout", "word_dropout") if name in config}
    if rates["dropout"] is None:
        rates = {"dropout by width:": dropout_by_width(config["hidden"])} | rates
        del rates["dropout"]
    batch = f"{training.batch_size:,}" if training.batch_size else "by the size of the file"
    parts = [
        f"hidden {config['hidden']}",
        f"{config['layers']} layers including the output layer" if sizes else "",
        config.get("activation", ""),
        *(f"{name.replace('_', ' ')} {rate:g}" for name, rate in rates.items()),
        f"predicts {', '.join(config['columns'])}" if config.get("columns") else "",
        training.optimizer.capitalize(),
        f"learning rate {training.learning_rate or 'by task'}, "
        + ("falling to zero" if training.decay else "constant"),
        f"{training.epochs} epochs" + f", patience {training.patience}" * bool(training.patience),
        f"minibatch {batch}",
        f"largest gradient norm {training.clip:g}" if training.clip else "no clipping",
    ]
    return f"{sizes}Unless a row says otherwise: {'; '.join(part for part in parts if part)}."


def _table_lines(table: Table) -> str:
    """Return the table: the seeds of each row, and mean ± standard deviation of its figures."""
    papers = any(row.papers for row in table.rows)
    # UAS is the papers' measure of parsing, and the main score of unlabelled trees
    without_uas = table.task != "parsing" or table.main == "uas"
    columns = [name for name in table.columns if not (name == "test_uas" and without_uas)]
    lines = []
    for row in table.rows:
        numbers = [(table.number(row.label, name), COLUMNS[name]) for name in columns]
        label = row.label + " †" * table.was_disturbed(row.label)
        seeds = f"{len(table.results[row.label])} of {table.seeds}"
        figures = [n.shown(column.digits, unit=column.unit) if n else "" for n, column in numbers]
        lines.append([label, seeds, *figures, *([row.papers] * papers)])
    heads = ["", "seeds", *map(table.head, columns), *(["papers"] * papers)]
    return markdown_table(heads, lines)


def _machines(results: Sequence[Result]) -> str:
    """Return a line for each machine with its versions, and how long the cells took."""
    cells = {id(result): result for result in results}.values()
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for about in (cell["conditions"] for cell in cells):
        threads = about["threads"]
        text = (
            f"{about['cpu']}, {about['cores']} cores, {threads} thread{'s' * (threads > 1)}; "
            f"Python {about['python']}, torch {about['torch']}, numpy {about['numpy']}; kernels: "
            f"{about['kernels']}"
        )
        found[text][about["commit"] or "unknown"] += 1
    if not found:
        return "No cell is finished yet."
    lines = []
    for text, commits in sorted(found.items()):
        n = commits.total()
        of = ", ".join(f"{commit} ({count:,})" for commit, count in sorted(commits.items()))
        lines.append(f"- {n:,} cell{'s' * (n > 1)}: {text}; commit{'s' * (len(commits) > 1)} {of}")
    hours = sum(cell["wall_seconds"] for cell in cells) / 3600
    busy = sum(was_disturbed(cell["conditions"]) for cell in cells)
    disturbed = f"for {busy:,} of them there were too few cores (†)"
    return "\n".join(lines) + f"\n\n{len(cells):,} cells, {hours:.1f} hours; {disturbed}."
