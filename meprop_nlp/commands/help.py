"""`GroupedCommand`: a command whose help shows its options under headings."""

from typing import Any

from typer.core import TyperCommand

from meprop_nlp.settings import Heading


class GroupedCommand(TyperCommand):
    """A command with a section of its help for each heading; options without one come last."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the sections of arguments and options."""
        sections: dict[str, list[tuple[str, str]]] = {
            heading: [] for heading in ("Arguments", *Heading, "Options")
        }
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            argument = parameter.param_type_name == "argument"
            heading = getattr(parameter, "rich_help_panel", None)
            sections["Arguments" if argument else heading or "Options"].append(record)
        for heading, records in sections.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)
