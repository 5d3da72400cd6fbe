"""`Corpus`: the treebank or the images that a cell is trained and scored on."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path

from experiments.mnist.images import Mnist, find_mnist, made_up_mnist, read_mnist
from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.penn.brackets import read_trees
from meprop_nlp.data.penn.dependencies import to_sentences
from meprop_nlp.data.sample.treebank import ROLES, sample_treebank
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.trees import is_labelled
from meprop_nlp.errors import DataError

# the whole treebank, or a smaller one on which many settings are tried
FULL, SWEEP = "full", "sweep"
FOLDERS = {FULL: "ud-english-ewt", SWEEP: "ptb-sample"}
ENDINGS = (".conllu", ".conllx", ".conll")


@dataclass(frozen=True, slots=True)
class Corpus:
    """The data of a cell."""

    name: str
    files: Mapping[str, Path] = field(compare=False)  # by role; empty for made-up images
    fingerprint: str  # hexadecimal digits that change with any byte of the files
    trees: tuple[Path, ...] = ()  # bracketed trees of the same sentences, for the labels of arcs

    @property
    def exclude_punct(self) -> bool:
        """Whether parsing scores exclude punctuation, as is usual for CoNLL-X."""
        return self.files["test"].suffix != ".conllu"

    def treebank(self, role: str) -> Path | list[Sentence]:
        """Return the file of a role, or its sentences with labels from `trees`."""
        return _labelled(self)[role] if self.trees else self.files[role]


@lru_cache
def find_corpus(task: str, data: Path | None, part: str) -> Corpus:
    """Find the data of a task in a folder; None is the sample treebank, or made-up images.

    The treebank is in `data` or in its folder named by `FOLDERS`, and MNIST is in `data` or in its
    folder `mnist`. Bracketed trees in a folder `mrg` beside a treebank give its arcs labels: the
    sample of the Penn Treebank has none of its own. Raise DataError if there are no such files.
    """
    if task == "mnist":
        if data is None:
            return Corpus("made-up-images", {}, "made-up")
        folder = data / "mnist" if (data / "mnist").is_dir() else data
        return _corpus(folder, find_mnist(folder))
    if data is None:
        return _corpus(Path("sample"), {role: sample_treebank(role) for role in ROLES})
    for folder in (data, data / FOLDERS[part]):
        for ending in ENDINGS:
            found = {role: sorted(folder.glob(f"*{role}*{ending}")) for role in ROLES}
            if all(len(paths) == 1 for paths in found.values()):
                trees = tuple(sorted((folder / "mrg").glob("*.mrg")))
                return _corpus(folder, {role: paths[0] for role, paths in found.items()}, trees)
    raise DataError(
        f"{data}: no treebank there; expected files named *train*, *dev* and *test* ending in "
        f"{', '.join(ENDINGS)}, or the folder {FOLDERS[part]} with such files; name another folder "
        "with --data or MEPROP_NLP_DATA, or try --quick"
    )


def _corpus(folder: Path, files: Mapping[str, Path], trees: tuple[Path, ...] = ()) -> Corpus:
    digest = hashlib.sha256()
    for path in (*files.values(), *trees):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return Corpus(folder.resolve().name, files, digest.hexdigest()[:12], trees)


# every training asks for the same images several times
@lru_cache(maxsize=1)
def images_of(corpus: Corpus) -> Mnist:
    """Return the images of MNIST, or made-up ones in their place."""
    return read_mnist(corpus.files) if corpus.files else made_up_mnist()


@lru_cache(maxsize=1)
def _labelled(corpus: Corpus) -> dict[str, list[Sentence]]:
    """Return the sentences of each role, with Penn2Malt's labels if they have none."""
    found = {role: list(read(path)) for role, path in corpus.files.items()}
    every = [sentence for sentences in found.values() for sentence in sentences]
    if is_labelled(deprel for sentence in every for deprel in sentence.column("deprel")):
        return found
    converted = list(to_sentences(tree for path in corpus.trees for tree in read_trees(path)))
    for sentence, other in zip_longest(every, converted):
        if sentence is None or other is None or _arcs(sentence) != _arcs(other):
            place = f"{sentence.path}:{sentence.line}" if sentence else f"{corpus.files['test']}"
            raise DataError(
                f"{place}: the bracketed trees in {corpus.trees[0].parent} are of other sentences, "
                "or give other heads; move them away to train on the arcs as they are"
            )
    labels = iter(converted)
    return {
        role: [s.with_columns(deprel=next(labels).column("deprel")) for s in sentences]
        for role, sentences in found.items()
    }


def _arcs(sentence: Sentence) -> list[tuple[str, int]]:
    return list(zip(sentence.forms, sentence.column("head"), strict=True))
