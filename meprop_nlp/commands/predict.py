"""The part that `annotate`, `tag` and `parse` share: options, and annotating file after file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from meprop_nlp.commands.counting import counted
from meprop_nlp.commands.deps import fills_deps, warned_of_empty_nodes
from meprop_nlp.commands.options import Loading, Reading, Verbosity
from meprop_nlp.commands.streams import demand_other_file, note_skipped
from meprop_nlp.commands.tag_supply import TagSupply
from meprop_nlp.config import TrainingConfig
from meprop_nlp.settings import setting, setting_of

if TYPE_CHECKING:
    from meprop_nlp.models.annotate import Piece
    from meprop_nlp.models.model import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotating(Reading):
    """How `annotate`, `tag` and `parse` read and annotate their files."""

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
        help="Write the model's confidence in each tag, lemma and arc, 0 to 1, to MISC; CoNLL-U "
        "only.",
    )
    pretrained: str | None = setting_of(Loading, "pretrained")
    treebank_id: str | None = setting_of(Loading, "treebank_id")
    threads: int = setting_of(TrainingConfig, "threads")

    @property
    def loading(self) -> Loading:
        """Return how the model is loaded."""
        return Loading(pretrained=self.pretrained, treebank_id=self.treebank_id)


def annotate_files(
    files: list[str] | None,
    models: Sequence[Model],
    output: str,
    annotating: Annotating,
    verbosity: Verbosity,
    *,
    verb: str,
    inputs: Iterable[Path | None],
    keep: Sequence[str] = (),
) -> None:
    """Annotate all files by models in turn, and write the sentences to `output` as they come.

    A parser without a tagger before it is given one where a file has no tags; see `TagSupply`.

    Args:
        verb: what is done to the words, such as `tagged`.
        inputs: files, besides `files`, that must not be overwritten.
        keep: the columns that stay as they are; see `Model.pipe`.
    """
    from meprop_nlp.data.conll.writing import write_pieces

    demand_other_file(output, [*(files or ()), *inputs])
    shown = counted(
        _annotated(files or ["-"], models, annotating, keep, quiet=verbosity.quiet),
        verb=verb,
        output=output,
        verbosity=verbosity,
    )
    write_pieces((piece.text for piece in shown), output, flush=True)


def _annotated(
    files: list[str],
    models: Sequence[Model],
    annotating: Annotating,
    keep: Sequence[str],
    *,
    quiet: bool,
) -> Iterator[Piece]:
    """Yield the sentences of all files, one file after the other, annotated by models in turn."""
    from meprop_nlp.data.report import TreebankReport
    from meprop_nlp.data.source import source_name
    from meprop_nlp.models.annotate import annotate
    from meprop_nlp.threads import usable_threads

    parses = any("head" in model.fills for model in models)
    supply = TagSupply(models, quiet=quiet)
    for path in files:
        report = TreebankReport() if annotating.on_error == "skip" else None
        fill_deps = parses and fills_deps(path, annotating.encoding)
        tags = supply.of_file(source_name(path))
        pieces = annotate(
            path,
            tags.models,
            confidence=annotating.confidence,
            keep=keep,
            input_format=annotating.input_format,
            encoding=annotating.encoding,
            on_error=annotating.on_error,
            report=report,
            fill_deps=fill_deps,
            threads=usable_threads(annotating.threads),
        )
        if parses and not fill_deps:
            pieces = warned_of_empty_nodes(pieces, source_name(path))
        yield from tags.watched(pieces)
        note_skipped(path, report)
