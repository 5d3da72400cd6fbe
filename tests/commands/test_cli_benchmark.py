"""`benchmark`: what it measures, what it prints, and what it refuses."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp import native
from meprop_nlp.commands.processes import peak_bytes, seconds
from meprop_nlp.errors import MePropError

QUICK = ("--rounds", 1, "--threads", 2)


def test_json_has_every_figure_of_tagger_and_parser(
    run: Any, tagger: Path, parser: Path, small: Path
) -> None:
    result = run("benchmark", parser, small, "--tagger", tagger, *QUICK, "--json")
    assert result.exit_code == 0
    figures = json.loads(result.stdout)
    speeds = figures["words_per_second"]
    assert list(speeds) == ["reading", "tagging", "parsing", "writing", "together"]
    assert all(set(step) == {"1", "2"} and min(step.values()) > 0 for step in speeds.values())
    words = sum(
        line.split("\t")[0].isdecimal() for line in small.read_text(encoding="utf-8").split("\n")
    )
    assert (figures["sentences"], figures["words"]) == (10, words)
    assert figures["timed_words"] > 100 * words  # a file of ten sentences is too short to time
    assert figures["model_bytes"] == {
        "tagger": tagger.stat().st_size,
        "parser": parser.stat().st_size,
    }
    assert 0.05 < figures["start_seconds"] < 30
    assert 20e6 < figures["peak_bytes"] < 1e9
    assert figures["kernels"].startswith("native" if native.core() else "NumPy")


def test_tagger_alone_is_not_asked_to_parse(run: Any, tagger: Path, small: Path) -> None:
    result = run("benchmark", tagger, small, "--rounds", 1, "-t", 1)
    assert result.exit_code == 0
    rows = [line.split()[0] for line in result.stdout.split("\n\n")[0].splitlines()[2:]]
    assert rows == ["reading", "tagging", "writing", "together"]
    assert "1 thread\n" in result.stdout
    assert re.search(r"^memory +\d+ MB at most, 1 thread$", result.stdout, re.M)
    assert re.search(r"^start +\d\.\d{3} s for one sentence", result.stdout, re.M)


def test_without_the_core_it_says_so(shell: Any, parser: Path, small: Path, tmp_path: Path) -> None:
    command = f"MEPROP_NLP_KERNELS=reference $MEPROP benchmark {parser} {small} --rounds 1"
    result = shell(command)
    assert result.returncode == 0
    assert "on NumPy" in result.stderr
    assert "slow" in result.stderr
    assert re.search(r"^kernels +NumPy", result.stdout, re.M)


def test_packed_file_is_measured_like_a_plain_one(
    run: Any, tagger: Path, small: Path, tmp_path: Path
) -> None:
    path = tmp_path / "words.conllu.gz"
    path.write_bytes(gzip.compress(small.read_bytes()))
    result = run("benchmark", tagger, path, "--rounds", 1, "-t", 1, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["sentences"] == 10


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["TAGGER"], 2, "Missing argument"),
        (["TAGGER", "-"], 2, "needs a file, not -"),
        (["TAGGER", "SMALL", "--tagger", "TAGGER"], 2, "a parser as MODEL; found a tagger"),
        (["TAGGER", "SMALL", "--rounds", "0"], 2, "--rounds is 0"),
        (["TAGGER", "SMALL", "--threads", "-1"], 2, "--threads is -1"),
        (["TAGGER", "SMALL", "--input-format", "x"], 2, "--input-format is 'x'"),
        (["nowhere", "SMALL"], 1, "there is no model nowhere"),
        (["PARSER", "SMALL", "--tagger", "nowhere"], 1, "there is no model nowhere"),
        (["PARSER", "SMALL", "--tagger", "PARSER"], 1, "is a parser, expected a tagger"),
        (["SMALL", "SMALL"], 1, "is not a meprop_nlp model"),
        (["TAGGER", "nowhere"], 1, "nowhere: no such file"),
        (["TAGGER", "EMPTY"], 1, "no sentences in"),
        (["TAGGER", "FAULTY"], 1, "faulty.conllu:2: "),
    ],
)
def test_what_cannot_be_measured_is_told_in_a_line(
    arguments: list[str],
    status: int,
    message: str,
    run: Any,
    tagger: Path,
    parser: Path,
    small: Path,
    tmp_path: Path,
) -> None:
    empty, faulty = tmp_path / "empty.conllu", tmp_path / "faulty.conllu"
    empty.write_bytes(b"")
    faulty.write_text("1\ta" + "\t_" * 8 + "\n3\ta" + "\t_" * 8 + "\n\n", encoding="utf-8")
    named = {"SMALL": small, "TAGGER": tagger, "PARSER": parser, "EMPTY": empty, "FAULTY": faulty}
    result = run("benchmark", *(named.get(a, a) for a in arguments))
    assert result.exit_code == status
    assert message in result.stderr
    assert result.stdout == ""


def test_process_that_fails_is_told_with_its_own_words(tmp_path: Path) -> None:
    for call in (seconds, lambda words: peak_bytes(words, tmp_path / "status")):
        with pytest.raises(MePropError, match=r"`meprop-nlp tag -m no` .* 1: there is no model no"):
            call(["tag", "-m", "no"])


def test_form_that_is_asked_for_is_read_throughout(run: Any, tagger: Path, tmp_path: Path) -> None:
    path = tmp_path / "words.tab"
    path.write_text("Go\nhome\n\n", encoding="utf-8")
    result = run("benchmark", tagger, path, "--input-format", "tab", "--rounds", 1, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["words"] == 2
