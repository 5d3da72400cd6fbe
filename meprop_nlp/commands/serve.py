"""`serve`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from meprop_nlp.commands import console
from meprop_nlp.commands.model_files import usual_model
from meprop_nlp.commands.options import JOINT_MODEL
from meprop_nlp.commands.streams import demand_model
from meprop_nlp.config import TrainingConfig
from meprop_nlp.errors import ConfigError, missing_extra
from meprop_nlp.serve.limits import Limits
from meprop_nlp.threads import usable_threads

if TYPE_CHECKING:
    from meprop_nlp.serve.served_models import ServedModel, ServedModels

# the libraries of the extra: their modules, and what their makers call them
NEEDED = {"starlette": "Starlette", "uvicorn": "uvicorn", "python_multipart": "python-multipart"}


def serve(
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            help="A model file, or en, the English model of the package; give it again for "
            "further models, of which the first is the default. NAME=FILE and NAME:ALIAS=FILE set "
            f"the names that clients use. Unless given, {JOINT_MODEL}, and en where there is none.",
        ),
    ] = None,
    *,
    host: Annotated[
        str,
        typer.Option(
            metavar="HOST",
            help="Address to listen at; by default only programs of this machine reach it.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen at; 0 is any that is free.")
    ] = 8001,
    threads: Annotated[int, TrainingConfig] = 0,
    limits: Limits,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="Log no requests, only the start, the end and errors."),
    ] = False,
) -> None:
    """Serve models over HTTP, as UDPipe does.

    A page to try a sentence on is at /, UDPipe's /models and /process are as its clients know
    them, POST /annotate takes JSON, and /openapi.json describes all. The log goes to standard
    error.
    """
    for module, library in NEEDED.items():
        if find_spec(module) is None:
            raise ConfigError(missing_extra(library, "serve"))
    from meprop_nlp import __version__
    from meprop_nlp.serve.app import Service
    from meprop_nlp.serve.server import is_loopback, listening
    from meprop_nlp.serve.server import serve as run
    from meprop_nlp.serve.workers import Workers

    served = _served_models(model or [], quiet=quiet)
    sockets = listening(host, port)
    if not is_loopback(sockets) and not quiet:
        console.warning(
            f"{host} can be reached from other machines, and there is no password; put a proxy "
            "before it that asks for one, or leave --host out"
        )
    service = Service(served, limits, Workers(usable_threads(threads)), __version__)
    names = ", ".join(one.name for one in served.models)
    address = f"[{host}]" if ":" in host else host
    shown = f"http://{address}:{sockets[0].getsockname()[1]}"
    with console.library_warnings():
        number = run(
            service,
            sockets,
            host,
            log=None if quiet else console.note,
            report=console.note,
            on_start=lambda: console.note(f"serving {names} on {shown} (Ctrl-C stops)"),
        )
    if number is not None:
        raise SystemExit(128 + number)


def _served_models(given: list[str], *, quiet: bool) -> ServedModels:
    """Load the models.

    Raises:
        DataError: there is no such file.
        CheckpointError: a file is no model.
        ConfigError: two models are shown under one name.
    """
    from meprop_nlp.models.boxed import ENGLISH, boxed_models, licence_of
    from meprop_nlp.models.model import load
    from meprop_nlp.serve.served_models import ServedModel, ServedModels, model_choice

    if not given:
        usual = usual_model(None, JOINT_MODEL, quiet=quiet)
        given = [ENGLISH if usual == boxed_models().get(ENGLISH) else str(usual)]
    served: list[ServedModel] = []
    for choice in map(model_choice, given):
        demand_model(choice.path)
        licence = licence_of(choice.path)
        served.append(
            ServedModel(choice.names, load(choice.path), () if licence is None else (licence,))
        )
    return ServedModels(served)
