"""Data are found by their names, and told from other data."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

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


def test_columns_that_are_filled(tiny: Path) -> None:
    corpus = treebank_corpus(tiny, FULL)
    assert corpus.first_sentences_fill("xpos")
    assert not Corpus.of("x", {"train": tiny / "dev.conllu"}).first_sentences_fill("xpos", n=0)
