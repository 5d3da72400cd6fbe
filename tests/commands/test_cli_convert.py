"""`convert`: bracketed trees in, CoNLL-X out, from files, folders and pipes."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.data.conll.reading import read_text

TREE = """
( (S
    (NP-SBJ (NNP Ann) )
    (VP (VBZ sleeps) (NP (-NONE- *))) (. .) ))
"""
CONVERTED = (
    "1\tAnn\t_\tNNP\tNNP\t_\t2\tSUB\t_\t_\n"
    "2\tsleeps\t_\tVBZ\tVBZ\t_\t0\tROOT\t_\t_\n"
    "3\t.\t_\t.\t.\t_\t2\tP\t_\t_\n\n"
)
OTHER = "( (NP (NN tea)))"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of two files of trees, one packed, one deeper, and of other things."""
    folder = tmp_path / "wsj"
    (folder / "01").mkdir(parents=True)
    (folder / "01" / "wsj_0101.mrg").write_text(OTHER)
    (folder / "02.MRG.gz").write_bytes(gzip.compress(TREE.encode()))
    (folder / "readme").write_text("no tree")
    (folder / "x.mrg.txt").write_text("no tree")
    return folder


def test_standard_input_becomes_conllx(run: Any) -> None:
    for arguments in ((), ("-",)):
        result = run("convert", *arguments, stdin=TREE)
        assert (result.exit_code, result.stdout, result.stderr) == (0, CONVERTED, "")


def test_folders_are_searched_in_order_and_files_taken_as_named(
    run: Any, folder: Path, tmp_path: Path
) -> None:
    target = tmp_path / "new" / "all.conllx"
    result = run("convert", folder, folder / "01" / "wsj_0101.mrg", "-", "-o", target, stdin=TREE)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    forms = [sentence.forms for sentence in read_text(target.read_text())]
    assert forms == [["tea"], ["Ann", "sleeps", "."], ["tea"], ["Ann", "sleeps", "."]]


def test_what_it_writes_is_read_with_trees(run: Any, folder: Path) -> None:
    result = run("validate", "-", stdin=run("convert", folder).stdout)
    assert result.exit_code == 0
    assert "2 sentences, 4 words" in result.stdout
    assert "0 errors, 0 warnings" in result.stdout


def test_trees_without_words_are_left_out_and_counted(run: Any) -> None:
    result = run("convert", stdin="( (NP (-NONE- *)))" + TREE)
    assert (result.exit_code, result.stdout) == (0, CONVERTED)
    assert result.stderr == "warning: <stdin>: 1 tree of traces only, without a word, left out\n"


def test_faults_are_told_with_their_line_and_leave_the_output_as_it_was(
    run: Any, tmp_path: Path
) -> None:
    bad, target = tmp_path / "bad.mrg", tmp_path / "out.conllx"
    bad.write_text(TREE + "( (NP ))\n")
    target.write_text("before")
    result = run("convert", bad, "-o", target)
    assert result.exit_code == 1
    assert f"{bad}:5: found the empty constituent (NP)" in result.stderr
    assert target.read_text() == "before"
    assert sorted(tmp_path.iterdir()) == [bad, target]


def test_what_cannot_be_converted_is_said_before_anything_is_written(
    run: Any, folder: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for name, message in ((tmp_path / "no", "no such file or folder"), (empty, "no .mrg files")):
        result = run("convert", folder, name)
        assert (result.exit_code, result.stdout) == (1, "")
        assert f"{name}: {message}" in result.stderr
    result = run("convert", stdin=CONVERTED)
    assert result.exit_code == 1
    assert "<stdin>:1: found '1' outside of a tree" in result.stderr
    source = folder / "01" / "wsj_0101.mrg"
    assert run("convert", folder, "-o", source).exit_code == 2
    assert source.read_text() == OTHER


def test_commands_that_read_only_conll_point_to_it(run: Any, tagger: Path) -> None:
    result = run("tag", "-m", tagger, stdin=TREE)
    assert result.exit_code == 1
    assert "<stdin>:2: found 1 column in '( (S'" in result.stderr
    assert "bracketed trees become CoNLL-X with: meprop-nlp convert" in result.stderr


def test_evaluate_and_training_read_trees_as_they_are(
    run: Any, folder: Path, tmp_path: Path
) -> None:
    trees, converted = tmp_path / "a.mrg", tmp_path / "a.conllx"
    trees.write_text(TREE)
    converted.write_text(CONVERTED)
    result = run("evaluate", trees, converted, "--json")
    assert result.exit_code == 0
    assert '"f1": 100.0' in result.stdout
    options = ("-o", tmp_path / "m", "--hidden", 4, "--epochs", 1, "-t", 1)
    result = run("train-parser", "--train", trees, "--dev", trees, *options)
    assert result.exit_code == 0
    assert "train: 1 sentence, 3 words" in result.stderr
