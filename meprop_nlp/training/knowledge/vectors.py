"""Pretrained word vectors for an embedding table."""

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

Vectors = Mapping[str, npt.NDArray[np.float32]]
"""Word vectors by form, all of one width."""


def read_pretrained(
    path: str | os.PathLike[str], train: Sequence[Sentence], width: int, hooks: Hooks
) -> Vectors:
    """Read the vectors of the training forms, and report how many were found.

    Words that only dev or test has get no vector: the score on dev would be too good.

    Raises:
        ConfigError: the vectors do not have the embedding's width.
        DataError: the file cannot be used.
    """
    forms = {nfc(form) for sentence in train for form in sentence.forms}
    vectors, dim = read_vectors(path, forms)
    if dim != width:
        raise ConfigError(
            f"the pretrained vectors have {dim} dimensions, the word embedding {width}; "
            f"give `word_dim` {dim}"
        )
    found = f"vectors: {len(vectors):,} of {len(forms):,} forms of train"
    hooks.on_record(Note(found, warning=not vectors))
    return vectors


def checksum_of(vectors: Vectors) -> int:
    """Return a checksum that tells one set of vectors from another; 0 for none."""
    checksum = 0
    for form, vector in sorted(vectors.items()):
        checksum = zlib.crc32(vector.tobytes(), zlib.crc32(form.encode(), checksum))
    return checksum


def load_vectors(table: nn.Embedding, lexicon: Lexicon, vectors: Vectors) -> None:
    """Copy vectors over the rows of their forms; the other rows keep their initial values."""
    with torch.no_grad():
        for form, vector in vectors.items():
            if form in lexicon.forms:
                table.weight[lexicon.forms.index(form)] = torch.from_numpy(vector)
