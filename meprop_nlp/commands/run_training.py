"""The work of the commands that train: check the files, train, print the model's scores."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from meprop_nlp.commands import console
from meprop_nlp.commands.config_file import demand_one_reader, print_settings
from meprop_nlp.commands.options import Reading, Verbosity
from meprop_nlp.commands.preflight import check_output, check_test_files, demand_files
from meprop_nlp.commands.score_tables import summary
from meprop_nlp.commands.stopping import StopOnce
from meprop_nlp.commands.streams import COMMAND_OF, read_all
from meprop_nlp.commands.training_files import TrainingFiles
from meprop_nlp.config import Knowledge, Settings
from meprop_nlp.errors import ConfigError
from meprop_nlp.settings import Heading
from meprop_nlp.training.distribution.environment import is_first

if TYPE_CHECKING:
    from meprop_nlp.training.hooks import Callback, Hooks

Model = TypeVar("Model")

ModelPath = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        rich_help_panel=Heading.DATA,
        help="The model file to write.",
    ),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        rich_help_panel=Heading.RUN,
        help="Continue a run that was stopped or killed.",
    ),
]
TensorBoardFolder = Annotated[
    str | None,
    typer.Option(
        "--tensorboard",
        metavar="DIR",
        rich_help_panel=Heading.RUN,
        help="Folder to write losses, scores on dev, speed and size of each epoch to, for "
        "TensorBoard. For the package: pip install 'meprop-nlp[tensorboard]'.",
    ),
]


def run_training(
    task: str,
    files: TrainingFiles,
    settings: Settings,
    output: Path,
    knowledge: Knowledge,
    reading: Reading,
    resume: bool,
    verbosity: Verbosity,
    *,
    tensorboard: str | None = None,
    config: str | None = None,
    print_config: bool = False,
) -> None:
    """Train a model; print a line of scores for each test set.

    Args:
        task: of the command: what the model does, whatever `settings.task` its network is for.
        files, output, knowledge, reading, settings, resume, verbosity, tensorboard, config: those
            of the command line.
        print_config: print the settings, and train nothing.

    Raises:
        ConfigError: the options cannot work together, or an extra is missing.
        DataError: a file is missing or faulty, or the model cannot be written.
    """
    if print_config:
        print_settings(task, settings, knowledge, files, reading, output=output)
        return
    demand_one_reader(config, files)
    on_epoch = None
    if tensorboard is not None and is_first():
        from meprop_nlp.integrations.tensorboard import TensorBoard

        on_epoch = TensorBoard(tensorboard)
    trees = settings.demands_trees
    treebanks = files.treebanks(task)
    test_files = [path for _, paths in treebanks.test for path in paths]
    inputs = [*treebanks.train, *(treebanks.dev or ()), *test_files]
    inputs += knowledge.files
    demand_files(inputs)
    if knowledge.pretrained is not None:
        from meprop_nlp.models.encoder_folder import EncoderFolder

        EncoderFolder(knowledge.pretrained)  # says what is wrong with it before files are read
    if is_first():
        check_output(output, task, inputs, settings, knowledge, resume=resume)
    else:  # of several processes one reports
        verbosity = Verbosity(progress=False, quiet=True)
    if files.is_sample and is_first():
        console.warning(
            "no --train: using the built-in sample treebank, a demonstration; "
            "scores on it prove nothing"
        )
    check_test_files(test_files, reading, trees=trees)

    from meprop_nlp.training.device import pick_device
    from meprop_nlp.training.run import train as train_model

    pick_device(settings.training.device)
    if knowledge.treebank_id and reading.encoding != "utf-8":
        raise ConfigError("--treebank-id goes with files in UTF-8")
    train, dev = (
        _source(paths, reading, trees=trees) for paths in (treebanks.train, treebanks.dev)
    )
    model = follow(
        lambda hooks: train_model(
            settings.task,
            train,
            dev,
            settings=settings,
            knowledge=knowledge,
            output=output,
            resume=resume,
            held_out=treebanks.held_out,
            input_format=reading.input_format,
            hooks=hooks,
        ),
        output,
        verbosity,
        callbacks=[] if on_epoch is None else [on_epoch],
        n_teachers=knowledge.teachers,
    )
    for name, paths in treebanks.test if is_first() else ():
        scores = model.evaluate(read_all(paths, reading, trees=trees))
        print(f"{name}: {summary(scores)}")


def _source(paths: list[str] | None, reading: Reading, *, trees: bool | None) -> Any:
    """Return a treebank as the library takes it: files, if they are in UTF-8, or sentences."""
    if paths is None or reading.encoding == "utf-8":
        return paths
    return list(read_all(paths, reading, trees=trees))


def follow(
    train: Callable[[Hooks], Model],
    output: Path,
    verbosity: Verbosity,
    callbacks: Sequence[Callback] = (),
    n_teachers: int = 0,
) -> Model:
    """Run a training and return its model; show its progress, and save it on Ctrl-C.

    Args:
        train: the training, which takes hooks and returns the model.
        output: the model file that it writes.
        callbacks: are called after each epoch of the model.
        n_teachers: how many teachers it trains first.
    """
    from meprop_nlp.models.encoder_folder import encoder_path
    from meprop_nlp.models.file import read_header
    from meprop_nlp.scoring.names import SCORE_NAMES
    from meprop_nlp.training.checkpoint import checkpoint_path
    from meprop_nlp.training.display import TrainingDisplay
    from meprop_nlp.training.heads.predicted_tags import tags_path
    from meprop_nlp.training.hooks import Hooks, calling
    from meprop_nlp.training.knowledge.ensemble import networks_of
    from meprop_nlp.training.output.epoch_table import duration
    from meprop_nlp.training.tokenizer import tokenizer_path

    stop, started = StopOnce(quiet=not is_first()), time.time()
    display = TrainingDisplay(progress=verbosity.progress, quiet=verbosity.quiet)
    with display, stop:
        try:
            model = train(Hooks(on_record=display, on_epoch=calling(callbacks), stop=stop))
        except KeyboardInterrupt:
            if not is_first():
                raise
            teachers = networks_of(output, n_teachers)[1:]
            networks = [output, *reversed(teachers), tokenizer_path(output)]
            kept = [*map(checkpoint_path, networks), tags_path(output), *networks[1:]]
            for saved in kept:
                if saved.exists() and saved.stat().st_mtime >= started:
                    console.note(f"saved {saved}; to go on, give the same command with --resume")
                    break
            raise
    if not verbosity.quiet:
        header = read_header(output)
        scores = "  ".join(
            f"{SCORE_NAMES[name]} {value:.2f}"
            for name, value in (header.get("scores") or {}).items()
            if value is not None
        )
        widths = "+".join(str(width) for width in header["neurons"].values())
        console.note(
            f"{'best' if scores else 'kept'}: epoch {header['training']['epoch']}; "
            f"{duration(time.time() - started)} in all"
        )
        if scores:
            console.note(f"dev: {scores}")
        console.note(f"{output}: {output.stat().st_size / 1e6:.1f} MB, neurons {widths}")
        if (header.get("pretrained") or {}).get("fine_tuned"):
            console.note(f"{encoder_path(output)}: its encoder, to be moved with it")
        if (command := COMMAND_OF.get(header["task"])) is not None:
            console.note(f"next: meprop-nlp {command} FILE --model {shlex.quote(str(output))}")
    return model
