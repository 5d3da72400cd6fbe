"""Every kind of broken file that users of other parsers reported, one small text each."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from pathlib import Path

import pytest

from meprop_nlp.data.conll.reading import read, read_text
from meprop_nlp.data.report import TreebankReport
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import UNSET
from meprop_nlp.errors import ConfigError, ConlluError, DataError


def line(word_id: object, form: str = "w", head: object = "_", deprel: str = "_") -> str:
    """Return a CoNLL-U line with its line end."""
    return f"{word_id}\t{form}\t_\t_\t_\t_\t{head}\t{deprel}\t_\t_\n"


def span(name: str, form: str = "ww") -> str:
    """Return the line of a multiword token or an empty node."""
    return f"{name}\t{form}" + "\t_" * 8 + "\n"


GOOD = line(1, "a", 0) + line(2, "b", 1) + "\n"

# name: (text, line of the first fault, part of the message)
FAULTS = {
    "head-is-a-word": (line(1, head="x"), 1, "HEAD is 'x', expected an integer from 0 to 1"),
    "head-is-a-float": (line(1, head="2.0"), 1, "HEAD is '2.0', expected an integer"),
    "head-is-empty": (line(1, head=""), 1, "HEAD is '', expected an integer from 0 to 1"),
    "head-is-negative": (line(1, head=-1), 1, "HEAD is '-1', expected an integer from 0 to 1"),
    "head-out-of-range": (line(1, head=0) + line(2, head=3), 2, "HEAD is '3', expected"),
    "head-is-huge": (line(1, head="9" * 5000), 1, "expected an integer from 0 to 1"),
    "head-is-a-foreign-digit": (line(1, head="\uff11"), 1, "expected an integer"),
    "id-gap": (line(1) + line(3) + line(4), 2, "ID is '3', expected 2"),
    "id-duplicate": (line(1) + line(1), 2, "ID is '1', expected 2"),
    "id-is-a-word": (line("x"), 1, "ID is 'x', expected 1"),
    "id-has-leading-zero": (line("01"), 1, "ID is '01', expected 1"),
    "id-begins-at-zero": (line(0) + line(1), 1, "ID is '0', expected 1"),
    "missing-empty-line": (
        line(1) + line(2) + line(1) + line(2),
        3,
        "is the empty line between two sentences missing",
    ),
    "form-is-empty": (line(1, form=""), 1, "FORM is empty"),
    "form-is-a-space": (line(1, form=" "), 1, "FORM is empty"),
    "nul-byte": (line(1) + line(2, form="a\0b"), 2, "NUL byte"),
    "nine-columns": (line(1) + line(2).rpartition("\t")[0] + "\n", 2, "found 9 columns"),
    "eleven-columns": (line(1) + line(2)[:-1] + "\t_\n", 2, "found 11 columns"),
    "spaces-for-tabs": (line(1) + line(2).replace("\t", "  "), 2, "spaces between columns"),
    "interval-reversed": (line(1) + span("3-2") + line(2) + line(3), 2, "ends before it begins"),
    "interval-overlapping": (
        span("1-2") + line(1) + span("2-3") + line(2) + line(3),
        3,
        "overlaps the one before it",
    ),
    "interval-beyond-the-end": (line(1) + span("2-3") + line(2), 2, "2-3 goes beyond the last"),
    "interval-after-the-last-word": (line(1) + span("2-3"), 2, "goes beyond the last word"),
    "interval-above-another-line": (
        line(1) + span("2-5") + "# between\n" + line(2),
        2,
        "2-5 goes beyond the last word",
    ),
    "empty-node-and-no-word": (span("0.1"), 1, "an empty node and no word"),
    "interval-misplaced": (span("2-3") + line(1) + line(2) + line(3), 1, "stands before word 1"),
    "empty-node-misplaced": (line(1) + span("3.1") + line(2) + line(3), 2, "empty node of word 3"),
}

# faults of the first line, from which the format is detected
FOREIGN = {
    "spaces-for-tabs": (line(1).replace("\t", " "), "spaces between columns, CoNLL uses one tab"),
    "eleven-columns": (line(1)[:-1] + "\t_\n", "name the columns in a first line"),
    "four-columns-without-head": ("a\tDT\tB-NP\tO\n", "found 4 columns in 'a→DT→B-NP→O'"),
    "one-column": ("a\nb\n", 'give the input format "tab"'),
    "nine-columns": (line(1).rpartition("\t")[0], "found 9 columns"),
    "text-with-tabs": ("On Monday\tit\trains.\n", "for text with tabs in it, give the input"),
}

# faults if full trees are required
TREE_FAULTS = {
    "cycle": (
        line(1, "a", 2) + line(2, "b", 1) + line(3, "c", 0),
        1,
        "round in a circle: 1 'a' -> 2 'b' -> 1",
    ),
    "self-loop": (line(1, "a", 0) + line(2, "b", 2), 2, "circle: 2 'b' -> 2"),
    "no-root": (line(1, "a", 2) + line(2, "b", 1), 1, "circle"),
    "head-missing": (line(1, "a", 0) + line(2, "b", "_"), 2, "HEAD is '_', expected an integer"),
}


def faults_of(text: str, *, trees: bool = False) -> ConlluError:
    """Return the error that reading the text raises."""
    with pytest.raises(ConlluError) as caught:
        list(read_text(text, trees=trees))
    return caught.value


@pytest.mark.parametrize(("text", "number", "message"), FAULTS.values(), ids=FAULTS)
def test_fault_is_an_error_with_its_line_and_a_hint(text: str, number: int, message: str) -> None:
    error = faults_of(GOOD + text + "\n" + GOOD)
    assert error.problems[0].line == number + 3
    assert message in str(error)


@pytest.mark.parametrize(("text", "message"), FOREIGN.values(), ids=FOREIGN)
def test_file_of_no_known_format_is_refused_with_a_hint(text: str, message: str) -> None:
    error = faults_of("# comment\n" + text + "\n" + GOOD)
    assert [problem.line for problem in error.problems] == [2]
    assert message in str(error)


@pytest.mark.parametrize(("text", "number", "message"), TREE_FAULTS.values(), ids=TREE_FAULTS)
def test_broken_tree_is_an_error_only_if_trees_are_required(
    text: str, number: int, message: str
) -> None:
    error = faults_of(GOOD + text, trees=True)
    assert (error.problems[0].line, len(error.problems)) == (number + 3, 1)
    assert message in str(error)
    assert len(list(read_text(GOOD + text))) == 2


def test_message_names_file_line_and_sentence(tmp_path: Path) -> None:
    path = tmp_path / "dev.conllu"
    path.write_text("# sent_id = s7\n" + line(1, head="x"), encoding="utf-8")
    with pytest.raises(ConlluError) as caught:
        list(read(path))
    expected = f"{path}:2: sentence s7: HEAD is 'x', expected an integer from 0 to 1"
    assert str(caught.value) == expected


def test_all_faults_are_collected_up_to_the_cap_and_nothing_follows_the_first() -> None:
    text = GOOD + (line(1, head="x") + "\n" + GOOD) * 30
    sentences = []
    with pytest.raises(ConlluError) as caught:
        sentences.extend(read(io.StringIO(text), max_errors=5))
    assert len(caught.value.problems) == 5
    assert caught.value.capped
    assert [problem.line for problem in caught.value.problems] == [4, 9, 14, 19, 24]
    assert len(sentences) == 1


def test_skip_leaves_faulty_sentences_out_and_reports_them() -> None:
    report = TreebankReport()
    text = GOOD + line(1, head="x") + "\n" + GOOD
    sentences = list(read(io.StringIO(text), on_error="skip", report=report))
    assert [sentence.line for sentence in sentences] == [1, 6]
    assert (report.sentences, report.skipped, report.problems[0].line) == (2, 1, 4)


# name: (text, forms of each sentence)
ACCEPTED = {
    "crlf": (GOOD.replace("\n", "\r\n") * 2, [["a", "b"]] * 2),
    "cr-only": (GOOD.replace("\n", "\r") * 2, [["a", "b"]] * 2),
    "byte-order-mark": ("\ufeff" + GOOD, [["a", "b"]]),
    "byte-order-mark-alone": ("\ufeff", []),
    "two-byte-order-marks": ("\ufeff\ufeff" + GOOD, [["a", "b"]]),
    "byte-order-marks-among-empty-lines": ("\n\ufeff \t\n\ufeff\ufeff" + GOOD, [["a", "b"]]),
    "no-final-newline": (GOOD.rstrip("\n"), [["a", "b"]]),
    "one-final-newline": (GOOD[:-1], [["a", "b"]]),
    "leading-and-double-empty-lines": ("\n\n" + GOOD + "\n\n\n" + GOOD, [["a", "b"]] * 2),
    "empty-line-with-spaces-and-tab": (GOOD[:-1] + " \t \n" + GOOD, [["a", "b"]] * 2),
    "empty-file": ("", []),
    "only-comments": ("# a\n\n# b\n", []),
    "form-underscore-and-hash": (line(1, "_") + line(2, "#") + line(3, "#b"), [["_", "#", "#b"]]),
    "form-no-break-space": (line(1, "\u00a0") + line(2, "1\u00a0000"), [["\u00a0", "1\u00a0000"]]),
    "form-line-separators": (
        line(1, "a\u2028b") + line(2, "\u0085") + line(3, "a\vb") + line(4, "\x1c\u200b"),
        [["a\u2028b", "\u0085", "a\vb", "\x1c\u200b"]],
    ),
    "form-with-space": (line(1, "New York"), [["New York"]]),
    "head-underscore": (line(1, head="_"), [["w"]]),
    "interval-of-one-word": (span("1-1") + line(1), [["w"]]),
    "feats-and-misc-junk": (line(1).replace("_\t_\n", "foo\t_|x=y||\n"), [["w"]]),
    "comment-with-tabs": ("# text\t=\ta" + "\tb" * 7 + "\n" + GOOD, [["a", "b"]]),
    "several-roots": (line(1, "a", 0) + line(2, "b", 0), [["a", "b"]]),
}


@pytest.mark.parametrize(("text", "forms"), ACCEPTED.values(), ids=ACCEPTED)
@pytest.mark.parametrize("binary", [False, True])
def test_odd_but_harmless_file_is_read(text: str, forms: list[list[str]], binary: bool) -> None:
    source = io.BytesIO(text.encode()) if binary else io.StringIO(text, newline="")
    sentences = list(read(source, input_format="conllu" if len(forms) else "auto"))
    assert [sentence.forms for sentence in sentences] == forms
    assert all("\r" not in str(sentence) for sentence in sentences)


def test_comment_between_words_stays_in_place() -> None:
    text = "# sent_id = 1\n" + line(1) + "# here\n" + line(2) + "# end\n\n"
    [sentence] = read_text(text)
    assert str(sentence) == text
    assert sentence.comments == ["# sent_id = 1"]
    assert sentence.word_line(2) == 4


def test_comments_before_an_empty_line_go_to_the_next_sentence() -> None:
    [sentence] = read_text("# newdoc\n\n# sent_id = 1\n" + GOOD)
    assert sentence.comments == ["# newdoc", "# sent_id = 1"]
    assert (sentence.line, sentence.word_line(1)) == (3, 4)


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress])
class TestCompressedFiles:
    def test_compression_is_detected_by_content(self, pack: object, tmp_path: Path) -> None:
        path = tmp_path / "dev.conllu"
        path.write_bytes(pack(GOOD.encode()))  # type: ignore[operator]
        assert [s.forms for s in read(path)] == [["a", "b"]]
        with path.open("rb") as stream:
            assert [s.forms for s in read(stream)] == [["a", "b"]]

    def test_truncated_compressed_file_is_reported_in_one_sentence(
        self, pack: object, tmp_path: Path
    ) -> None:
        path = tmp_path / "dev.conllu.gz"
        path.write_bytes(pack((GOOD * 500).encode())[:-20])  # type: ignore[operator]
        with pytest.raises(DataError, match="compressed file is damaged or cut off"):
            list(read(path))


@pytest.mark.parametrize("start", ["B", "BZ", "BZh", "BZh9", "BZh91AY", "BZh01AY&SY", "BZhAY&SY"])
def test_text_that_begins_like_a_compressed_file_is_text(start: str, tmp_path: Path) -> None:
    path = tmp_path / "dev.conllu"
    path.write_text(f"{start}\tx\n\n")
    assert [s.forms for s in read(path, input_format="tab")] == [[start]]


def test_empty_compressed_file_has_no_sentences(tmp_path: Path) -> None:
    path = tmp_path / "dev.conllu.bz2"
    path.write_bytes(bz2.compress(b""))
    assert list(read(path)) == []


class TestNotText:
    def test_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="no such file"):
            list(read(tmp_path / "none.conllu"))

    def test_directory(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="is a directory"):
            list(read(tmp_path))

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
    def test_utf16_is_refused_with_a_hint_that_helps(self, encoding: str) -> None:
        source = io.BytesIO(GOOD.encode(encoding))
        with pytest.raises(DataError, match=f"give `encoding` {encoding}"):
            list(read(source))
        source.seek(0)
        assert len(list(read(source, encoding=encoding))) == 1

    @pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "utf-8-sig", "cp1251"])
    def test_named_encoding_is_read(self, encoding: str) -> None:
        text = line(1, "день" if encoding == "cp1251" else "Brötchen")
        [sentence] = read(io.BytesIO(text.encode(encoding)), encoding=encoding)
        assert str(sentence) == text + "\n"

    @pytest.mark.parametrize("before", ["", GOOD, GOOD * 5000])
    @pytest.mark.parametrize("newline", ["\n", "\r", "\r\n"])
    def test_bad_utf8_is_refused_with_byte_and_line(self, before: str, newline: str) -> None:
        good = ("\ufeff" + before + "1\té").replace("\n", newline).encode()
        with pytest.raises(ConlluError) as caught:
            list(read(io.BytesIO(good + b"\xff\xfe\n")))
        assert f"byte {len(good)} is not valid UTF-8" in str(caught.value)
        assert caught.value.problems[0].line == before.count("\n") + 1

    def test_character_cut_off_at_the_end(self) -> None:
        with pytest.raises(ConlluError, match=r"byte 2 is not valid UTF-8; .* `encoding`, or"):
            list(read(io.BytesIO(b"1\t\xc3")))

    def test_bad_bytes_can_be_replaced(self) -> None:
        raw = line(1, "a?b").encode().replace(b"?", b"\xff")
        [sentence] = read(io.BytesIO(raw), encoding_errors="replace")
        assert sentence.forms == ["a\ufffdb"]

    @pytest.mark.parametrize("start", [b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"%PDF", b"\x7fELF"])
    def test_foreign_file_is_named(self, start: bytes) -> None:
        with pytest.raises(DataError, match="expected a text file"):
            list(read(io.BytesIO(start + bytes(range(256)))))

    def test_random_bytes_are_not_text(self) -> None:
        with pytest.raises(DataError, match="not look like a text file"):
            list(read(io.BytesIO(bytes(range(256)))))

    def test_unknown_encoding_is_refused(self) -> None:
        with pytest.raises(DataError, match="unknown encoding: x; use"):
            list(read(io.BytesIO(b""), encoding="x"))


@pytest.mark.parametrize(
    "setting", [{"input_format": "x"}, {"on_error": "x"}, {"max_errors": 0}], ids=str
)
def test_wrong_setting_is_refused_at_once(setting: dict[str, object]) -> None:
    [name] = setting
    with pytest.raises(ConfigError, match=f"`{name}` is .*, expected"):
        read(io.StringIO(""), **setting)  # type: ignore[arg-type]


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(line(1, "é", "x").encode())))
    with pytest.raises(ConlluError, match="<stdin>:1: HEAD"):
        list(read("-"))


@pytest.mark.parametrize("shape", ["chain", "star"])
def test_sentence_of_20000_words_is_read_in_linear_time(shape: str) -> None:
    heads = range(20_000) if shape == "chain" else [0, *[1] * 19_999]
    text = "".join(line(i, "w", head) for i, head in enumerate(heads, start=1))
    report = TreebankReport()
    [sentence] = read(io.StringIO(text), trees=True, report=report)
    assert (len(sentence), report.nonprojective) == (20_000, 0)
    assert str(sentence) == text + "\n"


def test_sentence_of_20000_faults_is_read_in_linear_time() -> None:
    comments = "# between\n" * 20_000
    words = "".join(line(i, "w", "x") for i in range(1, 20_001))
    with pytest.raises(ConlluError) as caught:
        list(read(io.StringIO(line(1, "w", 0) + comments + words.partition("\n")[2]), max_errors=1))
    [problem] = caught.value.problems
    assert problem.line == 20_002
    assert "HEAD is 'x', expected an integer from 0 to 20000" in problem.message


def test_reading_streams(tmp_path: Path) -> None:
    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:
            count = len(buffer) // len(GOOD)
            piece = (GOOD * count or GOOD[: len(buffer)]).encode()
            buffer[: len(piece)] = piece
            return len(piece)

    sentences = read(io.BufferedReader(Endless(), len(GOOD) * 50))
    first: list[Sentence] = [next(sentences) for _ in range(1000)]
    assert first[-1].line == 999 * 3 + 1
    assert first[0].words[0].head == 0 != UNSET
