"""How often each neuron of a layer was kept by top-k: the counts meSimp decides by."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class ActivityCounts(nn.Module):
    """Mixin of a layer that counts hits: `hits`, `examples`, `counting`, `activeness()`.

    meSimp, section 3: `hits[j]` is how often neuron j was in an example's top-k, `examples` how
    many examples there were. Both are counted in the backward pass while `counting` is True (a
    `Simplifier` sets it) and are saved with the layer, so that a resumed training decides alike.
    A word of a sequence is an example; so is a padding row, so pack where you can.

    Attributes:
        hits: (H,) int64.
        examples: () int64.
        counting: whether the backward pass counts.
    """

    hits: Tensor
    examples: Tensor
    counting: bool

    def _start_counts(self, width: int, device: torch.device | str | None) -> None:
        self.counting = False
        self.register_buffer("hits", torch.zeros(width, dtype=torch.int64, device=device))
        self.register_buffer("examples", torch.zeros((), dtype=torch.int64, device=device))

    def activeness(self) -> Tensor:
        """(H,) hits / examples, float64 from 0 to 1; zeros before the first example."""
        return self.hits.double() / self.examples.clamp(min=1)

    def reset_counts(self) -> None:
        """Set `hits` and `examples` to zero."""
        self.hits.zero_()
        self.examples.zero_()

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        # The weights of a plain PyTorch layer load too: it has no counts, so they start at zero.
        if f"{prefix}hits" not in state_dict and f"{prefix}examples" not in state_dict:
            state_dict = dict(state_dict)
            state_dict[f"{prefix}hits"] = torch.zeros_like(self.hits)
            state_dict[f"{prefix}examples"] = torch.zeros_like(self.examples)
        super()._load_from_state_dict(state_dict, prefix, *args)
