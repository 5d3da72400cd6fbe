"""The classifier's network: the papers' MLP for MNIST (meProp, section 4.1)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from meprop_nlp.config import ClassifierConfig, MePropConfig
from meprop_nlp.nn.embedding import dropout
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.simplify.wiring import SimplifiedLayer, wire_stack

__all__ = ["ClassifierNetwork"]


class ClassifierNetwork(nn.Module):
    """Pixels in, logits of classes out.

    Args:
        n_inputs, n_classes: width of the input and the output.
        config, meprop: layers, width and dropout; how gradients are sparsified.
    """

    def __init__(
        self, n_inputs: int, n_classes: int, config: ClassifierConfig, meprop: MePropConfig
    ) -> None:
        super().__init__()
        self.dropout = config.dropout
        self.dropout_share = 1.0  # of the rate, see `teacher.DROPOUT_SHARE`
        widths = [n_inputs, *[config.hidden] * (config.layers - 1), n_classes]
        self.layers = nn.ModuleList(
            MePropLinear(i, o, k=meprop.k and min(meprop.k, o), topk_mode=meprop.topk_mode)
            for i, o in pairwise(widths)
        )
        if not config.sparse_output:
            self._meprop_layers()[-1].k = None

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B, n_classes) of pixels (B, n_inputs) from 0 to 1."""
        first, *others = self.layers
        x = first(x)
        for layer in others:
            x = layer(dropout(torch.relu(x), self.dropout * self.dropout_share, self.training))
        return x

    def simplified_layers(self) -> list[SimplifiedLayer]:
        """Return the hidden layers, each read by the next; input and output are not simplified."""
        return wire_stack(self._meprop_layers(), "layers")

    def _meprop_layers(self) -> list[MePropLinear]:
        return [layer for layer in self.layers if isinstance(layer, MePropLinear)]
