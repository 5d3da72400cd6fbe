"""A text is worked on in slices, and comes out as if it had been annotated at once."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from meprop_nlp.data.conll.reading import read, read_text
from meprop_nlp.data.formats.json_lines import to_json
from meprop_nlp.data.sample.treebank import sample_treebank
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.spaces import text_of
from meprop_nlp.errors import ConlluError, DataError
from meprop_nlp.models.annotate import annotate
from meprop_nlp.models.model import Model, freeze
from meprop_nlp.models.tokenizer import Tokenizer
from meprop_nlp.serve import task
from meprop_nlp.serve.errors import RequestError
from meprop_nlp.serve.task import Task, Tokenizing

from ..models.models import random_parser

TEXT = "The dog barks, loudly. It is Peter's cat.\n\nA new paragraph\nwith  two lines.\tThe end"
SAMPLE = sample_treebank("dev").read_text(encoding="utf-8")


def result(data: str, model: Model, input_format: str = "text", **options: bool) -> str:
    tokenizer = model.tokenizer
    assert isinstance(tokenizer, Tokenizer)
    made = Task(
        models=(model,),
        input_format=input_format,
        tokenizer=tokenizer,
        tokenizing=Tokenizing(**options),
    )
    return "".join(made.pieces(data))


def at_once(data: str, model: Model, input_format: str) -> str:
    pieces = annotate(io.BytesIO(data.encode()), [model], input_format=input_format)
    return b"".join(piece.text for piece in pieces).decode()


@pytest.mark.parametrize("size", [1, 300, 10**9])
@pytest.mark.parametrize(
    ("data", "input_format"),
    [
        (TEXT, "text"),
        ("\n".join(sentence.text for sentence in read_text(SAMPLE)), "text"),
        ("\n\n".join(sentence.text for sentence in read_text(SAMPLE)), "text"),
        ("It rains .\n\nThe dog barks .\n", "horizontal"),
        ("It\nrains\n.\n\nThe\ndog", "vertical"),
        (SAMPLE, "conllu"),
    ],
    ids=["paragraphs", "lines", "long", "horizontal", "vertical", "conllu"],
)
def test_slices_make_no_difference(
    size: int, data: str, input_format: str, english: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task, "SLICE", size)
    monkeypatch.setattr(task, "TEXT_SLICE", size)
    assert result(data, english, input_format) == at_once(data, english, input_format)


def test_comments_apart_and_columns_of_plus_survive_slices(
    english: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task, "SLICE", 1)
    word = "1\tIt\t_\t_\t_\t_\t_\t_\t_\t_\n\n"
    data = f"# one\n\n# two\n\n{word}# three\n{word}"
    assert result(data, english, "conllu") == at_once(data, english, "conllu")
    plus = "# global.columns = ID FORM X\n1\tIt\ta\n\n1\tIt\tb\n\n"
    assert result(plus, english, "conllu") == at_once(plus, english, "conllu")


PLUS = "# global.columns = ID FORM X\n"


@pytest.mark.parametrize("write", [None, to_json], ids=["conllu", "json"])
def test_columns_of_plus_are_read_in_every_slice(
    write: Callable[[Sentence], str] | None, english: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = "# one\n\n" + PLUS + "# two\n1\tIt\ta\n\n" + "# three\n1\tIt\tb\n\n" * 3
    data += PLUS + "1\tIt\tc\n\n1\tIt\td\n\n"
    made = Task(models=(english,), input_format="conllu", write=write)
    whole = annotate(
        io.BytesIO(data.encode()), [english], input_format="conllu", write_sentence=write
    )
    expected = b"".join(piece.text for piece in whole).decode()
    monkeypatch.setattr(task, "SLICE", 1)
    pieces = list(made.pieces(data))
    assert len(pieces) == 6
    assert "".join(pieces) == expected


def test_faults_and_other_columns_below_those_of_plus_have_their_lines(
    english: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task, "SLICE", 1)
    data = PLUS + "1\tIt\ta\n\n"
    with pytest.raises(ConlluError, match="data:4: found 2 columns"):
        result(data + "1\tIt\n\n", english, "conllu")
    with pytest.raises(DataError, match=r"data:4: .* other columns than the data began with"):
        result(data + PLUS.replace("X", "Y") + "1\tIt\ta\n\n", english, "conllu")


@pytest.mark.parametrize("line", ["# global.columns", "# global.columns of old\n"])
def test_columns_that_are_not_named_make_no_slice_larger(
    line: str, english: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task, "SLICE", 100)
    rest = "\t_" * 8 + "\n"
    sentence = f"{line}1\tIt{rest}\n" if line.endswith("\n") else f"1\t{line}{rest}\n"
    made = Task(models=(english,), input_format="conllu")
    assert len(list(made.pieces(sentence * 40))) >= 10


def test_line_ends_and_byte_order_mark_do_not_matter(english: Model) -> None:
    expected = result(SAMPLE, english, "conllu")
    assert result("\ufeff" + SAMPLE.replace("\n", "\r\n"), english, "conllu") == expected


def test_faults_have_the_lines_of_the_whole_data(
    english: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task, "SLICE", 1)
    n_lines = SAMPLE.count("\n")
    with pytest.raises(ConlluError, match=rf"data:{n_lines + 1}: found 2 columns"):
        result(f"{SAMPLE}1\tIt\n\n", english, "conllu")


@pytest.mark.parametrize("data", ["BZh91AY&SY", "\x1f\x8b\x08", "It rains.", "<a>", "1"])
def test_what_is_no_conllu_is_a_fault(data: str, english: Model) -> None:
    with pytest.raises(ConlluError, match="data:1: "):
        result(data, english, "conllu")


def test_text_that_looks_compressed_is_text(english: Model) -> None:
    assert "# text = BZh91AY&SY is it" in result("BZh91AY&SY is it", english)


@pytest.mark.parametrize("data", ["", " \n\n ", "\u3000"])
def test_nothing_gives_nothing(data: str, english: Model) -> None:
    assert result(data, english) == ""


def test_nul_is_refused(english: Model) -> None:
    with pytest.raises(DataError, match="NUL"):
        result("a\0b", english)


def test_given_sentences_of_over_a_thousand_words_are_refused(english: Model) -> None:
    words = " ".join(["word"] * 1001)
    for data, name in ((words, "horizontal"), (words.replace(" ", "\n"), "vertical")):
        with pytest.raises(RequestError, match="longer than 1000 words"):
            result(data, english, name)
    assert result(words[5:], english, "horizontal").count("\tword\t") == 1000
    assert result(words, english).count("\tword\t") == 1001  # two sentences


def test_words_are_counted_by_sentence_and_by_their_ids(english: Model) -> None:
    def lines(n: int, ends: str = "\t_" * 8) -> str:
        return "".join(f"{i}\ta{ends}\n" for i in range(1, n + 1))

    with pytest.raises(RequestError, match="longer than 1000 words"):
        result(lines(1001), english, "conllu")
    # a line of spaces ends a sentence too
    three = f"{lines(400)} \n{lines(400)}\t\n{lines(400)}"
    assert result(three, english, "conllu") == at_once(three, english, "conllu")
    turned = "# global.columns = FORM ID\n" + "".join(f"a\t{i}\n" for i in range(1, 1002))
    with pytest.raises(RequestError, match="longer than 1000 words"):
        result(turned, english, "conllu")


def test_header_is_told_from_all_that_look_like_it(
    english: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task, "SLICE", 1)
    alike = "".join(f"# global.columns ={' ' * n}ID FORM X\n" for n in range(1, 5))
    data = f"{PLUS}1\tIt\ta\n\n{alike}1\tIt\tb\n\n1\tIt\tc\n\n"
    assert result(data, english, "conllu") == at_once(data, english, "conllu")


def test_ranges_say_where_tokens_stood(english: Model) -> None:
    for sentence in read_text(result(TEXT * 3, english, ranges=True)):
        for form, misc in sentence.tokens():
            place = dict(part.split("=") for part in misc.split("|"))["TokenRange"]
            start, end = map(int, place.split(":"))
            assert (TEXT * 3)[start:end] == form


@pytest.mark.parametrize("size", [1, 10**9])
def test_presegmented_lines_are_sentences(
    size: int, english: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task, "TEXT_SLICE", size)
    lines = ["He left. She stayed. End", "the dog", "", "A b.", "c"]
    data = "\n".join(lines)
    found = list(read_text(result(data, english, presegmented=True)))
    assert [sentence.text for sentence in found] == [line for line in lines if line]
    assert text_of(found) == data
    assert ["# newpar" in sentence.comments for sentence in found] == [True, False, True, False]
    assert len(list(read_text(result(lines[0], english)))) == 3


def test_normalized_spaces_are_those_of_conllu_alone(english: Model) -> None:
    data = " SpacesAfter=x  a,\tb|Spaces.\n\nC"
    normalized = result(data, english, normalized_spaces=True)
    whole = list(read_text(result(data, english)))
    found = list(read_text(normalized))
    assert {misc for sentence in found for _, misc in sentence.tokens()} == {"_", "SpaceAfter=No"}
    assert [sentence.text for sentence in found] == [sentence.text for sentence in whole]
    assert [sentence.forms for sentence in found] == [sentence.forms for sentence in whole]


def test_parser_that_needs_tags_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task, "SLICE", 1)
    parser = freeze(random_parser(1, tag_columns=("upos",)))
    made = Task(models=(parser,), input_format="conllu")
    words = "".join(
        f"{n}\t{form}\t_" + "\tNOUN" + "\t_" * 6 + "\n" for n, form in ((1, "a"), (2, "b"))
    )
    assert "\t0\t" in "".join(made.pieces(f"{words}\n"))
    with pytest.raises(
        DataError, match=r"data:4: a sentence has no UPOS, .* send CoNLL-U with tags"
    ):
        list(made.pieces(f"{words}\n" + words.replace("NOUN", "_") + "\n"))


def test_sample_is_read_back(english: Model) -> None:
    sentences = list(read(sample_treebank("dev")))
    assert [s.forms for s in read_text(result(SAMPLE, english, "conllu"))] == [
        s.forms for s in sentences
    ]
