"""The sections of the Wall Street Journal in the Penn Treebank, and how the papers split them.

files = split_sections("treebank_3/parsed/mrg/wsj", "parsing")
train, dev, test = files["train"], files["dev"], files["test"]
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from meprop_nlp.errors import DataError

# meProp (Sun et al. 2017), section 4.1
SPLITS: dict[str, dict[str, range]] = {
    "parsing": {"train": range(2, 22), "dev": range(22, 23), "test": range(23, 24)},
    "tagging": {"train": range(19), "dev": range(19, 22), "test": range(22, 25)},
}

_KINDS = "mrg, conll, conllx, conllu, dep or dp"
_FILE = re.compile(
    r"(?:wsj[_-]?|sec(?:tion)?[_-]?)?(?P<section>[01]\d|2[0-4])(?P<number>\d\d)?"
    r"\.(?P<kind>mrg|conllx?|conllu|dep|dp)(?:\.(?:gz|xz|bz2))?",
    re.IGNORECASE,
)


def find_sections(folder: str | os.PathLike[str]) -> dict[int, list[Path]]:
    """Return the files of each section in a folder, in the order of their numbers.

    Args:
        folder: a folder that holds, at any depth, files named `wsj_SSNN` (section and number), or
            one file per section, named `wsj_SS` or `SS`. The kinds are .mrg, .conll, .conllx,
            .conllu, .dep and .dp, also compressed (.gz, .xz, .bz2). Other files are ignored.

    Raises:
        DataError: if there is no such folder, or it holds two files for the same text.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(
            f"{folder}: {'is a file' if folder.exists() else 'no such folder'}, "
            "expected the folder of the WSJ files"
        )
    found: dict[tuple[int, int], Path] = {}
    for path in sorted(Path(base) / name for base, _, names in os.walk(folder) for name in names):
        match = _FILE.fullmatch(path.name)
        if match is None:
            continue
        section, number = int(match["section"]), int(match["number"] or -1)
        other = found.setdefault((section, number), path)
        if other != path:
            raise DataError(
                f"{path}: the same text as {other}; keep one of them, or name a folder that "
                "holds one kind of file"
            )
    sections: dict[int, list[Path]] = {}
    for (section, number), path in sorted(found.items()):
        if number >= 0 and (section, -1) in found:
            raise DataError(
                f"{path}: section {section:02} stands in {found[section, -1]} already; keep one of "
                "them, or name a folder that holds one kind of file"
            )
        sections.setdefault(section, []).append(path)
    return sections


def split_sections(folder: str | os.PathLike[str], task: str) -> dict[str, list[Path]]:
    """Return the training, development and test files of the papers.

    Parsing: sections 2-21, 22 and 23; tagging: sections 0-18, 19-21 and 22-24 (meProp, section
    4.1).

    Args:
        folder: as for `find_sections`.
        task: `parsing` or `tagging`.

    Returns:
        The files of `train`, `dev` and `test`.

    Raises:
        DataError: as in `find_sections`, or if sections are missing.
    """
    sections = find_sections(folder)
    if not sections:
        raise DataError(
            f"{folder}: no WSJ files, expected names such as wsj_0201.mrg, or 02.conllx for a "
            f"whole section; the kinds are {_KINDS}"
        )
    missing = [
        f"{_spans(set(wanted) - sections.keys())} ({role})"
        for role, wanted in SPLITS[task].items()
        if not sections.keys() >= set(wanted)
    ]
    if missing:
        raise DataError(
            f"{folder}: has section{'' if len(sections) == 1 else 's'} {_spans(sections)} of the "
            f"WSJ, but the papers' split for {task} needs {', '.join(missing)} too; to train on "
            "what is there, make files with meprop-nlp convert and give them as `train` and `dev`"
        )
    return {
        role: [path for section in wanted for path in sections[section]]
        for role, wanted in SPLITS[task].items()
    }


def _spans(sections: Iterable[int]) -> str:
    """Return section numbers as ranges: `00-01, 05`."""
    spans: list[list[int]] = []
    for section in sorted(sections):
        if spans and spans[-1][1] == section - 1:
            spans[-1][1] = section
        else:
            spans.append([section, section])
    return ", ".join(
        f"{first:02}" if first == last else f"{first:02}-{last:02}" for first, last in spans
    )
