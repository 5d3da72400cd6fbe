"""The part that `annotate`, `tag` and `parse` share: options, and annotating file after file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from meprop_nlp.commands import console
from meprop_nlp.commands.counting import Meter, counting
from meprop_nlp.commands.many_files import annotate_each, headed
from meprop_nlp.commands.options import Loading, Reading, Verbosity
from meprop_nlp.commands.outputs import gives_several, planned
from meprop_nlp.commands.streams import demand_other_file, note_skipped
from meprop_nlp.commands.tag_supply import TagSupply
from meprop_nlp.config import TrainingConfig
from meprop_nlp.data.formats.output import OUTPUT_FORMATS, output_format
from meprop_nlp.data.formats.tsv import TABLE_COLUMNS
from meprop_nlp.data.word import COLUMNS
from meprop_nlp.errors import ConfigError, DataError
from meprop_nlp.files import remove_unfinished
from meprop_nlp.settings import setting, setting_of

if TYPE_CHECKING:
    from meprop_nlp.data.source import Source
    from meprop_nlp.models.annotate import Piece
    from meprop_nlp.models.inputs import TextTokenizer
    from meprop_nlp.models.model import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotating(Reading):
    """How `annotate`, `tag` and `parse` read and annotate their files."""

    input_format: str = setting(
        "auto",
        metavar="FORMAT",
        help="Format of the files: auto, which is CoNLL where the first line has eight columns "
        "with tabs between them, or fewer and no spaces, and else text; conllu; conllx; tab (FORM, "
        "FORM TAG, FORM TAG HEAD, FORM TAG HEAD DEPREL); text; presegmented, text with a sentence "
        "a line; horizontal, a sentence a line with spaces between its words; or vertical, a word "
        "a line.",
    )
    on_error: str = setting(
        "fail",
        choices=("fail", "skip"),
        in_words="fail or skip",
        metavar="ACTION",
        help="What to do with a faulty sentence: fail or skip.",
    )
    token_ranges: bool = setting(
        False,
        names=("token-ranges",),
        help="Of text, write into MISC where each token stood, as TokenRange=START:END, counted in "
        "characters from 0.",
    )
    output_format: str = setting(
        "conllu",
        choices=OUTPUT_FORMATS,
        metavar="FORMAT",
        help="Form of the result: conllu, in which CoNLL keeps its layout and text becomes "
        "CoNLL-U; json, an object a sentence; horizontal; vertical; or tsv, a table of words.",
    )
    columns: tuple[str, ...] = setting(
        (),
        choices=COLUMNS,
        distinct=True,
        metavar="NAMES",
        help="Columns of --output-format tsv, such as form,upos,head; the default is "
        f"{','.join(TABLE_COLUMNS)}.",
    )
    force: bool = setting(
        False,
        names=("force",),
        help="Overwrite results that are there already. Without it they stay where each input has "
        "a result of its own, whatever model and format they are of.",
    )
    confidence: bool = setting(
        False,
        names=("confidence",),
        help="Write the model's confidence in each tag, lemma and arc, 0 to 1, to MISC, which "
        "CoNLL-U and json have, and tsv with misc among its columns.",
    )
    pretrained: str | None = setting_of(Loading, "pretrained")
    treebank_id: str | None = setting_of(Loading, "treebank_id")
    threads: int = setting_of(TrainingConfig, "threads")

    def _demand_agreement(self) -> None:
        # imported here, so that --help starts without it
        from meprop_nlp.data.text_input import RUNNING, demand_input_format

        demand_input_format(self.input_format)
        output_format(self.output_format, self.columns)  # refuses columns of other formats
        has_misc = self.output_format in ("conllu", "json") or "misc" in self.columns
        of_words = self.input_format not in ("auto", *RUNNING)
        for name, lost in (
            ("confidence", not has_misc or self.input_format in ("conllx", "tab")),
            ("token_ranges", not has_misc or of_words),
        ):
            if lost and getattr(self, name):
                raise ConfigError(self._lost(name, has_misc=has_misc))

    def _lost(self, name: str, *, has_misc: bool) -> str:
        """Return why nothing of what is written to MISC would come out."""
        if has_misc:
            return f"`{name}` has no use with `input_format={self.input_format}`; leave it out"
        advice = "add misc to `columns`" if self.output_format == "tsv" else "leave it out"
        return (
            f"`{name}` is written to MISC, which `output_format={self.output_format}` does not "
            f"have; {advice}"
        )

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
    tokenizer: TextTokenizer | None = None,
) -> None:
    """Annotate all files by models in turn, and write the sentences to `output` as they come.

    A parser without a tagger before it is given one where a file has no tags; see `TagSupply`.

    Args:
        output: a file for all of them, or a folder or a pattern that gives each a result.
        verb: what is done to the words, such as `tagged`.
        inputs: files, besides `files`, that must not be overwritten.
        keep: the columns that stay as they are; see `Model.pipe`.
        tokenizer: splits text into words; None: the models' own.

    Raises:
        DataError: a file cannot be read, or is faulty; see `annotate_each` for many results.
        ConfigError: the output would replace an input.
    """
    from meprop_nlp.data.conll.writing import write_pieces
    from meprop_nlp.threads import usable_threads

    annotated = _Annotated(models, annotating, keep, tokenizer, quiet=verbosity.quiet)
    header, threads = annotated.form.header, usable_threads(annotating.threads)
    if gives_several(output):
        jobs = planned(files or ["-"], output, annotated.form.ending, inputs)
        remove_unfinished(job.output for job in jobs)
        with console.library_warnings():
            annotate_each(
                jobs, annotated, verbosity, verb=verb, header=header, force=annotating.force,
                threads=threads,
            )  # fmt: skip
        return
    if annotating.force:
        raise ConfigError(f"--force goes with a folder for the results, found --output {output}")
    files = files or ["-"]
    for file in files:
        if Path(file).is_dir():
            raise DataError(
                f"{file} is a directory, expected a file; to annotate all files in it, give a "
                "folder for the results: --output RESULTS/"
            )
    demand_other_file(output, [*files, *inputs])
    remove_unfinished([output])
    meter = Meter(files if verbosity.shows_bar else ["-"])
    with console.library_warnings(), counting(verb, output, verbosity, meter) as count:
        pieces = count(annotated.in_turn(files, meter, threads))
        write_pieces(headed((piece.text for piece in pieces), header), output, flush=True)


def _note_doubt(path: str, doubt: str) -> None:
    console.note(f"{path}: {doubt}; --input-format says what it is")


class _Annotated:
    """Calls give the annotated sentences of a file; several threads may call it."""

    def __init__(
        self,
        models: Sequence[Model],
        annotating: Annotating,
        keep: Sequence[str],
        tokenizer: TextTokenizer | None,
        *,
        quiet: bool,
    ) -> None:
        from meprop_nlp.models.annotate import tokenizer_of

        self.form = output_format(annotating.output_format, annotating.columns)
        self._tokenizer = tokenizer or tokenizer_of(models)
        self._supply, self._quiet = TagSupply(models, quiet=quiet), quiet
        self._annotating, self._keep = annotating, keep

    def __call__(self, path: str, source: Source, threads: int) -> Iterator[Piece]:
        """Yield the sentences of a file.

        Args:
            source: what the file is read from.
            threads: how many parts of it to annotate at a time.
        """
        from meprop_nlp.data.report import TreebankReport
        from meprop_nlp.data.source import source_name
        from meprop_nlp.models.annotate import annotate

        how = self._annotating
        report = TreebankReport() if how.on_error == "skip" else None
        tags = self._supply.of_file(source_name(path))
        pieces = annotate(
            source,
            tags.models,
            confidence=how.confidence,
            keep=self._keep,
            input_format=how.input_format,
            encoding=how.encoding,
            on_error=how.on_error,
            report=report,
            threads=threads,
            tokenizer=self._tokenizer,
            token_ranges=how.token_ranges,
            write_sentence=self.form.write,
            on_doubt=None if self._quiet else partial(_note_doubt, source_name(path)),
        )
        n_words = 0
        for piece in tags.watched(pieces):
            n_words += len(piece)
            yield piece
        note_skipped(path, report)
        if not n_words and not self._quiet and console.is_seen():
            console.note(f"{source_name(path)}: no words in it, nothing to write")

    def in_turn(self, files: Sequence[str], meter: Meter, threads: int) -> Iterator[Piece]:
        """Yield the sentences of all files, one file after the other."""
        for path in files:
            with meter.reading(path) as source:
                yield from self(path, source, threads)
