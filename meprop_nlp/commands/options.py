"""Options that several commands share: files, how to read them, and what to show meanwhile."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from meprop_nlp.settings import Config, Heading, setting

TAGGER_MODEL = Path("models/tagger.safetensors")
PARSER_MODEL = Path("models/parser.safetensors")
JOINT_MODEL = Path("models/model.safetensors")
KEPT_COLUMNS = ("upos", "xpos", "feats", "lemma")

Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILE...",
        help="CoNLL files, also packed (.gz, .xz, .bz2); none or - is standard input.",
        show_default=False,
    ),
]
Output = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="File for the result, packed if it ends in .gz, .xz or .bz2; - is standard output. "
        "--outfile is the same.",
    ),
]
Texts = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILE...",
        help="Files of text or CoNLL, also packed (.gz, .xz, .bz2), and, where --output gives each "
        "a result of its own, folders; none or - is standard input.",
        show_default=False,
    ),
]
Results = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="File for the result, packed if it ends in .gz, .xz or .bz2; - is standard output. A "
        "folder, or a name such as {}.conllu, in which {} is the input's name without its ending, "
        "gives each input a result of its own. --outfile is the same.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Config):
    """How a command reads its files."""

    heading = Heading.DATA

    input_format: str = setting(
        "auto",
        metavar="FORMAT",
        help="Format of the files: auto, conllu, conllx, or tab (one word per line: FORM, "
        "FORM TAG, FORM TAG HEAD, FORM TAG HEAD DEPREL).",
    )
    encoding: str = setting("utf-8", help="Encoding of the files, such as utf-16 or latin-1.")

    def _demand_agreement(self) -> None:
        # imported here, so that --help starts without it
        from meprop_nlp.data.conll.layout import FORMATS

        self._demand("input_format", self.input_format in FORMATS, ", ".join(FORMATS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading(Config):
    """How a trained model is loaded."""

    heading = Heading.DATA

    pretrained: str | None = setting(
        None,
        metavar="FOLDER",
        help="Folder of the model's pretrained encoder, if it has moved since the training.",
    )
    treebank_id: str | None = setting(
        None,
        help="Annotate in the style of this one of the treebanks that the model was trained on; "
        "the default is the first.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping(Config):
    """Which columns stay as they are in the file."""

    keep: tuple[str, ...] = setting(
        (),
        choices=KEPT_COLUMNS,
        distinct=True,
        metavar="NAMES",
        help="Columns to leave as they are, such as upos,xpos,feats. Lemmas and trees are then "
        "predicted from the tags that the file has; for a word without a tag, from the model's.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verbosity(Config):
    """What a command shows while it works."""

    heading = Heading.RUN

    progress: bool = setting(True, help="Show a progress bar when standard error is a terminal.")
    quiet: bool = setting(
        False, names=("quiet", "q"), help="Print only results, warnings and errors."
    )

    @property
    def shows_bar(self) -> bool:
        """Whether to show a progress bar: the user wants it, and standard error is a terminal."""
        return self.progress and not self.quiet and sys.stderr.isatty()
