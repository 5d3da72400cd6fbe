"""WSJ sections are found in made-up folders, and split as in the papers."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.penn.wsj import SPLITS, find_sections, split_sections
from meprop_nlp.errors import DataError


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def names(files: list[Path]) -> list[str]:
    return [path.name for path in files]


def test_splits_are_those_of_the_paper() -> None:
    assert {role: list(wanted) for role, wanted in SPLITS["parsing"].items()} == {
        "train": [*range(2, 22)],
        "dev": [22],
        "test": [23],
    }
    assert {role: list(wanted) for role, wanted in SPLITS["tagging"].items()} == {
        "train": [*range(0, 19)],
        "dev": [19, 20, 21],
        "test": [22, 23, 24],
    }


@pytest.mark.parametrize("folders", [True, False], ids=["section folders", "flat"])
@pytest.mark.parametrize("kind", ["mrg", "conll", "conllx", "conllu", "dep", "dp", "MRG", "mrg.gz"])
def test_files_of_a_treebank(folders: bool, kind: str, tmp_path: Path) -> None:
    for section in reversed(range(25)):
        for number in (10, 2):
            name = f"wsj_{section:02}{number:02}.{kind}"
            touch(tmp_path, f"{section:02}/{name}" if folders else name)
    touch(tmp_path, "readme.txt", "wsj_0001.pos", "wsj_2500.mrg", "wsj_02011.mrg", "x_0201.mrg")
    sections = find_sections(tmp_path)
    assert list(sections) == list(range(25))
    assert names(sections[7]) == [f"wsj_0702.{kind}", f"wsj_0710.{kind}"]
    parsing, tagging = (split_sections(tmp_path, task) for task in ("parsing", "tagging"))
    assert names(parsing["dev"]) == [f"wsj_2202.{kind}", f"wsj_2210.{kind}"]
    assert names(parsing["test"]) == [f"wsj_2302.{kind}", f"wsj_2310.{kind}"]
    assert names(parsing["train"]) == sorted(names(parsing["train"]))
    assert (len(parsing["train"]), len(tagging["train"])) == (40, 38)
    assert names(tagging["dev"])[::2] == [f"wsj_{s}02.{kind}" for s in (19, 20, 21)]


def test_files_are_in_the_order_of_their_numbers_wherever_they_are(tmp_path: Path) -> None:
    touch(tmp_path, "b/wsj_0100.mrg", "a/wsj_0102.mrg", "0101.dep", "a/wsj_0001.mrg")
    sections = find_sections(tmp_path)
    assert list(sections) == [0, 1]
    assert names(sections[1]) == ["wsj_0100.mrg", "0101.dep", "wsj_0102.mrg"]


@pytest.mark.parametrize("form", ["{}.conllx", "wsj_{}.dep", "wsj-{}.conll", "section{}.mrg"])
def test_one_file_a_section(form: str, tmp_path: Path) -> None:
    touch(tmp_path, *(form.format(f"{section:02}") for section in range(25)))
    files = split_sections(tmp_path, "parsing")
    assert names(files["dev"]) == [form.format("22")]
    assert len(files["train"]) == 20


@given(st.sets(st.integers(0, 24)), st.sampled_from(["parsing", "tagging"]))
def test_missing_sections_are_named_and_no_others(
    tmp_path_factory: pytest.TempPathFactory, there: set[int], task: str
) -> None:
    folder = touch(tmp_path_factory.mktemp("wsj"), *(f"wsj_{s:02}00.mrg" for s in there))
    wanted = {section for part in SPLITS[task].values() for section in part}
    if wanted <= there:
        assert len(split_sections(folder, task)["train"]) == len(SPLITS[task]["train"])
        return
    with pytest.raises(DataError) as raised:
        split_sections(folder, task)
    if there:
        needs = str(raised.value).partition(" needs ")[2].partition(" too; ")[0]
        named: set[int] = set()
        for span in (
            needs.replace("(train)", "").replace("(dev)", "").replace("(test)", "").split(",")
        ):
            first, _, last = span.strip().partition("-")
            named |= set(range(int(first), int(last or first) + 1))
        assert named == wanted - there


def test_a_part_of_the_treebank_is_refused_with_the_way_to_use_it(tmp_path: Path) -> None:
    touch(tmp_path, *(f"wsj_00{number:02}.mrg" for number in range(3)), "wsj_0101.mrg")
    with pytest.raises(DataError) as raised:
        split_sections(tmp_path, "parsing")
    assert str(raised.value) == (
        f"{tmp_path}: has sections 00-01 of the WSJ, but the papers' split for parsing needs "
        "02-21 (train), 22 (dev), 23 (test) too; to train on what is there, make files with "
        "meprop-nlp convert and give them as `train` and `dev`"
    )
    with pytest.raises(DataError, match=r"needs 02-18 \(train\), 19-21 \(dev\), 22-24 \(test\)"):
        split_sections(tmp_path, "tagging")


def test_folder_without_a_treebank_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        find_sections(tmp_path / "none")
    touch(tmp_path, "file", "empty/x")
    with pytest.raises(DataError, match="is a file, expected the folder"):
        find_sections(tmp_path / "file")
    with pytest.raises(DataError, match=r"no WSJ files, expected names such as wsj_0201\.mrg"):
        split_sections(tmp_path / "empty", "parsing")


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("wsj_0201.dep", "wsj_0201.mrg", "the same text as"),
        ("02/wsj_0201.mrg", "wsj_0201.mrg", "the same text as"),
        ("02.conllx", "wsj_0201.mrg", "section 02 stands in"),
    ],
)
def test_a_text_is_never_trained_on_twice(
    first: str, second: str, message: str, tmp_path: Path
) -> None:
    touch(tmp_path, first, second)
    with pytest.raises(DataError, match=message):
        find_sections(tmp_path)
