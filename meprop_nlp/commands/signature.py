"""`as_command`: turn a function of settings into one that has an option for each of them.

The function of a command takes objects, and their classes describe the options:

    def tag(files: Files = None, *, reading: Reading, threads: Annotated[int, TrainingConfig])

`reading` becomes an option for each field of Reading, and the function receives a Reading.
`threads` becomes the one option that TrainingConfig describes under that name. A parameter of type
`Annotated[Settings, task]` becomes all settings of a training. Typer handles the others itself.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_type_hints

import typer

from meprop_nlp.commands.encoders import options_of
from meprop_nlp.commands.wording import Spelling, in_options
from meprop_nlp.config import NETWORKS, Knowledge, Settings
from meprop_nlp.settings import Config, Setting, settings_of

# the settings of a training that have no option, each with the reason
NO_OPTION = {
    "clip_value": "only for MNIST with the papers' reference settings; otherwise use --clip",
    "weight_decay": "only for MNIST with the papers' reference settings",
}


class _Part(NamedTuple):
    """A parameter of the function as the command has it.

    Attributes:
        parameters: the command's parameters.
        value: returns the function's argument, given those of the command.
    """

    parameters: list[inspect.Parameter]
    value: Callable[[Mapping[str, Any]], Any]


def as_command(function: Callable[..., None]) -> Callable[..., None]:
    """Return a function for Typer, with an option for each setting that `function` takes.

    It raises ConfigError for values that are not allowed.
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
    detail: Any = next(iter(getattr(hint, "__metadata__", ())), None)  # of an Annotated
    if _is_config(hint):
        return _of_config(hint)
    if _is_config(detail):
        return _of_setting(settings_of(detail)[name], parameter.default)
    if getattr(hint, "__origin__", None) is Settings:
        return _of_training(detail)
    return _Part([_parameter(name, hint, parameter.default)], lambda values: values[name])


def _is_config(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Config)


def _of_config(config: type[Config]) -> _Part:
    settings = settings_of(config)
    return _Part(
        [_option(setting) for setting in settings.values()],
        lambda values: config(**{n: _parsed(s, values[n]) for n, s in settings.items()}),
    )


def _of_setting(setting: Setting, default: Any) -> _Part:
    def value(values: Mapping[str, Any]) -> Any:
        setting.demand(values[setting.name])
        return values[setting.name]

    if default is inspect.Parameter.empty:
        return _Part([_option(setting)], value)
    return _Part([_option(setting._replace(unless_given="")).replace(default=default)], value)


def _of_training(task: str) -> _Part:
    settings = {s.name: s for s in options_of(task) if s.name not in NO_OPTION}

    def value(values: Mapping[str, Any]) -> Settings:
        source = values["context"].get_parameter_source
        given = [name for name in settings if source(name).name != "DEFAULT"]
        return Settings.of(task, **{n: _parsed(settings[n], values[n]) for n in given})

    options = [_option(setting) for setting in settings.values()]
    return _Part([_parameter("context", typer.Context), *options], value)


def _option(setting: Setting) -> inspect.Parameter:
    is_text = setting.kind in (str, tuple, list, Path)
    text = str(setting.help)
    if setting.unless_given:  # as click writes other defaults
        text += f"  [default: {setting.unless_given}]"
    option = typer.Option(
        *_names(setting),
        help=in_options(text, _spellings()) if "`" in text else text,
        metavar=setting.metavar if is_text else None,
        rich_help_panel=setting.heading,
    )
    annotations: dict[type, Any] = {tuple: str, list: list[str]}
    annotation = annotations.get(setting.kind, setting.kind)
    default = None if setting.varies or setting.kind is tuple else setting.default
    if default is None:
        annotation = annotation | None
    return _parameter(setting.name, Annotated[annotation, option], default)


@cache
def _spellings() -> dict[str, Spelling]:
    """Return the spellings of all settings of a training and of what it draws on beside it.

    Their help texts name each other.
    """
    settings = [setting for task in NETWORKS for setting in options_of(task)]
    settings += settings_of(Knowledge).values()
    return {setting.name: Spelling.of(_names(setting)[0]) for setting in settings}


def _names(setting: Setting) -> list[str]:
    """Return the names of a setting's option, such as --k, --lazy/--exact, or --threads and -t."""
    own = setting.name.replace("_", "-")
    names = setting.names or (f"{own}/no-{own}" if setting.kind is bool else own,)
    return ["/".join(_dashed(side, own) for side in name.split("/")) for name in names]


def _dashed(name: str, own: str) -> str:
    return f"--{name}" if len(name) > 1 or name == own else f"-{name}"


def _parsed(setting: Setting, value: Any) -> Any:
    """Return the value of a setting, given that of its option."""
    if setting.kind is tuple:
        return tuple(name for name in (value or "").replace(" ", "").split(",") if name)
    return value


def _parameter(
    name: str, annotation: Any, default: Any = inspect.Parameter.empty
) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)
