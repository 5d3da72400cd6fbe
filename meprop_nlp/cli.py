"""The command line: declares options, calls the library, prints. Nobody imports it.

Only the command that is called is imported, and imports what it needs when it runs, so that
`--help` and scoring two files start without torch. Exit status: 0 done, 1 failed or bad data,
2 wrong usage, 130 Ctrl-C.
"""

from __future__ import annotations

import io
import os
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from importlib import import_module
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from meprop_nlp.commands.help import GroupedCommand
from meprop_nlp.errors import ConfigError, MePropError


class ExitStatus(IntEnum):
    """What the shell is told."""

    OK = 0
    ERROR = 1
    USAGE = 2
    INTERRUPTED = 130


class _Commands(TyperGroup):
    """Turns what goes wrong in a command into one sentence and an exit status."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        with _told():  # --help and --version print here
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        with _told():
            return super().invoke(ctx)


@contextmanager
def _told() -> Iterator[None]:
    _open_streams()
    try:
        try:
            yield
        finally:
            sys.stdout.flush()  # now, where a full disk or a closed pipe can still be told
    except ConfigError as error:
        _fail(str(error), ExitStatus.USAGE)
    except MePropError as error:
        _fail(str(error), ExitStatus.ERROR)
    except BrokenPipeError:
        # whoever read from us has gone, as `| head` does; nothing is wrong
        _discard_output()
        _end_now(ExitStatus.OK)
    except KeyboardInterrupt:
        from meprop_nlp.commands import console

        console.error("stopped by Ctrl-C")
        _end_now(ExitStatus.INTERRUPTED)
    except MemoryError:
        _fail(_OUT_OF_MEMORY, ExitStatus.ERROR)
    except RuntimeError as error:
        # torch has no exception of its own for memory of the CPU
        if not _MEMORY.search(str(error)):
            raise
        _fail(_OUT_OF_MEMORY, ExitStatus.ERROR)
    except OSError as error:
        _discard_output()
        _fail(f"{error.filename or '<stdout>'}: {error.strerror or error}", ExitStatus.ERROR)


_MEMORY = re.compile(r"out of memory|not enough memory|t allocate memory|Storage size")
_OUT_OF_MEMORY = "out of memory; try a smaller --hidden or --batch-size"


def _fail(message: str, status: ExitStatus) -> NoReturn:
    from meprop_nlp.commands import console

    console.error(message)
    raise SystemExit(int(status))


def _open_streams() -> None:
    """Give the standard streams that the caller closed (`>&-`) a place to go.

    What the encoding of standard output lacks is written as an escape; annotated text is bytes.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _end_now(status: ExitStatus) -> NoReturn:
    """End without waiting for threads, at work on chunks that nobody will read."""
    if threading.active_count() > 1:
        sys.stderr.flush()
        os._exit(status)
    raise SystemExit(int(status)) from None


def _discard_output() -> None:
    """Let what is still in the buffer go nowhere, so that Python does not complain at its end."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError:  # not a file, as in a test
        return


# By name: where it is, and an example. What is not called is not imported: a small file is tagged
# in a third of a second, of which declaring all options of all commands would be a tenth.
_COMMANDS = {
    "train-tagger": ("train", "--train train.conllu --dev dev.conllu --k 50"),
    "train-parser": ("train", "--train train.conllu --dev dev.conllu --simplify"),
    "tag": ("predict", "words.conllu > tagged.conllu"),
    "parse": ("predict", "--tagger models/tagger.safetensors words.conllu > parsed.conllu"),
    "convert": ("convert", "wsj_0001.mrg wsj_0002.mrg -o train.conllx"),
    "evaluate": ("evaluate", "gold.conllu parsed.conllu"),
    "benchmark": ("benchmark", "models/parser.safetensors words.conllu"),
    "info": ("inspect", "models/parser.safetensors"),
    "validate": ("inspect", "train.conllu dev.conllu"),
}


def make_app(names: Iterable[str] = tuple(_COMMANDS)) -> typer.Typer:
    """Return the program, with these of its commands."""
    app = typer.Typer(
        name="meprop-nlp",
        cls=_Commands,
        help="Train a POS tagger or a dependency parser by sparse backpropagation (meProp, "
        "meSimp), and tag, parse and evaluate CoNLL files with it.",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={
            "help_option_names": ["-h", "--help"],
            # what other tools call it
            "token_normalize_func": lambda token: {"outfile": "output"}.get(token, token),
        },
    )
    app.callback(invoke_without_command=True)(_main)
    for name in names:
        module, example = _COMMANDS[name]
        function = getattr(import_module(f"meprop_nlp.commands.{module}"), name.replace("-", "_"))
        # \b: the example is one line, however narrow the terminal
        app.command(
            name,
            cls=GroupedCommand if name.startswith("train-") else None,
            epilog=f"\b\nExample:\n  meprop-nlp {name} {example}",
        )(function)
    return app


def _main(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from meprop_nlp import __version__

        print(f"meprop-nlp {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line."""
    asked = sys.argv[1:2]
    with _told():  # imports are made here
        app = make_app(asked) if asked and asked[0] in _COMMANDS else make_app()
    app(prog_name="meprop-nlp")


if __name__ == "__main__":
    main()
