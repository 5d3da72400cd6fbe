"""`MePropLinear`: `nn.Linear` whose backward pass keeps k entries of each example's gradient."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn

from meprop_nlp.nn.activity import ActivityCounts
from meprop_nlp.nn.functional import meprop_linear
from meprop_nlp.nn.kernels import TopkMode, check_topk_mode


class MePropLinear(ActivityCounts, nn.Linear):
    """Drop-in for `nn.Linear`: same shapes, initialisation and forward (meProp, section 2.1).

    Args:
        in_features: I, size of each input row.
        out_features: O, size of each output row.
        bias: whether to add a learnt (O,) bias.
        k: how many entries of each example's output gradient survive; may be changed at any time.
            None, k <= 0 and k >= O are plain backprop, PyTorch's own gradients exactly.
        topk_mode: `example`, `unified` (one set for the batch) or `random` (an ablation).
        sparse_grad: give `weight.grad` as a sparse tensor of the rows that were kept, as
            `nn.Embedding(sparse=True)` does, instead of a full one that is mostly zero. With
            `unified` and a wide layer most of the time on a GPU is otherwise spent on zeros. For
            `torch.optim.SparseAdam`, `Adagrad` and `SGD`; other optimisers refuse it. Plain
            backprop gives a full gradient all the same.
        device, dtype: of the weights.

    Attributes:
        hits, examples, counting: see `ActivityCounts`.
        generator: source of the `random` mode; None is PyTorch's default generator.

    Raises:
        ConfigError: unknown `topk_mode`.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        k: int | None = None,
        topk_mode: TopkMode = "example",
        sparse_grad: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        check_topk_mode(topk_mode)
        super().__init__(in_features, out_features, bias, device=device, dtype=dtype)
        self.k = k
        self.topk_mode: TopkMode = topk_mode
        self.sparse_grad = sparse_grad
        self.generator: torch.Generator | None = None
        self._start_counts(out_features, device)

    @classmethod
    def from_dense(
        cls,
        dense: nn.Linear,
        *,
        k: int | None = None,
        topk_mode: TopkMode = "example",
        sparse_grad: bool = False,
    ) -> Self:
        """A meProp layer with a copy of the weights of `dense`, on its device, in its dtype."""
        layer = cls(
            dense.in_features,
            dense.out_features,
            dense.bias is not None,
            k=k,
            topk_mode=topk_mode,
            sparse_grad=sparse_grad,
            device=dense.weight.device,
            dtype=dense.weight.dtype,
        )
        layer.load_state_dict(dense.state_dict())
        return layer.train(dense.training)

    def to_dense(self) -> nn.Linear:
        """A plain `nn.Linear` with a copy of this layer's weights; counts are dropped."""
        dense = nn.Linear(
            self.in_features,
            self.out_features,
            self.bias is not None,
            device=self.weight.device,
            dtype=self.weight.dtype,
        )
        dense.load_state_dict(dict(self.named_parameters()))
        return dense.train(self.training)

    def forward(self, input: Tensor) -> Tensor:
        """(..., I) to (..., O); `input` is `nn.Linear`'s name for it."""
        return meprop_linear(
            input,
            self.weight,
            self.bias,
            self.k,
            topk_mode=self.topk_mode,
            hits=self.hits if self.counting else None,
            examples=self.examples if self.counting else None,
            generator=self.generator,
            sparse_grad=self.sparse_grad,
        )

    def extra_repr(self) -> str:
        sparse = ", sparse_grad=True" if self.sparse_grad else ""
        return f"{super().extra_repr()}, k={self.k}, topk_mode={self.topk_mode}{sparse}"
