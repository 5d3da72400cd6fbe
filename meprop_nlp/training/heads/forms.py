"""`FormRows`: the distinct forms of a treebank as rows of embedding tables, with word dropout."""

from collections.abc import Sequence

import torch
from torch import Tensor

from meprop_nlp.data.lexicon import Lexicon


class FormRows:
    """The rows of U distinct forms in the word and feature tables.

    Args:
        forms: the U forms.
        lexicon: numbers them.
        word_dropout: a of a / (a + n), the chance that a form seen n times is hidden.
        device: of the tensors.

    Attributes:
        rows: (U, 8) int32, the form's row in the word table and its features' rows in theirs.
        hidden_chance: (U,) the chance that word dropout hides the form (Iyyer et al. 2015;
            Kiperwasser & Goldberg 2016, section 6).
    """

    def __init__(
        self, forms: Sequence[str], lexicon: Lexicon, word_dropout: float, device: torch.device
    ) -> None:
        rows = torch.from_numpy(lexicon.encode(forms)).int()
        counts = torch.from_numpy(lexicon.counts)[rows[:, 0].long()]
        self.rows = rows.to(device)
        self.hidden_chance = (word_dropout / (word_dropout + counts)).to(device)
        self._word_dropout = word_dropout

    def __len__(self) -> int:
        """Return U."""
        return len(self.rows)

    def hide(self, rows: Tensor, forms: Tensor) -> None:
        """Turn words into the unknown word by chance, in place.

        Args:
            rows: (N, 8) of the words, a copy of rows of `self.rows`.
            forms: (N,) the numbers of the words' forms.
        """
        if self._word_dropout:
            hidden = torch.rand(len(forms), device=rows.device) < self.hidden_chance[forms]
            rows[:, 0] = rows[:, 0].masked_fill(hidden, 0)
