"""`train-tagger`."""

from typing import Annotated

from meprop_nlp.commands.config_file import ConfigFile, PrintConfig
from meprop_nlp.commands.options import TAGGER_MODEL, Reading, Verbosity
from meprop_nlp.commands.run_training import (
    ModelPath,
    Resume,
    TensorBoardFolder,
    run_training,
)
from meprop_nlp.commands.training_files import TrainingFiles
from meprop_nlp.config import Knowledge, Settings


def train_tagger(
    *,
    files: TrainingFiles,
    output: ModelPath = TAGGER_MODEL,
    vectors: Annotated[str | None, Knowledge] = None,
    vectors_limit: Annotated[int, Knowledge],
    reading: Reading,
    settings: Annotated[Settings, "tagger"],
    resume: Resume = False,
    tensorboard: TensorBoardFolder = None,
    config: ConfigFile = None,
    print_config: PrintConfig = False,
    verbosity: Verbosity,
) -> None:
    """Train a tagger for UPOS, XPOS and FEATS.

    A BiLSTM over words and their affixes and shapes (meProp, section 4.1: POS-Tag); or, with
    --encoder bilstm, the encoder of train. The best epoch is the one with the best accuracy on dev,
    the mean of the columns.
    """
    knowledge = Knowledge(vectors=vectors, vectors_limit=vectors_limit)
    run_training(
        "tagger",
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
