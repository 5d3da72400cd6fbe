"""One fused Triton kernel: the k largest magnitudes of each row, as indices or as a masked copy.

Import it only where Triton is installed, as `choose.py` does. One program reads one row once, finds
the k-th largest magnitude by bisection of its bits, and writes the kept entries in order: no sort,
no temporary, no host synchronisation. The results are `reference_topk.py`'s.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

# dtype: (integer of the same size, integer to compute in, the bits of infinity). The bits of two
# floats that are not negative compare as the floats do, and those of NaN lie above infinity.
LAYOUTS = {
    torch.float16: (tl.int16, tl.int32, 0x7C00),
    torch.bfloat16: (tl.int16, tl.int32, 0x7F80),
    torch.float32: (tl.int32, tl.int32, 0x7F80_0000),
    torch.float64: (tl.int64, tl.int64, 0x7FF0_0000_0000_0000),
}


@triton.jit
def magnitude_bits(
    value,
    inside,
    stored_type: tl.constexpr,
    bits_type: tl.constexpr,
    infinity: tl.constexpr,
):
    """Return integers that compare as the magnitudes of `value` do; -1 where not `inside`."""
    # Without its sign bit a number of either sign becomes its magnitude; NaN becomes infinity.
    bits = value.to(stored_type, bitcast=True).to(bits_type) & (infinity | (infinity - 1))
    return tl.where(inside, tl.minimum(bits, infinity), -1)


@triton.jit
def keep_largest(bits, k, axis: tl.constexpr, infinity: tl.constexpr, n_bits: tl.constexpr):
    """Whether each entry is among the k largest along `axis`; ties: lowest index first."""
    # At least k entries are >= low and fewer than k are >= high, until low is the k-th largest.
    low = tl.min(bits, axis=axis, keep_dims=True) * 0
    high = low + (infinity + 1)
    for _ in range(n_bits):
        middle = low + (high - low) // 2
        enough = tl.sum((bits >= middle).to(tl.int32), axis=axis, keep_dims=True) >= k
        low = tl.where(enough, middle, low)
        high = tl.where(enough, high, middle)
    above = bits > low
    equal = bits == low
    room = k - tl.sum(above.to(tl.int32), axis=axis, keep_dims=True)
    return above | (equal & (tl.cumsum(equal.to(tl.int32), axis=axis) <= room))


@triton.jit(do_not_specialize=["k"])
def topk_kernel(
    entries,
    result,
    width,
    k,
    masked: tl.constexpr,
    block: tl.constexpr,
    stored_type: tl.constexpr,
    bits_type: tl.constexpr,
    infinity: tl.constexpr,
    n_bits: tl.constexpr,
):
    """entries (B, O) to their masked copy (B, O) or to the kept indices (B, K), all contiguous.

    Program b does row b.
    """
    row = tl.program_id(0).to(tl.int64)
    column = tl.arange(0, block)
    inside = column < width
    value = tl.load(entries + row * width + column, mask=inside, other=0.0)
    bits = magnitude_bits(value, inside, stored_type, bits_type, infinity)
    keep = keep_largest(bits, k, 0, infinity, n_bits)
    if masked:
        tl.store(result + row * width + column, tl.where(keep, value, 0.0), mask=inside)
    else:
        place = tl.cumsum(keep.to(tl.int32), axis=0) - 1
        tl.store(result + row * k + place, column.to(tl.int64), mask=keep)


def bits_settings(dtype: torch.dtype) -> dict[str, object]:
    """Return the arguments of `magnitude_bits` and `keep_largest` that depend on `dtype`."""
    stored_type, bits_type, infinity = LAYOUTS[dtype]
    return {
        "stored_type": stored_type,
        "bits_type": bits_type,
        "infinity": infinity,
        "n_bits": (infinity + 1).bit_length(),
    }


def launch_settings(dtype: torch.dtype, width: int) -> dict[str, object]:
    """Return the constants of `topk_kernel` except `masked`, and its warps, for rows of `width`."""
    block = triton.next_power_of_2(width)
    warps = min(max(block // 1024, 4), 32)
    return {**bits_settings(dtype), "block": block, "num_warps": warps}


def select_rows(entries: Tensor, k: int) -> Tensor:
    """(B, K) int64 increasing indices of each row's k largest magnitudes.

    Ties go to the lowest index; NaN counts as infinite.

    Args:
        entries: (B, O) float16, bfloat16, float32 or float64, on a CUDA device.
        k: from 1 to O.
    """
    selected = torch.empty(len(entries), k, dtype=torch.int64, device=entries.device)
    _launch(entries, selected, k, masked=False)
    return selected


def mask_rows(entries: Tensor, k: int) -> Tensor:
    """(B, O) copy of `entries` in which all but each row's k largest magnitudes are zero.

    Arguments and ties: as in `select_rows`.
    """
    masked = torch.empty_like(entries, memory_format=torch.contiguous_format)
    _launch(entries, masked, k, masked=True)
    return masked


def _launch(entries: Tensor, result: Tensor, k: int, *, masked: bool) -> None:
    n_rows, width = entries.shape
    if n_rows > 0:
        settings = launch_settings(entries.dtype, width)
        with torch.cuda.device(entries.get_device()):
            topk_kernel[(n_rows,)](entries.contiguous(), result, width, k, masked, **settings)
