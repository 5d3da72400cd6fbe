"""The command `python -m experiments.mnist`."""

import dataclasses
import inspect
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_origin, get_type_hints

from typer import Context, Option

from experiments.console import Display, in_options, make_app
from experiments.mnist import classifier
from experiments.mnist.images import find_mnist, read_mnist
from experiments.mnist.reference import ReferenceConfig
from meprop_nlp.commands.stopping import StopOnce
from meprop_nlp.config import MePropConfig, SimplifyConfig
from meprop_nlp.errors import ConfigError

# the defaults of the options
SETTINGS = {
    "config": classifier.ClassifierConfig(),
    "meprop": MePropConfig(),
    "simplify": SimplifyConfig(),
    "training": classifier.TRAINING,
}
ALL = {"simplify", *(name for default in SETTINGS.values() for name in default.to_dict())}
HELP = {
    "data": "Folder of MNIST's four files, compressed or not; by default mnist in "
    "$MEPROP_NLP_DATA, else in the current folder.",
    "output": "The model file to write.",
    "reference": "JSON settings of lancopku/meProp or lancopku/meSimp; options win over them. See "
    "experiments/mnist/README.md.",
    "simplify": f"Cut neurons (meSimp); --k is {classifier.KEPT_SHARE} of --hidden by default.",
    "resume": "Go on with a training that was stopped or killed.",
    "quiet": "Print only scores, warnings and errors.",
    "k": "Entries of each gradient that survive; 0 or none: plain backpropagation. With Adam a "
    "small k learns badly at first (20: dev 86 after an epoch, dense 95), with AdaGrad well (93).",
    "prune_rate": "With --schedule paper: cut a neuron that is in the top k of a smaller share of "
    f"the examples; by default {classifier.PRUNE_RATE}.",
    "learning_rate": "By default, as in the papers: Adam 0.001, AdaGrad 0.1; SGD 0.1 (ours).",
}
OUTPUT = Path("models/mnist.safetensors")


def mnist(
    context: Context,
    data: Annotated[Path | None, Option(metavar="DIR", help=HELP["data"])] = None,
    output: Annotated[Path, Option("--output", "-o", help=HELP["output"])] = OUTPUT,
    reference: Annotated[Path | None, Option("--config", help=HELP["reference"])] = None,
    simplify: Annotated[bool, Option("--simplify", help=HELP["simplify"])] = False,
    resume: Annotated[bool, Option("--resume", help=HELP["resume"])] = False,
    quiet: Annotated[bool, Option("--quiet", "-q", help=HELP["quiet"])] = False,
    **options: Any,
) -> None:
    """Train an MLP on MNIST at the papers' settings, and score it on dev and test.

    The first 5,000 training images are the dev set, or a quarter of fewer.
    """
    display = Display(quiet=quiet)
    folder = data or Path(os.environ.get("MEPROP_NLP_DATA", "")) / "mnist"
    options["simplify"] = simplify
    if reference is not None:
        sources = {name: str(context.get_parameter_source(name)) for name in options}
        given = [name for name, source in sources.items() if source.endswith("COMMANDLINE")]
        config = ReferenceConfig(reference, given)
        config.report(display)
        options |= config.options
    settings = _settings(options)
    images = read_mnist(find_mnist(folder))
    counts = (f"{len(part):,} {name}" for name, part in images._asdict().items())
    display.say(f"{folder}: {', '.join(counts)} images")

    from experiments.mnist.train import train
    from meprop_nlp.training.checkpoint import checkpoint_path
    from meprop_nlp.training.hooks import Hooks

    with StopOnce() as stop:
        hooks = Hooks(on_record=display, stop=stop)
        try:
            model = train(
                images.train, images.dev, **settings, output=output, resume=resume, hooks=hooks
            )
        except KeyboardInterrupt:
            if checkpoint_path(output).exists():
                display.say("to go on, give the same command with --resume")
            raise
    print(f"dev: accuracy {classifier.accuracy(model.arrays, images.dev):.2f}")
    print(f"test: accuracy {classifier.accuracy(model.arrays, images.test):.2f}")


def _settings(options: dict[str, Any]) -> dict[str, Any]:
    """Return the configurations with the values of the options, by their names in `SETTINGS`."""
    if options["simplify"] and options["k"] is None:
        options["k"] = max(1, round(classifier.KEPT_SHARE * options["hidden"]))
    for part, switch in (("meprop", "k"), ("simplify", "simplify")):
        for name, value in SETTINGS[part].to_dict().items():
            if name != switch and options[name] != value and not options[switch]:
                raise ConfigError(f"`{name}` goes with `{switch}`")
    made = {
        part: dataclasses.replace(default, **{name: options[name] for name in default.to_dict()})
        for part, default in SETTINGS.items()
    }
    return made if options["simplify"] else {**made, "simplify": None}


def _parameters() -> Iterator[inspect.Parameter]:
    """Yield the parameters of the command itself, and one for each setting."""
    *own, _ = inspect.signature(mnist).parameters.values()
    yield from own
    for default in SETTINGS.values():
        kinds = get_type_hints(type(default))
        for name, field in default.__dataclass_fields__.items():
            kind = str if get_origin(kinds[name]) is Literal else kinds[name]
            dashed = name.replace("_", "-")
            names = [f"--{dashed}/--no-{dashed}" if kind is bool else f"--{dashed}"]
            names += {"threads": ["-t"], "device": ["-d"]}.get(name, [])
            text = HELP.get(name) or str(getattr(field.metadata.get("setting"), "help", ""))
            yield inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=getattr(default, name),
                annotation=Annotated[kind, Option(*names, help=in_options(text, ALL))],
            )


mnist.__signature__ = inspect.Signature(list(_parameters()))  # type: ignore[attr-defined]
app = make_app(mnist, "python -m experiments.mnist --data mnist --k 20 --optimizer adagrad")

if __name__ == "__main__":
    app(prog_name="python -m experiments.mnist")
