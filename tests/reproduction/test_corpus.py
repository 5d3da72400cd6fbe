"""Data are found by their names, and told from other data."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.conll.writing import write
from meprop_nlp.errors import DataError
from meprop_nlp.reproduction.corpus import FULL, SWEEP, Corpus, sample_corpus, treebank_corpus


def test_treebank_is_the_folder_itself_or_has_its_name(tiny: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny, tmp_path / "ptb-sample")
    for part, folder in ((FULL, tiny), (SWEEP, tiny), (SWEEP, tmp_path)):
        corpus = treebank_corpus(folder, part)
        assert {role: path.name for role, path in corpus.files.items()} == {
            role: f"{role}.conllu" for role in ("train", "dev", "test")
        }
        assert corpus.name == (tiny.name if folder == tiny else "ptb-sample")
    assert treebank_corpus(tmp_path, SWEEP).fingerprint == treebank_corpus(tiny, FULL).fingerprint


def test_punctuation_is_left_out_for_conllx(tiny: Path, tmp_path: Path) -> None:
    assert not treebank_corpus(tiny, FULL).exclude_punct
    assert not sample_corpus().exclude_punct
    for role in ("train", "dev", "test"):
        shutil.copy(tiny / f"{role}.conllu", tmp_path / f"wsj-{role}.conllx")
    assert treebank_corpus(tmp_path, FULL).exclude_punct


def test_one_byte_makes_other_data(tiny: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny, tmp_path / "copy")
    before = treebank_corpus(tmp_path / "copy", FULL)
    with (tmp_path / "copy" / "test.conllu").open("ab") as file:
        file.write(b"\n")
    assert treebank_corpus(tmp_path / "copy", FULL).fingerprint != before.fingerprint


def test_missing_data_say_what_was_looked_for(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no treebank there; expected files named \*train\*"):
        treebank_corpus(tmp_path, FULL)
    shutil.copytree(tiny, tmp_path / "two")
    shutil.copy(tiny / "dev.conllu", tmp_path / "two" / "other-dev.conllu")
    with pytest.raises(DataError, match="or the folder ptb-sample"):
        treebank_corpus(tmp_path / "two", SWEEP)
    with pytest.raises(DataError, match="nowhere: No such file"):
        Corpus.of("x", {"train": tmp_path / "nowhere"})


def test_columns_that_are_filled(tiny: Path, tmp_path: Path) -> None:
    corpus = treebank_corpus(tiny, FULL)
    assert corpus.first_sentences_fill("xpos")
    bare = [s.with_columns(xpos=["_"] * len(s)) for s in read(tiny / "dev.conllu")]
    write(bare, tmp_path / "bare.conllu")
    assert not Corpus.of("x", {"train": tmp_path / "bare.conllu"}).first_sentences_fill("xpos")


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
        corpus = treebank_corpus(sample, SWEEP)
        for role, n in (("train", 2), ("dev", 1), ("test", 1)):
            sentences = corpus.treebank(role)
            assert isinstance(sentences, list)
            assert [s.column("deprel") for s in sentences] == [["SUB", "ROOT", "P"]] * n

    def test_without_trees_it_is_the_file(self, tiny: Path) -> None:
        corpus = treebank_corpus(tiny, FULL)
        assert corpus.treebank("dev") == corpus.files["dev"]

    def test_trees_are_part_of_the_data(self, sample: Path) -> None:
        before = treebank_corpus(sample, SWEEP).fingerprint
        (sample / "mrg" / "wsj_0002.mrg").write_text(TREE + "\n")
        assert treebank_corpus(sample, SWEEP).fingerprint != before

    @pytest.mark.parametrize("tree", ["", TREE.replace("Time", "Tide"), TREE.replace("VP", "X")])
    def test_trees_of_other_sentences_are_refused(self, sample: Path, tree: str) -> None:
        (sample / "mrg" / "wsj_0002.mrg").write_text(tree)
        corpus = treebank_corpus(sample, SWEEP)
        if "X" in tree:  # a head that the rules find elsewhere
            (sample / "test.conllx").write_text(ARCS.replace("\t2\t", "\t3\t", 1))
        with pytest.raises(DataError, match=r"test.conllx:1: the bracketed trees in .*mrg are of"):
            corpus.treebank("train")

    def test_the_sample_of_the_penn_treebank(self, shared_data: Path) -> None:
        corpus = treebank_corpus(shared_data, SWEEP)
        train = corpus.treebank("train")
        assert isinstance(train, list)
        assert len({d for s in train for d in s.column("deprel")}) == 12
