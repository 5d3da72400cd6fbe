"""`--ptb`: training on the papers' sections of the Penn Treebank, here of made-up trees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

NOUNS = ("tea", "rain", "Ann", "bread", "time")


def tree(section: int) -> str:
    noun = NOUNS[section % len(NOUNS)]
    return f"( (S (NP-SBJ (NN {noun})) (VP (VBZ helps) (NP (NN s{section:02}))) (. .)))\n"


@pytest.fixture(scope="module")
def wsj(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A treebank of two files a section, of as many trees as the section's number plus one."""
    folder = tmp_path_factory.mktemp("wsj")
    for section in range(25):
        (folder / f"{section:02}").mkdir()
        for number in range(2):
            path = folder / f"{section:02}" / f"wsj_{section:02}{number:02}.mrg"
            path.write_text(tree(section) * (section + 1))
    return folder


QUICK = ("--hidden", 4, "--epochs", 1, "-t", 1)


@pytest.mark.parametrize(
    ("command", "train", "dev", "test"),
    [
        ("train-parser", range(2, 22), range(22, 23), "WSJ 23: UAS "),
        ("train-tagger", range(19), range(19, 22), "WSJ 22-24: UPOS "),
    ],
)
def test_the_sections_of_the_papers_are_trained_on_and_tested_as_one(
    command: str, train: range, dev: range, test: str, run: Any, wsj: Path, tmp_path: Path
) -> None:
    result = run(command, "--ptb", wsj, "-o", tmp_path / "model", *QUICK)
    assert result.exit_code == 0, result.stderr
    for role, sections in (("train", train), ("dev", dev)):
        n = sum(2 * (section + 1) for section in sections)
        assert f"{role}: {n:,} sentences, {4 * n:,} words" in result.stderr
    (line,) = result.stdout.splitlines()
    assert line.startswith(test)


def test_conll_files_of_whole_sections_train_the_same_model(
    run: Any, wsj: Path, tmp_path: Path
) -> None:
    conll = tmp_path / "conll"
    for section in range(25):
        result = run("convert", wsj / f"{section:02}", "-o", conll / f"{section:02}.conllx")
        assert result.exit_code == 0
    first, second = (
        run("train-parser", "--ptb", folder, "-o", tmp_path / "model", "-q", *QUICK)
        for folder in (wsj, conll)
    )
    assert first.exit_code == second.exit_code == 0
    assert first.stdout == second.stdout != ""


@pytest.mark.parametrize("command", ["train-parser", "train-tagger"])
@pytest.mark.parametrize("role", ["--train", "--dev", "--test"])
def test_the_sets_cannot_be_named_twice(command: str, role: str, run: Any, wsj: Path) -> None:
    result = run(command, "--ptb", wsj, role, "x.conllx")
    assert result.exit_code == 2
    assert f"--ptb and {role} exclude each other" in result.stderr


def test_a_part_of_the_treebank_is_refused_before_training(
    run: Any, wsj: Path, tmp_path: Path
) -> None:
    result = run("train-parser", "--ptb", wsj / "23", "-o", tmp_path / "model")
    assert result.exit_code == 1
    assert "has section 23 of the WSJ, but the papers' split for parsing needs 02-21 (train), " in (
        result.stderr
    )
    assert "meprop-nlp convert" in result.stderr
    result = run("train-tagger", "--ptb", tmp_path / "none")
    assert result.exit_code == 1
    assert "no such folder" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_fault_in_the_test_sections_is_found_before_training(run: Any, tmp_path: Path) -> None:
    folder = tmp_path / "wsj"
    folder.mkdir()
    for section in range(25):
        (folder / f"wsj_{section:02}.mrg").write_text(tree(section))
    (folder / "wsj_23.mrg").write_text("( (S (NN a))")
    result = run("train-parser", "--ptb", folder, "-o", tmp_path / "model", *QUICK)
    assert result.exit_code == 1
    assert "wsj_23.mrg:1: the file ends inside of the tree" in result.stderr
    assert "epoch" not in result.stderr
