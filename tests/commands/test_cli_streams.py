"""Files, pipes, full disks, Ctrl-C and progress: where results and messages go."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.data.sample.treebank import sample_treebank

# files and streams


def test_no_file_and_dash_are_standard_input(run: Any, tagger: Path, small: Path) -> None:
    expected = run("tag", "-m", tagger, small).stdout
    assert run("tag", "-m", tagger, stdin=small.read_bytes()).stdout == expected
    assert run("tag", "-m", tagger, "-", stdin=small.read_bytes()).stdout == expected
    assert run("tag", "-m", tagger, small, small).stdout == 2 * expected


@pytest.mark.parametrize(
    ("suffix", "opened"), [(".gz", gzip.open), (".xz", lzma.open), (".bz2", bz2.open)]
)
def test_packed_files_in_and_out(
    suffix: str, opened: Any, run: Any, tagger: Path, small: Path, tmp_path: Path
) -> None:
    source, target = tmp_path / f"in.conllu{suffix}", tmp_path / f"out.conllu{suffix}"
    with opened(source, "wb") as stream:
        stream.write(small.read_bytes())
    assert run("tag", "-m", tagger, source, "-o", target).exit_code == 0
    with opened(target, "rb") as stream:
        assert stream.read().decode() == run("tag", "-m", tagger, small).stdout


def test_outfile_is_another_name_for_output(
    run: Any, tagger: Path, small: Path, tmp_path: Path
) -> None:
    target = tmp_path / "new" / "folder" / "out.conllu"
    assert run("tag", "-m", tagger, small, "--outfile", target).exit_code == 0
    assert target.read_text() == run("tag", "-m", tagger, small, "-o", "-").stdout


def test_output_never_takes_the_place_of_an_input(
    run: Any, tagger: Path, parser: Path, small: Path, tmp_path: Path
) -> None:
    copy, link = tmp_path / "copy.conllu", tmp_path / "link.conllu"
    copy.write_bytes(small.read_bytes())
    link.symlink_to(copy)
    for arguments in (
        ("tag", "-m", tagger, copy, "-o", copy),
        ("tag", "-m", tagger, link, "-o", copy),
        ("tag", "-m", tagger, copy, "-o", tagger),
        ("parse", "-m", parser, copy, "-o", parser),
        ("parse", "-m", parser, "--tagger", tagger, copy, "-o", tagger),
    ):
        result = run(*arguments)
        assert result.exit_code == 2
        assert "is an input file too" in result.stderr
    assert copy.read_bytes() == small.read_bytes()


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("file/out", "cannot be written"),
        ("/proc/nowhere/out", "cannot be written"),
        ("/dev/full", "No space left on device"),
    ],
)
def test_output_that_cannot_be_written(
    place: str, message: str, run: Any, tagger: Path, small: Path, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    result = run("tag", "-m", tagger, small, "-o", tmp_path / place)
    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


def test_full_disk_leaves_the_old_output(
    shell: Any, tagger: Path, small: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out.conllu"
    target.write_text("before")
    result = shell(f"ulimit -f 1; $MEPROP tag -m {tagger} {small} -o {target}")
    assert result.returncode == 1
    assert result.stderr.startswith(f"error: {target}: cannot be written: ")
    assert [p.name for p in tmp_path.iterdir()] == ["out.conllu"]
    assert target.read_text() == "before"


PRINTING = (
    *("tag -m {tagger} {small}", "parse -m {joint} {small}", "annotate -m {joint} {small}"),
    *("evaluate {small} {small}", "validate {small}", "convert {tree}", "info {tagger}"),
    *("--help", "--version"),
)


@pytest.mark.parametrize(
    ("redirection", "reason"), [(">&-", "Bad file descriptor"), ("> /dev/full", "No space left")]
)
@pytest.mark.parametrize("command", PRINTING)
def test_output_that_reaches_nobody_is_an_error(
    command: str, redirection: str, reason: str, shell: Any, tagger: Path, joint: Path,
    small: Path, tmp_path: Path,
) -> None:  # fmt: skip
    tree = tmp_path / "tree.mrg"
    tree.write_text("(S (NP (NNP Kim)) (VP (VBZ sleeps)))\n")
    line = command.format(tagger=tagger, joint=joint, small=small, tree=tree)
    result = shell(f"$MEPROP {line} {redirection}")
    assert result.returncode == 1
    assert result.stderr.startswith(f"error: <stdout>: cannot be written: {reason}")
    assert result.stderr.count("\n") == 1


def test_closed_output_is_no_error_where_nothing_is_written_to_it(
    shell: Any, tagger: Path, small: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.conllu"
    result = shell(f"$MEPROP tag -m {tagger} {small} -o {output} >&-")
    assert (result.returncode, result.stderr) == (0, "")
    assert output.read_bytes()


@pytest.mark.parametrize("redirection", ["2>&-", "2> /dev/full", "2> >(true)"])
def test_messages_that_reach_nobody_do_not_end_the_work(
    redirection: str, shell: Any, treebank: Path, tmp_path: Path
) -> None:
    output = tmp_path / "m.safetensors"
    options = f"--train {treebank} -o {output} --hidden 8 --word-dim 8 --epochs 2 -t 1"
    result = shell(f"$MEPROP train-tagger {options} {redirection}")
    assert result.returncode == 0
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["m.jsonl", "m.safetensors"]


@pytest.mark.parametrize(
    "command", ["tag -m {tagger} {big} | head -1", "evaluate {big} {big} | true", "-h | true"]
)
def test_pipe_that_is_closed_early_is_no_error(command: str, shell: Any, tagger: Path) -> None:
    line = command.format(tagger=tagger, big=sample_treebank("train"))
    result = shell(f"set -o pipefail; $MEPROP {line}")
    assert result.returncode == 0
    assert result.stderr == ""


def test_closed_input_is_an_error_and_no_empty_file(shell: Any, tagger: Path) -> None:
    result = shell(f"$MEPROP tag -m {tagger} <&-")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "error: <stdin>: cannot be read: Bad file descriptor\n"
    assert shell(f"$MEPROP tag -m {tagger} nowhere 2>&-").returncode == 1


def test_ctrl_c_ends_with_130(tagger: Path) -> None:
    text = sample_treebank("train").read_bytes()
    process = subprocess.Popen(
        [sys.executable, "-m", "meprop_nlp.cli", "tag", "-m", str(tagger)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    # as much as fits into a pipe, each way: nobody reads while this writes, and what came is handed
    # on before the program waits for more
    sentences = text.split(b"\n\n")[:100]
    process.stdin.write(b"\n\n".join(sentences))
    process.stdin.flush()
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error == b"error: stopped by Ctrl-C\n"


@pytest.mark.parametrize(("name", "status"), [("TERM", 143), ("HUP", 129), ("KILL", 137)])
def test_other_signals_end_with_128_and_their_number_and_leave_no_file(
    name: str, status: int, shell: Any, tagger: Path, small: Path, tmp_path: Path
) -> None:
    writes = "until ls -A | grep -q '^[.]out[.]conllu[.]'; do sleep 0.1; done"
    result = shell(
        f"cd {tmp_path} && mkfifo fifo && exec 3<>fifo; $MEPROP tag -m {tagger} -o out.conllu <&3 &"
        f"{writes}; kill -{name} $!; wait $!; echo $?; ls -A"
    )
    status_, *left = result.stdout.split()
    assert int(status_) == status
    if name == "KILL":  # the next run for the same output clears up
        assert len(left) == 2
        shell(f"cd {tmp_path} && $MEPROP tag -m {tagger} -o out.conllu {small}")
        left = [p.name for p in sorted(tmp_path.iterdir())]
        assert left == ["fifo", "out.conllu"]
    else:
        assert left == ["fifo"]
        assert result.stderr == f"error: stopped by SIG{name}\n"


# progress


def _stderr_of_a_terminal(arguments: list[Any], **environment: str) -> tuple[str, str]:
    """Standard output, and what a terminal at standard error is sent."""
    ours, theirs = pty.openpty()
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        [sys.executable, "-m", "meprop_nlp.cli", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=os.environ | {"PYTHONPATH": root, "TERM": "xterm", "COLUMNS": "80"} | environment,
    )
    os.close(theirs)
    output, _ = process.communicate(timeout=60)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    return output.decode(), shown.decode()


def test_progress_is_shown_on_a_terminal_only(run: Any, tagger: Path, small: Path) -> None:
    output, shown = _stderr_of_a_terminal(["tag", "-m", tagger, small])
    assert "words/s" in shown
    n_words = sum(line[:1].isdigit() and "-" not in line[:4] for line in output.split("\n"))
    assert f"tagged {n_words} words in" in shown
    result = run("tag", "-m", tagger, small)
    assert result.stdout == output
    assert result.stderr == ""


@pytest.mark.parametrize("flag", ["--quiet", "-q", "--no-progress"])
def test_progress_can_be_switched_off(flag: str, tagger: Path, small: Path) -> None:
    assert _stderr_of_a_terminal(["tag", "-m", tagger, small, flag])[1] == ""


def test_no_color_is_honoured(tagger: Path, small: Path) -> None:
    arguments = ["tag", "-m", tagger, small]
    assert "\x1b[3" in _stderr_of_a_terminal(arguments)[1]
    assert "\x1b[3" not in _stderr_of_a_terminal(arguments, NO_COLOR="1")[1]


def test_deps_hold_the_tree_where_there_was_a_graph_from_a_file_and_a_pipe(
    run: Any, parser: Path, tmp_path: Path
) -> None:
    path = tmp_path / "empty-nodes.conllu"
    word = "1\tGo\tgo\tVERB\tVB\t_\t0\troot\t0:root\t_\n"
    node = "1.1\tgo\tgo\tVERB\tVB\t_\t_\t_\t1:conj\t_\n"
    bare = word.replace("0:root", "_")
    path.write_text(f"{word}\n{word}{node}\n{bare}{node}\n{bare}\n")
    result = run("parse", "-m", parser, path)
    rows = [line.split("\t") for line in result.stdout.splitlines() if line[:2] == "1\t"]
    assert [row[8] for row in rows] == [f"0:{row[7]}" for row in rows[:3]] + ["_"]
    assert result.stdout.count(node) == 2
    piped = run("parse", "-m", parser, stdin=path.read_bytes())
    assert (piped.stdout, piped.stderr) == (result.stdout, result.stderr)
