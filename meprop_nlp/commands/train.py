"""`train`."""

from typing import Annotated

from meprop_nlp.commands.config_file import ConfigFile, PrintConfig
from meprop_nlp.commands.options import JOINT_MODEL, Reading, Verbosity
from meprop_nlp.commands.run_training import (
    ModelPath,
    Resume,
    TensorBoardFolder,
    run_training,
)
from meprop_nlp.commands.training_files import JointTrainingFiles
from meprop_nlp.config import Knowledge, Settings


def train(
    *,
    files: JointTrainingFiles,
    output: ModelPath = JOINT_MODEL,
    knowledge: Knowledge,
    reading: Reading,
    settings: Annotated[Settings, "joint"],
    resume: Resume = False,
    tensorboard: TensorBoardFolder = None,
    config: ConfigFile = None,
    print_config: PrintConfig = False,
    verbosity: Verbosity,
) -> None:
    """Train one model for tags, lemmas and trees.

    One BiLSTM encoder is shared by all heads, which learn together. The best epoch is the one with
    the best mean of the heads' scores on dev. Words may lack annotation (_): each head learns from
    the words that have it.
    """
    run_training(
        "joint",
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
