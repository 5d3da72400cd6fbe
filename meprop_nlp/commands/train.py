"""The options of `train-tagger` and `train-parser`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from meprop_nlp.commands.help import DATA, NETWORK
from meprop_nlp.commands.method_options import (
    Criterion,
    CutsPerEpoch,
    Cycle,
    FirstCutEpoch,
    K,
    Keep,
    MinNeurons,
    PruneRate,
    Schedule,
    Simplify,
    Teacher,
    TopK,
)
from meprop_nlp.commands.options import (
    PARSER,
    PARSER_MODEL,
    RUN_DEFAULTS,
    SIMPLIFY,
    TAGGER,
    TAGGER_MODEL,
    Clip,
    Decay,
    Dev,
    Device,
    Dropout,
    Encoding,
    Epochs,
    Hidden,
    InputDropout,
    InputFormat,
    Lazy,
    LearningRate,
    Optimizer,
    ParserBatchSize,
    ParserDropout,
    Patience,
    Progress,
    Ptb,
    Quiet,
    Resume,
    Seed,
    TaggerBatchSize,
    Test,
    Threads,
    Train,
    Vectors,
    WordDropout,
    choices,
    option,
)
from meprop_nlp.commands.training import run_training
from meprop_nlp.config import (
    ACTIVATIONS,
    NONPROJECTIVE,
    ORACLES,
    TRANSITION_SYSTEMS,
    ParserConfig,
    TaggerConfig,
)

__all__ = ["train_parser", "train_tagger"]

PARSING = "Transitions"
Output = Annotated[
    Path, option(DATA, "--output", "-o", metavar="FILE", help="The model file to write.")
]


def train_tagger(
    train: Train = None,
    dev: Dev = None,
    test: Test = None,
    ptb: Ptb = None,
    output: Output = TAGGER_MODEL,
    vectors: Vectors = None,
    input_format: InputFormat = "auto",
    encoding: Encoding = "utf-8",
    columns: Annotated[
        str,
        option(
            DATA,
            metavar="NAMES",
            help="What to predict, such as upos,feats; unless given: each of upos, xpos and feats "
            "that the training file fills.",
        ),
    ] = "",
    k: K = None,
    topk_mode: TopK = "example",
    simplify: Simplify = False,
    schedule: Schedule = SIMPLIFY.schedule,
    keep: Keep = SIMPLIFY.keep,
    criterion: Criterion = SIMPLIFY.criterion,
    prune_rate: PruneRate = SIMPLIFY.prune_rate,
    cycle: Cycle = SIMPLIFY.cycle,
    cuts_per_epoch: CutsPerEpoch = SIMPLIFY.cuts_per_epoch,
    first_cut_epoch: FirstCutEpoch = SIMPLIFY.first_cut_epoch,
    teacher: Teacher = SIMPLIFY.teacher,
    min_neurons: MinNeurons = SIMPLIFY.min_neurons,
    hidden: Hidden = TAGGER.hidden,
    word_dim: Annotated[
        int, option(NETWORK, help="Width of the word embeddings.")
    ] = TAGGER.word_dim,
    feature_dim: Annotated[
        int, option(NETWORK, help="Width of each of the seven feature embeddings.")
    ] = TAGGER.feature_dim,
    dropout: Dropout = TAGGER.dropout,
    input_dropout: InputDropout = TAGGER.input_dropout,
    word_dropout: WordDropout = TAGGER.word_dropout,
    epochs: Epochs = None,
    batch_size: TaggerBatchSize = RUN_DEFAULTS.batch_size,
    optimizer: Optimizer = RUN_DEFAULTS.optimizer,
    learning_rate: LearningRate = RUN_DEFAULTS.learning_rate,
    decay: Decay = RUN_DEFAULTS.decay,
    lazy: Lazy = None,
    clip: Clip = RUN_DEFAULTS.clip,
    patience: Patience = None,
    seed: Seed = RUN_DEFAULTS.seed,
    threads: Threads = RUN_DEFAULTS.threads,
    device: Device = RUN_DEFAULTS.device,
    resume: Resume = False,
    progress: Progress = True,
    quiet: Quiet = False,
) -> None:
    """Train a tagger for UPOS, XPOS and FEATS.

    A BiLSTM over words and their affixes and shapes (meProp, section 4.1: POS-Tag).
    """
    options = dict(locals())
    options["columns"] = tuple(name for name in columns.replace(" ", "").split(",") if name)
    run_training("tagger", TaggerConfig, options)


def train_parser(
    train: Train = None,
    dev: Dev = None,
    test: Test = None,
    ptb: Ptb = None,
    output: Output = PARSER_MODEL,
    vectors: Vectors = None,
    input_format: InputFormat = "auto",
    encoding: Encoding = "utf-8",
    tag_columns: Annotated[
        str,
        option(
            DATA,
            metavar="NAMES",
            help="Which tags the parser reads, such as upos,feats; unless given: upos and xpos.",
        ),
    ] = "",
    k: K = None,
    topk_mode: TopK = "example",
    simplify: Simplify = False,
    schedule: Schedule = SIMPLIFY.schedule,
    keep: Keep = SIMPLIFY.keep,
    criterion: Criterion = SIMPLIFY.criterion,
    prune_rate: PruneRate = SIMPLIFY.prune_rate,
    cycle: Cycle = SIMPLIFY.cycle,
    cuts_per_epoch: CutsPerEpoch = SIMPLIFY.cuts_per_epoch,
    first_cut_epoch: FirstCutEpoch = SIMPLIFY.first_cut_epoch,
    teacher: Teacher = SIMPLIFY.teacher,
    min_neurons: MinNeurons = SIMPLIFY.min_neurons,
    hidden: Hidden = PARSER.hidden,
    layers: Annotated[int, option(NETWORK, help="Hidden layers, 1 to 5.")] = PARSER.layers,
    activation: Annotated[
        str, option(NETWORK, metavar="NAME", help=choices(ACTIVATIONS) + ".")
    ] = PARSER.activation,
    embedding_dim: Annotated[
        int, option(NETWORK, "--embedding-dim", "--word-dim", help="Width of each embedding.")
    ] = PARSER.embedding_dim,
    dropout: ParserDropout = PARSER.dropout,
    input_dropout: InputDropout = PARSER.input_dropout,
    word_dropout: WordDropout = PARSER.word_dropout,
    transition_system: Annotated[
        str, option(PARSING, metavar="NAME", help=choices(TRANSITION_SYSTEMS) + ".")
    ] = PARSER.transition_system,
    oracle: Annotated[
        str,
        option(
            PARSING,
            metavar="NAME",
            help=choices(ORACLES)
            + "; hybrid, two right answers where order is free, is for arc-standard only; dynamic, "
            "which from the second epoch on learns from the parser's own mistakes, for arc-hybrid "
            "only.",
        ),
    ] = PARSER.oracle,
    nonprojective: Annotated[
        str,
        option(
            PARSING,
            metavar="NAME",
            help="What is done with non-projective training trees: "
            + choices(NONPROJECTIVE)
            + "; arc-standard-swap needs nothing done.",
        ),
    ] = PARSER.nonprojective,
    epochs: Epochs = None,
    batch_size: ParserBatchSize = RUN_DEFAULTS.batch_size,
    optimizer: Optimizer = RUN_DEFAULTS.optimizer,
    learning_rate: LearningRate = RUN_DEFAULTS.learning_rate,
    decay: Decay = RUN_DEFAULTS.decay,
    lazy: Lazy = None,
    clip: Clip = RUN_DEFAULTS.clip,
    patience: Patience = None,
    seed: Seed = RUN_DEFAULTS.seed,
    threads: Threads = RUN_DEFAULTS.threads,
    device: Device = RUN_DEFAULTS.device,
    resume: Resume = False,
    progress: Progress = True,
    quiet: Quiet = False,
) -> None:
    """Train a transition-based dependency parser.

    It learns from the trees and the tags in the training file (Chen & Manning 2014; meProp,
    section 4.1: Parsing).
    """
    options = dict(locals())
    options["tag_columns"] = tuple(n for n in tag_columns.replace(" ", "").split(",") if n)
    run_training("parser", ParserConfig, options)
