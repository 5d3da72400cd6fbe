"""The built-in sample treebank: its size, its phenomena, and the script that writes it."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "meprop_nlp" / "data" / "sample"
SCRIPT = ROOT / "tools" / "sample_grammar" / "make_sample.py"
SPLITS = ("train", "dev", "test")


class Tree(NamedTuple):
    """A sentence, read without the package: comments, rows of ranges, rows of words."""

    sent_id: str
    text: str
    ranges: list[list[str]]
    words: list[list[str]]

    @property
    def heads(self) -> list[int]:
        """The head of each word, at the index of the word; index 0 is unused."""
        return [0, *(int(word[6]) for word in self.words)]

    def column(self, place: int) -> set[str]:
        return {word[place] for word in self.words}


def read(path: Path) -> list[Tree]:
    trees = []
    for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
        lines = block.split("\n")
        comments = dict(line[2:].split(" = ", 1) for line in lines if line.startswith("# "))
        rows = [line.split("\t") for line in lines if not line.startswith("#")]
        ranges = [row for row in rows if "-" in row[0]]
        words = [row for row in rows if "-" not in row[0]]
        trees.append(Tree(comments["sent_id"], comments["text"], ranges, words))
    return trees


@pytest.fixture(scope="module")
def treebank() -> dict[str, list[Tree]]:
    return {split: read(SAMPLE / f"{split}.conllu") for split in SPLITS}


@pytest.fixture(scope="module")
def trees(treebank: dict[str, list[Tree]]) -> list[Tree]:
    return [tree for split in SPLITS for tree in treebank[split]]


def is_projective(heads: list[int]) -> bool:
    """Whether every word between a word and its head is a descendant of that head."""
    for word in range(1, len(heads)):
        low, high = sorted((word, heads[word]))
        for between in range(low + 1, high):
            above = between
            while above not in {0, heads[word]}:
                above = heads[above]
            if above != heads[word]:
                return False
    return True


@pytest.mark.parametrize(
    ("heads", "expected"),
    [([0, 2, 0, 2], True), ([0, 4, 4, 4, 0, 1], False), ([0, 0, 1, 2, 3], True)],
)
def test_projectivity_helper_detects_a_stranded_preposition(
    heads: list[int], expected: bool
) -> None:
    assert is_projective(heads) is expected


def test_treebank_has_at_least_600_sentences_and_60_by_hand(trees: list[Tree]) -> None:
    assert len(trees) >= 600
    assert sum(tree.sent_id.startswith("hand-") for tree in trees) >= 60


@pytest.mark.parametrize("split", SPLITS)
def test_each_split_has_both_kinds_of_sentence(treebank: dict[str, list[Tree]], split: str) -> None:
    kinds = {tree.sent_id.split("-")[0] for tree in treebank[split]}
    assert kinds == {"grammar", "hand"}
    assert all(f"-{split}-" in tree.sent_id for tree in treebank[split])


def test_files_stay_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLE.glob("*.conllu")) < 600_000


def test_no_text_and_no_sent_id_occurs_twice(trees: list[Tree]) -> None:
    assert len({tree.text.lower() for tree in trees}) == len(trees)
    assert len({tree.sent_id for tree in trees}) == len(trees)


def test_dev_and_test_have_words_that_are_not_in_train(treebank: dict[str, list[Tree]]) -> None:
    vocabulary = {word[1] for tree in treebank["train"] for word in tree.words}
    for split in ("dev", "test"):
        words = [word[1] for tree in treebank[split] for word in tree.words]
        unknown = sum(word not in vocabulary for word in words) / len(words)
        assert 0.01 < unknown < 0.15


def test_every_tree_has_one_root_and_no_cycle(trees: list[Tree]) -> None:
    for tree in trees:
        heads = tree.heads
        assert heads[1:].count(0) == 1, tree.sent_id
        for word in range(1, len(heads)):
            steps, above = 0, word
            while above != 0 and steps <= len(heads):
                steps, above = steps + 1, heads[above]
            assert above == 0, tree.sent_id


def test_tokens_and_spaces_spell_the_text(trees: list[Tree]) -> None:
    for tree in trees:
        starts = {row[0].split("-")[0]: row for row in tree.ranges}
        text, covered = "", 0
        for word in tree.words:
            number = int(word[0])
            if number <= covered:
                continue
            row = starts.get(word[0], word)
            covered = int(row[0].split("-")[-1])
            text += row[1] + ("" if row[9] == "SpaceAfter=No" else " ")
        assert text.rstrip() == tree.text, tree.sent_id


def test_a_range_is_the_concatenation_of_its_words(trees: list[Tree]) -> None:
    for tree in trees:
        for row in tree.ranges:
            first, last = map(int, row[0].split("-"))
            assert "".join(word[1] for word in tree.words[first - 1 : last]) == row[1]


PHENOMENA: dict[str, tuple[int, Callable[[Tree], bool]]] = {
    "question": (60, lambda tree: tree.text.endswith("?")),
    "order": (20, lambda tree: any("Mood=Imp" in word[5] for word in tree.words)),
    "relative clause": (60, lambda tree: "acl:relcl" in tree.column(7)),
    "coordination": (80, lambda tree: "conj" in tree.column(7)),
    "passive": (50, lambda tree: "aux:pass" in tree.column(7)),
    "agent of a passive": (15, lambda tree: "obl:agent" in tree.column(7)),
    "copula": (60, lambda tree: "cop" in tree.column(7)),
    "contraction": (60, lambda tree: bool(tree.ranges)),
    "non-projective tree": (20, lambda tree: not is_projective(tree.heads)),
    "name": (100, lambda tree: "NNP" in tree.column(4)),
    "name of two parts": (15, lambda tree: "flat" in tree.column(7)),
    "number": (60, lambda tree: "CD" in tree.column(4)),
    "complement clause": (30, lambda tree: "ccomp" in tree.column(7)),
    "adverbial clause": (50, lambda tree: "advcl" in tree.column(7)),
    "apposition": (5, lambda tree: "appos" in tree.column(7)),
    "indirect object": (15, lambda tree: "iobj" in tree.column(7)),
    "particle": (30, lambda tree: "compound:prt" in tree.column(7)),
    "vocative": (8, lambda tree: "vocative" in tree.column(7)),
    "expletive": (15, lambda tree: "expl" in tree.column(7)),
    "parataxis": (10, lambda tree: "parataxis" in tree.column(7)),
    "quotation": (10, lambda tree: '"' in tree.text),
    "brackets": (4, lambda tree: "(" in tree.text),
}


@pytest.mark.parametrize("name", PHENOMENA)
def test_phenomenon_is_present(trees: list[Tree], name: str) -> None:
    least, shows = PHENOMENA[name]
    assert sum(map(shows, trees)) >= least


NAMED_IN_THE_README = (
    "question", "relative clause", "coordination", "passive", "copula", "contraction",
    "non-projective tree", "name", "number",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMED_IN_THE_README)
def test_phenomenon_is_present_by_hand(trees: list[Tree], name: str) -> None:
    _, shows = PHENOMENA[name]
    by_hand = [tree for tree in trees if tree.sent_id.startswith("hand-")]
    assert sum(map(shows, by_hand)) >= (8 if name == "non-projective tree" else 5)


@pytest.mark.parametrize(
    ("form", "least"), [("that", 4), ("her", 2), ("to", 2), ("'s", 3), ("cook", 2), ("plan", 2)]
)
def test_form_is_ambiguous(trees: list[Tree], form: str, least: int) -> None:
    readings = {
        (word[2], word[3], word[4])
        for tree in trees
        for word in tree.words
        if word[1].lower() == form
    }
    assert len(readings) >= least


def test_script_writes_the_same_bytes_again(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(SCRIPT), "--out", str(tmp_path)], check=True)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["README.md", "dev.conllu", "test.conllu", "train.conllu"]
    for name in names:
        assert (tmp_path / name).read_bytes() == (SAMPLE / name).read_bytes(), name


@pytest.mark.parametrize(
    ("folder", "name", "old", "message"),
    [
        (SAMPLE, "README.md", "| `dev.conllu` |", "README.md has 0 matches of"),
        (SCRIPT.parent, "handwritten.txt", "# Where is my umbrella?", "the words spell 'Where is"),
    ],
)
def test_script_refuses_a_file_that_it_does_not_understand(
    tmp_path: Path, folder: Path, name: str, old: str, message: str
) -> None:
    for source in (SAMPLE, SCRIPT.parent):
        shutil.copytree(source, tmp_path / source.relative_to(ROOT))
    changed = tmp_path / folder.relative_to(ROOT) / name
    text = changed.read_text(encoding="utf-8")
    assert old in text
    changed.write_text(text.replace(old, "# Nothing"), encoding="utf-8")
    command = [sys.executable, str(tmp_path / SCRIPT.relative_to(ROOT))]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert message in result.stderr


def test_readme_says_that_scores_prove_nothing() -> None:
    text = (SAMPLE / "README.md").read_text(encoding="utf-8")
    assert "demonstration: scores on it prove nothing" in text
    assert "MIT" in text


@pytest.mark.skipif(importlib.util.find_spec("udtools") is None, reason="udtools is not installed")
@pytest.mark.parametrize("level", ["2", pytest.param("3", marks=pytest.mark.slow)])
def test_udtools_finds_no_error(level: str) -> None:
    files = [str(SAMPLE / f"{split}.conllu") for split in SPLITS]
    command = [sys.executable, "-m", "udtools.cli", "--lang", "en", "--level", level]
    result = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "*** PASSED ***" in result.stderr
