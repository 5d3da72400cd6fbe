"""The part that `tag` and `parse` share: options, and annotating one file after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from meprop_nlp.commands import console
from meprop_nlp.commands.counting import counted
from meprop_nlp.commands.deps import fills_deps, warned_of_empty_nodes
from meprop_nlp.commands.options import Reading, Verbosity
from meprop_nlp.commands.streams import demand_other_file, note_skipped
from meprop_nlp.config import TrainingConfig
from meprop_nlp.settings import setting, setting_of

if TYPE_CHECKING:
    from meprop_nlp.models.annotate import Piece
    from meprop_nlp.models.model import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotating(Reading):
    """How `tag` and `parse` read and annotate their files."""

    on_error: str = setting(
        "fail",
        choices=("fail", "skip"),
        in_words="fail or skip",
        metavar="ACTION",
        help="What to do with a faulty sentence: fail or skip.",
    )
    confidence: bool = setting(
        False,
        names=("confidence",),
        help="Write the model's confidence in each tag and arc, 0 to 1, to MISC; CoNLL-U only.",
    )
    threads: int = setting_of(TrainingConfig, "threads")


def annotate_files(
    files: list[str] | None,
    models: Sequence[Model],
    output: str,
    annotating: Annotating,
    verbosity: Verbosity,
    *,
    keep: Iterable[Path | None],
) -> None:
    """Annotate all files by models in turn, and write the sentences to `output` as they come.

    Args:
        keep: files, besides `files`, that must not be overwritten.
    """
    from meprop_nlp.data.conll.writing import write_pieces

    demand_other_file(output, [*(files or ()), *keep])
    parses = any("head" in model.fills for model in models)
    shown = counted(
        _annotated(files or ["-"], models, annotating, parses=parses),
        verb="parsed" if parses else "tagged",
        output=output,
        verbosity=verbosity,
    )
    write_pieces((piece.text for piece in shown), output, flush=True)


def _annotated(
    files: list[str], models: Sequence[Model], annotating: Annotating, *, parses: bool
) -> Iterator[Piece]:
    """Yield the sentences of all files, one file after the other, annotated by models in turn."""
    from meprop_nlp.data.report import TreebankReport
    from meprop_nlp.data.source import source_name
    from meprop_nlp.models.annotate import annotate
    from meprop_nlp.threads import usable_threads

    for number, path in enumerate(files):
        report = TreebankReport() if annotating.on_error == "skip" else None
        fill_deps = parses and fills_deps(path, annotating.encoding)
        pieces = annotate(
            path,
            models,
            confidence=annotating.confidence,
            input_format=annotating.input_format,
            encoding=annotating.encoding,
            on_error=annotating.on_error,
            report=report,
            fill_deps=fill_deps,
            threads=usable_threads(annotating.threads),
        )
        if parses and not fill_deps:
            pieces = warned_of_empty_nodes(pieces, source_name(path))
        if number == 0:
            pieces = _warned_without_tags(pieces, source_name(path), models[0].reads)
        yield from pieces
        note_skipped(path, report)


def _warned_without_tags(
    pieces: Iterable[Piece], path: str, columns: Sequence[str]
) -> Iterator[Piece]:
    """Pass sentences on; warn once if the file lacks the tags that the parser reads."""
    for number, piece in enumerate(pieces):
        if number == 0:
            missing = [c for c in columns if all(tag == "_" for tag in piece.words.column(c))]
            if missing:
                names = " and no ".join(name.upper() for name in missing)
                console.warning(
                    f"{path} has no {names}, which the parser reads; "
                    "give --tagger MODEL to tag it first"
                )
        yield piece
