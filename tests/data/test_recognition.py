"""Text is told from CoNLL and from bracketed trees by how a file begins."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.recognition import looks_like_text, recognized
from meprop_nlp.errors import DataError

WORD = "1\tIt\t_\t_\t_\t_\t_\t_\t_\t_\n"

TEXT = [
    "It rains.",
    "It rains.\n\nA table:\n1\t2\n",
    "\n \t\n  \tAn indented line.\n",
    "(Reuters) - It rains.\n",
    "(see below)\n",
    "1 The quick brown fox jumps over the lazy dog.\n",
    "# A title\n\nIt rains.\n",
    "#rain\n",
    "A name\tIts meaning\nIt rains\tWater falls\n",
    "1\tThe quick brown fox\n2\tThe lazy dog\n",
    "\tAn indented line.\n",
    "a b\tc" + "d" * 1_200_000,
    "\ufeffIt rains.",
    "\ufeff\r\n# A\rb",
    "\n \x0b\n\x0c\n",
    "It rains.\n# global.columns = ID FORM\n",
    " " * 2_000_000 + "x",
    "x" * 2_000_000,
]
NO_TEXT = [
    "",
    "\n \n",
    "\ufeff",
    WORD,
    f"# text = It\n{WORD}",
    f"\ufeff\n# newdoc\n\n\r\n{WORD}",
    "The\tDT\nman\tNN\n",
    "The\tDT\t2\tdet\nman\tNN\t0\troot\n",
    "1-2\tin spite\t_\t_\t_\t_\t_\t_\t_\t_\n1\tin\n",
    "1\tin spite\t_\t_\t_\t_\t_\t \n",
    "0.1\t_\t_\t_\t_\t_\t_\t_\t_\ta b\n",
    "# newdoc\n# sent_id = 1\n",
    "# global.columns = ID FORM UPOS MISC\n1\tNew York\tPROPN\t_\n",
    "\ufeff# newdoc\n\n# global.columns = FORM ID\r\nNew York\t1\n",
    "# global.columns = FORM ID\n",
    "( (S (NP (NN tea))))",
    "((S\n  (NP (NN tea))))",
    "(S\n  (NP (NN tea)))",
    "(NN tea)",
    "( \n(NN tea))",
    WORD.replace("\t", " "),
    WORD.replace("\t", "  "),
]


@pytest.mark.parametrize("start", TEXT, ids=range(len(TEXT)))
def test_text_is_recognized(start: str) -> None:
    with recognized(io.BytesIO(start.encode())) as (source, beginning, _):
        assert beginning != ""
        assert beginning in start
        assert source.read() == start.encode()  # type: ignore[union-attr]


@pytest.mark.parametrize("start", NO_TEXT)
def test_what_is_no_text_is_recognized(start: str) -> None:
    with recognized(io.BytesIO(start.encode())) as (source, beginning, _):
        assert beginning == ""
        assert source.read() == start.encode()  # type: ignore[union-attr]


def test_beginning_is_the_first_line_that_is_no_comment() -> None:
    for text, line in (("\ufeff\n# A\nb\nc", "b"), ("# A\n# b", "# A")):
        with recognized(io.BytesIO(text.encode())) as (_, beginning, _):
            assert beginning == line


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("It rains.\tIt snows.\n", "read as text, although there are tabs in its first line, 'It"),
        ("Hund\tdog\nhen\tHenne\n", "read as columns (FORM TAG ...), since its first line is 'H"),
        ("# It\trains.\n", ""),
        ("\tIt rains.\n", ""),
        ("It rains.\n\na\tb\n", ""),
        (WORD, ""),
        ("# global.columns = ID FORM UPOS\n1\ta\t_\n", ""),
        ("# global.columns = ID FORM UPOS\n1\tNew York\t_\n", ""),
        ("1\tIt\t" + "_\t" * 6 + "_\n", ""),
    ],
)
def test_doubt_is_said(text: str, doubt: str) -> None:
    with recognized(io.BytesIO(text.encode())) as found:
        assert found.doubt.startswith(doubt)
        assert bool(found.doubt) == bool(doubt)


@pytest.mark.parametrize(
    "name", ["a.conllu", "A.CONLLU.gz", "a.conll", "a.conllx.xz", "a.conll06", "a.malttab"]
)
def test_file_named_as_conll_is_no_text(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text("It rains.")
    with recognized(path) as found:
        assert found == (path, "", "")
    assert looks_like_text("It rains.\n", name) is False
    assert looks_like_text("It rains.\n", "a.conllu.txt") is True


@given(
    text=st.sampled_from([*(text for text in TEXT if len(text) < 100), *NO_TEXT]),
    at=st.integers(0, 60),
)
def test_what_is_known_early_stays_true(text: str, at: int) -> None:
    early = looks_like_text(text[:at])
    assert early is None or early == looks_like_text(text, is_whole=True)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "utf-32-be"])
def test_other_encodings_are_recognized(encoding: str) -> None:
    for text, is_text in (("Über alles.\n", True), (WORD, False)):
        data = io.BytesIO(text.encode(encoding))
        with recognized(data, encoding) as (source, beginning, _):
            assert bool(beginning) == is_text
            assert source.read().decode(encoding) == text  # type: ignore[union-attr]


def test_text_streams_are_recognized() -> None:
    for text, is_text in (("Über alles.\r\n" * 9999, True), (WORD, False)):
        with recognized(io.StringIO(text, newline="")) as (source, beginning, _):
            assert bool(beginning) == is_text
            assert source.read(0) == ""  # type: ignore[union-attr]
            pieces = iter(lambda: source.read(100), "")  # type: ignore[union-attr]
            assert "".join(pieces) == text


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    for source, encoding, message in (
        (tmp_path / "none", "utf-8", "no such file"),
        (tmp_path, "utf-8", "is a directory"),
        (io.BytesIO("Über".encode("utf-16")), "utf-8", "is UTF-16"),
        (io.BytesIO(b"PK\x03\x04"), "utf-8", "is a zip archive"),
        (io.BytesIO(b""), "klingon", "unknown encoding"),
    ):
        with pytest.raises(DataError, match=message), recognized(source, encoding):
            pass
