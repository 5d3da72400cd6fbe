"""`reproduce`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meprop_nlp.commands import console, tables
from meprop_nlp.commands.cells import CellsDisplay, time_left
from meprop_nlp.commands.options import Verbosity
from meprop_nlp.commands.stopping import StopOnce
from meprop_nlp.config import TrainingConfig
from meprop_nlp.errors import ConfigError, MePropError
from meprop_nlp.files import demand_writable

if TYPE_CHECKING:
    from meprop_nlp.reproduction.plan import Plan
    from meprop_nlp.reproduction.settings import Scale

__all__ = ["reproduce"]

SEEDS = 3
OUT, QUICK_OUT = Path("reproduction"), Path("reproduction-quick")


def reproduce(
    experiments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="EXPERIMENT",
            help="main, k, selection, width, dropout, activation, layers, gpu, simplify, fair "
            "or hybrid; none: all of them.",
            show_default=False,
        ),
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Train for this task alone: parsing, tagging or mnist; may be given again.",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A treebank (files *train*, *dev*, *test*), or a folder with "
            "ud-english-ewt, ptb-sample and mnist; MEPROP_NLP_DATA or ../shared/data unless given.",
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(help=f"Trainings of each cell; {SEEDS} unless given, 1 if quick."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help=f"Where results are kept, and found again; {OUT} unless given, {QUICK_OUT} with "
            "--quick.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The report, in Markdown; figures go into the folder beside it of the same name. "
            "DIR/report.md unless given.",
        ),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            help="Try everything in a few minutes: small networks, few epochs, the built-in sample "
            "treebank unless there is --data.",
        ),
    ] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Say what there is to train, and train nothing.")
    ] = False,
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Write the report of what is finished.")
    ] = False,
    max_minutes: Annotated[
        float | None, typer.Option(help="Start no training after so long; the report is written.")
    ] = None,
    *,
    threads: Annotated[int, TrainingConfig],
    verbosity: Verbosity,
) -> None:
    """Run the papers' experiments again and write a report.

    Each training is kept in DIR/cells when it is finished; the same command goes on after Ctrl-C or
    a kill. The report has everything that is finished, whatever is asked for now.
    """
    from meprop_nlp.reproduction.experiments import EXPERIMENTS
    from meprop_nlp.reproduction.plan import Plan
    from meprop_nlp.reproduction.report import write_report
    from meprop_nlp.reproduction.running import run
    from meprop_nlp.reproduction.settings import FULL_SCALE, QUICK_SCALE
    from meprop_nlp.reproduction.store import Store
    from meprop_nlp.reproduction.tasks import TASKS
    from meprop_nlp.training.hooks import Hooks

    _check_names("experiment", experiments, tuple(EXPERIMENTS))
    _check_names("--task", task, tuple(TASKS))
    seeds = seeds if seeds is not None else 1 if quick else SEEDS
    _check(seeds, report, max_minutes, both=plan and report_only)
    if quick and not threads:
        threads = 1  # more only wait for each other in networks so small
    out = out or (QUICK_OUT if quick else OUT)
    report = report or out / "report.md"
    store, folder = Store(out), data if data or quick else _default_data()

    def planned(names: list[str], tasks: tuple[str, ...]) -> Plan:
        scale: Scale = QUICK_SCALE if quick else FULL_SCALE
        chosen = [EXPERIMENTS[name] for name in names]
        return Plan(chosen, store, folder, tasks, seeds, scale, threads)

    wanted = planned(experiments or list(EXPERIMENTS), tuple(task or TASKS))
    wanted.check()
    if plan:
        _show_plan(wanted)
        return
    for path in (report, out / "results.json"):
        demand_writable(path)
    failed = []
    if not report_only:
        show, quiet = verbosity.shows_bar, verbosity.quiet
        with CellsDisplay(progress=show, quiet=quiet) as display, StopOnce() as stop:
            try:
                failed = run(
                    wanted,
                    on_event=display.on_event,
                    hooks=Hooks(on_record=display.on_record, stop=stop),
                    max_seconds=None if max_minutes is None else 60 * max_minutes,
                    quick=quick,
                )
            except KeyboardInterrupt:
                console.note(
                    f"what is finished is kept in {out}; to go on, give the same command again; "
                    "with --report-only it writes the report of what there is"
                )
                raise
    whole = planned(list(EXPERIMENTS), tuple(TASKS))
    command = f"meprop-nlp reproduce{' --quick' * quick} --seeds {seeds}"
    verdicts = write_report(whole, report, command=command, quick=quick)
    for line in verdicts:
        print(line)
    if not verbosity.quiet:
        console.note(f"wrote {report}; {time_left(wanted.outlook())} of what was asked for")
    if failed:
        names = ", ".join(failure.cell.name for failure in failed[:3])
        raise MePropError(
            f"{len(failed)} cell{'s' * (len(failed) > 1)} could not be trained: {names}"
            + (", ..." if len(failed) > 3 else "")
        )


def _check_names(what: str, names: list[str] | None, known: tuple[str, ...]) -> None:
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise ConfigError(f"{what} is {unknown[0]!r}, expected one of {', '.join(known)}")


def _check(seeds: int, report: Path | None, max_minutes: float | None, *, both: bool) -> None:
    if seeds < 1:
        raise ConfigError(f"--seeds is {seeds}, expected a whole number of at least 1")
    if max_minutes is not None and not max_minutes > 0:
        raise ConfigError(f"--max-minutes is {max_minutes:g}, expected more than 0")
    if report is not None and report.suffix != ".md":
        raise ConfigError(f"--report is {report}, expected the name of a file ending in .md")
    if both:
        raise ConfigError("--plan trains and writes nothing; give it without --report-only")


def _default_data() -> Path:
    return Path(os.environ.get("MEPROP_NLP_DATA", "../shared/data"))


def _show_plan(plan: Plan) -> None:
    """Print what each experiment needs; cells that several share count in each, once in the sum."""
    import dataclasses

    parts = [
        (experiment.name, dataclasses.replace(plan, experiments=[experiment]))
        for experiment in plan.experiments
    ]
    rows = []
    for name, part in [*parts, ("together", plan)]:
        outlook = part.outlook()
        minutes = f"{outlook.seconds / 60:,.0f}" if outlook.seconds else ""
        rows.append([
            name,
            *(f"{n:,}" for n in (outlook.total, outlook.finished, outlook.waiting)),
            minutes,
            f"{outlook.unknown:,}",
        ])  # fmt: skip
    heads = ["Experiment", "Cells", "finished", "depend on others", "minutes left", "unknown"]
    print(tables.table(heads, rows))
    left_out = sorted({
        f"{block.task}: {reason}"
        for experiment in plan.experiments
        for block in experiment.blocks(plan.scale)
        if (reason := plan.missing(block))
    })  # fmt: skip
    for line in left_out:
        print(f"not run: {line}")
