"""`view`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meprop_nlp.commands import console
from meprop_nlp.commands.model_files import model_option, usual_model
from meprop_nlp.commands.options import JOINT_MODEL, Reading
from meprop_nlp.commands.pages import some, write_page
from meprop_nlp.commands.streams import demand_other_file, load_model
from meprop_nlp.errors import ConfigError, DataError

if TYPE_CHECKING:
    from meprop_nlp.data.sentence import Sentence
    from meprop_nlp.data.source import Source
    from meprop_nlp.views.differences import Compared


def view(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A CoNLL file, or text, which is annotated first; - is standard input.",
        ),
    ] = "-",
    gold: Annotated[
        str | None,
        typer.Argument(metavar="GOLD", help="The correct annotation of the same text."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="File for the page, or for what --terminal and --svg draw; - is standard output. "
            "Unless given, a page goes to a temporary file, whose name is printed.",
        ),
    ] = None,
    model: Annotated[
        Path | None,
        model_option(
            help="Annotate FILE with this model of train, or en, the English model of the package."
        ),
    ] = None,
    *,
    open_page: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page in the browser.")
    ] = True,
    terminal: Annotated[
        bool, typer.Option("--terminal", help="Draw in the terminal, a word a line.")
    ] = False,
    svg: Annotated[
        str | None,
        typer.Option(
            metavar="N", help="Draw one sentence as SVG: its number, from 1, or its sent_id."
        ),
    ] = None,
    reading: Reading,
) -> None:
    """Show trees, and what is wrong in them.

    Writes a page with all sentences, to look at and to search in, and opens it; it is one file that
    loads nothing. With GOLD, every mistake is marked, the worst sentences come first, and tables of
    confusions lead to theirs.
    """
    if terminal and svg is not None:
        raise ConfigError("--terminal and --svg draw in different ways; give one of them")
    if file == gold == "-":
        raise ConfigError("standard input (-) can be FILE or GOLD, not both")
    if output is not None:
        demand_other_file(output, [file, gold])
    with _sentences(file, model, reading) as sentences:
        if gold is not None:
            from meprop_nlp.commands.streams import read_all
            from meprop_nlp.scoring.metrics import evaluate
            from meprop_nlp.views.differences import Differences

            collected = Differences()
            scores = evaluate(
                read_all([gold], reading), sentences, on_passage=collected.add, pairs=True
            )
            found = collected.compared(scores)
            title = f"{_name(file)} and {_name(gold)}"
        else:
            found, scores, title = _plain(sentences), None, _name(file)
        if terminal:
            _draw_in_terminal(some(found, title), output)
        elif svg is not None:
            _draw_svg(some(found, title), svg, file, output)
        else:
            path = write_page(found, output, title=title, scores=scores)
            if open_page and path is not None:
                _open(path)


@contextmanager
def _sentences(file: str, model: Path | None, reading: Reading) -> Iterator[Iterable[Sentence]]:
    """Yield the sentences of a file; those of text, or with a model, are annotated."""
    from meprop_nlp.data.conll.reading import read
    from meprop_nlp.data.recognition import recognized

    if reading.input_format != "auto":
        source: Source = file
        yield (
            _annotated(source, model, reading)
            if model
            else read(source, input_format=reading.input_format, encoding=reading.encoding)
        )
        return
    with recognized(file, reading.encoding) as found:
        if found.doubt:
            console.note(f"{_name(file)}: {found.doubt}; --input-format says what it is")
        if found.beginning or model is not None:
            yield _annotated(found.source, model, reading)
        else:
            yield read(found.source, encoding=reading.encoding)


def _annotated(source: Source, model: Path | None, reading: Reading) -> Iterator[Sentence]:
    from meprop_nlp.data.conll.reading import read_text
    from meprop_nlp.models.annotate import annotate

    found = load_model(usual_model(model, JOINT_MODEL, quiet=False), "joint", JOINT_MODEL)
    pieces = annotate(source, [found], input_format=reading.input_format, encoding=reading.encoding)
    for piece in pieces:
        yield from read_text(piece.text.decode("utf-8", "surrogatepass"))


def _plain(sentences: Iterable[Sentence]) -> Iterator[Compared]:
    """Yield the sentences, with nothing wrong in them."""
    from meprop_nlp.views.differences import Compared

    for sentence in sentences:
        yield Compared(sentence, {}, [])


def _name(file: str) -> str:
    return "standard input" if file == "-" else file


def _draw_in_terminal(found: Iterable[Compared], output: Path | None) -> None:
    from meprop_nlp.data.conll.writing import write_pieces
    from meprop_nlp.views.terminal import terminal_tree

    colours = output is None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    write_pieces(
        (f"{terminal_tree(*each, colours=colours)}\n".encode("utf-8", "replace") for each in found),
        output or "-",
    )


def _draw_svg(found: Iterable[Compared], wanted: str, file: str, output: Path | None) -> None:
    from meprop_nlp.data.conll.writing import write_pieces
    from meprop_nlp.data.tree_svg import tree_svg

    place = int(wanted) if wanted.isascii() and wanted.isdecimal() else None
    n = 0
    for n, each in enumerate(found, start=1):
        if n == place or (place is None and each.sentence.sent_id == wanted):
            sentence = each.sentence
            drawing = tree_svg(
                sentence.words,
                each.wrong,
                multiword_tokens=sentence.multiword_tokens,
                empty_nodes=sentence.empty_nodes,
            )
            write_pieces([f"{drawing}\n".encode()], output or "-")
            return
    name = _name(file)
    if place is None:
        raise DataError(f"{name}: no sentence has the sent_id {wanted!r} that --svg names")
    raise DataError(
        f"{_name(file)}: --svg names sentence {wanted}, expected a number from 1 to {n}"
    )


def _open(path: Path) -> None:
    """Open a page where somebody would see it: on a terminal, and with a display."""
    has_display = sys.platform in ("darwin", "win32") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    if not (has_display and console.is_seen()):
        return
    import webbrowser

    if not webbrowser.open(path.resolve().as_uri()):
        console.note(f"there is no browser to open {path} in")
