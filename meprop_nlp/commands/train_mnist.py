"""`train-mnist`: the papers' third task, at the papers' settings unless told otherwise."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from meprop_nlp.commands import console, preflight
from meprop_nlp.commands.options import Verbosity
from meprop_nlp.commands.run_training import Resume, follow
from meprop_nlp.config import (
    KEPT_SHARES,
    MNIST_DEV_IMAGES,
    MNIST_TRAINING,
    NETWORKS,
    PRUNE_RATES,
    ClassifierConfig,
    MePropConfig,
    Settings,
    SimplifyConfig,
    TrainingConfig,
)
from meprop_nlp.errors import ConfigError
from meprop_nlp.settings import Heading

__all__ = ["train_mnist"]

NETWORKS["classifier"] = ClassifierConfig
CLASSIFIER = ClassifierConfig()
DATA, MEPROP, NETWORK, TRAINING = Heading.DATA, Heading.METHOD, Heading.NETWORK, Heading.TRAINING
KEPT_SHARE = KEPT_SHARES["classifier"]
SOURCES = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/ or "
    "https://ossci-datasets.s3.amazonaws.com/mnist/"
)


def option(heading: str, *names: str, **settings: Any) -> Any:
    """Return an option that `--help` shows under a heading."""
    return typer.Option(*names, rich_help_panel=heading, **settings)


def train_mnist(
    ctx: typer.Context,
    *,
    data: Annotated[
        Path | None,
        option(
            DATA,
            "--data",
            metavar="DIR",
            help="Folder of the four IDX files, packed or not. Unless given: mnist in "
            "$MEPROP_NLP_DATA, else in the current folder.",
        ),
    ] = None,
    dev_images: Annotated[
        int,
        option(DATA, help="So many of the first training images are for choosing the best epoch."),
    ] = MNIST_DEV_IMAGES,
    output: Annotated[
        Path, option(DATA, "--output", "-o", metavar="FILE", help="The model file to write.")
    ] = Path("models/mnist.safetensors"),
    config: Annotated[
        Path | None,
        option(
            DATA,
            "--config",
            metavar="FILE",
            help="JSON settings of the papers' reference code (lancopku/meProp, lancopku/meSimp), "
            "meaning the same here; what it leaves out has that code's defaults. Options given "
            "beside it win.",
        ),
    ] = None,
    k: Annotated[
        int | None,
        option(
            MEPROP,
            "--k",
            help="Entries of each gradient that survive (meProp), 20 or 80 in the papers; 0 or "
            f"none: plain backpropagation. With --simplify, unless given, {KEPT_SHARE} of "
            "--hidden.",
        ),
    ] = None,
    topk_mode: Annotated[str, MePropConfig],
    simplify: Annotated[
        bool, option(MEPROP, "--simplify", help="Cut most neurons while training (meSimp).")
    ] = False,
    schedule: Annotated[str, SimplifyConfig],
    keep: Annotated[float, SimplifyConfig],
    criterion: Annotated[str, SimplifyConfig],
    prune_rate: Annotated[
        float | None,
        option(
            MEPROP,
            help="With --schedule paper: a neuron in the top k of a smaller share is cut; "
            f"{PRUNE_RATES['classifier']} unless given.",
        ),
    ] = None,
    cycle: Annotated[int, SimplifyConfig],
    cuts_per_epoch: Annotated[int, SimplifyConfig],
    first_cut_epoch: Annotated[int | None, SimplifyConfig],
    teacher: Annotated[bool, SimplifyConfig],
    min_neurons: Annotated[int, SimplifyConfig],
    sparse_output: Annotated[
        bool,
        option(
            MEPROP,
            "--sparse-output/--dense-output",
            help="Whether --k holds for the output layer too, as in the papers; the reference "
            "code leaves it out. It matters where k is below 10, its width.",
        ),
    ] = CLASSIFIER.sparse_output,
    hidden: Annotated[int, option(NETWORK, help="Neurons of a hidden layer.")] = CLASSIFIER.hidden,
    layers: Annotated[
        int,
        option(
            NETWORK,
            help="Layers, the output layer among them, as the reference code counts: 2 to 10; "
            "the papers try 2 to 5.",
        ),
    ] = CLASSIFIER.layers,
    dropout: Annotated[
        float, option(NETWORK, help="Share of the hidden layer's values left out in training.")
    ] = CLASSIFIER.dropout,
    epochs: Annotated[
        int, option(TRAINING, help="Passes over the training images; the papers': 20.")
    ] = MNIST_TRAINING.epochs,
    batch_size: Annotated[
        int, option(TRAINING, help="Images per minibatch; the papers': 10.")
    ] = MNIST_TRAINING.batch_size,
    optimizer: Annotated[str, TrainingConfig],
    learning_rate: Annotated[
        float | None,
        option(
            TRAINING,
            help="Unless given, as in the papers: for Adam 0.001, AdaGrad 0.1; SGD 0.1 (ours).",
        ),
    ] = MNIST_TRAINING.learning_rate,
    decay: Annotated[
        bool,
        option(
            TRAINING,
            help="Let the learning rate fall to zero; it is constant unless asked for, as in the "
            "papers.",
        ),
    ] = MNIST_TRAINING.decay,
    clip: Annotated[
        float,
        option(TRAINING, help="Largest norm of the gradient; 0: no limit, as in the papers."),
    ] = MNIST_TRAINING.clip,
    clip_value: Annotated[
        float, option(TRAINING, help="Largest entry of the gradient; 0: no limit.")
    ] = MNIST_TRAINING.clip_value,
    weight_decay: Annotated[
        float, option(TRAINING, help="L2 penalty, added to the gradient.")
    ] = MNIST_TRAINING.weight_decay,
    patience: Annotated[
        int,
        option(TRAINING, help="Stop after so many epochs without a better dev score; 0: never."),
    ] = MNIST_TRAINING.patience,
    seed: Annotated[int, TrainingConfig],
    threads: Annotated[int, TrainingConfig],
    device: Annotated[str, TrainingConfig],
    resume: Resume = False,
    verbosity: Verbosity,
) -> None:
    """Train a classifier of MNIST's images.

    It is scored on dev after each epoch, and once on test. An MLP with ReLU at the papers' settings
    (meProp, section 4.1: MNIST): minibatch 10, constant learning rate, no clipping, all epochs,
    where our other trainings have other defaults.
    """
    options = {name: value for name, value in locals().items() if name not in ("ctx", "verbosity")}
    options |= {"data": data, "quiet": verbosity.quiet}
    directory = data or Path(os.environ.get("MEPROP_NLP_DATA", "")) / "mnist"
    files = {} if config is None else _configured(ctx, config, options, directory)
    if dev_images < 0:
        raise ConfigError(f"--dev-images is {dev_images}, expected a whole number of at least 0")
    names = {"simplify", *ClassifierConfig.__dataclass_fields__}
    names |= {setting.name for setting in Settings.choices("classifier")}
    given = {name: options[name] for name in names - {"lazy"} if options[name] is not None}
    settings = Settings.of("classifier", lazy=False, **given)
    if len(files) < 4 and not directory.is_dir():
        raise ConfigError(
            f"--data: {directory} is not a folder, expected one with MNIST's four files; they "
            f"are at {SOURCES}"
        )
    inputs = [*files.values(), *directory.glob("*ubyte*"), *([config] if config else [])]
    preflight.check_output(output, "classifier", inputs)

    from meprop_nlp.data.mnist import read_mnist

    mnist = read_mnist(directory, n_dev=dev_images, files=files)
    if not verbosity.quiet:
        counts = (f"{len(images):,} {part}" for part, images in mnist._asdict().items())
        console.note(f"{directory}: {', '.join(counts)} images")

    from meprop_nlp.training.classifier import ImageClassifier
    from meprop_nlp.training.device import pick_device

    pick_device(settings.training.device)
    model = follow(
        lambda hooks: ImageClassifier.train(
            mnist.train,
            mnist.dev,
            config=settings.network,  # type: ignore[arg-type]
            meprop=settings.meprop,
            simplify=settings.simplify,
            training=settings.training,
            output=output,
            resume=resume,
            hooks=hooks,
        ),
        output,
        verbosity,
        unit="images",
    )
    for part, images in (("dev", mnist.dev), ("test", mnist.test)):
        if len(images):
            print(f"{part}: Accuracy {model.evaluate(images):.2f}")


def _configured(
    ctx: typer.Context, path: Path, options: dict[str, Any], directory: Path
) -> dict[str, Path]:
    """Take the settings of the reference code's file where the command line gives none.

    Returns:
        the data files that it names, but for those in the folder under their usual names.
    """
    from meprop_nlp.commands.reference_config import read_reference_config

    def is_given(name: str) -> bool:
        source = ctx.get_parameter_source(name)
        return source is not None and source.name == "COMMANDLINE"

    given = {name for name in options if is_given(name)}
    reference = read_reference_config(path, given)
    options |= reference.options
    files = reference.data_files(directory, here=options["data"] is None)
    for warning in reference.warnings:
        console.warning(warning)
    if not options["quiet"]:
        for note in reference.notes:
            console.note(note)
    return files
