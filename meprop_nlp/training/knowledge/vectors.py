"""Pretrained word vectors: those that a training needs, and the start of an embedding table."""

import os
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.vector_forms import looked_up
from meprop_nlp.data.vectors import read_vectors
from meprop_nlp.data.vocab import UNK, nfc
from meprop_nlp.errors import ConfigError, number_of
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.records import Note

Vectors = Mapping[str, npt.NDArray[np.float32]]
"""Word vectors by form, all of one width."""


def read_pretrained(
    path: str | os.PathLike[str], train: Sequence[Sentence], width: int, hooks: Hooks
) -> Vectors:
    """Read the vectors of the training forms, and report how many were found.

    Words that only dev or test has get no vector: the score on dev would be too good.

    Args:
        width: of the embedding table that begins as these vectors.

    Raises:
        ConfigError: the vectors do not have the embedding's width.
        DataError: the file cannot be used.
    """
    forms = _forms(train)
    vectors, dim = read_vectors(path, forms)
    if dim != width:
        raise ConfigError(
            f"the pretrained vectors have {dim} dimensions, the word embedding {width}; "
            f"give `word_dim` {dim}"
        )
    found = f"vectors: {len(vectors):,} of {len(forms):,} forms of train"
    hooks.on_record(Note(found, warning=not vectors))
    return vectors


def read_most_frequent(
    path: str | os.PathLike[str],
    limit: int,
    train: Sequence[Sentence],
    dev: Sequence[Sentence],
    hooks: Hooks,
) -> Vectors:
    """Read the first vectors of a file and those of the training forms, for a `VectorTable`.

    The most frequent words stand first. Words beyond the limit that only dev or test has get no
    vector: the score on dev would be too good. Report how many forms of train and dev have one.

    Args:
        limit: how many words at the beginning of the file are read, whether or not train has them.

    Raises:
        DataError: the file cannot be used.
    """
    wanted = {spelling for form in _forms(train) for spelling in looked_up(form)}
    vectors, dim = read_vectors(path, wanted, first=limit)
    vectors.pop(UNK, None)  # in a VectorTable this is the name of the row of all other forms
    found = {}
    counts = []
    for role, sentences in (("train", train), ("dev", dev)):
        forms = _forms(sentences)
        found[role] = sum(not vectors.keys().isdisjoint(looked_up(form)) for form in forms)
        if forms:
            counts.append(f"{found[role]:,} of {len(forms):,} forms of {role}")
    kept = f"{len(vectors):,} kept, of {number_of(dim, 'value')} each"
    hooks.on_record(Note(f"vectors: {', '.join(counts)}; {kept}", warning=not found["train"]))
    return vectors


def _forms(sentences: Sequence[Sentence]) -> set[str]:
    return {nfc(form) for sentence in sentences for form in sentence.forms}


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
