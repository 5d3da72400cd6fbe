"""The built-in sample treebank: where its files are."""

from __future__ import annotations

from pathlib import Path

from meprop_nlp.errors import DataError

__all__ = ["ROLES", "sample_treebank"]

ROLES = ("train", "dev", "test")


def sample_treebank(role: str) -> Path:
    """Return the file of one part of the sample treebank: `train`, `dev` or `test`.

    It was made for this project, by a grammar and by hand. It shows that things work; scores on
    it prove nothing.

    Raises:
        DataError: there is no such part, or the package was installed without it.
    """
    if role not in ROLES:
        raise DataError(f"the sample treebank has {', '.join(ROLES)}; asked for {role!r}")
    path = Path(__file__).parent / f"{role}.conllu"
    if not path.is_file():
        raise DataError(f"the sample treebank's file {path} is missing; install the package again")
    return path
