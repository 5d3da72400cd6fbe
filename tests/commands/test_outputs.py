"""Which file gets the result of which: folders, patterns, and what cannot be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from meprop_nlp.commands.outputs import gives_several, planned
from meprop_nlp.errors import ConfigError, DataError


@pytest.fixture
def texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a folder of texts."""
    monkeypatch.chdir(tmp_path)
    for name in ("b.txt", "a.txt.gz", "sub/b.txt", "sub/.hidden", ".git/x", "c.d.conllx", "none"):
        path = tmp_path / "texts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return Path("texts")


def results(files: list[str], output: str, ending: str = ".conllu") -> dict[str, str]:
    return dict(planned(files, output, ending))


@pytest.mark.usefixtures("texts")
def test_folder_gives_each_file_a_result_in_its_subfolder() -> None:
    assert results(["texts"], "out/") == {
        "texts/a.txt.gz": "out/a.conllu",
        "texts/b.txt": "out/b.conllu",
        "texts/c.d.conllx": "out/c.d.conllx",
        "texts/none": "out/none.conllu",
        "texts/sub/b.txt": "out/sub/b.conllu",
    }
    assert results(["texts/sub/b.txt", "texts/c.d.conllx"], "out/", ".jsonl") == {
        "texts/sub/b.txt": "out/b.jsonl",
        "texts/c.d.conllx": "out/c.d.jsonl",
    }


@pytest.mark.usefixtures("texts")
def test_pattern_has_the_name_without_its_ending() -> None:
    assert results(["texts/a.txt.gz", "texts/c.d.conllx"], "new/{}-1.conllu.xz") == {
        "texts/a.txt.gz": "new/a-1.conllu.xz",
        "texts/c.d.conllx": "new/c.d-1.conllu.xz",
    }
    assert results(["texts"], "{}.out")["texts/sub/b.txt"] == "sub/b.out"


@pytest.mark.usefixtures("texts")
def test_file_is_taken_once_however_often_it_is_named() -> None:
    assert len(planned(["texts", "texts/b.txt", "./texts/../texts/b.txt"], "out/", ".conllu")) == 5


def test_results_of_an_earlier_run_are_no_inputs(texts: Path) -> None:
    before = results(["texts"], "texts/out/")
    for output in before.values():
        Path(output).parent.mkdir(parents=True, exist_ok=True)
        Path(output).write_text("")
    assert results(["texts"], "texts/out/") == results(["texts"], "texts/out") == before
    assert set(results(["texts"], "texts/out/{}.conllu")) == set(before)


@pytest.mark.parametrize(
    ("files", "output", "message"),
    [
        (["texts/b.txt", "texts/sub/b.txt"], "out/", "texts/b.txt and texts/sub/b.txt would both"),
        (["texts/b.txt", "texts/none"], "{{}.conllu", ""),
        (["texts/b.txt", "texts/sub/b.txt"], "{}/x", "would both be b/x"),
        (["texts/b.txt"], "texts/sub/{}.txt", "texts/sub/b.txt, which is an input file too"),
        (["texts"], "texts/", "texts/c.d.conllx, which is an input file too"),
        (["texts/b.txt"], "texts/{}.txt", "which is an input file too"),
        (["texts/b.txt"], "model/{}", "model/b, which is an input file too"),
        (["-"], "out/", "standard input has no name"),
    ],
)
def test_results_that_would_replace_a_file_or_each_other_are_refused(
    files: list[str], output: str, message: str, texts: Path
) -> None:
    keep = [None, Path("model/b"), "texts/sub/b.txt"]
    if not message:
        assert len(planned(files, output, ".conllu", keep)) == 2
        return
    with pytest.raises(ConfigError) as error:
        planned(files, output, ".conllu", keep)
    assert message in str(error.value)
    assert "--output" in str(error.value)


@pytest.mark.parametrize(
    ("files", "output"),
    [
        (["texts/sub"], "texts/sub"),
        (["texts/sub"], "texts/sub/{}.conllu"),
        (["texts/sub", "texts/none"], "texts/sub/new-{}.gz"),
        (["texts/sub", "texts/c.d.conllx"], "./texts/../texts/sub/"),
        (["."], "{}.conllu"),
    ],
)
def test_results_that_the_next_run_would_read_are_refused(
    files: list[str], output: str, texts: Path
) -> None:
    (texts / "sub" / "a.txt").touch()
    with pytest.raises(ConfigError, match="which the next run would take") as error:
        planned(files, output, ".conllu")
    assert "such as " in str(error.value)
    assert planned(files, str(error.value).rpartition("such as ")[2], ".conllu")
    assert planned(["texts/sub/a.txt"], "texts/sub/{}.conllu", ".conllu")


def test_link_to_an_input_is_not_replaced(texts: Path) -> None:
    Path("out").mkdir()
    Path("out/b.conllu").symlink_to(os.path.realpath("texts/b.txt"))
    with pytest.raises(ConfigError, match="which is an input file too"):
        planned(["texts/b.txt"], "out", ".conllu")


def test_folder_without_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no files in this folder"):
        planned([str(tmp_path)], "out/", ".conllu")


def test_outputs_that_are_many_files(tmp_path: Path) -> None:
    assert gives_several("out/")
    assert gives_several("{}.conllu")
    assert gives_several(str(tmp_path))
    assert not gives_several(str(tmp_path / "out"))
    assert not gives_several("-")
