"""What `reproduce` shows while it trains: a bar over cells, one within, a line for each cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meprop_nlp.commands import console

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from meprop_nlp.reproduction.plan import Outlook
    from meprop_nlp.reproduction.running import Event
    from meprop_nlp.training.records import EpochRecord, Note, Step

__all__ = ["CellsDisplay", "time_left"]


def time_left(outlook: Outlook) -> str:
    """Return how long the cells that are left will take, as far as that is known."""
    if not outlook.left:
        return "nothing left"
    if outlook.unknown == outlook.left:
        return "time left unknown"
    at_least = "at least" if outlook.unknown or outlook.waiting else "about"
    return f"{at_least} {outlook.seconds / 60:,.0f} min left"


class CellsDisplay:
    """Shows cells. Use as a context; give it events and, from within a cell, records."""

    def __init__(self, *, progress: bool, quiet: bool) -> None:
        self._quiet = quiet
        self._told: set[str] = set()
        self._bar: Progress | None = None
        self._cells: TaskID | None = None
        self._steps: TaskID | None = None
        if progress and not quiet:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[more]}"),
                console=console.stderr(),
                transient=True,
            )

    def __enter__(self) -> CellsDisplay:
        if self._bar:
            self._cells = self._bar.add_task("cells", total=None, more="")
            self._steps = self._bar.add_task("", total=None, more="")
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar:
            self._bar.stop()

    def on_event(self, event: Event) -> None:
        """Show that a cell starts, is finished, or has failed."""
        from meprop_nlp.reproduction.running import CellFailed, CellFinished

        if isinstance(event, CellFailed):
            self._say(f"error: {event.cell.name}: {event.error}")
            return
        outlook = event.outlook
        if isinstance(event, CellFinished):
            result = event.result
            main = result["main"]
            if not self._quiet:
                self._say(
                    f"{outlook.finished}/{outlook.total} {event.cell.name}: "
                    f"dev {main} {result['dev'][main]:.2f}, {result['wall_seconds']:.0f} s; "
                    f"{time_left(outlook)}"
                )
        elif self._bar and self._steps is not None:
            self._bar.reset(self._steps, description=event.cell.name, total=None, more="")
        self._advance(outlook)

    def on_record(self, record: Note | Step | EpochRecord) -> None:
        """Show what training tells; each warning once."""
        from meprop_nlp.training.records import Note, Step

        if isinstance(record, Note):
            if record.warning and record.text not in self._told:
                self._told.add(record.text)
                self._say(f"warning: {record.text}")
        elif isinstance(record, Step) and self._bar and self._steps is not None:
            self._bar.update(
                self._steps,
                total=record.n_epochs * record.n_batches,
                completed=(record.epoch - 1) * record.n_batches + record.batch,
                more=f"epoch {record.epoch}/{record.n_epochs}",
            )

    def _advance(self, outlook: Outlook) -> None:
        if self._bar and self._cells is not None:
            more: dict[str, Any] = {"total": outlook.total, "completed": outlook.finished}
            self._bar.update(self._cells, more=time_left(outlook), **more)

    def _say(self, text: str) -> None:
        if self._bar:
            self._bar.console.print(text, highlight=False, markup=False, soft_wrap=True)
        else:
            console.note(text)
