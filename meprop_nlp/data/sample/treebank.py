"""The files of the built-in sample treebank."""

from pathlib import Path

from meprop_nlp.errors import DataError

ROLES = ("train", "dev", "test")


def sample_treebank(role: str) -> Path:
    """Return the path of one part of the sample treebank: `train`, `dev` or `test`.

    The treebank was made for this project, by a grammar and by hand. It is for trying things out;
    scores on it mean nothing.

    Raises:
        DataError: if there is no such part, or the file is not installed.
    """
    if role not in ROLES:
        raise DataError(f"the sample treebank has {', '.join(ROLES)}; asked for {role!r}")
    path = Path(__file__).parent / f"{role}.conllu"
    if not path.is_file():
        raise DataError(f"the sample treebank's file {path} is missing; install the package again")
    return path
