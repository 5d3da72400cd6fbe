"""Data are found by their names, and told from other data."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from experiments.data import FULL, SWEEP, Corpus, find_corpus, images_of
from experiments.mnist.images import find_mnist, read_mnist
from meprop_nlp.errors import DataError

from .mnist.idx_files import write_mnist


def treebank(folder: Path, part: str) -> Corpus:
    return find_corpus.__wrapped__("parsing", folder, part)


def images(folder: Path | None) -> Corpus:
    return find_corpus.__wrapped__("mnist", folder, FULL)


def test_treebank_is_the_folder_itself_or_has_its_name(tiny: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny, tmp_path / "ptb-sample")
    for part, folder in ((FULL, tiny), (SWEEP, tiny), (SWEEP, tmp_path)):
        corpus = treebank(folder, part)
        assert {role: path.name for role, path in corpus.files.items()} == {
            role: f"{role}.conllu" for role in ("train", "dev", "test")
        }
        assert corpus.name == (tiny.name if folder == tiny else "ptb-sample")
    assert treebank(tmp_path, SWEEP).fingerprint == treebank(tiny, FULL).fingerprint


def test_punctuation_is_left_out_for_conllx(tiny: Path, tmp_path: Path) -> None:
    assert not treebank(tiny, FULL).exclude_punct
    sample = find_corpus("parsing", None, FULL)
    assert (sample.name, sample.exclude_punct) == ("sample", False)
    for role in ("train", "dev", "test"):
        shutil.copy(tiny / f"{role}.conllu", tmp_path / f"wsj-{role}.conllx")
    assert treebank(tmp_path, FULL).exclude_punct


def test_one_byte_makes_other_data(tiny: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny, tmp_path / "copy")
    before = treebank(tmp_path / "copy", FULL)
    with (tmp_path / "copy" / "test.conllu").open("ab") as file:
        file.write(b"\n")
    assert treebank(tmp_path / "copy", FULL).fingerprint != before.fingerprint


def test_missing_data_say_what_was_looked_for(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no treebank there; expected files named \*train\*"):
        treebank(tmp_path, FULL)
    shutil.copytree(tiny, tmp_path / "two")
    shutil.copy(tiny / "dev.conllu", tmp_path / "two" / "other-dev.conllu")
    with pytest.raises(DataError, match="or the folder ptb-sample"):
        treebank(tmp_path / "two", SWEEP)


TREE = "( (S (NP-SBJ (NNP Time)) (VP (VBZ flies)) (. .)) )\n"
ARCS = "1\tTime\t_\tNNP\tNNP\t_\t2\t_\t_\t_\n2\tflies\t_\tVBZ\tVBZ\t_\t0\t_\t_\t_\n"
ARCS += "3\t.\t_\t.\t.\t_\t2\t_\t_\t_\n\n"


class TestLabels:
    @pytest.fixture
    def sample(self, tmp_path: Path) -> Path:
        (tmp_path / "mrg").mkdir()
        (tmp_path / "mrg" / "wsj_0001.mrg").write_text(TREE * 3)
        (tmp_path / "mrg" / "wsj_0002.mrg").write_text(TREE)
        for role, n in (("train", 2), ("dev", 1), ("test", 1)):
            (tmp_path / f"{role}.conllx").write_text(ARCS * n)
        return tmp_path

    def test_bracketed_trees_beside_the_files_give_labels(self, sample: Path) -> None:
        corpus = treebank(sample, SWEEP)
        for role, n in (("train", 2), ("dev", 1), ("test", 1)):
            sentences = corpus.treebank(role)
            assert isinstance(sentences, list)
            assert [s.column("deprel") for s in sentences] == [["SUB", "ROOT", "P"]] * n

    def test_without_trees_it_is_the_file(self, tiny: Path) -> None:
        corpus = treebank(tiny, FULL)
        assert corpus.treebank("dev") == corpus.files["dev"]

    def test_trees_are_part_of_the_data(self, sample: Path) -> None:
        before = treebank(sample, SWEEP).fingerprint
        (sample / "mrg" / "wsj_0002.mrg").write_text(TREE + "\n")
        assert treebank(sample, SWEEP).fingerprint != before

    @pytest.mark.parametrize("tree", ["", TREE.replace("Time", "Tide"), TREE.replace("VP", "X")])
    def test_trees_of_other_sentences_are_refused(self, sample: Path, tree: str) -> None:
        (sample / "mrg" / "wsj_0002.mrg").write_text(tree)
        corpus = treebank(sample, SWEEP)
        if "X" in tree:  # a head that the rules find elsewhere
            (sample / "test.conllx").write_text(ARCS.replace("\t2\t", "\t3\t", 1))
        with pytest.raises(DataError, match=r"test.conllx:1: the bracketed trees in .*mrg are of"):
            corpus.treebank("train")

    def test_the_sample_of_the_penn_treebank(self, shared_data: Path) -> None:
        corpus = treebank(shared_data, SWEEP)
        train = corpus.treebank("train")
        assert isinstance(train, list)
        assert len({d for s in train for d in s.column("deprel")}) == 12


# images


def test_images_are_found_in_the_folder_and_in_its_mnist(tmp_path: Path) -> None:
    folder = tmp_path / "mnist"
    folder.mkdir()
    write_mnist(folder, 40, 20)
    outer, inner = images(tmp_path), images(folder)
    assert outer == inner
    assert outer.name == "mnist"
    assert [len(part) for part in images_of(outer)] == [30, 10, 20]
    whole = read_mnist(find_mnist(folder))
    for part, expected in zip(images_of(outer), whole, strict=True):
        assert part.fingerprint() == expected.fingerprint()
    path = folder / "t10k-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1] + b"\x07")
    assert images(folder).fingerprint != outer.fingerprint


def test_missing_or_damaged_images_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no train_images, expected a file named train-images"):
        images(tmp_path)
    write_mnist(tmp_path, 40, 20)
    path = tmp_path / "t10k-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte: is damaged"):
        images_of(images(tmp_path))


def test_made_up_images_take_the_place_of_mnist() -> None:
    corpus = images(None)
    assert corpus.name == "made-up-images"
    assert [len(part) for part in images_of(corpus)] == [600, 200, 200]


def test_real_data(shared_data: Path) -> None:
    for task, part, name in (
        ("parsing", FULL, "ud-english-ewt"),
        ("tagging", SWEEP, "ptb-sample"),
        ("mnist", SWEEP, "mnist"),
    ):
        assert find_corpus(task, shared_data, part).name == name
