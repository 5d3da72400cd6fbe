"""Faulty files given to every command: one sentence with file and line, and nothing broken."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest


def word(number: object, form: str = "a", head: object = 0, deprel: str = "root") -> str:
    return f"{number}\t{form}\t_\tNOUN\tNN\t_\t{head}\t{deprel}\t_\t_"


def sentence(*lines: str) -> str:
    return "\n".join(lines) + "\n\n"


GOOD = sentence(word(1, "a", 2, "det"), word(2, "b"))
FIRST, LAST = word(1, "a", 2, "det"), word(2, "b")

# what no command can read: (content, line at fault, what the message says)
UNREADABLE: dict[str, tuple[str | bytes, int, str]] = {
    "head_out_of_range": (GOOD + sentence(word(1, "a", 9), LAST), 4, "HEAD is '9', expected an"),
    "head_negative": (GOOD + sentence(word(1, "a", -1), LAST), 4, "HEAD is '-1', expected an"),
    "head_letter": (GOOD + sentence(word(1, "a", "x"), LAST), 4, "HEAD is 'x', expected an"),
    "head_decimal": (GOOD + sentence(word(1, "a", "2.0"), LAST), 4, "HEAD is '2.0', expected an"),
    "id_letter": (GOOD + sentence(word("x"), LAST), 4, "ID is 'x', expected 1"),
    "id_huge": (GOOD + sentence(word("9" * 30), LAST), 4, "expected 1"),
    "id_gap": (GOOD + sentence(FIRST, word(3)), 5, "ID is '3', expected 2"),
    "id_twice": (GOOD + sentence(FIRST, word(1)), 5, "ID is '1', expected 2"),
    "four_columns": (GOOD + sentence("1\ta\t_\tX", LAST), 4, "found 4 columns"),
    "eleven_columns": (GOOD + sentence(FIRST + "\tz", LAST), 4, "found 11 columns"),
    "spaces_for_tabs": (GOOD.replace("\t", "  "), 1, "CoNLL uses one tab"),
    "prose": ("It rains today.\nAnd so on.\n", 1, "found 1 column"),
    "nul_byte": (GOOD + sentence(word(1, "a\0b", 2), LAST), 4, "a NUL byte"),
    "latin_1": ((GOOD + word(1, "café") + "\n").encode("latin-1"), 4, "not valid UTF-8"),
    "empty_form": (GOOD + sentence(word(1, "", 2), LAST), 4, "FORM is empty"),
    "no_empty_line": (GOOD.rstrip("\n") + "\n" + GOOD, 3, "is the empty line between"),
    "token_reversed": (GOOD + sentence("2-1" + "\t_" * 9, FIRST, LAST), 4, "ends before it begins"),
    "token_too_long": (GOOD + sentence("1-9" + "\t_" * 9, FIRST, LAST), 4, "beyond the last word"),
    "empty_node_astray": (GOOD + sentence(FIRST, "5.1" + "\t_" * 9, LAST), 5, "an empty node of"),
}  # fmt: skip

# what cannot be read, with no line to name: (content, what the message says)
FOREIGN: dict[str, tuple[bytes, str]] = {
    "utf_16": (GOOD.encode("utf-16"), "the file is UTF-16, expected UTF-8; give --encoding utf-16"),
    "zip": (b"PK\x03\x04" + bytes(50), "a zip archive, expected a text file"),
    "cut_gzip": (gzip.compress(GOOD.encode() * 99)[:60], "is damaged or cut off"),
}

# what is no tree: fine to tag and parse, not to train a parser on or to score
NO_TREE: dict[str, tuple[str, int, str]] = {
    "circle": (
        GOOD + sentence(word(1, "a", 2), word(2, "b", 1), word(3)),
        4,
        "1 'a' -> 2 'b' -> 1",
    ),
    "self_loop": (GOOD + sentence(word(1, "a", 1), LAST), 4, "1 'a' -> 1"),
    "no_root": (GOOD + sentence(word(1, "a", 2), word(2, "b", 1)), 4, "expected a tree"),
    "no_heads": (GOOD + sentence(word(1, "a", "_", "_"), LAST), 4, "a full tree is needed"),
}

# what is odd, and taken by all commands that read words
FINE: dict[str, str] = {
    "crlf": (GOOD + GOOD).replace("\n", "\r\n"),
    "cr": (GOOD + GOOD).replace("\n", "\r"),
    "byte_order_mark": "\ufeff" + GOOD,
    "no_last_newline": GOOD.rstrip("\n"),
    "one_last_newline": GOOD.rstrip("\n") + "\n",
    "many_empty_lines": "\n\n" + GOOD + "\n\n\n" + GOOD,
    "spaces_in_empty_line": GOOD.rstrip("\n") + "\n \t\n" + GOOD,
    "comment_inside": sentence(FIRST, "# inside", LAST),
    "hash_and_underscore": sentence(word(1, "#", 2, "det"), word(2, "_")),
    "odd_spaces": sentence(word(1, "a b", 2, "x"), word(2, "a\u2028b"), word(3, "a\x0bb", 2, "x")),
    "nfc_and_nfd": sentence(word(1, "caf\u00e9", 2, "x"), word(2, "cafe\u0301")),
    "junk_in_feats": sentence("1\ta\t_\tX\tX\tfoo\t2\tx\t_\t_|x=y", LAST),
    "token_of_one": GOOD + sentence("1-1" + "\t_" * 9, FIRST, LAST),
    "tab_in_comment": "# text = a\tb\n" + GOOD,
    "one_word": sentence(word(1)),
    "no_labels": sentence(word(1, "a", 2, "_"), word(2, "b", 0, "_")),
}
# of these, what is no valid CoNLL-U, as the official validator too says at its level 1
INVALID = {
    "crlf", "cr", "byte_order_mark", "no_last_newline", "one_last_newline", "many_empty_lines",
    "spaces_in_empty_line", "comment_inside", "nfc_and_nfd",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an output file that stands there already."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "result").write_text("before")
    return tmp_path


def command_line(command: str, path: Path, folder: Path, tagger: Path, parser: Path) -> list[Any]:
    output = folder / "out" / "result"
    small = ["--hidden", 8, "--epochs", 1, "-t", 1]
    return {
        "tag": ["tag", "-m", tagger, path, "-o", output],
        "parse": ["parse", "-m", parser, path, "-o", output],
        "evaluate": ["evaluate", path, path],
        "validate": ["validate", path],
        "train-parser": ["train-parser", "--train", path, "-o", folder / "m.safetensors", *small],
    }[command]


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / f"{name}.conllu"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def is_untouched(folder: Path) -> bool:
    out = folder / "out"
    return [p.name for p in out.iterdir()] == ["result"] and (
        out / "result"
    ).read_text() == "before"


@pytest.mark.parametrize("command", ["tag", "parse", "evaluate", "validate", "train-parser"])
@pytest.mark.parametrize("name", UNREADABLE)
def test_faulty_file_is_refused_with_its_line(
    name: str, command: str, run: Any, folder: Path, tagger: Path, parser: Path
) -> None:
    content, line, message = UNREADABLE[name]
    path = written(folder, name, content)
    result = run(*command_line(command, path, folder, tagger, parser))
    told = result.stdout if command == "validate" else result.stderr
    assert result.exit_code == 1
    assert told.startswith(f"error: {path}:{line}: ")
    assert message in told.split("\n")[0]
    assert is_untouched(folder)
    assert not (folder / "m.safetensors").exists()


@pytest.mark.parametrize("command", ["tag", "parse", "evaluate", "validate", "train-parser"])
@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_file_is_refused_by_name(
    name: str, command: str, run: Any, folder: Path, tagger: Path, parser: Path
) -> None:
    content, message = FOREIGN[name]
    path = written(folder, name, content)
    result = run(*command_line(command, path, folder, tagger, parser))
    assert result.exit_code == 1
    assert message in result.stderr
    assert str(path) in result.stderr
    assert is_untouched(folder)


@pytest.mark.parametrize("command", ["evaluate", "validate", "train-parser"])
@pytest.mark.parametrize("name", NO_TREE)
def test_where_trees_are_needed_a_graph_is_refused(
    name: str, command: str, run: Any, folder: Path, tagger: Path, parser: Path
) -> None:
    content, line, message = NO_TREE[name]
    path = written(folder, name, content)
    result = run(*command_line(command, path, folder, tagger, parser))
    told = result.stdout if command == "validate" else result.stderr
    assert result.exit_code == 1
    assert told.startswith(f"error: {path}:{line}: ")
    assert message in told


@pytest.mark.parametrize("command", ["tag", "parse"])
@pytest.mark.parametrize("name", NO_TREE)
def test_graph_is_tagged_and_parsed_all_the_same(
    name: str, command: str, run: Any, folder: Path, tagger: Path, parser: Path
) -> None:
    path = written(folder, name, NO_TREE[name][0])
    assert run(*command_line(command, path, folder, tagger, parser)).exit_code == 0
    result = run("validate", folder / "out" / "result")
    assert result.exit_code == (0 if command == "parse" else 1)  # parsed: trees


@pytest.mark.parametrize("command", ["tag", "parse", "evaluate", "train-parser"])
@pytest.mark.parametrize("name", FINE)
def test_odd_file_is_taken(
    name: str, command: str, run: Any, folder: Path, tagger: Path, parser: Path
) -> None:
    path = written(folder, name, FINE[name])
    result = run(*command_line(command, path, folder, tagger, parser))
    assert result.exit_code == 0, result.stderr
    if command in ("tag", "parse"):
        result = run("validate", "--json", folder / "out" / "result")
        source = run("validate", "--json", path)
        assert json.loads(result.stdout)[0]["words"] == json.loads(source.stdout)[0]["words"] > 0


@pytest.mark.parametrize("name", FINE)
def test_odd_file_is_valid_if_it_keeps_to_the_format(name: str, run: Any, folder: Path) -> None:
    result = run("validate", written(folder, name, FINE[name]))
    assert result.exit_code == (1 if name in INVALID else 0), result.stdout
    assert result.stdout.splitlines()[-1].startswith("not looked at: ")


def test_form_of_spaces_alone_can_be_tagged(run: Any, folder: Path, tagger: Path) -> None:
    path = written(folder, "spaces", sentence(word(1, "\u00a0"), word(2, "\u200b", 1, "x")))
    assert run("tag", "-m", tagger, path).stdout.count("\u00a0") == 1


@pytest.mark.parametrize("content", ["", "\n\n\n", "# a\n# b\n\n# c\n"])
@pytest.mark.parametrize("command", ["tag", "parse", "evaluate", "validate", "train-parser"])
def test_file_without_sentences(
    content: str, command: str, run: Any, folder: Path, tagger: Path, parser: Path
) -> None:
    path = written(folder, "empty", content)
    result = run(*command_line(command, path, folder, tagger, parser))
    if command in ("evaluate", "train-parser"):
        assert result.exit_code == 1
        assert "no sentences" in result.stderr
    else:
        assert result.exit_code == 0
    if command == "validate":
        assert "0 sentences" in result.stdout


def test_several_errors_are_told_up_to_a_cap(run: Any, folder: Path, tagger: Path) -> None:
    path = written(folder, "many", sentence(word(1, "a", "x")) * 50)
    lines = run("tag", "-m", tagger, path).stderr.strip().split("\n")
    assert len(lines) == 21
    assert lines[19].startswith(f"{path}:39: ")
    assert lines[20] == "stopped after 20 errors; there may be more"


def test_validate_tells_all_errors_up_to_its_own_cap(run: Any, folder: Path) -> None:
    path = written(folder, "many", sentence(word(1, "a", "x")) * 50)
    assert run("validate", path).stdout.count("error: ") == 50
    result = run("validate", "--max-errors", 7, path)
    assert result.stdout.count("error: ") == 7
    assert "43 more; see --max-errors" in result.stdout
    assert run("validate", "--max-errors", -1, path).exit_code == 2


def test_validate_tells_what_nothing_can_read_once(run: Any, folder: Path) -> None:
    result = run("validate", written(folder, "prose", "It rains.\n"))
    assert (result.stdout + result.stderr).count("found 1 column") == 1


def test_validate_as_json_names_each_finding(run: Any, folder: Path) -> None:
    path = written(folder, "mixed", GOOD + sentence(word(1, "a", "x")) + sentence(word(1), word(2)))
    result = run("validate", "--json", path)
    (described,) = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (described["sentences"], described["skipped"]) == (2, 1)
    assert [(f["severity"], f["code"], f["line"]) for f in described["findings"]] == [
        ("error", "unknown-head", 4),
        ("warning", "multiple-roots", 7),
    ]


def test_help_of_validate_names_the_columns_that_it_warns_of(run: Any) -> None:
    text = " ".join(run("validate", "--help").stdout.split())
    assert "Warnings are about UPOS, FEATS, DEPREL, DEPS and roots" in text


def test_validate_reads_standard_input(run: Any) -> None:
    result = run("validate", stdin=GOOD + sentence(word(1, "a", "x")))
    assert result.exit_code == 1
    assert "<stdin>:4: HEAD is 'x'" in result.stdout
    assert "1 sentence, 2 words" in result.stdout


def test_faulty_sentences_can_be_skipped(run: Any, folder: Path, tagger: Path) -> None:
    path = written(folder, "mixed", GOOD + sentence(word(1, "a", "x")) + GOOD)
    result = run("tag", "-m", tagger, "--on-error", "skip", path)
    assert result.exit_code == 0
    assert result.stdout.count("\n\n") == 2
    assert f"skipped: {path}:4: HEAD is 'x'" in result.stderr


def test_encoding_can_be_given(run: Any, folder: Path, tagger: Path) -> None:
    content = GOOD + sentence(word(1, "café"))
    latin = written(folder, "latin", content.encode("latin-1"))
    assert "café" in run("tag", "-m", tagger, latin, "--encoding", "latin-1").stdout
    result = run("tag", "-m", tagger, latin, "--encoding", "klingon")
    assert result.exit_code == 1
    assert "unknown encoding: klingon" in result.stderr
    model = folder / "m.safetensors"
    small = ("--hidden", 8, "--epochs", 1, "-t", 1)
    wide = written(folder, "wide", content.encode("utf-16"))
    command = ("train-tagger", "--train", wide, "-o", model, "--encoding", "utf-16", *small)
    result = run(*command)
    assert result.exit_code == 0, result.stderr
    result = run("tag", "-m", model, latin, "--encoding", "utf-16")
    assert result.exit_code == 1
    assert "is --encoding right?" in result.stderr


@pytest.mark.parametrize("command", ["tag", "parse"])
def test_sentence_of_five_thousand_words(
    command: str, run: Any, folder: Path, tagger: Path, parser: Path
) -> None:
    lines = [word(i, f"w{i % 97}", i - 1, "root" if i == 1 else "dep") for i in range(1, 5001)]
    path = written(folder, "long", sentence(*lines))
    assert run(*command_line(command, path, folder, tagger, parser)).exit_code == 0
    assert (folder / "out" / "result").read_text().count("\n") == 5001


def test_nothing_remains_when_the_last_sentence_is_faulty(
    run: Any, folder: Path, tagger: Path
) -> None:
    path = written(folder, "late", GOOD * 3000 + sentence(word(1, "a", "x")))
    result = run("tag", "-m", tagger, path, "-o", folder / "out" / "result")
    assert result.exit_code == 1
    assert f"{path}:9001: " in result.stderr
    assert is_untouched(folder)


def test_validate_goes_on_after_a_file_that_is_not_there(run: Any, small: Path) -> None:
    result = run("validate", "nope.conllu", small)
    assert result.exit_code == 1
    assert "nope.conllu: no such file" in result.stderr
    assert f"{small}: 0 errors" in result.stdout
    first, second = json.loads(run("validate", "nope.conllu", small, "--json").stdout)
    assert (first["readable"], first["error"]) == (False, "nope.conllu: no such file")
    assert second["sentences"] == 10


def test_standard_input_has_one_name(run: Any, small: Path) -> None:
    assert "<stdin>: 0 errors" in run("validate", stdin=small.read_bytes()).stdout


@pytest.mark.parametrize("encoding", ["hex", "base64", "rot13", "zlib", "a\udcff", "nonsense"])
def test_encoding_that_is_none_of_text_is_refused(encoding: str, run: Any, small: Path) -> None:
    result = run("validate", small, "--encoding", encoding)
    assert result.exit_code == 1
    assert "use a name such as utf-8, utf-16 or latin-1" in result.stderr


@pytest.mark.parametrize("text", ["Go\nhome\n\n", "Go\tX\nhome\tX\n\n"])
def test_tab_files_come_out_with_what_was_predicted(
    text: str, run: Any, tagger: Path, parser: Path
) -> None:
    tab = ("--input-format", "tab", "-q")
    tagged = run("tag", "-m", tagger, *tab, stdin=text).stdout
    assert [line.count("\t") for line in tagged.splitlines()] == [1, 1, 0]
    assert "\tX\n" not in tagged
    parsed = run("parse", "-m", parser, "--tagger", tagger, *tab, stdin=text).stdout
    assert [line.count("\t") for line in parsed.splitlines()] == [3, 3, 0]
