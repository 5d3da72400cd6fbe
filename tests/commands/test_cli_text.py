"""Text into `annotate`, `tag` and `parse`, and other forms out of them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.commands import console
from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.data.spaces import text_of
from meprop_nlp.models.file import write_model_file
from meprop_nlp.models.model import Model
from meprop_nlp.models.tokenizer import Tokenizer

from ..models.models import random_joint, random_tokenizer

TEXT = "The dog barks.\nIt rains.\n\nThe cat sleeps.\n"


@pytest.fixture
def tokenizing(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """All models have a tokenizer."""
    make = Model.__init__

    def make_with_tokenizer(self: Model, *arguments: Any) -> None:
        make(self, *arguments)
        self.tokenizer = tokenizer

    monkeypatch.setattr(Model, "__init__", make_with_tokenizer)


# text in


@pytest.mark.usefixtures("tokenizing")
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("command", ["annotate", "tag", "parse"])
def test_text_is_annotated(command: str, threads: int, run: Any, joint: Path) -> None:
    result = run(command, "-m", joint, "-t", threads, stdin=TEXT)
    assert (result.exit_code, result.stderr) == (0, "")
    found = list(read_text(result.stdout))
    assert [sentence.forms[0] for sentence in found] == ["The", "It", "The"]
    assert found[0].comments == ["# newdoc", "# newpar", "# sent_id = 1"]
    assert text_of(found) == TEXT
    filled = {"annotate": {"upos", "head"}, "tag": {"upos"}, "parse": {"head"}}[command]
    for column, empty in (("upos", "_"), ("head", -1)):
        values = [value for sentence in found for value in sentence.column(column)]
        assert (empty not in values) == (column in filled)


@pytest.mark.usefixtures("tokenizing")
def test_each_file_of_text_begins_a_document(run: Any, joint: Path, tmp_path: Path) -> None:
    for name in ("a.txt", "b"):
        (tmp_path / name).write_text(TEXT)
    result = run("annotate", "-m", joint, tmp_path / "a.txt", tmp_path / "b")
    assert result.stdout.count("# newdoc\n") == 2
    assert result.stdout.count("# sent_id = 1\n") == result.stdout.count("# sent_id = 3\n") == 2
    assert result.stdout.count("# newpar\n") == 4


@pytest.mark.usefixtures("tokenizing")
def test_conll_is_annotated_as_before(run: Any, joint: Path, small: Path) -> None:
    result = run("annotate", "-m", joint, small)
    assert "newdoc" not in result.stdout
    assert [s.forms for s in read_text(result.stdout)] == [
        s.forms for s in read_text(small.read_text(encoding="utf-8"))
    ]


@pytest.mark.usefixtures("tokenizing")
def test_text_is_tagged_before_a_parser_that_reads_tags(
    run: Any, parser: Path, tagger: Path
) -> None:
    refused = run("parse", "-m", parser, stdin=TEXT)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "error: <stdin> has no UPOS and no XPOS, which the parser reads" in refused.stderr
    result = run("parse", "-m", parser, "--tagger", tagger, stdin=TEXT)
    assert result.exit_code == 0
    assert all(-1 not in sentence.column("head") for sentence in read_text(result.stdout))


def test_model_without_a_tokenizer_refuses_text_with_advice(
    run: Any, joint: Path, tagger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tokenizer, "of", lambda file: None)
    (tmp_path / "in.txt").write_text(TEXT)
    for command, model in (("annotate", joint), ("tag", tagger)):
        result = run(command, "-m", model, tmp_path / "in.txt", "-o", tmp_path / "out")
        assert result.exit_code == 1
        assert result.stderr == (
            f"error: {tmp_path}/in.txt: looks like text, with no tab in 'The dog barks.', but the "
            "model has no tokenizer; use one that was trained with --heads tokens,tags,lemmas,tree,"
            " or give words, with --input-format horizontal for a sentence a line, or "
            "--input-format vertical for a word a line\n"
        )
        result = run(command, "-m", model, "--input-format", "text", stdin=TEXT)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "error: --input-format is text, but the model has no tokenizer" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("input_format", "text"),
    [
        ("horizontal", "The dog barks .\nIt rains\n"),
        ("vertical", "The\ndog\nbarks\n.\n\nIt\nrains"),
    ],
)
def test_words_on_lines_are_annotated(input_format: str, text: str, run: Any, joint: Path) -> None:
    result = run("annotate", "-m", joint, "--input-format", input_format, stdin=text)
    assert (result.exit_code, result.stderr) == (0, "")
    forms = [sentence.forms for sentence in read_text(result.stdout)]
    assert forms == [["The", "dog", "barks", "."], ["It", "rains"]]
    assert run("tag", "-m", joint, "--input-format", input_format, stdin="").stdout == ""


def test_presegmented_text_has_a_sentence_a_line(run: Any, tmp_path: Path) -> None:
    joint, tokenizer = random_joint(1), random_tokenizer(1)
    header = {**tokenizer.header, **joint.header}
    path = tmp_path / "m.safetensors"
    write_model_file(path, header, {**joint.arrays, **tokenizer.arrays})
    text = "This is one\nThis is two. And more\n\nIt rains"
    result = run("annotate", "-m", path, "--input-format", "presegmented", stdin=text)
    assert (result.exit_code, result.stderr) == (0, "")
    sentences = list(read_text(result.stdout))
    assert [sentence.text for sentence in sentences] == [line for line in text.split("\n") if line]
    assert ["# newpar" in sentence.comments for sentence in sentences] == [True, False, True]
    assert text_of(sentences).strip() == text
    ranged = ("--input-format", "presegmented", "--token-ranges")
    assert f":{len(text)}\n" in run("annotate", "-m", path, *ranged, stdin=text).stdout


@pytest.mark.usefixtures("tokenizing")
@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (b"It.\n\nIt \0\n", "", "<stdin>:3: a NUL byte in "),
        (b"It.\n\nIt \xe9\n", "", "<stdin>:3: byte 8 is not valid UTF-8; give the file's --enco"),
        ("Über".encode("utf-16"), "", "the file is UTF-16, expected UTF-8; give --encoding utf-16"),
        (b"\x89PNG\r\n\x1a\n", "", "<stdin> is a PNG image, expected a text file"),
        (b"It.", "--encoding klingon", "unknown encoding: klingon"),
        (b"It\trains.\nOn a Monday.", "", "expected 2; for text with tabs in it, give the"),
        (b"It\tPRON", "--input-format vertical", "<stdin>:1: a tab in 'It→PRON', expected one wor"),
    ],
)  # fmt: skip
def test_what_is_no_text_is_one_line_and_status_1(
    data: bytes, options: str, message: str, run: Any, joint: Path
) -> None:
    result = run("annotate", "-m", joint, *options.split(), stdin=data)
    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.usefixtures("tokenizing")
def test_doubtful_input_is_said_unless_its_format_is_given(run: Any, joint: Path) -> None:
    for text, how, given in (
        ("The dog.\tIt barks.\n", "read as text, although", "text"),
        ("Hund\tdog\nhen\tHenne\n", "read as columns (FORM TAG ...), since", "tab"),
    ):
        result = run("annotate", "-m", joint, stdin=text)
        assert (result.exit_code, result.stderr.count("\n")) == (0, 1)
        assert result.stderr.startswith(f"<stdin>: {how}")
        assert result.stderr.endswith("; --input-format says what it is\n")
        for options in (("-q",), ("--input-format", given)):
            again = run("annotate", "-m", joint, *options, stdin=text)
            assert (again.stdout, again.stderr) == (result.stdout, "")


@pytest.mark.usefixtures("tokenizing")
@pytest.mark.parametrize("text", ["", " \n\n", "\ufeff", " \n\x0b\x0c\n", "😀 😀😀"])
def test_odd_texts_are_taken(text: str, run: Any, joint: Path) -> None:
    result = run("annotate", "-m", joint, stdin=text)
    assert (result.exit_code, result.stderr) == (0, "")
    assert [form for s in read_text(result.stdout) for form in s.forms] == ["😀"] * text.count("😀")


@pytest.mark.usefixtures("tokenizing")
def test_text_of_another_encoding(run: Any, joint: Path) -> None:
    result = run("annotate", "-m", joint, "--encoding", "latin-1", stdin="Zoë.".encode("latin-1"))
    assert "\tZoë\t" in result.stdout


@pytest.mark.usefixtures("tokenizing")
def test_columns_of_text_cannot_be_kept(run: Any, joint: Path) -> None:
    for options in ((), ("--input-format", "text"), ("--input-format", "horizontal")):
        result = run("annotate", "-m", joint, "--keep", "upos", *options, stdin=TEXT)
        assert (result.exit_code, result.stdout) == (1, "")
        message = "<stdin>: is text, which has no upos to keep; leave --keep out"
        assert result.stderr == f"error: {message}\n"


@pytest.mark.usefixtures("tokenizing")
@pytest.mark.parametrize("options", [(), ("--output-format", "tsv")])
def test_input_without_words_is_said_on_a_terminal(
    options: tuple[str, ...], run: Any, joint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "is_seen", lambda: True)
    for given in ("", " \n\n", "# a = b\n"):
        result = run("annotate", "--no-progress", "-m", joint, *options, stdin=given)
        assert result.exit_code == 0
        assert result.stderr == "<stdin>: no words in it, nothing to write\n"
    assert run("annotate", "--no-progress", "-m", joint, stdin=TEXT).stderr == ""


# other forms out


def test_json_has_an_object_a_sentence(run: Any, joint: Path, small: Path) -> None:
    conllu = list(read_text(run("annotate", "-m", joint, small).stdout))
    result = run("annotate", "-m", joint, small, "--output-format", "json", "-t", 3)
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [sentence["id"] for sentence in found] == [sentence.sent_id for sentence in conllu]
    for column in ("form", "upos", "head", "deprel"):
        values = [
            [token.get(column) for token in sentence["tokens"] if isinstance(token["id"], int)]
            for sentence in found
        ]
        assert values == [sentence.column(column) for sentence in conllu]


def test_confidence_comes_out_where_a_table_has_misc(run: Any, joint: Path, small: Path) -> None:
    options = ("--confidence", "--output-format", "tsv", "--columns", "form,misc")
    assert "UPOSConf=" in run("annotate", "-m", joint, small, *options).stdout


def test_table_has_one_header_for_all_files(run: Any, joint: Path, small: Path) -> None:
    options = ("--output-format", "tsv", "--columns", "form,upos,head")
    result = run("annotate", "-m", joint, small, small, *options)
    lines = (line for line in io.StringIO(result.stdout) if line.strip())
    rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    conllu = list(read_text(run("annotate", "-m", joint, small).stdout))
    assert [row["upos"] for row in rows] == 2 * [t for s in conllu for t in s.column("upos")]
    assert result.stdout.startswith("form\tupos\thead\n")
    assert run("annotate", "-m", joint, *options, stdin="").stdout == "form\tupos\thead\n"
    assert run("annotate", "-m", joint, *options, "nowhere").stdout == ""


def test_words_on_lines_come_out_and_go_in_again(run: Any, joint: Path, small: Path) -> None:
    sentences = read_text(small.read_text(encoding="utf-8"))
    expected = [[form for form, _ in sentence.tokens()] for sentence in sentences]
    for form in ("horizontal", "vertical"):
        words = run("tag", "-m", joint, small, "--output-format", form).stdout
        again = run("tag", "-m", joint, "--input-format", form, stdin=words).stdout
        assert [sentence.forms for sentence in read_text(again)] == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--output-format xml", "--output-format is 'xml', expected one of conllu, json"),
        ("--columns form", "--columns are for --output-format tsv, found conllu"),
        ("--output-format tsv --columns form,tag", "--columns is form,tag, expected any of id"),
        ("--input-format xml", "--input-format is 'xml', expected one of auto, conllu, conllx"),
        ("--confidence --output-format tsv", "--confidence is written to MISC, which --output"),
        ("--confidence --output-format horizontal", "--output-format horizontal does not have; l"),
        ("--confidence --input-format tab", "--confidence has no use with --input-format tab"),
        ("--token-ranges --output-format tsv --columns id", "not have; add misc to --columns"),
        ("--token-ranges --input-format vertical", "--token-ranges has no use with --input-format"),
        ("--force", "--force goes with a folder for the results, found --output -"),
    ],
)  # fmt: skip
def test_wrong_formats_end_with_status_2(options: str, message: str, run: Any, joint: Path) -> None:
    result = run("annotate", "-m", joint, *options.split(), stdin="")
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
