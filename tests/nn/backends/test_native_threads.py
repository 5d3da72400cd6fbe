"""Threads and processes: how many there are, and whose they are, changes no bit of a result."""

from __future__ import annotations

import itertools
import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch.nn.utils.rnn import pack_sequence
from torch.testing import assert_close
from torch.utils.data import DataLoader, Dataset

from meprop_nlp import native
from meprop_nlp.nn.backends import choose
from meprop_nlp.nn.backends.openmp import parallel_entry
from meprop_nlp.nn.linear import MePropLinear
from meprop_nlp.nn.lstm import MePropLSTM
from meprop_nlp.nn.optimizers import make_optimizer
from meprop_nlp.nn.packed import Packed
from meprop_nlp.nn.recurrence import LSTMWeights
from meprop_nlp.nn.topk import Operands, Selection

CORE = native.core()
pytestmark = pytest.mark.skipif(CORE is None, reason=native.why_missing())
SECONDS = 60  # a fork that hangs is given up after so long

# Python 3.12 and newer warn of what these tests are there to try
ignore_fork_warning = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


@pytest.fixture(params=["plain threads", "PyTorch's threads"])
def pool(request):
    """Whose threads the core uses."""
    entry = parallel_entry()
    if request.param == "PyTorch's threads" and not entry:
        pytest.skip("this PyTorch has no OpenMP runtime")
    CORE.use_openmp_runtime(0 if request.param == "plain threads" else entry)
    yield request.param
    CORE.use_openmp_runtime(entry)


def linear_tensors(dtype=torch.float32):
    """Several blocks of rows, chunks and tiles, none of them full."""
    generator = torch.Generator().manual_seed(5)
    shapes = (1500, 150), (1500, 70), (150, 70)
    return [torch.randn(shape, dtype=dtype, generator=generator) for shape in shapes]


def run_linear(dtype=torch.float32):
    dy, x, weight = linear_tensors(dtype)
    kept = choose.topk(dy, Selection(9), Operands(x, weight))
    return kept.dx(weight), kept.dw(x), kept.db


def run_lstm(dtype=torch.float32):
    generator = torch.Generator().manual_seed(5)
    sizes, ins, units = [131, 131, 70, 3], 21, 50
    shapes = (sum(sizes), ins), (131, units), (131, units), (4 * units, ins), (4 * units, units)
    x, h0, c0, w_ih, w_hh = (torch.randn(s, dtype=dtype, generator=generator) for s in shapes)
    w_hh = w_hh / units
    packed, weights = Packed(sizes), LSTMWeights(w_ih, w_hh, None)
    results, trace = choose.lstm_forward(x, packed, (h0, c0), weights)
    upstream = type(results)(*(part.cos() for part in results))
    kept, dh0, dc0 = choose.backward_through_time(upstream, packed, w_hh, trace, Selection(5))
    products = kept.dx(w_ih), kept.dw(x), kept.dw(trace.h_prev)
    return *results, *trace, dh0, dc0, *products, kept.db


def run_rows(dtype=torch.float32):
    generator = torch.Generator().manual_seed(5)
    table = torch.randn(40, 33, dtype=dtype, generator=generator)
    rows = torch.randint(0, 40, (900, 3), dtype=torch.int32, generator=generator)
    weight = torch.randn(150, 99, dtype=dtype, generator=generator)
    kernels = choose.rows(table)
    y = kernels.forward(table, rows, 0.3, 7)
    pair, row_of, first = kernels.number_pairs(rows, 40)
    shared = choose.shared_pairs(table[row_of.long()], pair, first, weight)
    dy = shared.forward(None)
    results = [y, kernels.backward(y, rows, 40, 0.3, 7, sparse=False), kernels.dropout(y, 0.3, 7)]
    for k in (9, None):
        kept = shared.topk(dy, Selection(k), counting=False)
        results += [*shared.backward(kept), kept.db]
    return (*results, dy)


def run_optimizers(dtype=torch.float32):
    generator = torch.Generator().manual_seed(5)
    start = torch.randn(3000, 33, dtype=dtype, generator=generator)
    rows = torch.arange(3000).unsqueeze(0)  # Tensor.to_sparse takes seconds under the sanitizers
    by_rows = torch.sparse_coo_tensor(rows, start.sin(), start.shape, is_coalesced=True)
    found = []
    for name, lazy in itertools.product(("adam", "adagrad"), (False, True)):
        parameter = torch.nn.Parameter(start.clone())
        optimizer = make_optimizer(name, [parameter], lr=0.1, lazy=lazy)
        for gradient in (start.cos(), by_rows):
            parameter.grad = gradient
            optimizer.step()
        found.append(parameter.detach())
    return tuple(found)


RUNS = {"linear": run_linear, "lstm": run_lstm, "rows": run_rows, "optimizers": run_optimizers}
each_run = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)


@each_run
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
def test_number_of_threads_changes_no_bit(pool, threads, run, dtype):
    threads(1)
    expected = run(dtype)
    for n in (2, 7):
        threads(n)
        for _ in range(3):
            assert_close(run(dtype), expected, rtol=0, atol=0)


def test_threads_that_are_more_than_the_work_do_no_harm(pool):
    dy, x, weight = linear_tensors()
    results = []
    for n in (1, 2**31 - 1):
        index, value = torch.empty(3, 9, dtype=torch.int32), torch.empty(3, 9)
        dx, dw = torch.empty(3, 70), torch.empty(150, 70)
        CORE.select_topk(dy[:3], index, value, None, None, n)
        CORE.sparse_dx(index, value, weight, dx, n)
        CORE.sparse_dw(index, value, x[:3], dw, n)
        results.append((index, value, dx, dw))
    assert_close(results[1], results[0], rtol=0, atol=0)


@each_run
def test_python_threads_at_once_do_not_disturb_each_other(pool, threads, run):
    threads(2)
    expected = run()
    with ThreadPoolExecutor(2) as executor:
        for future in [executor.submit(run) for _ in range(12)]:
            assert_close(future.result(SECONDS), expected, rtol=0, atol=0)


def train_layers(seed):
    """Gradients of both layers on made-up data, one after the other."""
    generator = torch.Generator().manual_seed(seed)
    linear, lstm = MePropLinear(20, 40, k=4), MePropLSTM(40, 30, k=3)
    for parameter in (*linear.parameters(), *lstm.parameters()):
        parameter.data.normal_(0, 0.1, generator=generator)
    words = pack_sequence([torch.randn(n, 20, generator=generator) for n in (9, 5, 2)])
    output, _ = lstm(words._replace(data=linear(words.data)))
    output.data.square().sum().backward()
    return [parameter.grad for parameter in (*linear.parameters(), *lstm.parameters())]


def select_in_child(connection):
    """Runs a kernel on two threads, though the pool stayed with the parent."""
    dy, x, weight = linear_tensors()
    index, value = torch.empty(1500, 9, dtype=torch.int32), torch.empty(1500, 9)
    CORE.select_topk(dy, index, value, None, None, 2)
    dx, dw = torch.empty_like(x), torch.empty_like(weight)
    CORE.sparse_dx(index, value, weight, dx, 2)
    CORE.sparse_dw(index, value, x, dw, 2)
    connection.send((dx.numpy(), dw.numpy()))


@ignore_fork_warning
def test_forked_child_computes_after_its_parent_did(pool, threads):
    threads(2)
    expected = run_linear()
    here, there = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=select_in_child, args=(there,))
    child.start()
    try:
        assert here.poll(SECONDS), "the child hangs"
        actual = tuple(torch.from_numpy(array) for array in here.recv())
        child.join(SECONDS)
        assert child.exitcode == 0
    finally:
        child.kill()
    assert_close(actual, expected[:2], rtol=0, atol=0)
    assert_close(run_linear(), expected, rtol=0, atol=0)  # and so does the parent


class Trained(Dataset):
    """Its items are gradients, computed where they are asked for."""

    def __len__(self):
        return 6

    def __getitem__(self, seed):
        return train_layers(seed)


@ignore_fork_warning
@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # on one core
def test_workers_of_a_data_loader_train_layers(pool):
    expected = [train_layers(seed) for seed in range(6)]
    loader = DataLoader(
        Trained(),
        batch_size=None,
        num_workers=2,
        timeout=SECONDS,
        multiprocessing_context="fork",
    )
    # PyTorch's own products may sum in another order on the worker's one thread
    assert_close(list(loader), expected)
