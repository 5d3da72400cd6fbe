"""Make the English model of the package again: a teacher, its student, the scores, the file.

    python tools/make_english.py --data FOLDER --minilm FOLDER --masc FILE [--glove FILE]

`--data` is a folder of UD English EWT, named as by `meprop-nlp download` or train.conllu and so on;
`--minilm` the folder of all-MiniLM-L6-v2, `--masc` MASC's text, a sentence a line. `--glove`, GloVe
6B of 50 dimensions as text, makes a model with vectors; that of the package has none. The teacher
reads MiniLM's states; the student learns from the treebank and from the teacher's answers, also
about MASC, and is cut. It runs the command line as a user would, and goes on where it was stopped:
models that are in `--folder` are not trained again. `--print-commands` only says what it would run.
A model above 8 MB is not put in its place.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from meprop_nlp.files import replacing

PLACE = Path(__file__).resolve().parents[1] / "meprop_nlp" / "models" / "english.safetensors"
LARGEST = 8_000_000  # bytes
VECTORS = 15_000  # words of GloVe, half a hundred bytes each: 100,000 would be 5 MB
ROLES = ("train", "dev", "test")


class Training(NamedTuple):
    """A training.

    Attributes:
        options: the words after `meprop-nlp train`, without the output.
        model: where the model is moved when the training has ended.
    """

    options: list[str]
    model: Path

    @property
    def output(self) -> Path:
        """Where the model is until then: a training that was stopped has written one too."""
        return self.model.parent / "unfinished" / self.model.name

    @property
    def words(self) -> list[str]:
        """The command."""
        return ["train", *self.options, "-o", str(self.output)]


def treebank(folder: Path) -> dict[str, list[str]]:
    """Return the files of a treebank by role; exit where one is missing."""
    files = {}
    for role in ROLES:
        plain = folder / f"{role}.conllu"
        found = [plain] if plain.is_file() else sorted(folder.glob(f"*-ud-{role}*.conllu"))
        if not found:
            raise SystemExit(f"{folder}: no {role}.conllu, and no file as en_ewt-ud-{role}.conllu")
        files[role] = [str(path) for path in found]
    return files


def trainings(arguments: argparse.Namespace, files: dict[str, list[str]]) -> list[Training]:
    """Return what is trained: the teacher, unless there is one, and the student."""
    folder = arguments.folder
    common = [
        word for role in ("train", "dev") for path in files[role] for word in (f"--{role}", path)
    ]
    common += ["--seed", str(arguments.seed), "--cache", str(folder / "cache")]
    teacher = Training(
        [*common, "--pretrained", str(arguments.minilm)], folder / "teacher.safetensors"
    )
    teachers = arguments.teacher or [teacher.model]
    vectors: list[str] = []
    if arguments.glove:
        vectors = [
            "--vectors",
            str(arguments.glove),
            "--vectors-limit",
            str(arguments.vectors_limit),
        ]
    student = Training(
        [
            *common,
            *(word for path in teachers for word in ("--teacher", str(path))),
            *vectors,
            *("--unlabelled", str(arguments.masc), "--simplify"),
        ],
        folder / "english.safetensors",
    )
    return [student] if arguments.teacher else [teacher, student]


def call(words: Sequence[str]) -> None:
    """Run a command of meprop-nlp; exit with its status if it fails."""
    print("$ meprop-nlp", shlex.join(words), flush=True)
    with subprocess.Popen([sys.executable, "-m", "meprop_nlp.cli", *words]) as process:
        try:
            status = process.wait()
        except KeyboardInterrupt:  # it was told too, and saves what it has
            status = process.wait()
    if status:
        raise SystemExit(status)


def train(training: Training) -> None:
    """Train a model, or go on with it, unless it is there."""
    from meprop_nlp.training.checkpoint import checkpoint_path
    from meprop_nlp.training.tokenizer import has_begun_tokenizer

    if training.model.exists():
        print(f"{training.model} is there already")
        return
    is_begun = checkpoint_path(training.output).exists() or has_begun_tokenizer(training.output)
    resumed = ["--resume"] if is_begun else []
    call([*training.words, *resumed])
    training.output.replace(training.model)


def put_in_place(model: Path, place: Path) -> None:
    """Copy the model to where the package has it; exit if it is too large."""
    size = model.stat().st_size
    if size > LARGEST:
        raise SystemExit(f"{model}: {size:,} bytes, more than {LARGEST:,}; lower --vectors-limit")
    with replacing(place) as temporary:
        shutil.copyfile(model, temporary)
    print(f"{place}: {size:,} bytes")


def parsed(words: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments; exit where one names nothing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a folder of UD English EWT")
    parser.add_argument("--glove", type=Path, help="GloVe 6B 50d as text")
    parser.add_argument("--minilm", type=Path, help="the folder of all-MiniLM-L6-v2")
    parser.add_argument("--masc", type=Path, required=True, help="MASC, a sentence a line")
    parser.add_argument("--folder", type=Path, default=Path("models/english"), help="for the work")
    parser.add_argument(
        "--teacher", type=Path, nargs="+", default=[], help="trained models to learn from instead"
    )
    parser.add_argument("--vectors-limit", type=int, default=VECTORS, help="words of GloVe to keep")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=PLACE, help="where the model is put")
    parser.add_argument("--print-commands", action="store_true", help="run nothing")
    arguments = parser.parse_args(words)
    if not arguments.teacher and arguments.minilm is None:
        parser.error("give --minilm, or a --teacher")
    needed = [arguments.masc, *(arguments.teacher or [arguments.minilm])]
    needed += [arguments.glove] if arguments.glove else []
    if missing := [str(path) for path in needed if not path.exists()]:
        parser.error(f"there is no {', no '.join(missing)}")
    return arguments


def main(words: Sequence[str] | None = None) -> None:
    """Train what is missing, print the scores, and put the model in its place."""
    arguments = parsed(words)
    files = treebank(arguments.data)
    plan = trainings(arguments, files)
    student = plan[-1].model
    scored = [*files["dev"], *files["test"]]
    scoring = [["evaluate", path, "--model", str(student)] for path in scored]
    if arguments.print_commands:
        for command in [*(training.words for training in plan), *scoring]:
            print("meprop-nlp", shlex.join(command))
        return
    for training in plan:
        train(training)
    for command in scoring:
        call(command)
    put_in_place(student, arguments.output)


if __name__ == "__main__":
    main()
