"""Pretrained word vectors into an embedding table."""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.vectors import read_vectors
from meprop_nlp.data.vocab import nfc
from meprop_nlp.errors import ConfigError
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.records import Note

__all__ = ["fingerprint", "load_vectors", "read_pretrained"]


def read_pretrained(
    path: str | os.PathLike[str] | None, train: Sequence[Sentence], width: int, hooks: Hooks
) -> dict[str, npt.NDArray[np.float32]]:
    """Read the vectors of the training forms, and say how many there were.

    Words that only dev or test has get no vector: the score on dev would flatter.

    Raises:
        ConfigError: the vectors are not of the embedding's width.
        DataError: the file cannot be used.
    """
    if path is None:
        return {}
    forms = {nfc(form) for sentence in train for form in sentence.forms}
    vectors, dim = read_vectors(path, forms)
    if dim != width:
        raise ConfigError(
            f"the pretrained vectors have {dim} dimensions, the word embedding {width}; "
            f"give --word-dim {dim}"
        )
    found = f"vectors: {len(vectors):,} of {len(forms):,} forms of train"
    hooks.on_record(Note(found, warning=not vectors))
    return vectors


def fingerprint(vectors: Mapping[str, npt.NDArray[np.float32]]) -> int:
    """Return what tells one set of vectors from another; 0 for none."""
    checksum = 0
    for form, vector in sorted(vectors.items()):
        checksum = zlib.crc32(vector.tobytes(), zlib.crc32(form.encode(), checksum))
    return checksum


def load_vectors(
    table: nn.Embedding,
    lexicon: Lexicon,
    vectors: Mapping[str, npt.NDArray[np.float32]] | None,
) -> None:
    """Copy vectors over the rows of the forms they are for; other rows keep their start."""
    with torch.no_grad():
        for form, vector in (vectors or {}).items():
            if form in lexicon.forms:
                table.weight[lexicon.forms.index(form)] = torch.from_numpy(vector)
