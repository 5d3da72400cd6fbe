"""Pretrained word vectors into an embedding table."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.errors import ConfigError

__all__ = ["load_vectors"]


def load_vectors(
    table: nn.Embedding,
    lexicon: Lexicon,
    vectors: Mapping[str, npt.NDArray[np.float32]] | None,
) -> None:
    """Copy vectors over the rows of the forms they are for; other rows keep their start.

    Raises:
        ConfigError: the vectors are of another width than the table.
    """
    if not vectors:
        return
    width = len(next(iter(vectors.values())))
    if width != table.embedding_dim:
        raise ConfigError(
            f"the pretrained vectors have {width} dimensions, the word embedding "
            f"{table.embedding_dim}; give --word-dim {width}"
        )
    with torch.no_grad():
        for form, vector in vectors.items():
            if form in lexicon.forms:
                table.weight[lexicon.forms.index(form)] = torch.from_numpy(vector)
