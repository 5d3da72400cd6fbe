"""CoNLL-U Plus by its header, and the advice that messages about columns give, followed."""

from __future__ import annotations

import io
import re
import subprocess
from pathlib import Path

import pytest

from meprop_nlp.data.conll.chunks import read_documents
from meprop_nlp.data.conll.layout import CONLLU, Layout
from meprop_nlp.data.conll.reading import parse_lines, read, read_text
from meprop_nlp.data.conll.validate import validate
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import COLUMNS
from meprop_nlp.errors import ConlluError

FORMATS = Path(__file__).parents[3] / "docs" / "formats.md"
HEADER = "# global.columns = HEAD ID FORM UPOS PARSEME:MWE DEPREL\n"
PLUS = (
    HEADER
    + "# sent_id = 1\n_\t1-2\tIm\t_\t*\t_\n3\t1\tIn\tADP\t1:X\tcase\n3\t2\tdem\tDET\t1\tdet\n"
    + "_\t2.1\tx\tNOUN\t*\t_\n0\t3\tHaus\tNOUN\t*\troot\n\n0\t1\tJa\tINTJ\t*\troot\n\n"
)
CONLL09 = (
    "1\tIt\tit\tit\tPRP\tPRP\t_\t_\t2\t2\tSBJ\tSBJ\t_\t_\tA0\n"
    "2\trains\train\train\tVBZ\tVBZ\t_\t_\t0\t0\tROOT\tROOT\tY\train.01\t_\n\n"
)


def test_header_says_which_column_is_which() -> None:
    first, second = read_text(PLUS, trees=True)
    assert first.forms == ["In", "dem", "Haus"]
    assert first.column("head") == [3, 3, 0]
    assert first.column("upos") == ["ADP", "DET", "NOUN"]
    assert first.column("lemma") == ["_", "_", "_"]
    assert [(token.first, token.last, token.form) for token in first.multiword_tokens] == [
        (1, 2, "Im")
    ]
    assert [(node.after, node.form) for node in first.empty_nodes] == [(2, "x")]
    assert second.column("deprel") == ["root"]
    assert first.word_line(3) == 7


def test_other_columns_are_kept_and_new_ones_come_last() -> None:
    sentences = list(read_text(PLUS))
    assert "".join(map(str, sentences)) == PLUS
    retagged = "".join(str(s.with_columns(upos=["X"] * len(s))) for s in sentences)
    assert retagged == re.sub(r"ADP|DET|INTJ|(?<=Haus\t)NOUN", "X", PLUS)
    widened = "".join(str(s.with_columns(lemma=["y"] * len(s))) for s in sentences)
    assert widened.startswith(HEADER[:-1] + " LEMMA\n")
    assert "\n0\t3\tHaus\tNOUN\t*\troot\ty\n" in widened
    assert "\n_\t2.1\tx\tNOUN\t*\t_\t_\n" in widened
    assert "".join(map(str, read_text(widened))) == widened


def test_plus_is_written_as_conllu_without_its_header() -> None:
    texts = [sentence.to_text(CONLLU) for sentence in read_text(PLUS)]
    assert "global.columns" not in texts[0]
    (plain, again) = read_text("".join(texts), input_format="conllu")
    assert plain.layout == again.layout == CONLLU
    assert plain.column("head") == [3, 3, 0]
    assert len(plain.empty_nodes) == 1


@pytest.mark.parametrize("between", ["", "\n"])
def test_chunks_are_read_by_the_header_too(between: str) -> None:
    text = PLUS.replace(HEADER, HEADER + between)
    read_in_chunks = list(read_documents(io.BytesIO(text.encode()), size=1))
    assert all(isinstance(sentence, Sentence) for sentence in read_in_chunks)
    assert list(map(str, read_in_chunks)) == list(map(str, read_text(PLUS)))


FAULTY = HEADER + "0\t1\ta\tX\t*\n\n"


@pytest.mark.parametrize("start", ["", FAULTY, FAULTY * 3, HEADER + "\n# c\n" + FAULTY])
def test_header_of_a_sentence_left_out_stays(start: str) -> None:
    rest = "# sent_id = 2\n0\t1\tb\tX\t*\troot\n\n" * 2
    text = (start or HEADER) + rest
    found = list(map(str, read(io.StringIO(text), on_error="skip")))
    assert "".join(found) == HEADER + rest
    for size in (1, 1000):
        source = io.BytesIO(text.encode())
        assert list(map(str, read_documents(source, on_error="skip", size=size))) == found
    codes = {finding.code for finding in validate(io.StringIO(text))}
    assert codes <= {"number-of-columns", "empty-sentence", "non-unique-sent-id"}


def test_words_are_counted_by_their_ids_wherever_these_stand() -> None:
    lines = ["# global.columns = FORM ID", "# 1\t1", "ab\t1-2", "1\t1", "b\t2", "c\t2.1", ""]
    for most_words, n_faults in ((2, 0), (1, 1)):
        (block,) = parse_lines(lines, path="", most_words=most_words)
        assert isinstance(block, list) == bool(n_faults)
        if isinstance(block, list):
            assert "a sentence of 2 words, expected at most 1" in block[0].message


def test_header_of_the_ten_columns_is_conllu() -> None:
    names = "ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC"
    text = f"# global.columns = {names}\n1\ta\t_\tX\t_\t_\t0\tROOT\t_\t_\n\n"
    (sentence,) = read_text(text)
    assert sentence.layout == CONLLU
    assert str(sentence) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PLUS.replace("ID FORM", "NUMBER FORM"), ":1: .*expected ID among them"),
        (PLUS.replace("UPOS", "ID"), ":1: .*ID twice"),
        (PLUS.replace("In\tADP", "In"), ":4: found 5 columns .*expected 6"),
        (PLUS + HEADER.replace("UPOS", "XPOS") + "0\t1\ta\tb\tc\td\n\n", ":11: .*file of its own"),
        ("1\ta" + "\t_" * 8 + "\n\n" + PLUS.split("\n\n")[0] + "\n\n", "global.columns|found 6"),
    ],
)
def test_header_that_does_not_fit_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConlluError, match=message):
        list(read_text(text))
    with pytest.raises(ConlluError, match=message):
        list(read_documents(io.BytesIO(text.encode())))


def test_so_many_columns_that_comparing_each_pair_would_take_hours_are_refused_at_once() -> None:
    names = " ".join(f"c{n}" for n in range(200_000))
    with pytest.raises(ConlluError, match="c7 twice"):
        list(read_text(f"# global.columns = ID FORM {names} c7\n1\ta\n\n"))


def test_header_is_not_overruled_in_silence() -> None:
    with pytest.raises(ConlluError, match="expected CoNLL-X; leave it out"):
        list(read_text(PLUS, input_format="conllx"))
    assert len(list(read_text(PLUS, input_format="conllu"))) == 2


def test_format_is_checked_by_the_header() -> None:
    text = PLUS.replace("ADP", "A P")
    findings = list(validate(io.BytesIO(text.encode())))
    assert [(f.code, f.problem.line) for f in findings] == [
        ("invalid-whitespace", 4), ("unknown-upos", 4),
    ]  # fmt: skip
    assert "UPOS is 'A P'" in str(findings[0])


def test_spaces_are_checked_by_the_ids_wherever_these_stand() -> None:
    text = "# global.columns = FORM ID\na-b c\t1\nd e\t2-3\nd\t2\ne\t3\n\n"
    findings = list(validate(io.BytesIO(text.encode()), trees=False))
    assert [(f.code, f.problem.line) for f in findings] == [("invalid-whitespace-mwt", 3)]


# --- each hint in a message about columns, and what comes of following it


def refusal(text: str, **options: str) -> str:
    with pytest.raises(ConlluError) as caught:
        list(read(io.BytesIO(text.encode()), **options))  # type: ignore[arg-type]
    return str(caught.value)


def test_conll_2009_is_named_and_the_command_makes_it_readable(tmp_path: Path) -> None:
    hint = refusal(CONLL09)
    assert "these are of CoNLL-2009" in hint
    command = re.search(r"\(echo .* FILE\)", hint)
    assert command is not None
    assert f"    {command[0]} > FILE.conllup\n" in FORMATS.read_text("utf-8")
    (tmp_path / "FILE").write_text(CONLL09)
    made = subprocess.run(
        ["bash", "-c", command[0]], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    (sentence,) = read_text(made, trees=True)
    assert sentence.column("xpos") == ["PRP", "VBZ"]
    assert sentence.column("head") == [2, 0]
    assert sentence.column("deprel") == ["SBJ", "ROOT"]
    assert sentence.column("lemma") == ["it", "rain"]


def test_three_columns_of_conllu_are_named_and_read() -> None:
    for input_format in ("conllu", "conllx"):
        hint = refusal("1\ta\tb\n\n", input_format=input_format)
        assert "# global.columns = ID FORM ..." in hint
    (sentence,) = read_text("# global.columns = ID FORM UPOS\n1\ta\tb\n\n", input_format="conllu")
    assert sentence.column("upos") == ["b"]


@pytest.mark.parametrize("input_format", ["auto", "conllu", "conllx", "tab"])
@pytest.mark.parametrize("names", ["ID FORM LEMMA UPOS A:B", "ID FORM A:B LEMMA UPOS XPOS FEATS "
                                   "HEAD DEPREL DEPS MISC"])  # fmt: skip
def test_columns_that_are_named_are_read(names: str, input_format: str) -> None:
    values = {"ID": "1", "FORM": "a", "HEAD": "0", "UPOS": "X"}
    text = "\t".join(values.get(name, "_") for name in names.split()) + "\n\n"
    hint = refusal(text, input_format=input_format)
    assert "# global.columns = ID FORM ..." in hint
    if 'give the input format "conllu"' in hint:
        input_format = "conllu"
    (sentence,) = read_text(f"# global.columns = {names}\n{text}", input_format=input_format)
    assert (sentence.forms, sentence.column("upos")) == (["a"], ["X"])


@pytest.mark.parametrize(
    ("text", "given", "layout"),
    [
        ("a\nb\n\n", "auto", Layout("tab", 1)),
        ("1\ta" + "\t_" * 8 + "\n\n", "tab", CONLLU),
        ("1\ta" + "\t_" * 6 + "\n\n", "conllu", Layout("conllx", 8)),
        ("a\tX\n\n", "conllu", Layout("tab", 2)),
        ("a\tX\t_\n\n", "conllx", Layout("tab", 3)),
        ("a\tX\t0\troot\n\n", "conllu", Layout("tab", 4)),
    ],
)
def test_input_format_of_a_hint_reads_the_file(text: str, given: str, layout: Layout) -> None:
    hint = refusal(text, input_format=given)
    advised = re.search(r'give the input format "(\w+)"', hint)
    assert advised is not None, hint
    sentences = list(read_text(text, input_format=advised[1]))
    assert [sentence.layout for sentence in sentences] == [layout]


def test_head_in_column_3_makes_a_tab_file() -> None:
    hint = "in column 3 an integer, the HEAD"
    assert hint in refusal("a\tX\tb\n\n")
    assert hint not in refusal("a\tX\tb\n\n", input_format="conllu")
    (sentence,) = read_text("a\tX\t0\n\n")
    assert sentence.layout == Layout("tab", 3)


def test_spaces_between_columns_become_tabs() -> None:
    text = "1 a _ X _ _ 0 root _ _\n\n"
    assert "CoNLL uses one tab" in refusal(text)
    assert next(read_text(text.replace(" ", "\t"))).forms == ["a"]


@pytest.mark.parametrize(
    ("layout", "name", "columns"),
    [
        (Layout("tab", 2), "FORM TAG", {"form", "xpos"}),
        (Layout("tab", 4), "FORM TAG HEAD DEPREL", {"form", "xpos", "head", "deprel"}),
        (Layout("conllx", 8), "CoNLL-X", {*COLUMNS} - {"deps", "misc"}),
        (Layout("conllu", 3, ("ID", "FORM", "MISC")), "CoNLL-U Plus", {"id", "form", "misc"}),
        (CONLLU, "CoNLL-U", {*COLUMNS}),
    ],
)
def test_layouts_have_names_and_columns(layout: Layout, name: str, columns: set[str]) -> None:
    assert layout.name == name
    assert {column for column in COLUMNS if layout.has(column)} == columns
