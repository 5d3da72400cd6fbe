"""Selection and products of the entries of a gradient that survive, on the native core.

The core takes contiguous float32 and float64 tensors on the CPU. It gives the reference's selection
and products. Dimensions: B examples, I inputs, O outputs, K kept.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from meprop_nlp.nn.backends import reference_topk
from meprop_nlp.nn.backends.core import Core, readable
from meprop_nlp.nn.backends.reference_topk import MaskedGradient
from meprop_nlp.nn.row_gradient import row_gradient
from meprop_nlp.nn.topk import Kept, Operands, Selection


class DenseShare(NamedTuple):
    """The share of a row above which dense products of the masked gradient are cheaper.

    It is larger for few rows. It is smaller for a narrow input, whose products are too short to pay
    for finding an entry, and for an output so wide that its weights do not fit the near caches.
    Measured by benchmarks/bench_linear.py.
    """

    wide_input: float
    of_a_row: float
    narrow_input: float
    wide_output: float

    def share(self, n_rows: int, width_in: int, width_out: int) -> float:
        """For B rows, at least one, I and O."""
        share = self.wide_input * width_in / (width_in + self.narrow_input)
        return (share + self.of_a_row / n_rows) / (1 + (width_out / self.wide_output) ** 2)


AVX512 = DenseShare(0.40, 4, 70, math.inf)
NARROWER = DenseShare(0.36, 8, 70, 3000)


class KeptEntries(Kept):
    """K entries of each example, stored one by one.

    Args:
        core: computes the products.
        indices: (B, K) int32, increasing in each row.
        values: (B, K).
        width: O.
        db, hits: see `Kept`.
        row_sparse: whether `dw` stores only the rows of neurons that an example kept.
    """

    def __init__(
        self,
        core: Core,
        indices: Tensor,
        values: Tensor,
        width: int,
        db: Tensor | None = None,
        hits: Tensor | None = None,
        *,
        row_sparse: bool = False,
    ) -> None:
        self.core = core
        self.indices, self.values, self.width = indices, values, width
        self.db, self.hits = db, hits
        self.row_sparse = row_sparse

    def dx(self, weight: Tensor) -> Tensor:
        dx = weight.new_empty(len(self.values), weight.shape[1])
        kernels, threads = self.core
        kernels.sparse_dx(self.indices, self.values, readable(weight), dx, threads)
        return dx

    def dw(self, x: Tensor) -> Tensor:
        if not self.row_sparse:
            return self._dw(x, self.indices, self.width)
        neurons, places = torch.unique(self.indices, return_inverse=True)
        rows = self._dw(x, places.int(), len(neurons))
        return row_gradient(neurons.long(), rows, self.width)

    def _dw(self, x: Tensor, indices: Tensor, n_rows: int) -> Tensor:
        dw = x.new_empty(n_rows, x.shape[1])
        if n_rows > 0:
            kernels, threads = self.core
            kernels.sparse_dw(indices, self.values, readable(x), dw, threads)
        return dw

    def count_of(self, n_neurons: int) -> Tensor:
        nonzero = self.values != 0
        if n_neurons == self.width:
            counts = torch.zeros(n_neurons, dtype=torch.int64)
            return counts.scatter_add_(0, self.indices.view(-1).long(), nonzero.view(-1).long())
        units = self.indices.long().remainder(n_neurons)  # (B, K)
        examples = torch.arange(len(units)).unsqueeze(1).expand_as(units)
        is_kept = torch.zeros(len(units), n_neurons, dtype=torch.bool)
        is_kept[examples[nonzero], units[nonzero]] = True
        return is_kept.sum(dim=0)


class FusedKept(Kept):
    """The products of the kept entries, computed by the same call of the core that selects them.

    Three calls, one to select and one for each product, would make the backward pass of a small
    layer a quarter slower.

    Args:
        core: selects and multiplies.
        dy: (B, O), contiguous.
        k: how many entries of a row are kept.
        layer: the operands, and which results are needed.
        unified: whether all rows keep the same columns.
    """

    def __init__(self, core: Core, dy: Tensor, k: int, layer: Operands, *, unified: bool) -> None:
        x, weight = layer.x.contiguous(), layer.weight.contiguous()
        kernels, threads = core
        self._dx = torch.empty_like(x) if layer.need_dx else None
        self._dw = torch.empty_like(weight) if layer.need_dw else None
        self.db = dy.new_empty(dy.shape[1]) if layer.need_db else None
        self.hits = _zeros(dy) if layer.counting else None
        if not unified:
            kernels.example_backward(
                dy, x, weight, k, self._dx, self._dw, self.db, self.hits, threads
            )
            return
        neurons = torch.empty(k, dtype=torch.int32)
        if layer.row_sparse:
            self._dw = weight.new_empty(k, x.shape[1])
        kernels.unified_backward(
            dy, x, weight, neurons, self._dx, self._dw, self.db, self.hits, threads
        )
        if self._dw is not None and layer.row_sparse:
            self._dw = row_gradient(neurons.long(), self._dw, dy.shape[1])

    def dx(self, weight: Tensor) -> Tensor:
        assert self._dx is not None
        return self._dx

    def dw(self, x: Tensor) -> Tensor:
        assert self._dw is not None
        return self._dw

    def count_of(self, n_neurons: int) -> Tensor:
        raise AssertionError("hits are counted while selecting, if `Operands.counting`")


def keep(core: Core, dy: Tensor, selection: Selection, layer: Operands) -> Kept:
    """Select the entries of `dy` (B, O) that survive; see `choose.topk`."""
    k, mode, generator = selection
    if k is None:
        return reference_topk.keep(dy, selection, layer)
    if mode == "unified":
        return FusedKept(core, dy.contiguous(), k, layer, unified=True)
    dense = _dense_pays(core, layer.x, dy.shape[1], k)
    if mode == "random":
        if dense:
            return reference_topk.keep(dy, selection, layer)
        selected = reference_topk.select_topk(dy, k, mode, generator=generator)
        db = dy.sum(dim=0) if layer.need_db else None
        indices, values = selected.int(), dy.gather(1, selected)
        return KeptEntries(core, indices, values, dy.shape[1], db, row_sparse=layer.row_sparse)
    dy = dy.contiguous()
    if layer.row_sparse:
        return select_entries(
            core, dy, k, with_db=layer.need_db, counting=layer.counting, row_sparse=True
        )
    if dense:
        return mask_entries(core, dy, k, layer)
    return FusedKept(core, dy, k, layer, unified=False)


def select_entries(
    core: Core,
    dy: Tensor,
    k: int,
    *,
    with_db: bool = True,
    counting: bool = False,
    row_sparse: bool = False,
) -> KeptEntries:
    """Keep the k largest entries of each row of `dy` (B, O), which is contiguous."""
    n_rows, width = dy.shape
    indices, values = dy.new_empty(n_rows, k, dtype=torch.int32), dy.new_empty(n_rows, k)
    db = dy.new_empty(width) if with_db else None
    hits = _zeros(dy) if counting else None
    core.kernels.select_topk(dy, indices, values, db, hits, core.threads)
    return KeptEntries(core, indices, values, width, db, hits, row_sparse=row_sparse)


def mask_entries(core: Core, dy: Tensor, k: int, layer: Operands) -> MaskedGradient:
    """Keep the same entries as `select_entries`, stored densely for PyTorch's products."""
    sdy = torch.empty_like(dy)
    db = dy.new_empty(dy.shape[1]) if layer.need_db else None
    hits = _zeros(dy) if layer.counting else None
    core.kernels.mask_topk(dy, k, sdy, db, hits, core.threads)
    return MaskedGradient(sdy, db, hits)


def _zeros(dy: Tensor) -> Tensor:
    """(O,) counts of hits."""
    return torch.zeros(dy.shape[1], dtype=torch.int64)


def _dense_pays(core: Core, x: Tensor, width_out: int, k: int) -> bool:
    """Whether dense products of the masked gradient are cheaper than those of its entries."""
    shares = AVX512 if core.kernels.instruction_set() == "avx512" else NARROWER
    n_rows, width_in = x.shape
    return n_rows > 0 and k > width_out * shares.share(n_rows, width_in, width_out)
