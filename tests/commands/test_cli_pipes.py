"""Input and output at the same time: open pipes, Ctrl-C among threads, memory, several files."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.data.sample.treebank import sample_treebank

WORD = "1\tGo\t_\tVERB\tVB\t_\t0\troot\t_\t_\n"


@contextmanager
def started(*arguments: object, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """The program with pipes for its three streams; it does not outlive the test."""
    process = subprocess.Popen(
        [sys.executable, "-m", "meprop_nlp.cli", *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])} | settings,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            with suppress(BrokenPipeError):
                stream.close()  # type: ignore[union-attr]


def sentence_from(process: subprocess.Popen[bytes], number: int = 1) -> bytes:
    """The next sentence that comes out, or so many, within ten seconds."""
    lines = b""
    stream: Any = process.stdout
    until = time.monotonic() + 10
    while not (lines.endswith(b"\n\n") and lines.count(b"\n\n") >= number):
        assert select.select([stream], [], [], until - time.monotonic())[0], lines
        lines += os.read(stream.fileno(), 1 << 16)
    return lines


def test_each_tree_is_converted_as_soon_as_it_is_whole() -> None:
    with started("convert", PYTHONUNBUFFERED="") as process:
        stream: Any = process.stdin
        for number in range(1, 3):
            stream.write(b"( (NP\n (NN tea)))\n" * number)
            stream.flush()
            # several may be read at once
            assert sentence_from(process, number).count(b"1\ttea\t") == number


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("kernels", ["", "reference"])
def test_each_sentence_comes_out_as_soon_as_it_is_whole(
    threads: int, kernels: str, tagger: Path, parser: Path
) -> None:
    arguments = ("parse", "-m", parser, "--tagger", tagger, "-t", threads)
    with started(*arguments, MEPROP_NLP_KERNELS=kernels) as process:
        stdin: Any = process.stdin
        rest = ""
        for n in range(3):
            # the beginning of the next one does not hold it up
            stdin.write(f"{rest}\n# sent_id = {n + 1}\n".removeprefix("\n" * (n == 0)).encode())
            stdin.flush()
            if n:
                assert sentence_from(process).startswith(f"# sent_id = {n}\n1\tGo".encode())
            rest = WORD
        stdin.close()
        assert process.wait(10) == 0


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("command", ["annotate", "parse"])
def test_first_sentence_is_not_kept_waiting_for_the_second(
    command: str, threads: int, joint: Path, parser: Path
) -> None:
    model = joint if command == "annotate" else parser  # which looks for tags first
    with started(command, "-m", model, "-t", threads) as process:
        stdin: Any = process.stdin
        for _ in range(2):
            stdin.write(f"{WORD}\n".encode())
            stdin.flush()
            assert sentence_from(process).startswith(b"1\tGo\t")
        stdin.close()
        assert process.wait(10) == 0


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(("input_format", "end"), [("horizontal", b"\n"), ("vertical", b"\n\n")])
def test_words_on_lines_come_out_as_soon_as_their_sentence_is_whole(
    input_format: str, end: bytes, threads: int, joint: Path
) -> None:
    options = ("-m", joint, "-t", threads, "--input-format", input_format)
    with started("annotate", *options) as process:
        stdin: Any = process.stdin
        for _ in range(2):
            stdin.write(b"Go" + end)
            stdin.flush()
            assert b"1\tGo\t" in sentence_from(process)
        stdin.close()
        assert process.wait(10) == 0


def test_pipe_without_tags_is_refused_or_tagged_first(
    shell: Any, parser: Path, tagger: Path, tmp_path: Path
) -> None:
    (tmp_path / "models").mkdir()
    bare = WORD.replace("VERB\tVB", "_\t_")
    (tmp_path / "words").write_text(f"{bare}\n{bare}\n", encoding="utf-8")
    command = f"cat words | $MEPROP parse -m {parser}"
    refused = shell(command, cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("error: <stdin> has no UPOS and no XPOS, which the parser")
    (tmp_path / "models" / "tagger.safetensors").write_bytes(tagger.read_bytes())
    found = shell(command, cwd=tmp_path)
    assert "tagging it with models/tagger.safetensors first\n" in found.stderr
    assert found.stdout == shell(f"{command} --tagger {tagger}", cwd=tmp_path).stdout


@pytest.mark.parametrize("kernels", ["", pytest.param("reference", marks=pytest.mark.slow)])
def test_ctrl_c_ends_the_work_of_many_threads(
    kernels: str, tagger: Path, parser: Path, tmp_path: Path
) -> None:
    # a start that is soon done, and then sentences that take minutes
    endless = "".join(WORD.replace("1", str(n), 1) for n in range(1, 40_001))
    big = tmp_path / "big.conllu"
    big.write_bytes(sample_treebank("train").read_bytes() + f"{endless}\n".encode() * 20)
    arguments = ("parse", "-m", parser, "--tagger", tagger, "-t", 3, *(40 * [big]))
    with started(*arguments, MEPROP_NLP_KERNELS=kernels) as process:
        sentence_from(process)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=10)
    assert process.returncode == 130
    assert error == b"error: stopped by Ctrl-C\n"


@pytest.mark.parametrize("threads", [1, 4])
def test_head_closes_the_pipe_of_many_threads(threads: int, shell: Any, tagger: Path) -> None:
    many = " ".join(40 * [str(sample_treebank("train"))])
    result = shell(f"set -o pipefail; $MEPROP tag -m {tagger} -t {threads} {many} | head -1")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("#")


@pytest.mark.parametrize("threads", [1, 3])
def test_files_come_out_one_after_the_other(
    threads: int, run: Any, tagger: Path, parser: Path, small: Path, treebank: Path
) -> None:
    options = ("parse", "-m", parser, "--tagger", tagger, "-t", threads)
    apart = [run(*options, path).stdout for path in (small, treebank, small)]
    assert run(*options, small, treebank, small).stdout == "".join(apart)


PEAK = """
import sys
sys.argv[0] = "meprop-nlp"
from meprop_nlp.cli import make_app
try:
    make_app()()
finally:
    lines = open("/proc/self/status").read().split("\\n")
    sys.stderr.write(next(line for line in lines if line.startswith("VmHWM")).split()[1])
"""


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_memory_does_not_grow_with_the_file(
    threads: int, tagger: Path, parser: Path, tmp_path: Path
) -> None:
    peaks = []
    for times in (10, 100):
        path = tmp_path / f"{times}.conllu"
        path.write_bytes(sample_treebank("train").read_bytes() * times)
        arguments = ("parse", "-m", parser, "--tagger", tagger, "-t", threads, path)
        done = subprocess.run(
            [sys.executable, "-c", PEAK, *map(str, arguments)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=True,
            timeout=120,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        )
        peaks.append(int(done.stderr))  # kB
    assert peaks[1] - peaks[0] < 10_000


def test_pipe_that_is_read_twice_is_kept_or_refused(
    shell: Any, tagger: Path, parser: Path, small: Path, tmp_path: Path
) -> None:
    checked = shell(f"$MEPROP validate <(cat {small})")
    assert checked.returncode == 0, checked.stderr
    assert ": 10 sentences, " in checked.stdout
    for command in (
        f"benchmark {tagger} <(cat {small})",
        f"train-tagger --train {small} --test <(cat {small}) -o {tmp_path / 'new.safetensors'}",
    ):
        refused = shell(f"$MEPROP {command}")
        assert refused.returncode == 2
        assert "is read more than once, so it needs a file, not /dev/fd/" in refused.stderr


def test_standard_output_can_be_named(shell: Any, tagger: Path, small: Path) -> None:
    expected = shell(f"$MEPROP tag -m {tagger} {small}").stdout
    assert expected
    assert shell(f"$MEPROP tag -m {tagger} {small} -o /dev/stdout | cat").stdout == expected


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8:strict"])
def test_what_standard_output_lacks_is_an_escape(encoding: str, shell: Any, tmp_path: Path) -> None:
    path = tmp_path / "\udcff.conllu"
    path.write_text(WORD.replace("Go", "\u2192").replace("VB", "VB "), encoding="utf-8")
    result = shell(f"PYTHONIOENCODING={encoding} $MEPROP validate {tmp_path}/*")
    assert result.returncode == 1  # a space in a tag, no empty line
    assert "Traceback" not in result.stderr
    assert "2 errors, 0 warnings" in result.stdout
