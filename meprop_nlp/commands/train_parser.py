"""`train-parser`."""

from typing import Annotated

from meprop_nlp.commands.config_file import ConfigFile, PrintConfig
from meprop_nlp.commands.options import PARSER_MODEL, Reading, Verbosity
from meprop_nlp.commands.run_training import (
    ModelPath,
    Resume,
    TensorBoardFolder,
    run_training,
)
from meprop_nlp.commands.training_files import TrainingFiles
from meprop_nlp.config import Knowledge, Settings


def train_parser(
    *,
    files: TrainingFiles,
    output: ModelPath = PARSER_MODEL,
    vectors: Annotated[str | None, Knowledge] = None,
    vectors_limit: Annotated[int, Knowledge],
    reading: Reading,
    settings: Annotated[Settings, "parser"],
    resume: Resume = False,
    tensorboard: TensorBoardFolder = None,
    config: ConfigFile = None,
    print_config: PrintConfig = False,
    verbosity: Verbosity,
) -> None:
    """Train a dependency parser.

    A transition-based one, which learns from the trees and tags of the training file (Chen &
    Manning 2014; meProp, section 4.1: Parsing); or, with --encoder bilstm, the graph-based one of
    train, which reads no tags. The best epoch is the one with the best LAS on dev; UAS without
    labels, and with --encoder bilstm the mean of both.
    """
    knowledge = Knowledge(vectors=vectors, vectors_limit=vectors_limit)
    run_training(
        "parser",
        files,
        settings,
        output,
        knowledge,
        reading,
        resume,
        verbosity,
        tensorboard=tensorboard,
        config=config,
        print_config=print_config,
    )
