"""Options that several commands share. Their defaults live in config.py."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from meprop_nlp.commands.help import DATA, NETWORK, RUN, TRAINING
from meprop_nlp.config import (
    OPTIMIZERS,
    SIMPLIFY_EPOCHS,
    ParserConfig,
    SimplifyConfig,
    TaggerConfig,
    TrainingConfig,
    dropout_by_width,
)

TAGGER_MODEL = Path("models/tagger.safetensors")
PARSER_MODEL = Path("models/parser.safetensors")

TAGGER, PARSER, SIMPLIFY = TaggerConfig(), ParserConfig(), SimplifyConfig()
RUN_DEFAULTS = TrainingConfig()


def option(heading: str, *names: str, **settings: Any) -> Any:
    """Return an option that `--help` shows under a heading."""
    return typer.Option(*names, rich_help_panel=heading, **settings)


def choices(values: tuple[str, ...]) -> str:
    """Return the values as a list in words."""
    return f"{', '.join(values[:-1])} or {values[-1]}"


# reading and writing
Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILE...",
        help="CoNLL files, also packed (.gz, .xz, .bz2); none or - is standard input.",
        show_default=False,
    ),
]
Out = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Where the result goes, packed if it ends in .gz, .xz or .bz2; - is standard output.",
    ),
]
InputFormat = Annotated[
    str,
    option(
        DATA,
        metavar="FORMAT",
        help="Form of the files: auto, conllu, conllx, or tab (one word a line: FORM, FORM TAG, "
        "FORM TAG HEAD, FORM TAG HEAD DEPREL).",
    ),
]
Encoding = Annotated[
    str, option(DATA, metavar="NAME", help="Encoding of the files, such as utf-16 or latin-1.")
]
OnError = Annotated[
    str, option(DATA, metavar="ACTION", help="What to do with a faulty sentence: fail or skip.")
]

Confidence = Annotated[
    bool,
    option(
        DATA,
        "--confidence",
        help="Write into MISC how sure the model is of each tag and arc, from 0 to 1; in CoNLL-U.",
    ),
]

# training: data
Train = Annotated[
    list[str] | None,
    option(
        DATA,
        "--train",
        metavar="FILE",
        help="Training file; may be given again. Without it: the built-in sample treebank.",
    ),
]
Dev = Annotated[
    list[str] | None,
    option(
        DATA,
        "--dev",
        metavar="FILE",
        help="File to choose the best epoch on; may be given again. Without it: the last epoch.",
    ),
]
Test = Annotated[
    list[str] | None,
    option(DATA, "--test", metavar="FILE", help="File to score at the end; may be given again."),
]
Ptb = Annotated[
    Path | None,
    option(
        DATA,
        "--ptb",
        metavar="DIR",
        help="Instead of the three: the papers' sections of the Penn Treebank, WSJ, from a folder "
        "of files named wsj_0201.mrg (or .conllx, .dep, .dp), or 02.conllx for a section.",
    ),
]
Vectors = Annotated[
    str | None,
    option(
        DATA, metavar="FILE", help="Pretrained word vectors in the text form of word2vec or GloVe."
    ),
]

# training: network
Hidden = Annotated[
    int, option(NETWORK, help="Neurons of a hidden layer (tagger: in each direction).")
]
Dropout = Annotated[
    float, option(NETWORK, help="Share of the hidden layer's values left out in training.")
]
ParserDropout = Annotated[
    float | None,
    option(
        NETWORK,
        "--dropout",
        help="Share of hidden layers' values left out in training; unless given, in proportion to "
        f"the width, {dropout_by_width(500):g} of 500 neurons.",
    ),
]
InputDropout = Annotated[
    float | None,
    option(
        NETWORK,
        help="Share of the embeddings' values left out; unless given, half of --dropout, or "
        "for the parser 0.3 where that is not given either.",
    ),
]
WordDropout = Annotated[
    float,
    option(NETWORK, help="A word seen n times is hidden in training with chance a / (a + n): a."),
]

# training: loop
Epochs = Annotated[
    int | None,
    option(
        TRAINING,
        help=f"Passes over the training file; {RUN_DEFAULTS.epochs} unless given, with --simplify "
        f"{SIMPLIFY_EPOCHS}, but for --schedule paper.",
    ),
]
TaggerBatchSize = Annotated[
    int,
    option(
        TRAINING,
        "--batch-size",
        help="Sentences per minibatch; 0: by the size of the training file.",
    ),
]
ParserBatchSize = Annotated[
    int,
    option(
        TRAINING,
        "--batch-size",
        help="Transitions per minibatch, two for a word; 0: by the size of the training file.",
    ),
]
Optimizer = Annotated[str, option(TRAINING, metavar="NAME", help=choices(OPTIMIZERS) + ".")]
LearningRate = Annotated[
    float | None,
    option(
        TRAINING,
        help="Unless given: for Adam 0.003 (tagger) or 0.002 (parser), AdaGrad 0.01, SGD 0.1.",
    ),
]
Decay = Annotated[
    bool,
    option(TRAINING, help="Let the learning rate fall to zero; the papers keep it constant."),
]
Lazy = Annotated[
    bool | None,
    option(
        TRAINING,
        "--lazy/--exact",
        help="Lazy: words that a minibatch lacks keep their embeddings, which is faster; exact: "
        "Adam's moments move them on, as in the papers. Unless given, exact, and with --simplify, "
        "but for --schedule paper, lazy.",
    ),
]
Clip = Annotated[float, option(TRAINING, help="Largest norm of the gradient; 0: no limit.")]
Patience = Annotated[
    int | None,
    option(
        TRAINING,
        help="Stop after so many epochs without a better dev score; 0: never. Unless given, "
        f"{RUN_DEFAULTS.patience}, and with --simplify 0, but with --schedule paper "
        f"{RUN_DEFAULTS.patience} too.",
    ),
]
Seed = Annotated[int, option(TRAINING, help="Where all random numbers start.")]

# training: this run
Threads = Annotated[
    int,
    option(
        RUN,
        "--threads",
        "-t",
        help="CPU threads; 0: OMP_NUM_THREADS if set, else all there are, up to 16.",
    ),
]
Device = Annotated[
    str, option(RUN, "--device", "-d", metavar="NAME", help="auto, cpu, cuda or cuda:N.")
]
Resume = Annotated[
    bool,
    option(RUN, "--resume", help="Go on with a run that was stopped or killed."),
]
Progress = Annotated[
    bool, option(RUN, help="Show a progress bar when standard error is a terminal.")
]
Quiet = Annotated[bool, option(RUN, "--quiet", "-q", help="Say only results, warnings and errors.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
