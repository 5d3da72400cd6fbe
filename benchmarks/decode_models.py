"""The models that `bench_decode` times: loaded from files, trained, or random of full width."""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from treebanks import call

from meprop_nlp.data.sample.treebank import sample_treebank
from meprop_nlp.models.file import ModelFile, describe
from meprop_nlp.models.model import Model, load
from meprop_nlp.training.checkpoint import checkpoint_path

SMALL, DEFAULT = "about 64 neurons", "default"
UNCUT = 500
# how each model is trained, without its data and its file
COMMANDS = {
    "tagger": "train-tagger --simplify --keep 0.128",
    "parser": "train-parser --simplify --keep 0.128",
    "default_tagger": "train-tagger --simplify",
    "default_parser": "train-parser --simplify",
    "uncut_parser": f"train-parser --k 20 --hidden {UNCUT}",
}
MAY_BE_RANDOM = "uncut_parser"


class Pair(NamedTuple):
    """A tagger and a parser of one size, and their files."""

    tagger: Model
    parser: Model
    tagger_path: Path
    parser_path: Path

    def described(self) -> dict[str, Any]:
        """Return the description of both models for the JSON."""
        found = {"tagger": describe(self.tagger_path), "parser": describe(self.parser_path)}
        return {
            task: {
                "neurons": description.get("neurons", {}),
                "bytes": description["bytes"],
                "scores": description.get("scores", {}),
            }
            for task, description in found.items()
        }


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare an option for each model, and the options of training."""
    for name, command in COMMANDS.items():
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=Path, metavar="FILE", help=f"a model of `{command}`")
    parser.add_argument("--train", action="store_true", help="train the models that are missing")
    parser.add_argument(
        "--folder", type=Path, default=Path("models/decode"), help="of models that are not named"
    )


def train(command: str, data: Path | None, path: Path) -> None:
    """Train a model if it is missing, or resume an interrupted training.

    Args:
        data: folder of train.conllu and dev.conllu; None: the sample treebank.
    """
    started = checkpoint_path(path).exists()
    if path.exists() and not started:
        return
    roles = ("train", "dev")
    files = [
        word
        for role in roles
        for word in (
            f"--{role}",
            str(sample_treebank(role) if data is None else data / f"{role}.conllu"),
        )
    ]
    call(*command.split(), *files, "-o", str(path), "--quiet", *(["--resume"] * started))


def model_paths(options: argparse.Namespace, data: Path) -> dict[str, Path]:
    """Return the file of each model; train missing models if `--train` is given."""
    paths: dict[str, Path] = {}
    for name, command in COMMANDS.items():
        path = getattr(options, name) or options.folder / f"{name}.safetensors"
        if options.train:
            train(command, data, path)
        if path.exists():
            paths[name] = path
        elif name != MAY_BE_RANDOM:
            raise SystemExit(f"no model {path}; give --train, or --{name.replace('_', '-')} FILE")
    return paths


def load_pair(paths: dict[str, Path], prefix: str) -> Pair:
    """Load the tagger and the parser whose names have a prefix."""
    tagger, parser = paths[f"{prefix}tagger"], paths[f"{prefix}parser"]
    return Pair(load(tagger), load(parser), tagger, parser)


def uncut_parser(paths: dict[str, Path], like: Model) -> tuple[Model, str]:
    """Return a parser of 500 neurons, and where its weights come from."""
    if MAY_BE_RANDOM in paths:
        return load(paths[MAY_BE_RANDOM]), "trained"
    return random_parser(like, UNCUT), "random, for the pace does not depend on training"


def random_parser(like: Model, hidden: int) -> Model:
    """Return a parser with the words, tags and labels of another, and random hidden layers."""
    rng = np.random.default_rng(1)
    header, arrays = dict(like.file.header), dict(like.file.arrays)
    header["config"] = {**header["config"], "hidden": hidden}
    last = header["config"]["layers"]
    inputs = arrays["layers.0.weight"].shape[1]
    outputs = arrays[f"layers.{last}.weight"].shape[0]
    widths = [inputs, *[hidden] * last, outputs]
    for number, (ins, outs) in enumerate(pairwise(widths)):
        weight = rng.standard_normal((outs, ins), np.float32) / np.sqrt(ins)
        arrays[f"layers.{number}.weight"] = weight.astype(np.float32)
        arrays[f"layers.{number}.bias"] = np.zeros(outs, np.float32)
    return Model(ModelFile(header, arrays))
