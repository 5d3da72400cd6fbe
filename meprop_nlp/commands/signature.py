"""`as_command`: a function of settings as Typer takes it, with an option for each of them.

A command is a function of objects, and each setting is described once, by its class:

    def tag(files: Files = None, *, reading: Reading, threads: Annotated[int, TrainingConfig])

`reading` stands for an option for each field of Reading, and the function is given a Reading;
`threads` for the one option of that name that TrainingConfig describes. `Annotated[Settings, task]`
stands for all settings of a training. Other parameters are Typer's own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_type_hints

import typer

from meprop_nlp.commands.wording import Spelling, in_options
from meprop_nlp.config import NETWORKS, Settings
from meprop_nlp.settings import Config, Setting, settings_of

__all__ = ["NO_OPTION", "as_command"]

NO_OPTION = {
    "clip_value": "a bound of the papers' reference code on MNIST; ours is --clip",
    "weight_decay": "of the papers' reference code on MNIST, which experiments/mnist repeats",
}
"""Settings of a training that the library alone has, each with the reason."""


class _Part(NamedTuple):
    """What a parameter of the function is on the command line.

    Attributes:
        parameters: of the command.
        value: makes the function's argument of the command's.
    """

    parameters: list[inspect.Parameter]
    value: Callable[[Mapping[str, Any]], Any]


def as_command(function: Callable[..., None]) -> Callable[..., None]:
    """Return the function with options in place of its settings, for Typer.

    Calling it raises ConfigError for a value out of range.
    """
    hints = get_type_hints(function, include_extras=True)
    parts = {
        parameter.name: _part(parameter, hints[parameter.name])
        for parameter in inspect.signature(function).parameters.values()
    }

    def command(**values: Any) -> None:
        function(**{name: part.value(values) for name, part in parts.items()})

    parameters = [parameter for part in parts.values() for parameter in part.parameters]
    command.__name__, command.__doc__ = function.__name__, function.__doc__
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return command


def _part(parameter: inspect.Parameter, hint: Any) -> _Part:
    name = parameter.name
    about: Any = next(iter(getattr(hint, "__metadata__", ())), None)  # of an Annotated
    if _is_config(hint):
        return _of_config(hint)
    if _is_config(about):
        return _of_setting(settings_of(about)[name], parameter.default)
    if getattr(hint, "__origin__", None) is Settings:
        return _of_training(about)
    return _Part([_parameter(name, hint, parameter.default)], lambda values: values[name])


def _is_config(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Config)


def _of_config(config: type[Config]) -> _Part:
    settings = settings_of(config)
    return _Part(
        [_option(about) for about in settings.values()],
        lambda values: config(**{n: _parsed(about, values[n]) for n, about in settings.items()}),
    )


def _of_setting(about: Setting, default: Any) -> _Part:
    def value(values: Mapping[str, Any]) -> Any:
        about.demand(values[about.name])
        return values[about.name]

    option = _option(about)
    if default is not inspect.Parameter.empty:
        option = option.replace(default=default)
    return _Part([option], value)


def _of_training(task: str) -> _Part:
    settings = {s.name: s for s in Settings.choices(task) if s.name not in NO_OPTION}

    def value(values: Mapping[str, Any]) -> Settings:
        source = values["context"].get_parameter_source
        given = [name for name in settings if source(name).name != "DEFAULT"]
        return Settings.of(task, **{n: _parsed(settings[n], values[n]) for n in given})

    options = [_option(about) for about in settings.values()]
    return _Part([_parameter("context", typer.Context), *options], value)


def _option(about: Setting) -> inspect.Parameter:
    written = about.kind in (str, tuple, list, Path)
    option = typer.Option(
        *_names(about),
        help=in_options(about.help, _spellings()) if "`" in about.help else about.help,
        metavar=about.metavar if written else None,
        rich_help_panel=about.heading,
    )
    simple: dict[type, Any] = {tuple: str, list: list[str]}
    annotation = simple.get(about.kind, about.kind)
    default = None if about.varies or about.kind is tuple else about.default
    if default is None:
        annotation = annotation | None
    return _parameter(about.name, Annotated[annotation, option], default)


@cache
def _spellings() -> dict[str, Spelling]:
    """Return how the settings of all trainings are spelled: their help texts name each other."""
    settings = [about for task in NETWORKS for about in Settings.choices(task)]
    return {about.name: Spelling.of(_names(about)[0]) for about in settings}


def _names(about: Setting) -> list[str]:
    """Return the names of a setting's option: --k, --lazy/--exact, --threads and -t."""
    own = about.name.replace("_", "-")
    names = about.names or (f"{own}/no-{own}" if about.kind is bool else own,)
    return ["/".join(_dashed(side, own) for side in name.split("/")) for name in names]


def _dashed(name: str, own: str) -> str:
    return f"--{name}" if len(name) > 1 or name == own else f"-{name}"


def _parsed(about: Setting, value: Any) -> Any:
    """Return the value of a setting that an option's value means."""
    if about.kind is tuple:
        return tuple(name for name in (value or "").replace(" ", "").split(",") if name)
    return value


def _parameter(
    name: str, annotation: Any, default: Any = inspect.Parameter.empty
) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)
