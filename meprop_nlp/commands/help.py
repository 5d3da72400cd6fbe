"""How `--help` shows a command: its options under headings, in the order they are declared."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

__all__ = ["DATA", "MEPROP", "NETWORK", "RUN", "TRAINING", "GroupedCommand"]

# headings of the options, given to each as its `rich_help_panel`
DATA = "Data"
MEPROP = "meProp and meSimp"
NETWORK = "Network"
TRAINING = "Training"
RUN = "Run"


class GroupedCommand(TyperCommand):
    """A command whose help has a section for each heading; options without one come last."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments and options to the help."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            argument = parameter.param_type_name == "argument"
            heading = getattr(parameter, "rich_help_panel", None)
            sections.setdefault("Arguments" if argument else heading or "Options", []).append(
                record
            )
        if "Options" in sections:
            sections["Options"] = sections.pop("Options")
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)
