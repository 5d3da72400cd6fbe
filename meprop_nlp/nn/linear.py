"""`MePropLinear`: `nn.Linear` whose backward pass keeps k entries of each example's gradient."""

from typing import Self

import torch
from torch import Tensor, nn

from meprop_nlp.config import TopkMode
from meprop_nlp.nn.functional import meprop_linear
from meprop_nlp.nn.layer import MePropLayer


class MePropLinear(MePropLayer, nn.Linear):
    """Drop-in for `nn.Linear`: same shapes, initialisation and forward (meProp, section 2.1).

    Args:
        in_features: I, size of each input row.
        out_features: O, size of each output row.
        bias: whether to add a learnt (O,) bias.
        k: how many entries of each example's output gradient survive, at most O; may be changed at
            any time. None, 0 and O are plain backprop, PyTorch's own gradients exactly.
        topk_mode: `example`, `unified` (one set for the batch) or `random` (an ablation).
        sparse_grad: whether `weight.grad` is a sparse tensor of the kept rows, like that of
            `nn.Embedding(sparse=True)`, instead of a full one that is mostly zero. In a wide layer
            with `unified`, a GPU otherwise spends most of its time on zeros. Only
            `torch.optim.SparseAdam`, `Adagrad` and `SGD` accept such gradients. With plain backprop
            the gradient is always full.
        device, dtype: of the weights.

    Attributes:
        k, topk_mode, generator, hits, examples, counting: see `MePropLayer`.

    Raises:
        ConfigError: unknown `topk_mode`, or `k` outside 0 to O.
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
        super().__init__(in_features, out_features, bias, device=device, dtype=dtype)
        self._start(out_features, k, topk_mode, device)
        self.sparse_grad = sparse_grad

    @classmethod
    def from_dense(
        cls,
        dense: nn.Linear,
        *,
        k: int | None = None,
        topk_mode: TopkMode = "example",
        sparse_grad: bool = False,
    ) -> Self:
        """Make a meProp layer with a copy of the weights of `dense`, on its device."""
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
        """Make a plain `nn.Linear` with a copy of this layer's weights; the counts are dropped."""
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
        """(..., I) to (..., O)."""
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
