"""The command line: makes the program, and turns errors into a sentence and an exit status.

Only the command that is called is imported, and it imports what it needs when it runs, so that
`--help` and scoring two files start without torch. The exit status is 0 on success, 1 for a failure
or bad data, 2 for wrong usage, and 128 + the number of the signal that ended the program. Ctrl-C,
SIGTERM and SIGHUP are caught here, so that nothing half-written stays behind.
"""

import io
import os
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from importlib import import_module
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from meprop_nlp.commands import console
from meprop_nlp.commands.help import GroupedCommand
from meprop_nlp.commands.signature import as_command
from meprop_nlp.commands.stopping import ended_by_signals, name_of, signal_of
from meprop_nlp.commands.wording import Spelling, in_options, spellings
from meprop_nlp.errors import ConfigError, MePropError


class ExitStatus(IntEnum):
    """The exit statuses of the program."""

    OK = 0
    ERROR = 1
    USAGE = 2
    SIGNAL = 128  # and the signal's number


class _Commands(TyperGroup):
    """The group of all commands; an error in one of them is reported without a traceback."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        with _errors_reported():  # --help and --version print here
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        with _errors_reported(lambda: self._options(ctx)):
            return super().invoke(ctx)

    def _options(self, ctx: Any) -> dict[str, Spelling]:
        """Return the options that a message can mean.

        They are those of the command that was called, and those of the others, since the remedy
        may be to call another.
        """
        commands = dict(typer.main.get_command(make_app()).commands)  # type: ignore[attr-defined]
        called = commands.pop(ctx.invoked_subcommand, None)
        parameters = [p for command in commands.values() for p in command.params]
        return spellings([*parameters, *(called.params if called else ())])


@contextmanager
def _errors_reported(options: Callable[[], Mapping[str, Spelling]] = dict) -> Iterator[None]:
    """Report an error within the block in one sentence, and exit with its status.

    Args:
        options: returns the options that take the place of the settings in a message.
    """
    _open_closed_streams()
    try:
        with _failures_reported(options):
            yield
    except KeyboardInterrupt as error:  # also while a failure is reported
        number = signal_of(error)
        console.error(f"stopped by {name_of(number)}")
        _exit_at_once(ExitStatus.SIGNAL + number)


@contextmanager
def _failures_reported(options: Callable[[], Mapping[str, Spelling]]) -> Iterator[None]:
    try:
        try:
            yield
        finally:
            sys.stdout.flush()  # now, while a full disk or a closed pipe can still be reported
    except MePropError as error:
        message = str(error)
        if "`" in message:
            message = in_options(message, options())
        usage = isinstance(error, ConfigError)
        _fail(message, ExitStatus.USAGE if usage else ExitStatus.ERROR)
    except BrokenPipeError:
        # the reader of our output has gone, as `| head` does; nothing is wrong
        _discard_output()
        _exit_at_once(int(ExitStatus.OK))
    except (MemoryError, RuntimeError) as error:
        # torch has no exception of its own for the CPU's memory
        if isinstance(error, RuntimeError) and not _OUT_OF_MEMORY_IN_TORCH.search(str(error)):
            raise
        _fail(
            "out of memory; try a smaller --hidden or --batch-size in training, or shorter "
            "sentences where a model is used",
            ExitStatus.ERROR,
        )
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        _fail(
            "this needs PyTorch, which annotating does without: pip install torch",
            ExitStatus.ERROR,
        )
    except OSError as error:
        _discard_output()
        name = error.filename or "<stdout>: cannot be written"
        _fail(f"{name}: {error.strerror or error}", ExitStatus.ERROR)


_OUT_OF_MEMORY_IN_TORCH = re.compile(
    r"out of memory|not enough memory|t allocate memory|Storage size"
)


def _fail(message: str, status: ExitStatus) -> NoReturn:
    console.error(message)
    raise SystemExit(int(status))


def _open_closed_streams() -> None:
    """Open the standard streams that the caller closed (`>&-`), so that using them is an error.

    What cannot be written to standard error is lost: nobody could be told, and the work goes on.
    Characters that the encoding of standard output lacks are written as escapes; annotated text is
    written as bytes.
    """
    # the null device, for the other direction: no file that is opened later takes the number
    for name, mode, flag in (("stdin", "r", os.O_WRONLY), ("stdout", "w", os.O_RDONLY)):
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, flag)
            setattr(sys, name, open(handle, mode, encoding="utf-8"))  # noqa: SIM115, PTH123
    console.open_stderr()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _exit_at_once(status: int) -> NoReturn:
    """Exit without waiting for threads that work on chunks nobody will read."""
    if threading.active_count() > 1:
        sys.stderr.flush()
        os._exit(status)
    raise SystemExit(status) from None


def _discard_output() -> None:
    """Discard what is still in the buffer, so that Python does not complain when it exits."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError:  # not a file, as in a test
        return


# The commands, each with examples, one a line. Each has a file of its own, and only the one that is
# called is imported: a small file is tagged in a third of a second, and declaring the options of
# all commands would take a tenth of that.
_COMMANDS = {
    "download": "UD_German-GSD",
    "train": "--train train.conllu --dev dev.conllu",
    "annotate": "words.conllu > annotated.conllu",
    "view": "parsed.conllu gold.conllu\nparsed.conllu --terminal\nnew.txt --svg 3 -o tree.svg",
    "train-tagger": "--train train.conllu --dev dev.conllu --k 50",
    "train-parser": "--train train.conllu --dev dev.conllu --simplify",
    "tag": "words.conllu > tagged.conllu",
    "parse": "--tagger models/tagger.safetensors in.conllu > out.conllu",
    "convert": "wsj_0001.mrg wsj_0002.mrg -o train.conllx",
    "evaluate": "gold.conllu parsed.conllu",
    "compare": "gold.conllu a.conllu b.conllu",
    "serve": "--model en --port 8001",
    "benchmark": "models/parser.safetensors words.conllu",
    "info": "models/parser.safetensors",
    "validate": "train.conllu dev.conllu",
}


def make_app(names: Iterable[str] = tuple(_COMMANDS)) -> typer.Typer:
    """Return the program with the commands of these names."""
    app = typer.Typer(
        name="meprop-nlp",
        cls=_Commands,
        help="Train models for tags, lemmas and dependency trees by sparse backpropagation "
        "(meProp, meSimp), and annotate text and CoNLL files with them.",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={
            "help_option_names": ["-h", "--help"],
            # other tools call it --outfile
            "token_normalize_func": lambda token: {"outfile": "output"}.get(token, token),
        },
    )
    app.callback(invoke_without_command=True)(_main)
    for name in names:
        identifier = name.replace("-", "_")
        function = getattr(import_module(f"meprop_nlp.commands.{identifier}"), identifier)
        examples = [f"  meprop-nlp {name} {line}" for line in _COMMANDS[name].split("\n")]
        heading = "Example:" if len(examples) == 1 else "Examples:"
        # \b: an example is one line, however narrow the terminal
        app.command(
            name,
            cls=GroupedCommand,
            epilog="\n".join(["\b", heading, *examples]),
        )(as_command(function))
    return app


def _main(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from meprop_nlp import __version__

        print(f"meprop-nlp {__version__}")
        raise typer.Exit


# A thread of PyTorch's OpenMP that has no work spins so often before it sleeps: half a millisecond.
# By itself it spins for some ten, which beside other programs takes the processor from the thread
# that is waited for. Beside two of them, a training step of two threads took half the time so.
_SPINS = "10000"


def _let_idle_threads_sleep() -> None:
    """Choose how long idle threads spin, unless the user has; read when torch is imported."""
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)


def main() -> None:
    """Run the command line."""
    _let_idle_threads_sleep()
    called = sys.argv[1:2]
    with ended_by_signals():
        with _errors_reported():  # the command is imported here
            app = make_app(called) if called and called[0] in _COMMANDS else make_app()
        app(prog_name="meprop-nlp")


if __name__ == "__main__":
    main()
