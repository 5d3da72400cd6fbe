"""Buffers of the native core: each call has its own, whatever the thread computed before."""

from __future__ import annotations

import itertools
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from meprop_nlp import native

CORE = native.core()
pytestmark = pytest.mark.skipif(CORE is None, reason=native.why_missing())
STATM = Path("/proc/self/statm")


def made_up(*shape: int, dtype: torch.dtype) -> Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(shape, dtype=dtype, generator=generator)


def linear_backward(n: int, dtype: torch.dtype) -> list[Tensor]:
    """Both products, for k entries of each example and for k of the batch."""
    outs, ins, k = 4 + n // 2, 1 + n, 3
    dy, x = made_up(3 * n, outs, dtype=dtype), made_up(3 * n, ins, dtype=dtype)
    weight = made_up(outs, ins, dtype=dtype)
    found = []
    for of_batch in (False, True):
        dx, dw, db = torch.empty_like(x), torch.empty_like(weight), dy.new_empty(outs)
        hits = torch.zeros(outs, dtype=torch.int64)
        if of_batch:
            neurons = torch.empty(k, dtype=torch.int32)
            CORE.unified_backward(dy, x, weight, neurons, dx, dw, db, hits, 1)
        else:
            CORE.example_backward(dy, x, weight, k, dx, dw, db, hits, 1)
        found += [dx, dw, db, hits]
    return found


def lstm(n: int, dtype: torch.dtype) -> list[Tensor]:
    """Forward, backward, and the backward pass of one step."""
    units, k = 1 + n // 2, 1
    sizes = [n, n, 1 + n // 2]
    rows = sum(sizes)
    gates, h0 = made_up(rows, 4 * units, dtype=dtype), made_up(n, units, dtype=dtype)
    weight_hh = made_up(4 * units, units, dtype=dtype) / units
    output, tanh_c, h_prev, c_prev = (h0.new_empty(rows, units) for _ in range(4))
    h_n, c_n = torch.empty_like(h0), torch.empty_like(h0)
    traces = gates, output, h_n, c_n, tanh_c, h_prev, c_prev
    CORE.lstm_forward(sizes, False, h0, h0, weight_hh, *traces, 1)
    dh, dc, db = torch.ones_like(h0), torch.ones_like(h0), h0.new_empty(4 * units)
    index, value = torch.empty(rows, 4 * k, dtype=torch.int32), h0.new_empty(rows, 4 * k)
    states = dh, dc, index, value, db
    CORE.lstm_backward(output, sizes, False, weight_hh, gates, tanh_c, c_prev, *states, 1)
    found = [*traces, *states]
    for unified in (False, True):
        dc, db, masked = torch.ones_like(h0), h0.new_zeros(4 * units), h0.new_empty(n, 4 * units)
        step = tanh_c, c_prev, 0, k, unified, h0, dc, masked, None, None, db
        CORE.lstm_step_backward(output, gates, *step, 1)
        found += [dc, masked, db]
    return found


def slots(n: int, dtype: torch.dtype) -> list[Tensor]:
    """A table's rows side by side, forward and backward, and its gradient."""
    table_rows, width, outs, k = 1 + n, 1 + n // 4, 5 + n // 2, 4
    table, weight = made_up(table_rows, width, dtype=dtype), made_up(outs, 3 * width, dtype=dtype)
    generator = torch.Generator().manual_seed(n)
    rows = torch.randint(0, table_rows, (2 * n, 3), dtype=torch.int32, generator=generator)
    pair, row_of = torch.empty_like(rows), torch.empty(6 * n, dtype=torch.int32)
    first = torch.empty(4, dtype=torch.int32)
    vectors = table[row_of[: CORE.number_pairs(rows, table_rows, pair, row_of, first)].long()]
    y = table.new_empty(2 * n, outs)
    CORE.slot_forward(vectors, pair, first, weight, None, y, 1)
    index, value = torch.empty(2 * n, k, dtype=torch.int32), y.new_empty(2 * n, k)
    CORE.select_topk(y, index, value, None, None, 1)
    dvectors, dw = torch.empty_like(vectors), torch.empty_like(weight)
    CORE.slot_backward(index, value, vectors, pair, first, weight, dvectors, dw, 1)
    read = torch.empty(min(6 * n, table_rows), dtype=torch.int32)
    gradient = table.new_zeros(len(read), outs)
    n_read = CORE.embedding_backward(y, rows, table_rows, 0.3, 7, read, gradient, 1)
    return [pair, y, index, value, dvectors, dw, read[:n_read], gradient[:n_read]]


CALLS = list(
    itertools.product(
        (linear_backward, lstm, slots), (1, 9, 40, 130), (torch.float32, torch.double)
    )
)


def in_new_thread(calls: list) -> list[list[Tensor]]:
    """The results of some calls, one after the other on a thread that has computed nothing yet."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(lambda: [run(n, dtype) for run, n, dtype in calls]).result()


@pytest.mark.parametrize("seed", [1, 2])
def test_earlier_calls_of_the_thread_change_no_bit(seed: int) -> None:
    calls = random.Random(seed).choices(CALLS, k=60)
    expected = {call: in_new_thread([call])[0] for call in set(calls)}
    for call, actual in zip(calls, in_new_thread(calls), strict=True):
        assert_close(actual, expected[call], rtol=0, atol=0, msg=str(call))


@pytest.mark.skipif(not STATM.exists(), reason="the system does not say how much memory is in use")
def test_memory_of_a_thread_does_not_grow_from_call_to_call() -> None:
    dy, masked = torch.randn(4000, 300), torch.empty(4000, 300)
    x, weight = torch.randn(4000, 10), torch.randn(300, 10)
    hits = torch.zeros(300, dtype=torch.int64)
    outputs = torch.empty_like(x), torch.empty_like(weight), torch.empty(300), hits

    def call() -> int:
        CORE.mask_topk(dy, 5, masked, outputs[2], hits, 1)
        CORE.example_backward(dy, x, weight, 290, *outputs, 1)  # 14 MB of selected entries
        return int(STATM.read_text().split()[1])

    pages = [call() for _ in range(20)]
    assert (max(pages[5:]) - pages[4]) * 4096 < 5e6, pages
