"""`Works`: commands that write files, with tiny models, and what they leave undisturbed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from child import Child

from meprop_nlp.data.sample.treebank import sample_treebank

MODEL = "m.safetensors"
_SMALL = "--hidden 8 --word-dim 8"
_CUT = "--simplify --min-neurons 2"
_JOINT = (
    "--hidden 12 --layers 1 --word-dim 8 --feature-dim 4 --ngram-dim 4 --ngram-rows 200 "
    "--lemma-dim 8 --tag-dim 4 --arc-dim 8 --label-dim 8"
)
# what `train` draws on is trained first, in a folder of its own
TEACHER = "joint"
TRAININGS = {
    "dense": f"train-tagger {_SMALL} --k 0 --epochs 4 --batch-size 4",
    "meprop": f"train-parser {_SMALL} --k 2 --epochs 3 --batch-size 16",
    "late": f"train-parser {_SMALL} --k 2 {_CUT} --epochs 5 --first-cut-epoch 3",
    "late tagger": f"train-tagger {_SMALL} --k 2 {_CUT} --epochs 5 --first-cut-epoch 2",
    "paper": f"train-parser {_SMALL} --k 2 {_CUT} --schedule paper --epochs 6",
    "jackknife": f"train-parser {_SMALL} --k 2 --jackknife 2 --epochs 2",
    "arc-hybrid": f"train-parser {_SMALL} --transition-system arc-hybrid --oracle dynamic "
    "--epochs 3",
    "joint": f"train {_JOINT} --epochs 3 --batch-size 100",
    "joint late": f"train {_JOINT} --k 4 {_CUT} --epochs 3 --first-cut-epoch 2",
    "joint teachers": f"train {_JOINT} --teachers 2 --epochs 2 --batch-size 100",
    "joint teacher": f"train {_JOINT} --teacher {{teacher}} --unlabelled {{text}} --epochs 2",
}
ANNOTATIONS = {
    "annotate": "annotate -m {joint} {words}",
    "annotate text": "annotate -m {joint} {text} -t 2",
    "tag": "tag -m {dense} {words}",
    "parse": "parse -m {meprop} --tagger {dense} {words} -t 2",
    "json": "annotate -m {joint} {words} --output-format json",
}


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """What a work leaves, and how long it took.

    Attributes:
        files: contents by name, relative to its folder.
        n_events: operations on files.
        seconds: it took.
    """

    files: dict[str, bytes]
    n_events: int
    seconds: float


class Works:
    """The works in a place, where models and undisturbed results are kept.

    Args:
        place: an empty folder.
    """

    def __init__(self, place: Path) -> None:
        self.place, self.notes = place, place / "notes"
        self.notes.mkdir()
        self._undisturbed: dict[str, Undisturbed] = {}
        for role, n in (("train", 24), ("dev", 6)):
            blocks = sample_treebank(role).read_text(encoding="utf-8").split("\n\n")
            self._path(role).write_text("".join(f"{block}\n\n" for block in blocks[:n]))
        blocks = sample_treebank("test").read_text(encoding="utf-8").split("\n\n")[:120]
        self._path("words").write_text("".join(f"{block}\n\n" for block in blocks))
        lines = "\n".join(blocks).split("\n")
        texts = (line.removeprefix("# text = ") for line in lines if line.startswith("# text = "))
        self._path("text").with_suffix(".txt").write_text("".join(f"{text}\n" for text in texts))

    @property
    def words_file(self) -> Path:
        """The file that annotations read."""
        return self._path("words")

    def training(self, name: str, output: Path) -> list[str]:
        """Return the command of a training."""
        line = TRAININGS[name]
        if "{teacher}" in line:
            line = line.format(teacher=self.model(TEACHER), text=self._text)
        files = ["--train", str(self._path("train")), "--dev", str(self._path("dev"))]
        return [*line.split(), *files, "-t", "1", "-o", str(output)]

    def annotation(self, name: str, output: Path | str, words: Path | None = None) -> list[str]:
        """Return the command of an annotation.

        Args:
            words: what to read in place of the usual file.
        """
        line = ANNOTATIONS[name]
        models = {model: self.model(model) for model in TRAININGS if f"{{{model}}}" in line}
        line = line.format(words=words or self._path("words"), text=words or self._text, **models)
        return [*line.split(), "-o", str(output)]

    def model(self, name: str) -> Path:
        """Return the model of an undisturbed training."""
        self.undisturbed(name)
        return self.place / "models" / name.replace(" ", "-") / MODEL

    def undisturbed(self, name: str) -> Undisturbed:
        """Return what a training leaves."""
        if name not in self._undisturbed:
            folder = self.place / "models" / name.replace(" ", "-")
            folder.mkdir(parents=True)
            self._undisturbed[name] = self.run(self.training(name, folder / MODEL), folder)
        return self._undisturbed[name]

    def annotated(self, name: str) -> Undisturbed:
        """Return what an annotation leaves."""
        key = f"annotation {name}"
        if key not in self._undisturbed:
            folder = self.place / "annotations" / name.replace(" ", "-")
            folder.mkdir(parents=True)
            self._undisturbed[key] = self.run(self.annotation(name, folder / "out"), folder)
        return self._undisturbed[key]

    def run(self, words: list[str], folder: Path) -> Undisturbed:
        """Run a command, which must succeed, and return what it leaves in its folder."""
        ended = Child(words, folder, self.notes).wait()
        if ended.status:
            raise RuntimeError(f"undisturbed, {' '.join(words)} ended with {ended}")
        return Undisturbed(contents(folder), ended.n_events, ended.seconds)

    @property
    def _text(self) -> Path:
        return self.place / "text.txt"

    def _path(self, role: str) -> Path:
        return self.place / f"{role}.conllu"


def contents(folder: Path) -> dict[str, bytes]:
    """Return the content of each file in a folder by its name; of logs nothing, they have times."""
    return {
        str(path.relative_to(folder)): b"" if path.suffix == ".jsonl" else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
