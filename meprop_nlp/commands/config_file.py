"""`--config` and `--print-config`: the settings of a training as TOML, read and written.

A file names settings as `config.py` and `Settings.of` do, without tables: `batch_size = 400` is
`--batch-size 400`. They take the place of the defaults, and options on the command line theirs.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from meprop_nlp.commands.encoders import options_of
from meprop_nlp.commands.options import Reading
from meprop_nlp.commands.signature import NO_OPTION
from meprop_nlp.commands.training_files import JointTrainingFiles, TrainingFiles
from meprop_nlp.config import BILSTM, ENCODERS, Knowledge, Settings
from meprop_nlp.errors import ConfigError, DataError
from meprop_nlp.settings import Config, Heading, Setting, nearest, settings_of

_TASK_OF = {"train": "joint", "train-tagger": "tagger", "train-parser": "parser"}
_OUTPUT = Setting(help="The model file.", name="output", annotation=Path)
_POSITION = re.compile(r"^(.*) \(at line (\d+), column (\d+)\)$")


def _read_config(context: typer.Context, path: str | None) -> str | None:
    """Let the settings of a file take the place of the defaults."""
    if path is not None:
        task = _TASK_OF[str(context.info_name)]
        known = {parameter.name for parameter in context.command.params}
        settings = {name: about for name, about in _settings(task).items() if name in known}
        context.default_map = read_config(path, settings)
    return path


ConfigFile = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="FILE",
        is_eager=True,
        callback=_read_config,
        rich_help_panel=Heading.RUN,
        help="TOML file of settings by their names, such as batch_size = 400; - is standard input. "
        "Options on the command line come before it.",
    ),
]
PrintConfig = Annotated[
    bool,
    typer.Option(
        "--print-config",
        rich_help_panel=Heading.RUN,
        help="Print the settings in force as TOML, for --config, and train nothing. Where the "
        "default depends on the training file or on other settings, only what is given.",
    ),
]


# by task, the settings that older models do not state, as they were when these were trained
_BEFORE: dict[str, dict[str, Any]] = {"joint": {"early_weight": 0.0}}


def read_config(path: str, settings: Mapping[str, Setting]) -> dict[str, Any]:
    """Return the settings in a TOML file as the values of their options.

    Args:
        path: the file; `-` is standard input.
        settings: those that there are, by name.

    Raises:
        DataError: the file cannot be read.
        ConfigError: it is no TOML, or a setting is unknown or has a value that is not allowed.
    """
    import tomllib

    name = "<stdin>" if path == "-" else path
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{name}: {error.strerror}") from None
    try:
        text = data.decode()
        found = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{name}:{line}: is not UTF-8, which TOML is in") from None
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        if position := _POSITION.match(message):
            problem, line, column = position.groups()
            raise ConfigError(f"{name}:{line}: column {column}: {problem}") from None
        raise ConfigError(f"{name}: {message}") from None
    values: dict[str, Any] = {}
    for key, value in found.items():
        place = f"{name}:{_line_of(text, key)}: {key}"
        if isinstance(value, dict) or (key not in settings and _is_tables(value)):
            raise ConfigError(
                f"{place} is a table, expected settings by their names, without tables, such as "
                "batch_size = 400"
            )
        if key not in settings:
            raise ConfigError(f"{place} is no setting{nearest([key], settings)}")
        about = settings[key]
        if isinstance(value, str) and about.kind in (list, tuple):
            value = [value] if about.kind is list else value.replace(" ", "").split(",")
        is_number = about.kind is bool and not isinstance(value, bool)  # TOML has flags of its own
        if is_number or not about.allows(value):
            shown = str(value).lower() if isinstance(value, bool) else repr(value)
            expected = about.expected.replace("True or False", "true or false")
            raise ConfigError(f"{place} is {shown}, expected {expected}")
        values[key] = ",".join(value) if about.kind is tuple else value
    return values


def demand_one_reader(config: str | None, files: TrainingFiles) -> None:
    """Raise ConfigError if standard input is both the settings and a treebank."""
    named = [*(files.train or ()), *(files.dev or ()), *(files.test or ())]
    if config == "-" and "-" in named:
        raise ConfigError("standard input (-) can be --config or a treebank, not both")


def print_settings(*given: Any, **more: Any) -> None:
    """Print the settings of a training as TOML; arguments are those of `config_lines`."""
    print("\n".join(config_lines(*given, **more)))


def config_lines(
    task: str,
    settings: Settings,
    knowledge: Knowledge | None = None,
    *others: Config,
    output: Path | None = None,
) -> Iterator[str]:
    """Yield the lines of a TOML file with all settings of a training.

    What is not there has no value, or the default of its options.

    Args:
        task: of the command: `joint`, `tagger` or `parser`.
        others: further options, of which those that differ from their defaults are written.
    """
    yield f"# meprop-nlp {next(name for name, of in _TASK_OF.items() if of == task)} --config FILE"
    values: dict[str, Any] = {}
    for other in others:
        defaults = settings_of(type(other))
        values |= {
            n: getattr(other, n) for n, s in defaults.items() if getattr(other, n) != s.default
        }
    if output is not None:
        values["output"] = output
    encoder = None
    if task in ENCODERS:
        is_bilstm = settings.task == "joint"
        values["encoder"] = encoder = BILSTM if is_bilstm else ENCODERS[task].default
    values["simplify"] = settings.simplify is not None
    parts = [settings.network, settings.meprop, settings.simplify, settings.training]
    taken = {about.name for about in Settings.choices(task, encoder)} - NO_OPTION.keys()
    # a network that starts from a model has its widths, unless others are given
    own = knowledge is None or knowledge.init_from is None
    for part in filter(None, parts):
        for name in settings_of(type(part)):
            of_widths = part is settings.network or name == "k"  # a share of the width
            if name in taken and (own or not of_widths or name in settings.given):
                values[name] = getattr(part, name)
    if knowledge is not None:
        names = settings_of(Knowledge) if task == "joint" else ("vectors", "vectors_limit")
        values |= {name: getattr(knowledge, name) for name in names}
    heading = None
    for name, about in sorted(_settings(task).items(), key=lambda item: _order(item[1])):
        if values.get(name) is not None:
            if about.heading != heading:
                heading = about.heading
                yield f"\n# {heading}"
            yield f"{name} = {_toml(values[name])}"


def stated_settings(header: Mapping[str, Any]) -> tuple[str, Settings]:
    """Return the task of the command that trained a model, and the settings that it states.

    Raises:
        ConfigError: it states none, or some that are not known here.
    """
    stated = header.get("training")
    task = str(header.get("task"))
    if not isinstance(stated, Mapping) or not isinstance(stated.get(task), Mapping):
        raise ConfigError("the model does not state the settings of its training")
    from meprop_nlp.config import NETWORKS, MePropConfig, SimplifyConfig, TrainingConfig

    cuts = stated.get("simplify")
    if task not in NETWORKS:
        raise ConfigError(
            f"the model is for the task {task!r}, expected one of {', '.join(NETWORKS)}"
        )
    settings = Settings(
        network=NETWORKS[task].given({**_BEFORE.get(task, {}), **stated[task]}, task),
        meprop=MePropConfig.given(stated.get("meprop"), "meprop"),
        simplify=SimplifyConfig.given(cuts, "simplify") if cuts else None,
        training=TrainingConfig.given(stated.get("training"), "training"),
    )
    return task, settings


def _settings(task: str) -> dict[str, Setting]:
    """Return all that a file may set for the command of a task, by name."""
    files = JointTrainingFiles if task == "joint" else TrainingFiles
    found = {
        about.name: about for config in (files, Reading) for about in settings_of(config).values()
    }
    found["output"] = _OUTPUT._replace(heading=Heading.DATA)
    found |= {about.name: about for about in options_of(task) if about.name not in NO_OPTION}
    return found | dict(settings_of(Knowledge))


def _order(about: Setting) -> int:
    return list(Heading).index(about.heading) if about.heading else 0


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(one, dict) for one in value)


def _line_of(text: str, key: str) -> int:
    """Return the line of a key, which may be quoted or the name of a table."""
    named = rf"\s*\[*\s*[\"']?{re.escape(key)}[\"']?\s*[=.\]]"
    lines = text.split("\n")
    return next((n for n, line in enumerate(lines, start=1) if re.match(named, line)), 1)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
