"""`MePropLayer`: the settings of top-k and the counts of hits that all meProp layers have."""

from typing import Any

import torch
from torch import Tensor, nn

from meprop_nlp.config import TopkMode
from meprop_nlp.nn.topk import check_k, check_topk_mode


class MePropLayer(nn.Module):
    """Mixin for a layer whose backward pass keeps k entries of each gradient and counts the hits.

    `hits[j]` is the number of examples whose top-k contained neuron j, `examples` the number of
    examples (meSimp, section 3). Both are counted in the backward pass while `counting` is True (a
    `Simplifier` sets it), and are saved with the layer, so that a resumed training cuts the same
    neurons. In a sequence every word is an example. So is every row of padding: pack sequences.

    Attributes:
        topk_mode: `example`, `unified` or `random`; see `nn/topk.py`.
        generator: source of the `random` mode; None is PyTorch's default generator.
        hits: (H,) int64.
        examples: () int64.
        counting: whether the backward pass counts.
    """

    hits: Tensor
    examples: Tensor

    def _start(
        self, width: int, k: int | None, topk_mode: TopkMode, device: torch.device | str | None
    ) -> None:
        """Set the attributes of a layer of `width` neurons; its constructor calls this."""
        check_topk_mode(topk_mode)
        self.topk_mode = topk_mode
        self.generator: torch.Generator | None = None
        self.counting = False
        self.register_buffer("hits", torch.zeros(width, dtype=torch.int64, device=device))
        self.register_buffer("examples", torch.zeros((), dtype=torch.int64, device=device))
        self.k = k

    @property
    def k(self) -> int | None:
        """How many entries of each gradient survive; may be changed at any time.

        None, 0 and the layer's width are plain backprop. A layer that meSimp has cut to fewer than
        k neurons keeps all its entries.

        Raises:
            ConfigError: on setting a value that is neither None nor from 0 to the layer's width.
        """
        return self._k

    @k.setter
    def k(self, k: int | None) -> None:
        check_k(k, self.hits.shape[0])
        self._k = k

    def activeness(self) -> Tensor:
        """(H,) hits / examples, float64 from 0 to 1; zeros before the first example."""
        return self.hits.double() / self.examples.clamp(min=1)

    def reset_counts(self) -> None:
        """Set `hits` and `examples` to zero."""
        self.hits.zero_()
        self.examples.zero_()

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        # The state of a plain PyTorch layer can be loaded too: the counts then start at zero.
        if f"{prefix}hits" not in state_dict and f"{prefix}examples" not in state_dict:
            state_dict = dict(state_dict)
            state_dict[f"{prefix}hits"] = torch.zeros_like(self.hits)
            state_dict[f"{prefix}examples"] = torch.zeros_like(self.examples)
        super()._load_from_state_dict(state_dict, prefix, *args)
