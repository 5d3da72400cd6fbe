"""The files of the sample treebank are found; an unknown part raises an error with the choices."""

from __future__ import annotations

from pathlib import Path

import pytest

from meprop_nlp.data.sample import treebank
from meprop_nlp.data.sample.treebank import ROLES, sample_treebank
from meprop_nlp.errors import DataError


@pytest.mark.parametrize("role", ROLES)
def test_each_part_of_the_sample_is_a_file(role: str) -> None:
    path = sample_treebank(role)
    assert path.name == f"{role}.conllu"
    assert path.read_text(encoding="utf-8").count("\n\n") > 10


def test_unknown_part_is_refused() -> None:
    with pytest.raises(DataError, match="has train, dev, test; asked for 'valid'"):
        sample_treebank("valid")


def test_missing_file_says_to_install_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(treebank, "__file__", str(tmp_path / "treebank.py"))
    with pytest.raises(DataError, match="install the package again"):
        sample_treebank("dev")
