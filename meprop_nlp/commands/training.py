"""What the commands that train do: check, train, say what came of it, score."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from meprop_nlp.commands import console, preflight, ptb
from meprop_nlp.commands.stopping import StopOnce
from meprop_nlp.commands.streams import read_all
from meprop_nlp.commands.tables import summary
from meprop_nlp.config import (
    KEPT_SHARES,
    LATE_TRAINING,
    SIMPLIFY_EPOCHS,
    Config,
    MePropConfig,
    SimplifyConfig,
    TrainingConfig,
)

if TYPE_CHECKING:
    from meprop_nlp.training.hooks import Hooks

Model = TypeVar("Model")

__all__ = ["Settings", "follow", "run_training"]


class Settings(NamedTuple):
    """What a training is given beside its data."""

    config: Any
    meprop: MePropConfig
    training: TrainingConfig
    simplify: SimplifyConfig | None

    @classmethod
    def of(cls, task: str, config_class: type[Config], options: dict[str, Any]) -> Settings:
        """Take the settings out of a command's options; fill in what depends on them.

        Raises:
            ConfigError: a value is out of range.
        """

        def settings(of: type[Config]) -> dict[str, Any]:
            return {name: options[name] for name in of.__dataclass_fields__ if name in options}

        if options["simplify"] and options["k"] is None:
            options["k"] = max(1, round(KEPT_SHARES[task] * options["hidden"]))
        late = options["simplify"] and options["schedule"] == "late"
        usual = (
            TrainingConfig(epochs=SIMPLIFY_EPOCHS, **LATE_TRAINING) if late else TrainingConfig()
        )
        for name in ("epochs", "lazy", "patience"):
            if name in options and options[name] is None:
                options[name] = getattr(usual, name)
        config = config_class(**settings(config_class))
        meprop = MePropConfig(**settings(MePropConfig))
        meprop.check_width(options["hidden"])
        training = TrainingConfig(**settings(TrainingConfig))
        simplify = SimplifyConfig(**settings(SimplifyConfig)) if options["simplify"] else None
        return cls(config, meprop, training, simplify)


def follow(train: Callable[[Hooks], Model], options: dict[str, Any]) -> Model:
    """Run a training: show it, let Ctrl-C save it, and say what was written.

    Args:
        train: is given the hooks, and returns the model.
        options: the command's.
    """
    from meprop_nlp.training.checkpoint import checkpoint_path
    from meprop_nlp.training.hooks import Hooks

    show = options["progress"] and sys.stderr.isatty()
    stop, started = StopOnce(), time.time()
    display = console.TrainingDisplay(progress=show, quiet=options["quiet"])
    with display, stop:
        try:
            model = train(Hooks(on_record=display, stop=stop))
        except KeyboardInterrupt:
            saved = checkpoint_path(options["output"])
            if saved.exists() and saved.stat().st_mtime >= started:
                console.note(f"saved {saved}; to go on, give the same command with --resume")
            raise
    if not options["quiet"]:
        _say_what_was_written(options["output"])
    return model


def run_training(task: str, config_class: type[Config], options: dict[str, Any]) -> None:
    """Run one of the two trainings on sentences."""
    if options["ptb"] is not None:
        ptb.take_sections(task, options)
    preflight.check_flags(options)
    settings = Settings.of(task, config_class, options)
    preflight.check_output(options["output"], task, preflight.named_files(options))
    if options["train"] is None:
        _take_sample_treebank(options)
    trees = task == "parser"
    reading = {"encoding": options["encoding"], "trees": trees}
    preflight.check_test_files(options["test"], options["input_format"], **reading)

    from meprop_nlp.training.device import pick_device
    from meprop_nlp.training.parser import DependencyParser
    from meprop_nlp.training.tagger import Tagger

    pick_device(settings.training.device)
    sources = {role: options[role] for role in ("train", "dev")}
    if options["encoding"] != "utf-8":
        sources = {
            role: files and list(read_all(files, options["input_format"], **reading))
            for role, files in sources.items()
        }
    model_class: Any = DependencyParser if trees else Tagger
    model = follow(
        lambda hooks: model_class.train(
            sources["train"],
            sources["dev"],
            **settings._asdict(),
            vectors=options["vectors"],
            output=options["output"],
            resume=options["resume"],
            input_format=options["input_format"],
            hooks=hooks,
        ),
        options,
    )
    for name, files in ptb.test_sets(task, options):
        scores = model.evaluate(read_all(files, options["input_format"], **reading))
        print(f"{name}: {summary(scores)}")


def _take_sample_treebank(options: dict[str, Any]) -> None:
    from meprop_nlp.data.sample.treebank import sample_treebank

    for role in ("train", "dev", "test"):
        options[role] = [str(sample_treebank(role))]
    console.warning(
        "no --train: using the built-in sample treebank, a demonstration; "
        "scores on it prove nothing"
    )


def _say_what_was_written(output: Path) -> None:
    from meprop_nlp.models.file import read_header

    header = read_header(output)
    console.note(
        f"{output}: epoch {header['training']['epoch']}, neurons "
        + " + ".join(str(width) for width in header["neurons"].values())
        + f", {output.stat().st_size:,} bytes"
    )
