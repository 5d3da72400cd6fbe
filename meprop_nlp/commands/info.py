"""`info`."""

from pathlib import Path
from typing import Annotated

import typer

from meprop_nlp.commands.description import model_lines
from meprop_nlp.commands.model_files import model_path
from meprop_nlp.commands.options import Json
from meprop_nlp.commands.printing import print_json
from meprop_nlp.commands.streams import demand_model
from meprop_nlp.commands.tables import name_lines
from meprop_nlp.errors import ConfigError


def info(
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="MODEL",
            parser=model_path,
            help="A model file, or en, the English model of the package; without it: what is "
            "installed here.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
    print_config: Annotated[
        bool,
        typer.Option(
            "--print-config",
            help="Print the settings that MODEL was trained with as TOML, for --config of train.",
        ),
    ] = False,
) -> None:
    """Describe a model file, or what is installed here.

    For a model: task, dev scores, neurons, vocabulary, labels, and the settings of its training.
    Of the installation: the versions, and the models that come with it. For both: what training
    runs on here, the native core or PyTorch alone.
    """
    from meprop_nlp.native import kernels_in_use

    if print_config:
        if model is None or json:
            raise ConfigError("--print-config goes with MODEL, and without --json")
        from meprop_nlp.commands.config_file import print_settings, stated_settings
        from meprop_nlp.models.file import read_header

        demand_model(model)
        print_settings(*stated_settings(read_header(model)))
        return

    if model is None:
        description = {**_installed(), "kernels": kernels_in_use()}
    else:
        from meprop_nlp.models.boxed import licence_of
        from meprop_nlp.models.file import describe

        demand_model(model)
        licence = licence_of(model)
        own = {} if licence is None else {"licence": licence}
        description = {**describe(model), **own, "kernels": kernels_in_use()}
    if json:
        print_json(description)
    else:
        print(model_lines(description) if model else name_lines(description))


def _installed() -> dict[str, str | int]:
    """Return the versions of what matters for results and speed, and the number of threads."""
    import platform
    from importlib.metadata import version

    from meprop_nlp import __version__
    from meprop_nlp.models.boxed import boxed_models
    from meprop_nlp.threads import usable_threads

    return {
        "meprop-nlp": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "numpy")},
        "threads": usable_threads(),
        "models": ", ".join(boxed_models()) or "none",
    }
