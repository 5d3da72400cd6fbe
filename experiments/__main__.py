"""The command `python -m experiments`."""

import dataclasses
import os
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from experiments.cell import TASKS
from experiments.console import Display, make_app
from experiments.papers import EXPERIMENTS
from experiments.plan import Plan
from experiments.results import Results
from meprop_nlp.commands.stopping import StopOnce
from meprop_nlp.errors import ConfigError, DataError, MePropError
from meprop_nlp.files import demand_writable

SEEDS = 3
SHRINK = 10  # of --quick
OUT, QUICK_OUT = Path("reproduction"), Path("reproduction-quick")
HELP = {
    "names": f"{', '.join(EXPERIMENTS)}; none: all.",
    "task": f"Train only for this task: {', '.join(TASKS)}; may be repeated.",
    "data": "A treebank (files *train*, *dev*, *test*), or a folder with ud-english-ewt, "
    "ptb-sample and mnist; by default $MEPROP_NLP_DATA, else the folder data.",
    "seeds": f"Trainings of each cell; by default {SEEDS}, with --quick 1.",
    "out": f"The folder of results.jsonl; by default {OUT}, with --quick {QUICK_OUT}.",
    "report": "Report in Markdown, with a folder of figures beside it; by default DIR/report.md.",
    "quick": "Try everything in a few minutes: small networks, two epochs, and the sample treebank "
    "unless there is --data. The numbers mean nothing.",
    "plan": "Show what there is to train, and train nothing.",
    "report_only": "Train nothing, and write the report on what is finished.",
    "max_minutes": "Start no training after this time, and write the report.",
    "threads": "CPU threads; 0: all there are, up to 16.",
    "quiet": "Print only verdicts, warnings and errors.",
}


def experiments(
    names: Annotated[list[str] | None, Argument(metavar="EXPERIMENT", help=HELP["names"])] = None,
    task: Annotated[list[str] | None, Option(metavar="NAME", help=HELP["task"])] = None,
    data: Annotated[Path | None, Option(metavar="DIR", help=HELP["data"])] = None,
    seeds: Annotated[int | None, Option(min=1, help=HELP["seeds"])] = None,
    out: Annotated[Path | None, Option(metavar="DIR", help=HELP["out"])] = None,
    report: Annotated[Path | None, Option(metavar="FILE", help=HELP["report"])] = None,
    quick: Annotated[bool, Option("--quick", help=HELP["quick"])] = False,
    plan: Annotated[bool, Option("--plan", help=HELP["plan"])] = False,
    report_only: Annotated[bool, Option("--report-only", help=HELP["report_only"])] = False,
    max_minutes: Annotated[float | None, Option(min=0, help=HELP["max_minutes"])] = None,
    threads: Annotated[int, Option("--threads", "-t", min=0, help=HELP["threads"])] = 0,
    quiet: Annotated[bool, Option("--quiet", "-q", help=HELP["quiet"])] = False,
) -> None:
    """Run the papers' experiments again and write a report.

    Each finished training is a line of DIR/results.jsonl. After Ctrl-C or a kill, give the same
    command to go on. The report covers all experiments, as far as they are finished.
    """
    for option, given, known in (("EXPERIMENT", names, EXPERIMENTS), ("--task", task, TASKS)):
        for name in given or ():
            if name not in known:
                raise ConfigError(f"{option} is {name!r}, expected one of {', '.join(known)}")
    out = out or (QUICK_OUT if quick else OUT)
    report = report or out / "report.md"
    if report.suffix != ".md":
        raise ConfigError(f"--report is {report}, expected the name of a file ending in .md")
    if data is None and not quick:
        data = Path(os.environ.get("MEPROP_NLP_DATA", "data"))
    seeds = seeds or (1 if quick else SEEDS)
    # with --quick more threads would only wait for each other
    threads = threads or int(quick)
    shrink = SHRINK if quick else 1
    whole = Plan(EXPERIMENTS, Results(out), data, seeds, shrink, threads)
    chosen = {
        name: [table for table in EXPERIMENTS[name] if table.task in (task or TASKS)]
        for name in names or EXPERIMENTS
    }
    wanted = dataclasses.replace(whole, experiments=chosen)
    missing = {wanted.missing(table) for tables in chosen.values() for table in tables}
    if missing and not any(wanted.cells()):
        raise DataError(max(missing))
    if plan:
        _show_plan(wanted)
        return
    for path in (report, wanted.results.path):
        demand_writable(path)
    display = Display(quiet=quiet)
    if quick:
        display.warn("--quick only shows that everything runs; its numbers mean nothing")
    failed = [] if report_only else _train(wanted, display, max_minutes)

    from experiments.report import Report

    written = Report(whole, report)
    written.write(f"python -m experiments{' --quick' * quick} --seeds {seeds}")
    for verdict in written.verdicts:
        print(": ".join(verdict))
    display.say(
        f"wrote {report}; {wanted.outlook().left:,} of the requested cells are left to train"
    )
    if failed:
        raise MePropError(f"could not be trained: {', '.join(failed)}")


def _train(plan: Plan, display: Display, max_minutes: float | None) -> list[str]:
    from experiments.training import run

    with StopOnce() as stop:
        try:
            return run(plan, display, stop=stop, max_minutes=max_minutes)
        except KeyboardInterrupt:
            display.say(
                f"finished trainings are in {plan.results.path}; to go on, give the same command "
                "again; with --report-only it writes the report on what is finished"
            )
            raise


def _show_plan(plan: Plan) -> None:
    """Print the counts of each experiment, and of all together."""
    print("experiment  finished   left  depend on others")
    parts = {name: {name: tables} for name, tables in plan.experiments.items()}
    for name, experiments in {**parts, "together": plan.experiments}.items():
        finished, left, waiting = dataclasses.replace(plan, experiments=experiments).outlook()
        print(f"{name:10}{finished:10,}{left:7,}{waiting:18,}")


app = make_app(experiments, "python -m experiments main k --task parsing")

if __name__ == "__main__":
    app(prog_name="python -m experiments")
