"""A result for each of many files: faulty files, results that are there, threads, progress."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.commands import counting, many_files
from meprop_nlp.commands.counting import Meter
from meprop_nlp.commands.options import Verbosity
from meprop_nlp.data.sample.treebank import sample_treebank

WORDS = "1\tGo\t_\t_\t_\t_\t_\t_\t_\t_\n\n"
HORIZONTAL = ("--input-format", "horizontal")


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """A folder with files of words on lines."""
    folder = tmp_path / "texts"
    for name in ("a.txt", "b.txt", "sub/c.txt", "d.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"The file {name} .\n" * 3)
    return folder


def written(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("command", ["annotate", "tag", "parse"])
def test_folder_gets_what_each_file_gives_alone(
    command: str, threads: int, run: Any, joint: Path, texts: Path, tmp_path: Path
) -> None:
    options = (command, "-m", joint, "-t", threads, *HORIZONTAL)
    result = run(*options, texts, "-o", f"{tmp_path}/out/")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    found = written(tmp_path / "out")
    assert list(found) == ["a.conllu", "b.conllu", "d.conllu", "sub/c.conllu"]
    for name, text in found.items():
        alone = run(*options, texts / name.replace(".conllu", ".txt")).stdout
        assert text == alone != ""


def test_large_and_packed_files_are_annotated_in_parts(
    run: Any, joint: Path, texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("annotate", "-m", joint, *HORIZONTAL, texts, "-t", 3, "-o")
    run(*options, f"{tmp_path}/small/")
    monkeypatch.setattr(many_files, "_SMALL", 60)  # some are, some are not
    run(*options, f"{tmp_path}/mixed/")
    assert written(tmp_path / "small") == written(tmp_path / "mixed")


def test_packed_files_and_pipes_are_never_held(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("It rains.")
    assert many_files._is_small(str(tmp_path / "plain"))
    for name, pack in (("a.GZ", gzip.compress), ("b", lzma.compress), ("c.txt", bz2.compress)):
        (tmp_path / name).write_bytes(pack(b"It rains."))
        assert not many_files._is_small(str(tmp_path / name))
    os.mkfifo(tmp_path / "pipe")
    assert not many_files._is_small(str(tmp_path / "pipe"))
    assert many_files._is_small(str(tmp_path / "missing"))


def test_pattern_and_other_forms(run: Any, joint: Path, texts: Path, tmp_path: Path) -> None:
    options = ("annotate", "-m", joint, *HORIZONTAL, texts / "a.txt", texts / "b.txt")
    result = run(*options, "--outfile", f"{tmp_path}/new/{{}}.x", "--output-format", "tsv")
    assert (result.exit_code, result.stderr) == (0, "")
    found = written(tmp_path / "new")
    assert list(found) == ["a.x", "b.x"]
    assert all(text.startswith("id\tform\t") for text in found.values())
    (tmp_path / "json").mkdir()
    run(*options, "-o", tmp_path / "json", "--output-format", "json")
    found = written(tmp_path / "json")
    assert list(found) == ["a.jsonl", "b.jsonl"]
    for form, ending in (("vertical", ".vert"), ("horizontal", ".txt")):
        run(*options, "-o", f"{tmp_path}/{form}/", "--output-format", form)
        assert list(written(tmp_path / form)) == [f"a{ending}", f"b{ending}"]
    assert json.loads(found["a.jsonl"].split("\n")[0])["tokens"][2]["form"] == "a.txt"


@pytest.mark.parametrize("threads", [1, 3])
def test_faulty_files_are_reported_at_the_end_and_the_others_done(
    threads: int, run: Any, joint: Path, texts: Path, tmp_path: Path
) -> None:
    (texts / "b.txt").write_bytes(b"It rains .\n\xff\n")
    (texts / "a.txt").write_bytes(b"a\0b")
    missing = tmp_path / "missing"
    options = ("annotate", "-m", joint, "-t", threads, *HORIZONTAL)
    result = run(*options, texts, missing, "-o", f"{tmp_path}/out/")
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert lines[0] == "error: 3 of 5 files could not be annotated:"
    assert lines[1].startswith(f"{texts}/a.txt:1: a NUL byte")
    assert lines[2].startswith(f"{texts}/b.txt:2: byte 11 is not valid UTF-8")
    assert lines[3:] == [f"{missing}: no such file"]
    # nothing half-written, and nothing beside it
    assert list(written(tmp_path / "out")) == ["d.conllu", "sub/c.conllu"]


def test_faulty_sentences_are_skipped_in_many_files(run: Any, joint: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.conllu").write_text(f"{WORDS}1\tfaulty\n\n{WORDS}")
    files = (tmp_path / "a.conllu", tmp_path / "b.conllu")
    options = ("annotate", "-m", joint, "--on-error", "skip", "-t", 2)
    result = run(*options, *files, "-o", f"{tmp_path}/out/")
    assert result.exit_code == 0
    assert result.stderr.count("1 faulty sentences skipped") == 2
    assert [text.count("\tGo\t") for text in written(tmp_path / "out").values()] == [2, 2]


def test_finished_results_are_skipped_unless_forced(
    run: Any, joint: Path, texts: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (out / "sub").mkdir(parents=True)
    (out / "sub" / "c.conllu").write_text("before")
    (out / "a.conllu").write_text("before")
    options = ("annotate", "-m", joint, *HORIZONTAL, texts, "-o", out)
    result = run(*options)
    assert result.exit_code == 0
    assert result.stderr == "2 files of 4 skipped: their results are there; see --force\n"
    found = written(out)
    assert [name for name, text in found.items() if text == "before"] == [
        "a.conllu",
        "sub/c.conllu",
    ]
    assert run(*options, "-q").stderr == ""
    assert run(*options, "--force").stderr == ""
    assert "before" not in written(out).values()
    assert {
        name: text for name, text in written(out).items() if name in ("b.conllu", "d.conllu")
    } == {name: text for name, text in found.items() if name in ("b.conllu", "d.conllu")}


@pytest.mark.parametrize(
    ("files", "output", "message"),
    [
        (("a.txt", "sub/../a.txt", "-"), "out/", "standard input has no name"),
        (("", "a.conllu"), "out/", "would both be"),
        (("",), "", "is an input file too"),
        ((), "out/", "standard input has no name"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_done(
    files: tuple[str, ...], output: str, message: str, run: Any, joint: Path, texts: Path
) -> None:
    (texts / "a.conllu").write_text(WORDS)
    before = written(texts)
    named = [file if file == "-" else texts / file for file in files]
    if "" in files and output:
        named.append(texts / "b.txt")
    result = run("annotate", "-m", joint, *named, "-o", f"{texts}/{output}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert written(texts) == before


def test_folder_without_a_folder_for_the_results_is_refused_with_advice(
    run: Any, joint: Path, texts: Path
) -> None:
    result = run("annotate", "-m", joint, texts)
    assert (result.exit_code, result.stdout) == (1, "")
    assert (
        f"{texts} is a directory, expected a file; to annotate all files in it, " in result.stderr
    )
    assert "--output RESULTS/" in result.stderr


def test_result_that_cannot_be_written_ends_the_work(
    run: Any, joint: Path, texts: Path, tmp_path: Path
) -> None:
    (tmp_path / "out" / "a.conllu").mkdir(parents=True)
    options = ("annotate", "-m", joint, *HORIZONTAL, texts, "-o", f"{tmp_path}/out")
    result = run(*options)
    assert result.exit_code == 1
    assert result.stderr == (
        f"error: {tmp_path}/out/a.conllu: is a folder, expected the name of a file to write\n"
    )


def test_ctrl_c_leaves_whole_results_only(joint: Path, tmp_path: Path) -> None:
    texts, out = tmp_path / "texts", tmp_path / "out"
    texts.mkdir()
    block = sample_treebank("train").read_bytes()
    for n in range(400):
        (texts / f"{n:03}.conllu").write_bytes(block)
    arguments = ["annotate", "-m", joint, "-t", 2, texts, "-o", f"{out}/"]
    process = subprocess.Popen(
        [sys.executable, "-m", "meprop_nlp.cli", *map(str, arguments)],
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    until = time.monotonic() + 30
    while not list(out.glob("[0-9]*.conllu")) and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert (process.returncode, error) == (130, b"error: stopped by Ctrl-C\n")
    found = written(out)
    assert 0 < len(found) < 400
    assert len(set(found.values())) == 1
    assert all(name.endswith(".conllu") and name[0] != "." for name in found)


# progress


def test_share_of_the_files_is_shown_where_their_size_is_known(
    joint: Path, texts: Path, tmp_path: Path
) -> None:
    ours, theirs = pty.openpty()
    arguments = ["annotate", "-m", joint, "-t", 2, *HORIZONTAL, texts, "-o", f"{tmp_path}/out/"]
    subprocess.run(
        [sys.executable, "-m", "meprop_nlp.cli", *map(str, arguments)],
        stderr=theirs,
        env=os.environ
        | {"PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "xterm", "COLUMNS": "80"},
        timeout=60,
        check=True,
    )
    os.close(theirs)
    shown = b""
    while not shown.endswith(b" s\r\n"):
        shown += os.read(ours, 4096)
    os.close(ours)
    assert b" %" in shown
    assert b"annotated 48 words in" in shown


def test_meter_knows_how_much_was_read(tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in ("a", "b")]
    for path in paths:
        Path(path).write_bytes(b"x" * 50_000)
    meter = Meter(paths)
    assert (meter.total, meter.done) == (100_000, 0)
    with meter.reading(paths[0]) as source:
        assert not isinstance(source, str)
        source.read(20_000)
        assert meter.done == 20_000
    assert meter.done == 50_000
    meter.passed(paths[1])
    assert meter.done == meter.total
    for others in (["-"], [*paths, "nowhere"]):
        unknown = Meter(others)
        with unknown.reading(others[0]) as source:
            assert source == others[0]
        assert (unknown.total, unknown.done) == (None, 0)


def test_pieces_are_counted(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(Verbosity, "shows_bar", property(lambda self: True))
    with counting.counting("read", "out", Verbosity()) as count:
        assert list(count(["abc", "de"])) == ["abc", "de"]
        assert list(count(["f"])) == ["f"]
    assert "read 6 words in" in capsys.readouterr().err
