"""`root` on the arc from ROOT and on no other, for any weights and any labels."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.model import freeze

from .models import random_joint, random_parser, random_sentences


def with_labels(file: ModelFile, labels: list[str]) -> ModelFile:
    """A model with other labels, which every arc may have, as broken training data make it."""
    header: dict[str, Any] = file.header | {"labels": labels}
    if "other_labels" in header:
        header |= {"root_labels": [*range(len(labels))], "other_labels": [*range(len(labels))]}
    return dataclasses.replace(file, header=header)


def made(kind: str, seed: int, labels: int) -> ModelFile:
    if kind == "table":
        return random_parser(seed, labels=labels)
    if kind == "swap":
        return random_parser(seed, labels=labels, transition_system="arc-standard-swap")
    return random_joint(seed, labels=labels, tree=kind)


LABELS = [["root"], ["root", "root:x"], ["nsubj", "root", "dep"], ["root:x", "obj", "root", "x"]]


@pytest.mark.parametrize("kernels", ["native", "reference"])
@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("kind", ["table", "swap", "graph", "transitions"])
def test_root_is_where_the_head_is_0_and_nowhere_else(
    kind: str, labels: list[str], kernels: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kernels == "reference":
        monkeypatch.setattr("meprop_nlp.models.heads.tree.core", lambda: None)
        monkeypatch.setattr("meprop_nlp.models.model.core", lambda: None)
    n = len(labels)
    for seed in range(3):
        file = made(kind, seed, n)
        model = freeze(with_labels(file, labels))
        for sentence in model.pipe(random_sentences(seed, [1, 2, 5, 9])):
            for word in sentence:
                is_root = word.deprel.partition(":")[0] == "root"
                assert is_root == (word.head == 0), str(sentence)


def test_labels_without_root_stay() -> None:
    model = freeze(with_labels(random_parser(1, labels=2), ["ROOT", "NMOD"]))
    labels = {word.deprel for s in model.pipe(random_sentences(1, [9, 9])) for word in s}
    assert labels <= {"ROOT", "NMOD"}
