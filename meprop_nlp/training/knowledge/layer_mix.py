"""The torch side of `models.layer_mix.LayerMix`."""

import torch
from torch import Tensor, nn

from meprop_nlp.nn.embedding import dropout


class LayerMix(nn.Module):
    """The states of a pretrained encoder as one vector for each word.

    A weighted sum of the layers, whose weights are a softmax and whose scale is learned (Peters et
    al. 2018, section 3.2), then a linear layer.

    Args:
        layers, width: of the states.
        outputs: P, the width of the vectors.
    """

    def __init__(self, layers: int, width: int, outputs: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(layers))
        # the scale; arrays of that name are something else in a model file
        self.gamma = nn.Parameter(torch.ones(1))
        self.projection = nn.Linear(width, outputs)

    def forward(self, states: Tensor, rate: float) -> Tensor:
        """Return the vectors of N words: (N, P).

        Args:
            states: (N, layers, width).
            rate: of the dropout before the linear layer, in training.
        """
        shares = self.weights.softmax(0) * self.gamma
        mixed = torch.einsum("nlw,l->nw", states, shares)
        return self.projection(dropout(mixed, rate, self.training))  # type: ignore[no-any-return]
