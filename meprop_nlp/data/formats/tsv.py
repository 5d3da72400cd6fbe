r"""A table with tabs: some columns of each word, and an empty line after each sentence.

Its first line has the names of the columns. Nothing is quoted, so that pandas reads it with

    pandas.read_csv("words.tsv", sep="\t", quoting=csv.QUOTE_NONE, keep_default_na=False)
"""

from collections.abc import Sequence

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import UNSET

TABLE_COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel")


def tsv_header(columns: Sequence[str] = TABLE_COLUMNS) -> str:
    """Return the first line of a table."""
    return "\t".join(columns) + "\n"


def to_tsv(sentence: Sentence, columns: Sequence[str] = TABLE_COLUMNS) -> str:
    """Return a line for each word, and an empty line; multiword tokens have none.

    A word without a head has `_` there, as in CoNLL.

    Raises:
        DataError: there is no such column.
    """
    values = [map(_cell, sentence.column(name)) for name in columns]
    return "".join("\t".join(row) + "\n" for row in zip(*values, strict=True)) + "\n"


def _cell(value: str | int) -> str:
    return "_" if value == UNSET else str(value)
