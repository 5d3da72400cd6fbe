"""`OutputFormat`: a form to write sentences in, chosen by its name."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from meprop_nlp.data.formats.horizontal import to_horizontal
from meprop_nlp.data.formats.json_lines import to_json
from meprop_nlp.data.formats.tsv import TABLE_COLUMNS, to_tsv, tsv_header
from meprop_nlp.data.formats.vertical import to_vertical
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import COLUMNS
from meprop_nlp.errors import ConfigError

OUTPUT_FORMATS = ("conllu", "json", "horizontal", "vertical", "tsv")


class OutputFormat(NamedTuple):
    """A form to write sentences in.

    Attributes:
        ending: of the names of such files, such as `.tsv`.
        write: returns the text of a sentence; None: the sentence stays in the layout of CoNLL that
            it was read in.
        header: what stands once at the beginning of a file.
    """

    ending: str
    write: Callable[[Sentence], str] | None = None
    header: str = ""


def output_format(name: str, columns: Sequence[str] = ()) -> OutputFormat:
    """Return the format with a name of `OUTPUT_FORMATS`.

    Args:
        columns: of a table, by their names in `COLUMNS`; none: `TABLE_COLUMNS`.

    Raises:
        ConfigError: there is no such format or column, or the format has no columns to choose.
    """
    if name not in OUTPUT_FORMATS:
        expected = ", ".join(OUTPUT_FORMATS)
        raise ConfigError(f"`output_format` is {name!r}, expected one of {expected}")
    if columns and name != "tsv":
        raise ConfigError(f"`columns` are for `output_format=tsv`, found {name}; leave them out")
    if not set(columns) <= set(COLUMNS):
        expected = ", ".join(COLUMNS)
        raise ConfigError(f"`columns` is {','.join(columns)}, expected some of {expected}")
    match name:
        case "json":
            return OutputFormat(".jsonl", to_json)
        case "horizontal":
            return OutputFormat(".txt", to_horizontal)
        case "vertical":
            return OutputFormat(".vert", to_vertical)
        case "tsv":
            chosen = tuple(columns) or TABLE_COLUMNS
            return OutputFormat(".tsv", partial(to_tsv, columns=chosen), tsv_header(chosen))
        case _:
            return OutputFormat(".conllu")
