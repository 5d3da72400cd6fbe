"""What `make docs` makes while it builds the manual: pages from README, from help and from code.

MkDocs calls the functions whose names begin with `on_`. The first page is README.md, `contributing`
is CONTRIBUTING.md; `reference/` has a page for each command, made of what `--help-all` shows, and
one for the public names of the package, whose docstrings mkdocstrings reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from posixpath import dirname, normpath
from typing import Any

import typer.main

import meprop_nlp
from meprop_nlp.cli import _COMMANDS, make_app

ROOT = Path(__file__).parents[2]
# The public names in the order in which one needs them.
API = {
    "Models": ["load", "Model", "JointModel", "Tagger", "DependencyParser", "freeze"],
    "Sentences and files": [
        "Sentence", "Document", "read", "write", "from_tokenlist", "to_tokenlist",
    ],
    "Scores": ["evaluate"],
    "Settings of a training": [
        "Settings", "MePropConfig", "SimplifyConfig", "TrainingConfig", "JointConfig",
        "TaggerConfig", "ParserConfig", "Knowledge", "EpochRecord",
    ],
    "Layers": ["MePropLinear", "MePropLSTM", "BiLSTM", "Simplifier"],
    "Errors": ["MePropError"],
}  # fmt: skip
TRAINED = {"JointModel", "Tagger", "DependencyParser"}  # `train` is their base's
ABOVE = {"index.md": "README.md", "contributing.md": "CONTRIBUTING.md"}  # pages from above docs/
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are made."""
    from mkdocs.structure.files import File

    for name, content in pages().items():
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, *, page: Any, files: Any, **_: Any) -> str:
    """Let links to files that the site does not have be names."""
    known = {file.src_uri for file in files}
    return relinked(markdown, page.file.src_uri, known)


def pages() -> dict[str, str]:
    """Return the pages that are made, by their names."""
    made = {name: from_above((ROOT / source).read_text("utf-8")) for name, source in ABOVE.items()}
    made["reference/api.md"] = api()
    made["reference/commands.md"] = overview()
    for name, command in commands():
        made[f"reference/{name}.md"] = command_page(name, command)
    return made


def from_above(text: str) -> str:
    """Return a page of the repository's root with links as seen from docs/."""
    return text.replace("](docs/", "](")


def relinked(text: str, page: str, known: set[str]) -> str:
    """Return a page whose links lead to pages of the site, or are plain names.

    Args:
        text: Markdown.
        page: where it is, seen from docs/.
        known: the files of the site.
    """
    above = {f"../{source}": name for name, source in ABOVE.items()}
    above |= {source: name for name, source in ABOVE.items()}

    def link(match: re.Match[str]) -> str:
        mark, shown, target = match.groups()
        path, _, anchor = target.partition("#")
        if "://" in target or not path:
            return match[0]
        path = above.get(path, path)
        if path in known or normpath(f"{dirname(page)}/{path}".lstrip("/")) in known:
            return f"{mark}[{shown}]({path}{'#' * bool(anchor)}{anchor})"
        return shown

    return _LINK.sub(link, text)


def commands() -> Iterator[tuple[str, Any]]:
    """Yield the commands by name, as `meprop-nlp` lists them."""
    group: Any = typer.main.get_command(make_app())
    for name in _COMMANDS:
        yield name, group.commands[name]


def overview() -> str:
    """Return the list of all commands."""
    rows = [
        f"| [`{name}`]({name}.md) | {escaped(command.get_short_help_str(120))} |"
        for name, command in commands()
    ]
    head = [
        "# Commands",
        "",
        "Made from `--help-all`. [How to](../commands.md) use them is another page.",
    ]
    return "\n".join([*head, "", "| command | what it does |", "|---|---|", *rows, ""])


def command_page(name: str, command: Any) -> str:
    """Return the page of a command: what it does, its options by section, examples."""
    context = typer.Context(command, info_name=f"meprop-nlp {name}")
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [f"# {name}", "", f"    meprop-nlp {name} {usage}", ""]
    lines += [escaped(paragraph) + "\n" for paragraph in (command.help or "").split("\n\n")]
    sections: dict[str, list[str]] = {}
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is None:
            continue
        is_argument = parameter.param_type_name == "argument"
        panel = getattr(parameter, "rich_help_panel", None) or "Options"
        row = f"`{record[0]}`\n:   {escaped(record[1])}\n"
        sections.setdefault("Arguments" if is_argument else panel, []).append(row)
    for heading, rows in sections.items():
        lines += [f"## {heading}", "", *rows]
    examples = (command.epilog or "").replace("\b", "").strip().splitlines()
    if examples:
        lines += [f"## {examples[0].rstrip(':')}", ""]
        lines += [f"    {line.strip()}" for line in examples[1:]]
    return "\n".join([*lines, ""])


def escaped(text: str) -> str:
    """Return a help text as Markdown on one line."""
    text = " ".join(text.split())
    return re.sub(r"([\\*_<>|\[\]{}])", r"\\\1", text.replace("`", "'"))


def api() -> str:
    """Return the page of the public names, which mkdocstrings fills."""
    lines = ["# API", "", "The names in `meprop_nlp`; all others may change.", ""]
    for heading, names in API.items():
        lines += [f"## {heading}", ""]
        for name in names:
            lines.append(f"::: meprop_nlp.{meprop_nlp._HOMES[name]}.{name}")
            if name in TRAINED:
                lines += ["    options:", "      inherited_members: [train]"]
            lines.append("")
    return "\n".join(lines)
