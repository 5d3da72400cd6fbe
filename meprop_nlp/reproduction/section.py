"""One block as Markdown: settings, table, verdict with its claims, figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from meprop_nlp.config import dropout_by_width
from meprop_nlp.reproduction.cell import Cell
from meprop_nlp.reproduction.columns import COLUMNS
from meprop_nlp.reproduction.experiment import Block, Row
from meprop_nlp.reproduction.markdown import table as markdown_table
from meprop_nlp.reproduction.results import Table
from meprop_nlp.reproduction.settings import PAPERS
from meprop_nlp.reproduction.tasks import TASKS
from meprop_nlp.reproduction.verdict import Claim, verdict

__all__ = ["block_heading", "claim_lines", "settings_line", "table_lines"]

_NAMES = {"mnist": "MNIST"}
_MARK = " †"
_WORDS = {True: "yes", False: "no", None: "open"}


def block_heading(block: Block, corpus: str) -> str:
    """Return what is trained, on what, with whose settings."""
    kind = "the papers' settings" if block.kind == PAPERS else "our defaults"
    task = _NAMES.get(block.task, block.task.capitalize())
    return ", ".join([task, *([corpus] if corpus != block.task else []), kind])


def settings_line(cell: Cell) -> str:
    """Return the settings that the rows of a block start from, in one sentence."""
    training, config = cell.training, cell.config.to_dict()
    size = training.batch_size or TASKS[cell.task].training.batch_size
    batch = f"{size:,}" if size else "by the size of the file"
    described = cell.corpus.described
    parts = [
        f"hidden {config['hidden']}",
        *([f"{config['layers']} layers, the output among them"] if cell.task == "mnist" else []),
        *([config["activation"]] if "activation" in config else []),
        *(_rate(name, config) for name in _DROPOUTS if name in config),
        *([f"predicts {', '.join(config['columns'])}"] if config.get("columns") else []),
        training.optimizer.capitalize(),
        f"learning rate {training.learning_rate or 'of the task'}"
        + (", falling to zero" if training.decay else ", constant"),
        f"{training.epochs} epochs" + (f", patience {training.patience}" * bool(training.patience)),
        f"minibatch {batch}",
        f"largest gradient norm {training.clip:g}" if training.clip else "no clipping",
    ]
    data = f"{described[0].upper()}{described[1:]}. " if described else ""
    return f"{data}Unless a row says otherwise: {'; '.join(parts)}."


_DROPOUTS = ("dropout", "word_dropout")


def _rate(name: str, config: dict[str, Any]) -> str:
    rate, width = config[name], config["hidden"]
    told = name.replace("_", " ")
    return f"{told} by width: {dropout_by_width(width):g}" if rate is None else f"{told} {rate:g}"


def table_lines(table: Table) -> str:
    """Return the table: mean ± standard deviation of each figure, and how many seeds there are."""
    block = table.block
    papers = any(row.papers for row in block.rows)
    # of unlabelled trees UAS is the main score
    columns = [name for name in block.columns if (name, table.main) != ("test_uas", "uas")]
    heads = ["", "seeds", *map(table.head, columns), *(["papers"] * papers)]
    rows = [
        [
            row.label + _MARK * table.was_disturbed(row.key),
            f"{len(table.results[row.key])} of {table.seeds}",
            *(_shown(table, row, column) for column in columns),
            *([row.papers] * papers),
        ]
        for row in block.rows
    ]
    return markdown_table(heads, rows)


def _shown(table: Table, row: Row, column: str) -> str:
    number = table.number(row.key, column)
    described = COLUMNS[column]
    return "" if number is None else number.shown(described.digits, scale=described.scale)


def claim_lines(claims: Sequence[Claim]) -> str:
    """Return the verdict, and each claim with its numbers."""
    lines = [f"**Verdict: {verdict(claims)}.**", ""]
    return "\n".join([*lines, *(f"- {_WORDS[claim.holds]}: {claim.text}" for claim in claims)])
