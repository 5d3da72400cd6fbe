"""`Corpus`: the data of a cell, found in a folder, and what tells it from another."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.sample.treebank import ROLES, sample_treebank
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import DataError
from meprop_nlp.reproduction.labels import labelled

__all__ = ["FULL", "SWEEP", "Corpus", "sample_corpus", "treebank_corpus"]

# the part a corpus plays: all of a treebank, or the smaller one on which much is tried
FULL, SWEEP = "full", "sweep"
FOLDERS = {FULL: "ud-english-ewt", SWEEP: "ptb-sample"}
_ENDINGS = ("conllu", "conllx", "conll")


@dataclass(frozen=True, slots=True)
class Corpus:
    """The files of a treebank or a set of images.

    Attributes:
        name: for people and file names.
        files: by role; `train`, `dev` and `test` for a treebank; none of what is drawn.
        fingerprint: hexadecimal digits that change with any byte of the files.
        described: how much there is, where that is to be said.
        trees: bracketed trees of the same sentences, which give the arcs their labels.
    """

    name: str
    files: Mapping[str, Path] = field(compare=False)
    fingerprint: str
    described: str = field(default="", compare=False)
    trees: tuple[Path, ...] = field(default=(), compare=False)

    @classmethod
    def of(cls, name: str, files: Mapping[str, Path], trees: Sequence[Path] = ()) -> Self:
        """Take the fingerprint of files.

        Raises:
            DataError: a file cannot be read.
        """
        digest = hashlib.sha256()
        for path in (*files.values(), *trees):
            try:
                with path.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
            except OSError as error:
                raise DataError(f"{path}: {error.strerror or error}") from None
        return cls(name, dict(files), digest.hexdigest()[:12], trees=tuple(trees))

    @property
    def exclude_punct(self) -> bool:
        """Whether punctuation is left out of the parsing scores: the habit for CoNLL-X."""
        return self.files["test"].suffix != ".conllu"

    def treebank(self, role: str) -> Path | list[Sentence]:
        """Return the file of a role, or its sentences with the labels of `trees`.

        Raises:
            DataError: the bracketed trees are of other sentences.
        """
        return labelled(self.files, self.trees)[role] if self.trees else self.files[role]

    def first_sentences_fill(self, column: str, n: int = 100) -> bool:
        """Whether any of the first `n` training sentences has a value in this column."""
        return any(
            tag != "_"
            for sentence, _ in zip(read(self.files["train"]), range(n), strict=False)
            for tag in sentence.column(column)
        )


def sample_corpus() -> Corpus:
    """Return the built-in sample treebank."""
    return Corpus.of("sample", {role: sample_treebank(role) for role in ROLES})


def treebank_corpus(data: Path, part: str) -> Corpus:
    """Find a treebank: `data` itself where it holds one, else its folder for that part.

    Where there is a folder `mrg` beside the files, its bracketed trees give arcs without labels
    theirs: the sample of the Penn Treebank has none of its own, and the papers' parser has 12.

    Raises:
        DataError: there is none; says what was looked for.
    """
    for folder in (data, data / FOLDERS[part]):
        files = _treebank_files(folder)
        if files:
            trees = sorted((folder / "mrg").glob("*.mrg"))
            return Corpus.of(folder.resolve().name, files, trees)
    raise DataError(
        f"{data}: no treebank there; expected files named *train*, *dev* and *test* ending in "
        f"{', '.join('.' + ending for ending in _ENDINGS)}, or the folder {FOLDERS[part]} with "
        "such files; name another folder with --data, or try --quick"
    )


def _treebank_files(folder: Path) -> dict[str, Path]:
    for ending in _ENDINGS:
        found = {role: sorted(folder.glob(f"*{role}*.{ending}")) for role in ROLES}
        if all(len(paths) == 1 for paths in found.values()):
            return {role: paths[0] for role, paths in found.items()}
    return {}
