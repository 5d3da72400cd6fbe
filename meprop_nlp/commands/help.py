"""`GroupedCommand`: a command whose help shows its common options, under headings."""

import re
from typing import Any

from typer.core import TyperCommand, TyperOption

from meprop_nlp.settings import Heading

MOST_LINES = 28  # of the options of a command whose help shows them all
_IN_A_LINE = 52  # characters of a help text, about, beside the name of its option
# What `--help` shows of a command with more options; `--help-all` shows them all.
COMMON = {
    "train", "dev", "output", "heads", "encoder", "k", "simplify", "vectors", "pretrained",
    "teacher", "epochs", "seed", "threads", "device", "config", "resume", "files", "model", "json",
    "tagger", "input_format", "output_format", "confidence", "force", "raw", "html",
    "exclude_punct", "host", "port", "help", "help_all",
}  # fmt: skip
LONGEST_REMARK = 40  # that the short help has
_ENDS = re.compile(r"[.:;] ")  # where a help text says more than what the option is
_ALL = f"{__name__}.all"  # of a call's context: whether all options are shown
_REMARK = re.compile(r"  \[[^]]*\]$")  # such as the default, at the end of a help text
_NUMBERS = {"int": "N", "int range": "N", "float": "X"}  # placeholders by type
_RANGE = re.compile(r"; \d+<=x<=\d+(?=\]$)")  # which click adds to a default
_WHOLE_HYPHEN = "\u2011"  # stands for a hyphen while lines are broken


class GroupedCommand(TyperCommand):
    """A command with a section of its help for each heading; options without one come last.

    Where it has many options, `--help` shows the common ones, and of their help texts the
    beginning; `--help-all` shows them all. Names that contain hyphens are not broken.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for parameter in self.params:
            if parameter.param_type_name == "option" and parameter.metavar is None:
                parameter.metavar = _NUMBERS.get(parameter.type.name)
        texts = [getattr(parameter, "help", None) or "" for parameter in self.params]
        self._is_long = sum(1 + len(text) // _IN_A_LINE for text in texts) > MOST_LINES
        self.params.append(
            TyperOption(
                param_decls=["--help-all"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                hidden=not self._is_long,
                help="Show this message with all options and exit.",
                callback=_show_all,
            )
        )

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the parts of the line of usage, required arguments without Typer's braces."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the sections of arguments and options."""
        is_short = self._is_long and not ctx.meta.get(_ALL)
        sections: dict[str, list[tuple[str, str]]] = {
            heading: [] for heading in ("Arguments", *Heading, "Options")
        }
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            is_argument = parameter.param_type_name == "argument"
            heading = getattr(parameter, "rich_help_panel", None) or "Options"
            if is_short:
                if parameter.name not in COMMON and not is_argument:
                    continue
                record = _shortened(*record)
            names, text = record
            record = names, _RANGE.sub("", text).replace("-", _WHOLE_HYPHEN)
            sections["Arguments" if is_argument else heading].append(record)
        begin = len(formatter.buffer)
        for heading, records in sections.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)
        written = [part.replace(_WHOLE_HYPHEN, "-") for part in formatter.buffer[begin:]]
        formatter.buffer[begin:] = written


def _show_all(context: Any, _: Any, is_given: bool) -> None:
    if is_given:
        context.meta[_ALL] = True
        print(context.get_help())
        context.exit()


def _shortened(names: str, text: str) -> tuple[str, str]:
    """Return the record of an option with the beginning of its help text, and a short default.

    A default that the rest of the text explains, such as `0: by its size`, is left out with it.
    """
    remark = _REMARK.search(text)
    whole = text.removesuffix(remark[0]) if remark else text
    beginning = _ENDS.split(whole, maxsplit=1)[0]
    default = remark[0] if remark and len(remark[0]) <= LONGEST_REMARK else ""
    if default and f"; {default.strip().removeprefix('[default: ').removesuffix(']')}: " in whole:
        default = ""
    return names, f"{beginning.removesuffix('.')}.{default}"
