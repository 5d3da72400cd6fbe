"""Formats are chosen by name; a table has the columns that are asked for."""

from __future__ import annotations

import csv
import io

import pytest

from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.formats.output import OUTPUT_FORMATS, output_format
from meprop_nlp.data.formats.tsv import TABLE_COLUMNS, to_tsv, tsv_header
from meprop_nlp.data.sample.treebank import sample_treebank
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import ConfigError, DataError


def test_table_has_a_header_and_a_line_for_each_word() -> None:
    sentence = Sentence.from_words(["It", '"rains"'], upos=["PRON", "VERB"], head=[2, -1])
    assert tsv_header() == "id\tform\tlemma\tupos\txpos\tfeats\thead\tdeprel\n"
    assert to_tsv(sentence) == (
        '1\tIt\t_\tPRON\t_\t_\t2\t_\n2\t"rains"\t_\tVERB\t_\t_\t_\t_\n\n'
    )  # fmt: skip
    assert to_tsv(sentence, ("head", "form")) == '2\tIt\n_\t"rains"\n\n'
    with pytest.raises(DataError, match="no column 'tag'"):
        to_tsv(sentence, ("tag",))


def test_table_is_read_as_pandas_reads_it() -> None:
    sentences = list(read(sample_treebank("dev")))[:20]
    text = tsv_header() + "".join(map(to_tsv, sentences))
    # quoting=csv.QUOTE_NONE, and empty lines are skipped
    lines = (line for line in io.StringIO(text) if line.strip())
    rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert [row["form"] for row in rows] == [form for s in sentences for form in s.forms]
    assert sum(row["id"] == "1" for row in rows) == 20
    assert {len(row) for row in rows} == {len(TABLE_COLUMNS)}


@pytest.mark.parametrize("name", OUTPUT_FORMATS)
def test_each_format_has_an_ending(name: str) -> None:
    found = output_format(name)
    assert found.ending.startswith(".")
    assert (found.header != "") == (name == "tsv")
    assert (found.write is None) == (name == "conllu")
    if found.write is not None:
        assert "rains" in found.write(Sentence.from_words(["It", "rains"]))


def test_columns_of_a_table_are_chosen() -> None:
    found = output_format("tsv", ["form", "deps"])
    assert found.header == "form\tdeps\n"
    assert found.write is not None
    assert found.write(Sentence.from_words(["It"])) == "It\t_\n\n"


@pytest.mark.parametrize(
    ("name", "columns", "message"),
    [
        ("xml", (), "`output_format` is 'xml', expected one of conllu, json"),
        ("json", ("form",), "`columns` are for `output_format=tsv`, found json"),
        ("tsv", ("form", "tag"), "`columns` is form,tag, expected some of id, form"),
    ],
)
def test_unknown_formats_and_columns_are_refused(
    name: str, columns: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        output_format(name, columns)
