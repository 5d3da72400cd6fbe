"""`convert`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meprop_nlp.commands import console
from meprop_nlp.commands.counting import counting
from meprop_nlp.commands.options import Output, Reading, Verbosity
from meprop_nlp.commands.streams import demand_other_file
from meprop_nlp.errors import DataError
from meprop_nlp.files import remove_unfinished

if TYPE_CHECKING:
    from meprop_nlp.data.sentence import Sentence


_TREE_FILES = (".mrg", ".mrg.gz", ".mrg.xz", ".mrg.bz2")


def convert(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT...",
            help="Files of bracketed trees, also packed (.gz, .xz, .bz2), or folders of .mrg "
            "files; none or - is standard input.",
            show_default=False,
        ),
    ] = None,
    output: Output = "-",
    *,
    encoding: Annotated[str, Reading],
    verbosity: Verbosity,
) -> None:
    """Convert bracketed trees (.mrg) to dependency trees.

    From the format of the Penn Treebank to CoNLL-X: heads follow the rules of Yamada & Matsumoto
    (2003), labels are the twelve of Penn2Malt: AMOD, DEP, NMOD, OBJ, P, PMOD, PRD, ROOT, SBAR, SUB,
    VC and VMOD. Traces are left out.
    """
    from meprop_nlp.data.conll.writing import write_pieces

    files = [file for name in inputs or ["-"] for file in _tree_files(name)]
    demand_other_file(output, files)
    remove_unfinished([output])
    with counting("converted", output, verbosity) as count:
        sentences = count(_converted(files, encoding))
        texts = (str(s).encode("utf-8", "surrogatepass") for s in sentences)
        write_pieces(texts, output, flush=True)


def _tree_files(name: str) -> list[str]:
    path = Path(name)
    if name != "-" and not path.exists():  # reported before anything is written
        raise DataError(f"{name}: no such file or folder")
    if name == "-" or not path.is_dir():
        return [name]
    files = sorted(
        str(file)
        for file in path.rglob("*")
        if file.name.lower().endswith(_TREE_FILES) and file.is_file()
    )
    if not files:
        raise DataError(f"{name}: no .mrg files in this folder; name the files themselves")
    return files


def _converted(files: list[str], encoding: str) -> Iterator[Sentence]:
    from meprop_nlp.data.penn.brackets import read_trees
    from meprop_nlp.data.penn.dependencies import to_sentence
    from meprop_nlp.data.source import source_name

    for file in files:
        wordless = 0
        for tree in read_trees(file, encoding=encoding):
            sentence = to_sentence(tree)
            if sentence is None:
                wordless += 1
            else:
                yield sentence
        if wordless:
            console.warning(
                f"{source_name(file)}: {wordless} tree{'' if wordless == 1 else 's'} of traces "
                "only, without a word, left out"
            )
